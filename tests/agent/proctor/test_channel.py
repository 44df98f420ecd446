"""The channel's socket against a real server on loopback: it comes back, resumes, and outlives whatever the peer does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from secureproctor.agent.delivery.backoff import Backoff
from secureproctor.agent.proctor import channel as channelling
from secureproctor.agent.proctor.channel import ProctorChannel
from secureproctor.agent.proctor.pace import Pace
from secureproctor.agent.proctor.protocol import ProctorProtocol
from secureproctor.contract.channel import Backlog, Chat, Command, Heartbeat, KeepAlive
from secureproctor.contract.link import Link, Snapshot

BEAT = Heartbeat("running", 1, 2, Backlog(3, 4), {})


@dataclass(slots=True)
class Service:
    """The service's end: one link over however many connections. `mute` says nothing, not even what it heard."""

    link: Link = field(default_factory=Link)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    """Addresses to which the next requests are redirected."""
    sockets: list[ServerConnection] = field(default_factory=list)
    resumed: set[ServerConnection] = field(default_factory=set)
    connections: int = 0
    mute: bool = False
    server: Server | None = None
    port: int = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        async with serve(
            self._converse, "127.0.0.1", self.port, process_request=self._door, close_timeout=0.2
        ) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            yield
            for socket in list(self.sockets):
                socket.transport.abort()

    def _door(self, socket: ServerConnection, request: Request) -> Response | None:
        self.tokens.append(request.headers["Authorization"])
        if self.elsewhere:
            redirect = socket.respond(302, "")
            redirect.headers["Location"] = self.elsewhere.pop(0)
            return redirect
        return socket.respond(self.statuses.pop(0), "") if self.statuses else None

    async def _converse(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        self.connections += 1
        try:
            if not self.mute:
                await socket.send(self.link.connected().decode())
            async for frame in socket:
                if not self.mute:
                    await self._take(socket, frame)
        except ConnectionClosed:
            pass  # as the tests want it
        finally:
            self.sockets.remove(socket)
            self.resumed.discard(socket)

    async def _take(self, socket: ServerConnection, frame: str | bytes) -> None:
        body, answers = self.link.receive(frame)
        if body is not None:
            self.bodies.append(msgspec.json.decode(body))
        for answer in answers:
            await socket.send(answer.decode())
        self.resumed.add(socket)
        if body is not None and self.bodies[-1]["type"] == "heartbeat":
            await socket.send(self.link.momentary(KeepAlive(0)).decode())

    async def send(self, message: msgspec.Struct) -> None:
        """Now, or after the next Resume."""
        frame = self.link.send(message)
        for socket in list(self.resumed):
            with contextlib.suppress(ConnectionClosed):
                await socket.send(frame.decode())

    async def say(self, text: str | bytes) -> None:
        await self.sockets[-1].send(text)

    def cut(self) -> None:
        for socket in self.sockets:
            socket.transport.abort()

    def said(self, kind: str) -> list[dict[str, Any]]:
        return [body for body in self.bodies if body["type"] == kind]


@dataclass(slots=True)
class Token:
    """A token that can be renewed."""

    token: str = "old"

    async def renew(self) -> None:
        self.token = "new"


@dataclass(slots=True)
class Play:
    """A channel at work with the service at its other end."""

    service: Service
    channel: ProctorChannel
    obeyed: list[Any]
    heard: list[None]
    work: asyncio.Task[None]


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    async with service.listening():
        yield service


@pytest.fixture
async def play(service: Service, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Play]:
    """Its keep-alive is 20 ms, its patience 300 ms, its first wait 10 ms."""
    monkeypatch.setattr(channelling, "KEEP_ALIVE_S", 0.02)
    monkeypatch.setattr(channelling, "LINK_LOST_AFTER_S", 0.3)
    monkeypatch.setattr("secureproctor.agent.delivery.backoff.FIRST_S", 0.01)
    monkeypatch.setattr("secureproctor.agent.delivery.backoff.LONGEST_S", 0.05)
    obeyed: list[Any] = []
    heard: list[None] = []
    kept: list[Snapshot] = []

    async def obey(message: Any) -> None:
        obeyed.append(message)

    channel = ProctorChannel(
        f"ws://127.0.0.1:{service.port}/channel",
        Token(),
        ProctorProtocol(),
        Backoff(lambda: 0.5),
        obey,
        lambda: BEAT,
        lambda: heard.append(None),
        kept.append,
    )
    work = asyncio.create_task(channel.run())
    yield Play(service, channel, obeyed, heard, work)
    assert not work.done(), work.result()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


def chat(number: int, sender: Any = "candidate") -> Chat:
    return Chat(f"m-{number}", sender, f"message {number}", number)


Until = Callable[..., Any]


async def test_a_message_is_noted_and_the_link_kept_before_anything_acknowledges_it(
    play: Play, eventually: Until
) -> None:
    """Else an agent that is killed in between would have promised what it does not know."""
    steps: list[tuple[str, int]] = []

    def take(message: Any) -> None:
        steps.append(("taken", play.channel.protocol.link.heard))

    def keep(snapshot: Snapshot) -> None:
        steps.append(("kept", snapshot.heard))

    await eventually(lambda: play.service.resumed)
    play.channel.take, play.channel.keep = take, keep
    await play.service.send(chat(1, "proctor"))
    await eventually(lambda: not play.service.link.waiting)
    assert [step for step in steps if step[1] == 1][:2] == [("taken", 1), ("kept", 1)]


async def test_a_flood_is_read_at_a_bounded_pace(play: Play, eventually: Until) -> None:
    """A burst at once, then a message each 50 ms; what is not read waits at the service."""
    play.channel.pace = Pace(per_second=20.0, burst=5, _tokens=5)
    await eventually(lambda: play.service.resumed)
    begun = asyncio.get_running_loop().time()
    for number in range(12):
        await play.service.send(chat(number, "proctor"))
    await eventually(lambda: len(play.obeyed) == 12)
    assert asyncio.get_running_loop().time() - begun > 0.2
    assert [message.id for message in play.obeyed] == [f"m-{number}" for number in range(12)]
    assert play.service.connections == 1


async def test_a_service_that_acknowledges_nothing_stops_nobody(play: Play) -> None:
    play.channel.protocol.link.max_waiting = 3
    for number in range(5):
        play.channel.send(chat(number))
    assert len(play.channel.protocol.link.waiting) == 3


async def test_what_can_be_done_without_is_left_out_while_many_wait(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secureproctor.agent.proctor.protocol.CROWDED", 2)
    for number in range(5):
        play.channel.offer(chat(number))
    play.channel.send(chat(9))
    assert len(play.channel.protocol.link.waiting) == 3


async def test_heartbeats_go_and_their_answers_are_heard(play: Play, eventually: Until) -> None:
    await eventually(lambda: len(play.service.said("heartbeat")) > 2 and len(play.heard) > 2)
    assert play.service.said("heartbeat")[0]["backlog"] == {"segments": 3, "bytes": 4}
    assert play.service.tokens == ["Bearer old"]


async def test_messages_go_both_ways_in_their_order(play: Play, eventually: Until) -> None:
    for number in range(20):
        play.channel.send(chat(number))
    await eventually(lambda: len(play.service.said("chat")) == 20)
    assert [body["id"] for body in play.service.said("chat")] == [f"m-{number}" for number in range(20)]
    for number in range(20):
        await play.service.send(chat(number, "proctor"))
    await eventually(lambda: len(play.obeyed) == 20)
    assert play.obeyed == [chat(number, "proctor") for number in range(20)]


async def test_the_channel_is_settled_once_the_service_has_acknowledged(play: Play, eventually: Until) -> None:
    await eventually(lambda: play.service.connections)
    play.channel.send(chat(1))
    assert not play.channel.settled
    await eventually(lambda: play.channel.settled)


async def test_what_was_sent_while_away_arrives_once_and_in_order(play: Play, eventually: Until) -> None:
    await eventually(lambda: play.service.connections == 1)
    play.channel.send(chat(0))
    await eventually(lambda: play.service.said("chat"))
    play.service.cut()
    await eventually(lambda: not play.channel.protocol.ready)
    for number in range(1, 6):
        play.channel.send(chat(number))
        play.service.link.send(chat(number, "proctor"))
    await eventually(lambda: len(play.service.said("chat")) == 6 and len(play.obeyed) == 5)
    assert [body["id"] for body in play.service.said("chat")] == [f"m-{number}" for number in range(6)]
    assert [message.id for message in play.obeyed] == [f"m-{number}" for number in range(1, 6)]
    assert play.service.connections == 2


async def test_connections_cut_at_any_moment_lose_and_double_nothing(play: Play, eventually: Until) -> None:
    for number in range(60):
        play.channel.send(chat(number))
        await play.service.send(chat(number, "proctor"))
        if number % 7 == 0:
            await eventually(lambda: play.service.sockets)
            play.service.cut()
        await asyncio.sleep(0)
    await eventually(lambda: len(play.service.said("chat")) == len(play.obeyed) == 60)
    assert [body["id"] for body in play.service.said("chat")] == [message.id for message in play.obeyed]


async def test_a_service_that_falls_silent_is_left_and_found_again(play: Play, eventually: Until) -> None:
    """The socket stays open, but nothing comes: a laptop's Wi-Fi that roamed, a dead proxy."""
    await eventually(lambda: play.service.connections == 1)
    play.service.mute = True
    await eventually(lambda: play.service.connections == 2)
    play.service.mute = False
    play.service.cut()
    play.channel.send(chat(1))
    await eventually(lambda: play.service.said("chat"))


async def test_a_restarted_service_is_found_again(service: Service, play: Play, eventually: Until) -> None:
    await eventually(lambda: service.connections == 1)
    service.statuses = [503, 500, 404]
    service.cut()
    await eventually(lambda: service.connections == 2)
    assert service.statuses == []


async def test_an_expired_token_is_renewed(service: Service, play: Play, eventually: Until) -> None:
    await eventually(lambda: service.connections == 1)
    service.statuses = [401]
    service.cut()
    await eventually(lambda: service.connections == 2)
    assert service.tokens == ["Bearer old", "Bearer old", "Bearer new"]


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "not json",
        b"\xff\x00\x01",
        '{"n":1}',
        '{"n":99,"ack":0,"body":{}}',
        '{"n":0,"ack":99,"body":{}}',
        '{"n":0,"ack":0,"body":' + "[" * 100_000 + "]" * 100_000 + "}",
        "x" * 300_000,
    ],
    ids=["empty", "text", "bytes", "no body", "skipped", "future", "nested", "oversize"],
)
async def test_a_frame_that_breaks_the_protocol_breaks_the_connection_only(
    play: Play, frame: str | bytes, eventually: Until
) -> None:
    await eventually(lambda: play.channel.protocol.ready)
    await play.service.say(frame)
    await eventually(lambda: play.service.connections == 2)
    await play.service.send(chat(1, "proctor"))
    await eventually(lambda: play.obeyed == [chat(1, "proctor")])


async def test_a_message_of_an_unknown_type_breaks_nothing(play: Play, eventually: Until) -> None:
    await eventually(lambda: play.channel.protocol.ready)

    class Hologram(msgspec.Struct, tag="hologram"):
        depth: int = 3

    await play.service.send(Hologram())
    await play.service.send(chat(1, "proctor"))
    await eventually(lambda: play.obeyed == [chat(1, "proctor")])
    assert play.service.connections == 1
    await eventually(lambda: not play.service.link.waiting)


async def test_a_command_is_carried_out_to_its_end_when_the_connection_breaks_meanwhile(
    play: Play, eventually: Until
) -> None:
    """Ending a session closes devices, which takes its time; half an ending would leave the session stuck."""
    go_on, steps = asyncio.Event(), []

    async def obey(message: Any) -> None:
        steps.append(f"{message.id} begins")
        await go_on.wait()
        steps.append(f"{message.id} is done")

    play.channel.take = obey
    await eventually(lambda: play.channel.protocol.ready)
    await play.service.send(Command("c-1", "end", 1))
    await eventually(lambda: steps)
    play.service.cut()
    await play.service.send(Command("c-2", "pause", 2))
    await eventually(lambda: play.service.connections == 2)
    await asyncio.sleep(0.02)  # long enough for the second one to begin, if nothing kept it
    assert steps == ["c-1 begins"]
    go_on.set()
    await eventually(lambda: len(steps) == 4)
    assert steps == ["c-1 begins", "c-1 is done", "c-2 begins", "c-2 is done"]


async def test_a_long_command_does_not_make_the_link_look_lost(play: Play, eventually: Until) -> None:
    go_on = asyncio.Event()

    async def obey(message: Any) -> None:
        await go_on.wait()

    play.channel.take = obey
    await eventually(lambda: play.channel.protocol.ready)
    await play.service.send(Command("c-1", "end", 1))
    before = len(play.service.said("heartbeat"))
    await eventually(lambda: len(play.service.said("heartbeat")) > before + 20)
    assert play.service.connections == 1
    go_on.set()


@pytest.mark.parametrize("address", ["http://portal.example/login", "ws://127.0.0.1:9/other", "not an address"])
async def test_a_redirect_is_not_followed_and_not_the_end(play: Play, eventually: Until, address: str) -> None:
    """A hotel's log-in page answers for the service: the token goes nowhere else, and the channel comes back."""
    await eventually(lambda: play.service.resumed)
    play.service.elsewhere = [address] * 3
    play.service.cut()
    await eventually(lambda: not play.service.elsewhere and play.service.resumed)
    play.channel.send(chat(1))
    await eventually(lambda: len(play.service.said("chat")) == 1)

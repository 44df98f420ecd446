"""The bridge between a browser's pipes and an agent's WebSocket, each in its real kind, in this process."""

import json
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection
from websockets.sync.server import ServerConnection, serve

from secureproctor.agent.local.door import BROWSER_PID, MAX_FRAME_MESSAGE, MAX_MESSAGE, PAGE_ORIGIN
from secureproctor.agent.local.native_host import Browser, bridge
from secureproctor.agent.local.pairing import Pairing
from secureproctor.agent.local.reaching import Denied, knock, missing

ORIGIN = "https://exam.example"
DEADLINE_S = 20.0


def until(holds: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.005)


@dataclass
class Agent:
    """A WebSocket server in the agent's place: what came to it, and what it does with each connection."""

    port: int = 0
    heard: list[str | bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    answer: Callable[[ServerConnection, str | bytes], None] = lambda socket, frame: socket.send(frame)
    greet: Callable[[ServerConnection], None] = lambda socket: None
    gone: threading.Event = field(default_factory=threading.Event)

    def converse(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.headers.append(dict(socket.request.headers.raw_items()))
        try:
            self.greet(socket)
            for frame in socket:
                self.heard.append(frame)
                self.answer(socket, frame)
        except ConnectionClosed:
            pass
        finally:
            self.gone.set()

    def reach(self, origin: str, unwanted: Callable[[], bool]) -> ClientConnection:
        connection = knock(Pairing(f"ws://127.0.0.1:{self.port}", "token-1", 1), origin)
        assert connection is not None
        return connection


@dataclass
class Extension:
    """The browser's end of a bridge that runs in a thread."""

    browser: Browser
    into: int
    out: int
    ends: list[int] = field(default_factory=list)
    thread: threading.Thread = field(default_factory=threading.Thread)

    def say(self, *messages: object) -> None:
        for message in messages:
            content = json.dumps(message).encode()
            self.write(struct.pack("=I", len(content)) + content)

    def write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.into, data) :]

    def ask(self, number: int, **more: object) -> None:
        self.say({"frame": {"jsonrpc": "2.0", "id": number, "method": "hello", **more}})

    def hear(self) -> Any:
        (size,) = struct.unpack("=I", self._exactly(4))
        return json.loads(self._exactly(size))

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = os.read(self.out, size - len(data))
            assert more, "the host closed its output"
            data += more
        return data

    def close(self) -> None:
        for name in ("into", "out"):
            descriptor = getattr(self, name)
            setattr(self, name, -1)
            if descriptor >= 0:
                os.close(descriptor)

    def ended(self) -> int:
        self.thread.join(DEADLINE_S)
        assert not self.thread.is_alive()
        (code,) = self.ends
        return code


@pytest.fixture
def agent() -> Iterator[Agent]:
    agent = Agent()
    with serve(agent.converse, "127.0.0.1", 0, compression=None, max_size=None) as server:
        agent.port = server.socket.getsockname()[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield agent
        server.shutdown()
        thread.join()


Start = Callable[..., Extension]


@pytest.fixture
def start(agent: Agent) -> Iterator[Start]:
    """Starts bridges; at the end all of them and their threads are gone."""
    before = threading.active_count()
    with ExitStack() as stack:

        def begin(reach: Any = None) -> Extension:
            (source, into), (out, sink) = os.pipe(), os.pipe()
            extension = Extension(Browser(source, sink), into, out)

            def run() -> None:
                extension.ends.append(bridge(extension.browser, reach or agent.reach))
                os.close(sink)

            extension.thread = threading.Thread(target=run)
            extension.thread.start()
            stack.callback(os.close, source)
            stack.callback(until, lambda: threading.active_count() <= before, "the host's threads to end")
            stack.callback(extension.ended)
            stack.callback(extension.close)
            return extension

        yield begin


def test_frames_go_both_ways_and_the_agent_learns_for_whom(agent: Agent, start: Start) -> None:
    extension = start()
    extension.say({"origin": ORIGIN, "version": "1.0"})
    for number in range(50):
        extension.ask(number, params={"tab": "ü😀"})
        assert extension.hear()["frame"]["id"] == number
    assert json.loads(agent.heard[0])["params"] == {"tab": "ü😀"}
    assert all(isinstance(frame, str) for frame in agent.heard)
    assert agent.headers[0][PAGE_ORIGIN] == ORIGIN
    assert agent.headers[0]["Authorization"] == "Bearer token-1"
    assert int(agent.headers[0][BROWSER_PID]) == os.getppid()
    assert "Origin" not in agent.headers[0]


def test_a_frame_that_is_too_long_for_the_browser_comes_in_parts(agent: Agent, start: Start) -> None:
    report = json.dumps({"jsonrpc": "2.0", "id": 1, "result": "é" * 2_000_000})
    agent.answer = lambda socket, frame: socket.send(report)
    extension = start()
    extension.say({"origin": ORIGIN})
    extension.ask(1)
    parts = [extension.hear()]
    while not parts[-1]["last"]:
        parts.append(extension.hear())
    assert "".join(each["part"] for each in parts) == report


def test_a_browser_that_goes_takes_the_host_along_and_the_agent_is_told(agent: Agent, start: Start) -> None:
    extension = start()
    extension.say({"origin": ORIGIN})
    extension.ask(1)
    extension.hear()
    extension.close()
    assert extension.ended() == 0
    assert agent.gone.wait(DEADLINE_S)


def test_an_agent_that_goes_takes_the_host_along_and_the_page_is_told_why(agent: Agent, start: Start) -> None:
    agent.answer = lambda socket, frame: socket.close(1008, "too many messages")
    extension = start()
    extension.say({"origin": ORIGIN})
    extension.ask(1)
    closed = extension.hear()["closed"]
    assert closed["code"] == "agent_gone"
    assert "too many messages" in closed["message"]
    assert closed["remedy"]
    assert extension.ended() == 0


def test_without_an_agent_every_call_is_refused_with_a_remedy_and_the_end_is_told(start: Start) -> None:
    def reach(origin: str, unwanted: Callable[[], bool]) -> ClientConnection:
        until(lambda: extension.browser.waiting == 2, "the calls")
        raise Denied(missing("the disk is full"))

    extension = start(reach)
    extension.say({"origin": ORIGIN})
    for number in (7, 8):
        extension.ask(number)
    for number in (7, 8):
        frame = extension.hear()["frame"]
        assert (frame["id"], frame["error"]["code"]) == (number, -32000)
        assert frame["error"]["data"]["code"] == "agent_missing"
    closed = extension.hear()["closed"]
    assert (closed["code"], bool(closed["remedy"])) == ("agent_missing", True)
    assert "the disk is full" in closed["message"]
    assert extension.ended() == 1


def test_a_browser_that_goes_before_there_is_an_agent_is_not_waited_for(start: Start) -> None:
    def reach(origin: str, unwanted: Callable[[], bool]) -> ClientConnection:
        until(unwanted, "the browser to go")
        raise Denied(missing("nobody waits for it"))

    extension = start(reach)
    extension.say({"origin": ORIGIN})
    extension.close()
    assert extension.ended() == 0


@pytest.mark.parametrize("first", [b"", b"\x00", struct.pack("=I", 2) + b"{}", struct.pack("=I", 2) + b"\xff\xff"])
def test_a_browser_that_does_not_say_for_whom_reaches_nothing(agent: Agent, start: Start, first: bytes) -> None:
    extension = start()
    extension.write(first)
    os.close(extension.into)
    extension.into = -1
    assert extension.ended() == 0
    assert agent.headers == []


def test_a_message_that_is_too_long_is_refused_by_its_id_and_the_page_goes_on(agent: Agent, start: Start) -> None:
    extension = start()
    extension.say({"origin": ORIGIN})
    extension.ask(1, params={"body": "x" * MAX_FRAME_MESSAGE})
    refused = extension.hear()["frame"]
    assert (refused["id"], refused["error"]["data"]["code"]) == (1, "message_too_long")
    assert refused["error"]["data"]["remedy"]
    sending = threading.Thread(target=extension.ask, args=(2,), kwargs={"params": {"body": "x" * 20_000_000}})
    sending.start()
    refused = extension.hear()["frame"]
    assert (refused["id"], refused["error"]["data"]["code"]) == (None, "message_too_long")
    sending.join()
    extension.ask(3)
    assert extension.hear()["frame"]["id"] == 3
    assert len(agent.heard) == 1


def test_a_picture_of_a_window_passes_though_it_is_longer_than_what_a_page_may_say(agent: Agent, start: Start) -> None:
    extension = start()
    extension.say({"origin": ORIGIN})
    extension.ask(1, params={"image": "x" * (2 * MAX_MESSAGE)})
    assert extension.hear()["frame"]["id"] == 1
    assert len(agent.heard[0]) > 2 * MAX_MESSAGE


@pytest.mark.parametrize("message", [{}, [], {"part": "x"}, "text", None])
def test_what_carries_no_frame_is_refused_and_the_page_goes_on(agent: Agent, start: Start, message: object) -> None:
    extension = start()
    extension.say({"origin": ORIGIN}, message)
    refused = extension.hear()["frame"]
    assert (refused["id"], refused["error"]["data"]["code"]) == (None, "body_malformed")
    extension.ask(1)
    assert extension.hear()["frame"]["id"] == 1
    assert len(agent.heard) == 1


def test_a_browser_that_does_not_read_holds_up_the_agent_and_fills_no_memory(agent: Agent, start: Start) -> None:
    """The real agent drops such a visitor (outbox.py); what counts here is that the frames stay on its side."""
    sent = [0]
    frame = json.dumps({"params": "x" * 100_000})

    def flood(socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            for _ in range(3000):
                socket.send(frame)
                sent[0] += 1

    agent.greet = flood
    extension = start()
    extension.say({"origin": ORIGIN})
    seen = [-1]

    def stalled(since: list[float] = [0.0]) -> bool:  # noqa: B006 - the state of this poll
        if sent[0] != seen[0]:
            seen[0], since[0] = sent[0], time.monotonic()
        return sent[0] > 0 and time.monotonic() - since[0] > 0.3

    until(stalled, "the flood to stand")
    assert sent[0] < 1000
    extension.close()
    assert extension.ended() == 0
    assert agent.gone.wait(DEADLINE_S)

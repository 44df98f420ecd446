"""An agent that is killed between any two steps, and a service behind a link that drops, repeats and reorders.

The agent is the real one from the socket's frames to the journal's entries: channel, protocol, obedience, conductor. What is
durable of it is a `Disk`; each write there may be the last thing that an agent does. The next agent begins with the disk only.
The service's end is contract.link's other end, which numbers what it sends and keeps it until it is acknowledged.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import msgspec
from websockets.exceptions import ConnectionClosedError

from secureproctor.agent.clock import boot_us, wall_ms
from secureproctor.agent.delivery.backoff import Backoff
from secureproctor.agent.proctor.channel import ProctorChannel
from secureproctor.agent.proctor.obedience import Obedience
from secureproctor.agent.proctor.protocol import ProctorProtocol
from secureproctor.agent.proctor.watch import LinkWatch
from secureproctor.agent.session.attestations import attestations_for
from secureproctor.agent.session.authorization import authorization_for
from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.history import replay
from secureproctor.agent.session.journal import Entry, Registered
from secureproctor.agent.session.lockdown import lockdown_for
from secureproctor.agent.session.locking import Locking
from secureproctor.agent.session.recall import recall
from secureproctor.agent.session.session import Session
from secureproctor.agent.session.sightings import Sightings
from secureproctor.agent.session.sources import wanted_streams
from secureproctor.agent.session.viewing import Viewing
from secureproctor.capture.still import Still
from secureproctor.contract.channel import (
    Backlog,
    Chat,
    ChatMark,
    Command,
    CommandUpdate,
    Heartbeat,
    KeepAlive,
    ToService,
)
from secureproctor.contract.errors import Refusal
from secureproctor.contract.http import InitData
from secureproctor.contract.link import Link, LinkError, Snapshot
from secureproctor.contract.page import CheckResult, PageEvent
from secureproctor.contract.stills import StillInfo
from tests.agent.guards import FakeGuard

logging.getLogger("secureproctor.agent.proctor.channel").setLevel(logging.CRITICAL)
FRAMES: dict[str, type[msgspec.Struct]] = {
    str(kind.__struct_config__.tag): kind for kind in ToService.__args__ if kind.__struct_config__.tag
}


class Killed(BaseException):
    """The agent was killed here."""


@dataclass
class Disk:
    """What outlives an agent. After `steps_left` more writes the next one kills it: before it is made, or after."""

    entries: list[bytes] = field(default_factory=list)
    link: bytes = b""
    stills: list[StillInfo] = field(default_factory=list)
    steps_left: int | None = None
    after: bool = False

    def arm(self, steps: int, *, after: bool) -> None:
        self.steps_left, self.after = steps, after

    def write(self, life: "Life", change: Callable[[], None]) -> None:
        if life.dead:
            raise Killed  # a killed program does nothing more, whatever its `finally` says
        kills, self.steps_left = self.steps_left == 0, None if self.steps_left is None else self.steps_left - 1
        if kills:
            self.steps_left, life.dead = None, True
        if not kills or self.after:
            change()
        if kills:
            raise Killed

    def journal(self) -> list[Entry]:
        return [msgspec.json.decode(entry, type=Entry) for entry in self.entries]


@dataclass
class Wire:
    """One connection, in the order in which frames were written. What was not delivered when it breaks is lost."""

    to_agent: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    to_service: list[bytes] = field(default_factory=list)
    open: bool = True

    async def recv(self) -> bytes:
        frame = await self.to_agent.get()
        if frame is None:
            raise ConnectionClosedError(None, None)
        return frame

    async def send(self, frame: str) -> None:
        if not self.open:
            raise ConnectionClosedError(None, None)
        self.to_service.append(frame.encode())

    def cut(self) -> None:
        if self.open:
            self.open = False
            while not self.to_agent.empty():
                self.to_agent.get_nowait()
            self.to_agent.put_nowait(None)


@dataclass
class Service:
    """The service: what it ordered and said, and what it was answered."""

    link: Link = field(default_factory=Link)
    wire: Wire | None = None
    resumed: bool = False
    away: bool = False
    ordered: list[Command] = field(default_factory=list)
    said: list[Chat] = field(default_factory=list)
    answers: dict[str, list[str]] = field(default_factory=dict)
    heard: dict[str, Chat] = field(default_factory=dict)
    marks: set[tuple[str, str]] = field(default_factory=set)
    old: list[bytes] = field(default_factory=list)
    """Frames that were sent once; a bad link may deliver them again."""

    def connect(self) -> Wire:
        if self.away:
            raise OSError("nobody is there")
        self.cut()
        self.wire, self.resumed = Wire(), False
        self.wire.to_agent.put_nowait(self.link.connected())
        return self.wire

    def cut(self) -> None:
        if self.wire:
            self.wire.cut()
        self.wire, self.resumed = None, False

    def send(self, message: msgspec.Struct) -> None:
        frame = self.link.send(message)
        if self.wire and self.resumed:
            self._write(frame)

    def order(self, kind: str, argument: str) -> None:
        command = Command(f"c-{len(self.ordered)}", kind, wall_ms(), 300.0, "", argument, "Ada")
        self.ordered.append(command)
        self.send(command)

    def say(self) -> None:
        chat = Chat(f"p-{len(self.said)}", "proctor", "Look up.", wall_ms(), "Ada")
        self.said.append(chat)
        self.send(chat)

    def pump(self) -> None:
        """Take what has arrived."""
        wire = self.wire
        while wire and wire is self.wire and wire.to_service:
            try:
                body, answers = self.link.receive(wire.to_service.pop(0))
            except LinkError:
                self.cut()
                return
            for answer in answers:
                self._write(answer)
            if body is None:
                self.resumed = True
            else:
                self._take(body)

    def _write(self, frame: bytes) -> None:
        if self.wire:
            self.old.append(frame)
            self.wire.to_agent.put_nowait(frame)

    def _take(self, body: bytes) -> None:
        match msgspec.json.decode(body, type=FRAMES[msgspec.json.decode(body)["type"]]):
            case CommandUpdate() as update:
                self.answers.setdefault(update.id, []).append(update.status)
            case Chat() as chat:
                if chat.id not in self.heard:
                    self.heard[chat.id] = chat
                self.send(ChatMark(chat.id, "delivered", wall_ms()))
            case ChatMark() as mark:
                self.marks.add((mark.id, mark.mark))
            case Heartbeat():
                self._write(self.link.momentary(KeepAlive(wall_ms())))


@dataclass
class Life:
    """One agent, from its start to its kill."""

    disk: Disk
    service: Service
    data: InitData
    dead: bool = False
    told: list[PageEvent] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    conductor: Conductor = field(init=False)
    obedience: Obedience = field(init=False)

    def __post_init__(self) -> None:
        viewing = Viewing(cast(Any, None), self.told.append, lambda kind, of: None, self.start)
        sightings = Sightings(self.told.append, lambda: None, lambda: False, lambda session, then: None)
        locking = Locking(lambda tell: FakeGuard(tell, []), sightings)
        self.conductor = Conductor(
            self.session, cast(Any, self.capture), self.checks, cast(Any, self), self.told.append, lambda: None, viewing,
            locking,
        )  # fmt: skip
        self.obedience = Obedience(self.conductor)

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """As the supervisor does."""

        async def guarded() -> None:
            with contextlib.suppress(Killed):
                await work

        task = asyncio.create_task(guarded(), name=name)
        task.add_done_callback(lambda _: work.close())
        self.tasks.append(task)
        return task

    async def begin(self) -> None:
        """Go on with what is on the disk, as agent/app.py does."""
        history = replay(self.disk.journal())
        if history is None:
            self.disk.write(self, lambda: self._journal(Registered(self.data, "https://service.example", wall_ms())))
            await self.conductor.register(self.data)
            return
        session = self.session(self.data)
        session.caught_up.clear()
        recall(session, history)
        self.obedience.acknowledging.automatic = history.automatic
        self.obedience.tell_again(session, history.last_moved)
        await self.conductor.resume(session, history.resumed_state)
        await self.obedience.go_on(session)

    async def end(self) -> None:
        self.dead = True
        obeying = [session.channel._obeying for session in self.conductor.at_work if session.channel._obeying]
        for task in [*self.tasks, *obeying]:
            task.cancel()
        await asyncio.gather(*self.tasks, *obeying, return_exceptions=True)

    def session(self, data: InitData) -> Session:
        link = Link.restored(msgspec.json.decode(self.disk.link, type=Snapshot)) if self.disk.link else Link()
        beat = Heartbeat("running", 1, None, Backlog(0, 0), {})
        channel = ProctorChannel(
            "", cast(Any, SimpleNamespace(token="")), ProctorProtocol(link), Backoff(lambda: 0.0),
            lambda message: self.obedience.take(session, message), lambda: beat, lambda: None, self._keep,
        )  # fmt: skip
        journal: Any = SimpleNamespace(write=lambda entry: self.disk.write(self, lambda: self._journal(entry)))
        journal.close = lambda: None
        session = Session(
            data, journal, cast(Any, Delivery(self)), channel, LinkWatch(10**9, boot_us()),
            wanted_streams(data.settings), 0, cast(Any, SimpleNamespace(remove=lambda: None)),
        )  # fmt: skip
        session.authorization = authorization_for(data.settings)
        session.lockdown, session.attestations = lockdown_for(data.settings), attestations_for(data)
        session.caught_up.set()
        return session

    def capture(self, *args: Any) -> Any:
        return SimpleNamespace(
            start=lambda: None, wait_started=lambda timeout_s: {}, set_quality=lambda level: None, stop=lambda: None,
            still=lambda stream, timeout_s: Still(b"\xff\xd8", 2, 1),
        )  # fmt: skip

    async def checks(self, *args: Any) -> tuple[CheckResult, ...]:
        return ()

    def _keep(self, snapshot: Snapshot) -> None:
        def change() -> None:
            self.disk.link = msgspec.json.encode(snapshot)

        self.disk.write(self, change)

    def _journal(self, entry: Entry) -> None:
        self.disk.entries.append(msgspec.json.encode(entry))


@dataclass
class Delivery:
    """Delivers nothing by itself, so that a session that ended stays; a still is a write on the disk."""

    life: Life
    spool: Any = field(default_factory=lambda: SimpleNamespace(level="full", aside=0))
    uploader: Any = field(default_factory=lambda: SimpleNamespace(done=False))
    gaps: Any = field(default_factory=lambda: SimpleNamespace(interrupted=lambda stream, cause: None))

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def flush(self) -> None:
        await asyncio.sleep(0)

    def take(self, segment: Any) -> None: ...

    def record(self, event: Any) -> None: ...

    async def still(self, info: StillInfo, jpeg: bytes, at_us: int = 0) -> None:
        await asyncio.sleep(0)
        self.life.disk.write(self.life, lambda: self.life.disk.stills.append(info))


@dataclass
class Play:
    """The lives of an agent, one after the other, and what happens to them."""

    data: InitData
    disk: Disk = field(default_factory=Disk)
    service: Service = field(default_factory=Service)
    lives: list[Life] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    """What the candidate was promised to be sent."""
    late_us: int = 0

    @property
    def life(self) -> Life:
        return self.lives[-1]

    @contextlib.asynccontextmanager
    async def played(self) -> AsyncIterator["Play"]:
        await self.next_life()
        try:
            yield self
        finally:
            await self.life.end()

    async def next_life(self) -> None:
        if self.lives:
            await self.life.end()
        self.service.cut()
        self.lives.append(Life(self.disk, self.service, self.data))
        self.life.start("left sessions", self.life.begin())
        await self.while_alive(lambda: self.life.conductor.session is not None)

    async def by_hand(self, call: Callable[[], Coroutine[Any, Any, object] | None]) -> None:
        """The page calls, if there is an agent; it may be killed meanwhile, or refuse."""
        with contextlib.suppress(Killed, Refusal):
            work = call()
            if work is not None:
                await work
        await self.run()

    async def run(self, rounds: int = 3) -> None:
        """Let agent and service work for a moment; a killed agent is started again."""
        for _ in range(rounds):
            self.service.pump()
            for _ in range(5):
                await asyncio.sleep(0)
            await asyncio.sleep(0.0005)  # threads have their turn
        if self.life.dead:
            await self.next_life()

    async def while_alive(self, holds: Callable[[], bool]) -> None:
        for _ in range(20_000):
            if holds() or self.life.dead:
                return
            self.service.pump()
            await asyncio.sleep(0.0005)
        raise AssertionError("it never came to rest")

    async def heal(self) -> None:
        """No more trouble: until both ends have nothing more to say."""
        self.disk.steps_left, self.service.away = None, False
        while True:
            await self.run()
            await self.while_alive(self._at_rest)
            if not self.life.dead:
                return

    def _at_rest(self) -> bool:
        session = self.life.conductor.session
        return (
            session is not None
            and session.caught_up.is_set()
            and not self.service.link.waiting
            and not session.channel.protocol.link.waiting
            and self.service.resumed
            and all(course.status != "received" for course in session.commands.values())
        )

    def effects(self) -> Counter[str]:
        """How often each command took effect, by what the journals and the record say."""
        entries = [entry for entry in self.disk.journal() if not type(entry).__name__.startswith("Snapshot")]
        done = [str(getattr(entry, "command", "")) for entry in entries]
        return Counter([*filter(None, done), *(info.request for info in self.disk.stills if info.request)])

"""A stage on which a session is played: the real conductor, journal, sealer and spool, between a capture, an uploader
and a channel that only write down what was asked of them."""

import asyncio
import base64
import errno
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from secureproctor.agent.clock import boot_us, wall_ms
from secureproctor.agent.delivery.delivery import Delivery
from secureproctor.agent.delivery.gaps import Gap, GapWatch
from secureproctor.agent.delivery.intake import Intake
from secureproctor.agent.delivery.sealer import Sealer
from secureproctor.agent.delivery.spool import Key, Spool
from secureproctor.agent.proctor.obedience import Obedience
from secureproctor.agent.proctor.protocol import FromService
from secureproctor.agent.proctor.watch import LinkWatch
from secureproctor.agent.session.attestations import attestations_for
from secureproctor.agent.session.authorization import Authorization, authorization_for
from secureproctor.agent.session.beyond import go_beyond
from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.desk import AuthorizationDesk
from secureproctor.agent.session.exam_browser import ExamBrowser
from secureproctor.agent.session.folder import SessionFolder
from secureproctor.agent.session.journal import (
    AuthorizationMoved,
    CommandMoved,
    Entry,
    Journal,
    KeyVerified,
    StateEntered,
)
from secureproctor.agent.session.lockdown import Lockdown, lockdown_for
from secureproctor.agent.session.locking import Locking
from secureproctor.agent.session.machine import State
from secureproctor.agent.session.session import Session
from secureproctor.agent.session.sightings import Sightings
from secureproctor.agent.session.sources import wanted_streams
from secureproctor.agent.session.viewing import Viewing
from secureproctor.agent.supervisor import Supervisor
from secureproctor.capture.media import Clock, Kind, ReportSink, Segment, SegmentSink
from secureproctor.capture.still import Still
from secureproctor.contract.channel import (
    AuthorizationChanged,
    ChatMark,
    Command,
    CommandUpdate,
    EventSeen,
    LockdownChanged,
    SessionChanged,
)
from secureproctor.contract.events import Detail, Event
from secureproctor.contract.http import InitData, ProctoringSettings
from secureproctor.contract.lockdown import BeyondTolerance, Phase, RuleId, Standing
from secureproctor.contract.msb import MsbClaims
from secureproctor.contract.page import CheckResult, DrainStatus, PageEvent, PreviewEvent
from secureproctor.contract.record import RecordKind, parse, unseal
from secureproctor.contract.stills import Identity
from secureproctor.contract.streams import Stream
from secureproctor.lockdown.guard import News
from secureproctor.lockdown.rule import Sighting
from tests.agent.guards import FakeFacts, FakeGuard

KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
SEALING_KEY = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
EXPIRY_S = 300
PASSED = (CheckResult("camera", "Camera", "passed", "ok", "a picture"),)
FAILED = (*PASSED, CheckResult("microphone", "Microphone", "failed", "missing", "nothing", "Connect it."))
DEADLINE_S = 10.0
JPEG = b"\xff\xd8 a picture"


def init_data(not_enforced: tuple[str, ...] = (), **settings: Any) -> InitData:
    return InitData(
        token="token",
        session_id=str(uuid.uuid4()),
        expiry_s=EXPIRY_S,
        settings=ProctoringSettings(**settings),
        sealing_key=SEALING_KEY,
        origins=("https://exam.example",),
        not_enforced=not_enforced,
        now_ms=wall_ms(),
        retention_s=3600,
        user_id="u1",
        group_name="maths",
    )


def a_key(**claims: Any) -> KeyVerified:
    """An MSB Key that was verified."""
    now_s = wall_ms() // 1000
    known: dict[str, Any] = {
        "iss": "client",
        "exam": "maths",
        "iat": now_s,
        "nbf": now_s,
        "exp": now_s + 3600,
        "jti": "j",
    }
    return KeyVerified(MsbClaims(**{**known, **claims}), "kid", wall_ms())


def a_segment(
    stream: Stream = Stream.SCREEN, kind: Kind = Kind.INIT, payload: bytes = b"moov", start_us: int = 0
) -> Segment:
    return Segment(stream, kind, start_us, 0 if kind is Kind.INIT else 2_000_000, "avc1.640028", payload)


async def until(holds: Callable[[], object], why: str = "") -> None:
    """Look again and again until it holds; fail past the deadline."""
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end, why or "it never came to hold"
        await asyncio.sleep(0.005)


class NotedJournal(Journal):
    """A real journal that notes each entry; `full` is a disk that takes nothing more."""

    def __init__(self, path: Path, events: list[str]) -> None:
        super().__init__(path)
        self.events, self.full = events, False

    def write(self, entry: Entry) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(entry)
        match entry:
            case StateEntered():
                self.events.append(f"journal {entry.state}")
            case CommandMoved():
                self.events.append(f"journal {entry.status}")
            case AuthorizationMoved():
                self.events.append(f"journal step {entry.step}")
            case _:
                self.events.append(f"journal {type(entry).__name__.lower()}")


@dataclass
class FakeCapture:
    """Delivers one segment of each stream when it starts and one more when it stops; `number` tells them apart."""

    streams: frozenset[Stream]
    clock: Clock
    sink: SegmentSink
    report: ReportSink
    events: list[str]
    missing: dict[Stream, str]
    number: int = 0
    quality: str = ""
    stills: list[tuple[Stream, float]] = field(default_factory=list)
    blind: bool = False
    """No picture comes in time."""

    def start(self) -> None:
        self.events.append("capture opened")

    def wait_started(self, timeout_s: float) -> dict[Stream, str]:
        for stream in sorted(self.streams - set(self.missing)):
            self.sink(a_segment(stream))
        return self.missing

    def set_quality(self, level: str) -> None:
        self.quality = level

    def still(self, stream: Stream, timeout_s: float) -> Still | None:
        self.stills.append((stream, timeout_s))
        return None if self.blind else Still(JPEG, 1920, 1080)

    def stop(self, timeout_s: float = 5.0) -> None:
        for stream in sorted(self.streams - set(self.missing)):
            self.sink(a_segment(stream, Kind.MEDIA, b"last", self.number * 10_000_000))
        self.events.append("capture closed")


def waiting(spool: Spool) -> list[Key]:
    return [key for stream in Stream for key in spool.oldest(stream)]


class Ignoring:
    """A witness of the delivery that does nothing, and knows no cause."""

    def trouble(self, why: str) -> None: ...

    def squeezed(self, level: str, dropping: bool) -> None: ...

    def happened(self, kind: str, stream: Stream, detail: Detail) -> None: ...

    def cause(self, gap: Gap) -> str:
        return ""


@dataclass
class FakeUploader:
    """Takes all that is in the spool as soon as it is woken, unless the service is away."""

    spool: Spool
    taken: list[bytes]
    away: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, key: Key) -> None:
        self.woken.set()

    def wake(self) -> None:
        self.woken.set()

    async def run(self) -> None:
        while True:
            await self.woken.wait()
            self.woken.clear()
            for key in [] if self.away else waiting(self.spool):
                self.taken.append(self.spool.read(key))
                self.spool.acknowledge(key)

    def clock(self) -> float:
        return 0.0

    def progress(self, now: float) -> DrainStatus | None:
        return None

    def come_back(self) -> None:
        self.away = False
        self.wake()

    @property
    def done(self) -> bool:
        return not waiting(self.spool)


@dataclass
class FakePreview:
    """A camera that shows one picture when it starts. `trouble` is its diagnosis; `dead` has no picture any more."""

    of: Identity
    show: Callable[[Still], None]
    events: list[str]
    trouble: str = ""
    running: bool = False
    dead: bool = False

    def start(self) -> None:
        self.events.append(f"camera opened for {self.of}")
        self.running = not self.trouble

    def wait_started(self, timeout_s: float) -> str:
        if not self.trouble:
            self.show(Still(b"small", 480, 270, ("too_dark",)))
        return self.trouble

    def look_for(self, of: Identity) -> None:
        self.of = of

    def take(self, timeout_s: float) -> Still | None:
        return None if self.dead else Still(JPEG + self.of.encode(), 1280, 720, ("blurred",))

    def stop(self) -> None:
        self.events.append("camera closed")
        self.running = False


@dataclass
class FakeChannel:
    """Notes what is sent. `settled` and `waiting` as they are set."""

    events: list[str]
    sent: list[msgspec.Struct] = field(default_factory=list)
    settled: bool = True
    ready: bool = True
    waiting: list[msgspec.Struct] = field(default_factory=list)

    @property
    def protocol(self) -> Any:
        return SimpleNamespace(waiting=lambda kind: [each for each in self.waiting if isinstance(each, kind)])

    def offer(self, message: msgspec.Struct) -> None:
        self.send(message)

    def send(self, message: msgspec.Struct) -> None:
        self.sent.append(message)
        match message:
            case SessionChanged():
                self.events.append(f"told {message.state}")
            case CommandUpdate():
                self.events.append(f"told {message.id} {message.status}")
            case EventSeen():
                self.events.append(f"event {message.kind}")
            case AuthorizationChanged():
                self.events.append(f"told step {message.step}")
            case ChatMark():
                self.events.append(f"told {message.id} {message.mark}")
            case LockdownChanged():
                self.events.append(f"told lockdown {message.phase}")

    async def run(self) -> None:
        await asyncio.Event().wait()


@dataclass
class Stage:
    """The play: what happened in order (`events`), what the page was told, what the service holds."""

    folder: Path
    supervisor: Supervisor
    events: list[str] = field(default_factory=list)
    told: list[PageEvent] = field(default_factory=list)
    changes: int = 0
    taken: list[bytes] = field(default_factory=list)
    missing: dict[Stream, str] = field(default_factory=dict)
    checks: tuple[CheckResult, ...] = PASSED
    checking: asyncio.Event | None = None
    away: bool = False
    sessions: list[Session] = field(default_factory=list)
    captures: list[FakeCapture] = field(default_factory=list)
    previews: list[FakePreview] = field(default_factory=list)
    shown: list[PreviewEvent] = field(default_factory=list)
    trouble: str = ""
    """What the camera says when the candidate wants to look at it."""
    guards: list[FakeGuard] = field(default_factory=list)
    standing: dict[RuleId, Standing] = field(default_factory=dict)
    """How rules stand on this machine; those that are not named can be enforced."""
    lock_trouble: list[Exception] = field(default_factory=list)
    facts: FakeFacts = field(default_factory=FakeFacts)
    now_s: float = 1000.0
    """The lockdown's clock."""
    browser: ExamBrowser = field(init=False)
    conductor: Conductor = field(init=False)
    obedience: Obedience = field(init=False)
    desk: AuthorizationDesk = field(init=False)

    def __post_init__(self) -> None:
        viewing = Viewing(self._preview, self.shown.append, self._viewed, self.supervisor.start)
        self.conductor = Conductor(
            self._session,
            self._capture,
            self._check,
            self.supervisor,
            self.told.append,
            self._changed,
            viewing,
            Locking(self._guard, Sightings(self._tell, self._changed, self._is_running, self._beyond)),
            ("test camera",),
        )
        self.conductor.locking.announcing.clock = lambda: self.now_s
        self.browser = ExamBrowser(self.conductor, self.facts, ("path:/opt/msb/browser",), lambda: self.now_s)
        self.obedience = Obedience(self.conductor)
        self.desk = AuthorizationDesk(self.conductor)

    @property
    def session(self) -> Session:
        return self.sessions[-1]

    @property
    def channel(self) -> Any:
        return self.session.channel

    @property
    def uploader(self) -> Any:
        return self.session.delivery.uploader

    @property
    def journal(self) -> Any:
        return self.session.journal

    @property
    def guard(self) -> FakeGuard:
        return self.guards[-1]

    @property
    def lockdown(self) -> Lockdown:
        assert self.session.lockdown is not None
        return self.session.lockdown

    @property
    def phases(self) -> list[Phase]:
        """What the service was told of the lockdown."""
        return [each.phase for each in self.channel.sent if isinstance(each, LockdownChanged)]

    async def saw(self, what: str, rule: RuleId = "focus", counts: bool = True, **detail: Any) -> None:
        """The lockdown saw something; its news come through the guard's door."""
        self.guard.tell(Sighting(rule, what, detail, counts=counts))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def registered(self, key: KeyVerified | None = None, **settings: Any) -> None:
        await self.conductor.register(init_data(**settings), key)
        if self.session.lockdown is not None:
            self.session.lockdown.clock = lambda: self.now_s

    async def ready(self, key: KeyVerified | None = None, **settings: Any) -> None:
        await self.registered(key, **settings)
        await self.conductor.check_system()

    async def running(self, key: KeyVerified | None = None, **settings: Any) -> None:
        await self.ready(key, **settings)
        await self.conductor.start()

    async def submitted(self, **settings: Any) -> None:
        """At the desk, with everything handed in."""
        await self.ready(authorization=True, **settings)
        await self.desk.consent(accepted=True)
        for picture in self.authorization.wanted:
            await self.desk.take(picture)
        await self.desk.submit()

    @property
    def authorization(self) -> Authorization:
        assert self.session.authorization is not None
        return self.session.authorization

    async def take(self, message: FromService, session: Session | None = None) -> None:
        """A message of the service, carried out to its end."""
        session = session or self.session
        work = self.obedience.take(session, message)
        if work is not None:
            await work
        for task in session.tasks:
            if task.get_name().startswith("command"):  # what is carried out aside
                await task

    async def command(
        self,
        kind: str,
        command_id: str = "c-1",
        age_s: float = 0,
        lifetime_s: float = 300,
        argument: str = "",
        text: str = "please",
    ) -> None:
        issued = wall_ms() + self.session.skew_ms - int(age_s * 1000)
        await self.take(Command(command_id, kind, issued, lifetime_s, text, argument, "Ada"))

    def reason(self, command_id: str = "c-1") -> str:
        """The last word on a command."""
        updates = [each for each in self.channel.sent if isinstance(each, CommandUpdate) and each.id == command_id]
        return str(updates[-1].reason)

    def statuses(self, command_id: str = "c-1") -> list[str]:
        updates = (each for each in self.channel.sent if isinstance(each, CommandUpdate) and each.id == command_id)
        return [each.status for each in updates]

    def evidence(self) -> list[Event]:
        """The events of all records that the service took, opened with its key."""
        records = map(parse, self.taken)
        bodies = [unseal(record, KEY) for record in records if record.header.kind is RecordKind.EVENTS]
        return [event for body in bodies for event in msgspec.json.decode(body, type=list[Event])]

    def recorded(self) -> list[str]:
        return [event.kind for event in self.evidence()]

    def since(self, mark: str) -> list[str]:
        """What happened after the last time that the mark did."""
        return self.events[len(self.events) - self.events[::-1].index(mark) :]

    def _session(self, data: InitData) -> Session:
        folder = SessionFolder(self.folder / data.session_id)
        journal = NotedJournal(folder.journal, self.events)
        spool = Spool(folder.spool, session=uuid.UUID(data.session_id)).open()
        sealer = Sealer(uuid.UUID(data.session_id), KEY.public_key(), lambda: wall_ms() * 1000)
        uploader: Any = FakeUploader(spool, self.taken, self.away)
        channel: Any = FakeChannel(self.events)
        intake = Intake(asyncio.get_running_loop())
        delivery = Delivery(sealer, spool, uploader, intake, GapWatch(), Ignoring(), folder.save_places)
        watch = LinkWatch(data.expiry_s * 1_000_000, boot_us())
        session = Session(data, journal, delivery, channel, watch, wanted_streams(data.settings), 0, folder)
        session.service, session.authorization = "https://service.example", authorization_for(data.settings)
        session.lockdown, session.attestations = lockdown_for(data.settings), attestations_for(data)
        session.caught_up.set()
        self.sessions.append(session)
        return session

    def _guard(self, tell: Callable[[News], None]) -> FakeGuard:
        self.guards.append(FakeGuard(tell, self.events, self.standing, self.lock_trouble))
        return self.guards[-1]

    def _tell(self, event: PageEvent) -> None:
        self.conductor.tell(event)

    def _is_running(self) -> bool:
        return self.conductor.state is State.RUNNING and self.browser.is_running

    def _beyond(self, session: Session, then: BeyondTolerance) -> None:
        self.supervisor.start("beyond tolerance", go_beyond(self.conductor, session, then))

    def _preview(self, of: Identity, show: Callable[[Still], None]) -> FakePreview:
        self.previews.append(FakePreview(of, show, self.events, self.trouble))
        return self.previews[-1]

    def _viewed(self, kind: str, of: Identity) -> None:
        self.conductor.record(kind, detail={"of": of})

    def _capture(self, streams: frozenset[Stream], clock: Clock, sink: SegmentSink, report: ReportSink) -> FakeCapture:
        number = len(self.captures)
        self.captures.append(FakeCapture(streams, clock, sink, report, self.events, self.missing, number))
        return self.captures[-1]

    async def _check(self, settings: ProctoringSettings, expiry_s: int) -> tuple[CheckResult, ...]:
        if self.checking is not None:
            await self.checking.wait()
        if self.session.lockdown is not None:
            await self.conductor.locking.probe(self.session)
        return self.checks

    def _changed(self) -> None:
        self.changes += 1


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    failed: list[str] = []
    async with Supervisor(failed.append) as supervisor:
        stage = Stage(tmp_path, supervisor)
        yield stage
    for session in stage.sessions:
        session.journal.close()
    assert failed == []


@pytest.fixture
def eventually() -> Any:
    """`await eventually(lambda: ...)`: look until it holds."""
    return until

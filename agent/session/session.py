"""One registered session and the parts that work for it, as the conductor sees them."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from secureproctor.agent.clock import SessionClock
from secureproctor.agent.delivery.delivery import Delivery
from secureproctor.agent.delivery.room import Level
from secureproctor.agent.proctor.channel import ProctorChannel
from secureproctor.agent.proctor.conversation import Conversation
from secureproctor.agent.proctor.course import Course
from secureproctor.agent.proctor.watch import LinkWatch
from secureproctor.agent.session.attestations import Attestations
from secureproctor.agent.session.authorization import Authorization, terms_of
from secureproctor.agent.session.folder import SessionFolder
from secureproctor.agent.session.journal import Entry, Journal
from secureproctor.agent.session.lockdown import Lockdown
from secureproctor.agent.session.machine import OVER, State
from secureproctor.capture.still import Still
from secureproctor.contract.events import Detail, Event
from secureproctor.contract.http import InitData
from secureproctor.contract.page import ConsentTerms
from secureproctor.contract.stills import Identity
from secureproctor.contract.streams import Stream

log = logging.getLogger(__name__)

LEVELS: tuple[Level, ...] = ("full", "reduced", "least")


class Capture(Protocol):
    """What the conductor needs of capture.recorder.Recorder."""

    def start(self) -> None:
        """Begin to open the sources; returns at once."""

    def wait_started(self, timeout_s: float) -> dict[Stream, str]:
        """The streams that delivered nothing in time, with their diagnosis."""

    def still(self, stream: Stream, timeout_s: float) -> Still | None:
        """A picture of screen or webcam in full size; None when there was none in time."""

    def set_quality(self, level: str) -> None:
        """Capture at `full`, `reduced` or `least` from the next segment on."""

    def stop(self, timeout_s: float = 5.0) -> None:
        """Flush the last segments and give the devices back."""


@dataclass(slots=True)
class Pending:
    """An event whose session time is known only once the session has begun."""

    kind: str
    at_boot_us: int
    wall_ms: int
    stream: str
    until_boot_us: int | None
    detail: Detail


@dataclass(frozen=True, slots=True)
class Taken:
    """A picture that the candidate took and has not handed in. `at_ms` is wall time."""

    still: Still
    at_ms: int


@dataclass(slots=True)
class Session:
    """A session between Init and the delivery of its last evidence."""

    data: InitData
    journal: Journal
    delivery: Delivery
    channel: ProctorChannel
    watch: LinkWatch
    streams: frozenset[Stream]
    """The media that the exam asked for."""
    skew_ms: int
    """The service's wall clock minus ours, as Init told."""
    folder: SessionFolder
    capture: Capture | None = None
    clock: SessionClock | None = None
    running_since_us: int | None = None
    ended_us: int | None = None
    over_ms: int | None = None
    """When it ended, in wall time: its evidence is kept for the retention time from then on."""
    end_reason: str = ""
    closed: bool = False
    service: str = ""
    """Which service it is, as the candidate is told."""
    authorization: Authorization | None = None
    """None when the exam does without."""
    lockdown: Lockdown | None = None
    attestations: Attestations | None = None
    """Both None when the exam does without."""
    taken: dict[Identity, Taken] = field(default_factory=dict)
    quality: Level = "full"
    """What the proctor asked for."""
    captured_in: Level = "full"
    """The quality that was last put on the record."""
    commands: dict[str, Course] = field(default_factory=dict)
    conversation: Conversation = field(default_factory=Conversation)
    unfinished: list[Course] = field(default_factory=list)
    """What the agent before had received and not finished."""
    caught_up: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once that is finished: what comes now is done afterwards."""
    end_ordered: str = ""
    """Why the service ended the session, when it did."""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _early: list[Pending] = field(default_factory=list)

    @property
    def may_start(self) -> bool:
        """Whether nobody needs to authorize the candidate any more."""
        return self.authorization is None or self.authorization.step == "authorized"

    @property
    def terms(self) -> ConsentTerms:
        """What the candidate is asked to agree to."""
        return terms_of(self.data, tuple(sorted(self.streams)), self.service)

    @property
    def level(self) -> Level:
        """The quality to capture in: the worse of what the proctor asked for and what the disk allows."""
        return max(self.quality, self.delivery.spool.level, key=LEVELS.index)

    @property
    def owes_answers(self) -> bool:
        """Whether the proctor is still to be told what became of a command."""
        return any(course.owes_an_answer for course in self.commands.values())

    @property
    def capturing(self) -> frozenset[Stream]:
        """The media that are captured now."""
        return frozenset() if self.capture is None else self.streams

    def session_us(self, boot_us: int) -> int | None:
        """A time of the boot clock as session time; None before Start."""
        return None if self.clock is None else boot_us - self.clock.origin_us

    def since_us(self, state: State, boot_us: int) -> int | None:
        """The session time that goes on the record for entering a state now: of an ended session, its end."""
        if state in OVER:
            return self.ended_us
        now_us = self.session_us(boot_us)
        return now_us if self.running_since_us is None or now_us is None else max(now_us, self.running_since_us)

    def expiry_us(self) -> int | None:
        """The session time at which the session expires if nothing is heard."""
        return self.session_us(self.watch.last_contact_us + self.watch.expiry_us)

    def note(self, entry: Entry) -> None:
        """Write to the journal. A disk that takes nothing more keeps nobody from pausing or ending."""
        try:
            self.journal.write(entry)
        except OSError as error:
            log.error("the journal cannot be written: %s", error.strerror)

    def record(self, pending: Pending) -> None:
        """Put an event on the record; before Start it waits until session time has an origin."""
        self._early.append(pending)
        if self.clock is not None:
            self.begin(self.clock)

    def begin(self, clock: SessionClock) -> None:
        """Session time begins; what happened before has negative times."""
        self.clock = clock
        early, self._early = self._early, []
        for pending in early:
            until = None if pending.until_boot_us is None else pending.until_boot_us - clock.origin_us
            at = pending.at_boot_us - clock.origin_us
            self.delivery.record(Event(pending.kind, at, pending.wall_ms, pending.stream, until, pending.detail))


def retention_left_s(over_ms: int, retention_h: float, now_ms: int) -> float:
    """For how many seconds a session's evidence is still kept. A clock that was set back does not prolong the time."""
    return retention_h * 3600 - max(0, now_ms - over_ms) / 1000


SessionFactory = Callable[[InitData], Session]

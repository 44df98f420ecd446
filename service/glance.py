"""What is known of a running session at a glance: live coverage and flags, from rows only. No record is opened.

The report judges again when all evidence is there. Here the times that records cover are summed up as they arrive, so that
a glance costs the same after four hours as after one minute; the rows are read once, when somebody first looks. A look is
repeated after EVERY_S at the earliest.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from secureproctor.contract.channel import EventSeen
from secureproctor.contract.events import Event
from secureproctor.contract.record import RecordKind
from secureproctor.contract.report import FlagReport
from secureproctor.contract.streams import MEDIA, Stream
from secureproctor.service import attested, ledger
from secureproctor.service.changes import Arrival
from secureproctor.service.coverage import EDGE_US, HOLE_US
from secureproctor.service.flags import raise_flags
from secureproctor.service.intervals import Span, bridged, clipped, length
from secureproctor.service.lockdown import Lockdown
from secureproctor.service.session import Session
from secureproctor.service.store import Store

EVERY_S = 2.0
LAG_US = 5_000_000
"""What was captured in the last seconds may be on its way: a segment is sealed when it is full."""
MAX_FLAGS = 50
"""The newest are shown; the report has all."""

_ALL = "SELECT start_us, start_us + duration_us FROM records WHERE session = ? AND stream = ? AND kind = ?"
_ONE = f"{_ALL} AND epoch = ? AND seq = ?"


@dataclass(frozen=True, slots=True)
class Glance:
    """Percent of the running time so far by stream (none before it), and the flags, the newest last."""

    coverage: Mapping[Stream, float] = field(default_factory=dict)
    flags: tuple[FlagReport, ...] = ()


@dataclass(slots=True)
class _Looked:
    """What is kept of a session that somebody looks at. `arrived` is filled by the event loop, emptied by a look."""

    arrived: deque[Arrival] = field(default_factory=deque)
    spans: dict[Stream, list[Span]] | None = None
    events: list[Event] = field(default_factory=list)
    newest_event: int | None = None
    asked: bool = False
    at_s: float = float("-inf")
    glance: Glance = Glance()


class Glances:
    """The glances at all sessions; `clock` gives seconds that cannot be set back."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._looked: dict[str, _Looked] = {}

    def arrived(self, arrival: Arrival) -> None:
        """A record was stored (a follower of changes.py)."""
        looked = self._looked.get(arrival.session_id)
        if looked and arrival.stream in MEDIA:
            looked.arrived.append(arrival)

    def due(self) -> list[str]:
        """The sessions that were asked for again too soon, and are to be looked at now."""
        before_s = self._clock() - EVERY_S
        return [session_id for session_id, each in list(self._looked.items()) if each.asked and each.at_s <= before_s]

    def forget(self, session_id: str) -> None:
        """The session was purged."""
        self._looked.pop(session_id, None)

    def of(self, session: Session) -> Glance:
        """The glance at a session. Blocks; for one caller at a time."""
        looked = self._looked.setdefault(session.id, _Looked())
        looked.asked = self._clock() - looked.at_s < EVERY_S
        if not looked.asked:
            looked.at_s = self._clock()
            looked.glance = self._look(session, looked)
        return looked.glance

    def _look(self, session: Session, looked: _Looked) -> Glance:
        if session.started_ms is None:
            return Glance()
        spans = self._spans(session.id, looked)
        running = running_so_far(session, spans)
        known = self._read(session.id, looked, session.started_ms)
        flags = raise_flags(session, looked.events, (), (), (), running, known)
        return Glance(_coverage(session, spans, running), flags[-MAX_FLAGS:])

    def _spans(self, session_id: str, looked: _Looked) -> dict[Stream, list[Span]]:
        """The covered time, with what has arrived since the last look. A span that is counted twice changes nothing."""
        known = looked.spans
        with self._store.transaction() as db:
            if known is None:
                known = looked.spans = {
                    stream: bridged(db.execute(_ALL, (session_id, stream, RecordKind.MEDIA)), HOLE_US)
                    for stream in MEDIA
                }
            new: dict[Stream, list[Span]] = {}
            while looked.arrived:
                each = looked.arrived.popleft()
                new.setdefault(each.stream, []).extend(
                    db.execute(_ONE, (session_id, each.stream, RecordKind.MEDIA, each.epoch, each.seq))
                )
        for stream, spans in new.items():
            known[stream] = bridged([*known[stream], *spans], HOLE_US)
        return known

    def _read(self, session_id: str, looked: _Looked, zero_ms: int) -> Lockdown:
        """What is known of the lockdown; the events are read again if there are new ones."""
        with self._store.transaction() as db:
            (newest,) = next(db.execute("SELECT max(rowid) FROM seen WHERE session = ?", (session_id,)))
            seen = ledger.events_seen(db, session_id) if newest != looked.newest_event else None
            known = attested.known(db, session_id)
        if seen is not None:
            looked.newest_event = newest
            looked.events = sorted((_event(each, zero_ms) for each in seen), key=lambda event: event.at_us)
        return known


def running_so_far(session: Session, spans: Mapping[Stream, Sequence[Span]]) -> Span:
    """The running time as far as it is known: to the end, or to the last sign that cannot be on its way any more."""
    begun = session.running_us or 0
    if session.ended_us is not None:
        return begun, max(begun, session.ended_us)
    last = max((each[-1][1] for each in spans.values() if each), default=begun)
    return begun, max(begun, last, (session.contact_us or 0) - LAG_US)


def _coverage(session: Session, spans: Mapping[Stream, Sequence[Span]], running: Span) -> dict[Stream, float]:
    off = {Stream.SCREEN: not session.settings.screen_capture, Stream.AUDIO: not session.settings.audio_proctoring}
    lag_us = LAG_US if session.ended_us is None else EDGE_US
    return {
        stream: percent
        for stream in MEDIA
        if not off.get(stream)
        if (percent := _percent(spans.get(stream, ()), running, lag_us)) is not None
    }


def _percent(spans: Sequence[Span], running: Span, lag_us: int) -> float | None:
    last = spans[-1][1] if spans else running[0]
    begun = spans[0][0] if spans and 0 < spans[0][0] - running[0] < EDGE_US else running[0]
    until = last if 0 <= running[1] - last < lag_us else running[1]
    if until <= begun:
        return None
    return round(100 * length(clipped(spans, (begun, until))) / (until - begun), 1)


def _event(seen: EventSeen, zero_ms: int) -> Event:
    return Event(seen.kind, (seen.at_ms - zero_ms) * 1000, seen.at_ms, seen.stream, None, seen.detail)

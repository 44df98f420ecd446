"""How much of the running time there is evidence of, and why there is none of the rest. Pure.

Times are microseconds of the session clock. The running time begins when the agent said that all sources deliver, and ends
when it told them to stop. The causes come from what the agent recorded and from what the chains show; where nothing explains
a gap, its cause is `unknown`, and that raises a flag.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from secureproctor.contract.events import Event
from secureproctor.contract.record import RecordKind
from secureproctor.contract.streams import Stream
from secureproctor.service.chains import Hole, Key, Place, key
from secureproctor.service.evidence import StoredRecord
from secureproctor.service.intervals import Span, bridged, clipped, complement, difference, intersection, union
from secureproctor.service.session import Session

HOLE_US = 50_000
"""Less than this between two segments is the grid of their time stamps, not a gap."""
EDGE_US = 200_000
"""Less than this at either end of the running time is not a gap. Sound that is still in the sound system when the sources are
told to stop is never heard: at most its buffer of 100 ms, a block of 20 ms and an AAC frame of 23 ms; pictures reach to the
very end. More than that is missing evidence."""
SLACK_US = 5_000_000
"""A lost device is noticed seconds after its last picture, and its first new one comes seconds after it was found."""
UNKNOWN = "unknown"
AWAITED = "not arrived"
"""The cause of a gap whose evidence may still come: the agent has not said that it has delivered all."""
DISTRUSTED = "not verified"
"""The cause of a gap where records are that hang on a replaced one."""
DISK_FULL = "disk full"
ASLEEP: dict[str, str] = {"machine_slept": "machine asleep", "agent_stalled": "agent stalled"}
"""Events after which nothing else need explain their time, and the cause of a gap that they are."""

Explanation = tuple[Span, str]


def running_time(session: Session, records: Iterable[StoredRecord]) -> Span:
    """From the moment that all sources delivered to the end; of a session that has not told of its end, to the last sign."""
    if session.started_ms is None:
        return 0, 0
    begun = session.running_us or 0
    if session.ended_us is not None:
        return begun, max(session.ended_us, begun)
    signs = [record.start_us + record.duration_us for record in records if record.kind is RecordKind.MEDIA]
    return begun, max(begun, session.contact_us or 0, *signs)


def covered(records: Iterable[StoredRecord], unsound: frozenset[Key], running: Span) -> list[Span]:
    """The running time that sound media records cover; also those that were dropped after the live window."""
    sound = [record for record in records if record.kind is RecordKind.MEDIA and key(record) not in unsound]
    spans = bridged((_span(record) for record in sound), HOLE_US)
    if spans and 0 < spans[0][0] - running[0] < EDGE_US:
        spans[0] = running[0], spans[0][1]
    if spans and 0 < running[1] - spans[-1][1] < EDGE_US:
        spans[-1] = spans[-1][0], running[1]
    return clipped(spans, running)


def gaps(covered_spans: Sequence[Span], running: Span, reasons: Sequence[Explanation]) -> list[Explanation]:
    """The rest of the running time, cut where its causes change, in order. An earlier reason is believed before a later."""
    found: list[Explanation] = []
    unexplained = [gap for gap in complement(covered_spans, running) if gap[1] - gap[0] >= HOLE_US]
    for cause, alike in groupby(reasons, lambda reason: reason[1]):
        spans = union(span for span, _ in alike)
        found += [(part, cause) for part in intersection(unexplained, spans)]
        unexplained = difference(unexplained, spans)
    return _joined(sorted([*found, *((gap, UNKNOWN) for gap in unexplained)]))


def explanations(stream: Stream, events: Sequence[Event], session: Session, running: Span) -> list[Explanation]:
    """What the agent recorded that explains gaps of a stream, for its exact time; the most exact first."""
    own = [event for event in events if event.stream == stream]
    exact = [
        (_time(event, running), ASLEEP[event.kind])
        for event in events
        if event.kind in ASLEEP
        if event.until_us is not None
    ]
    exact += [
        (_time(event, running), cause)
        for event in own
        if event.kind == "gap"
        if (cause := _text(event, "cause")) != UNKNOWN
    ]
    exact += [
        (span, _text(event, "code", "source_lost"))
        for event, span in pairs(
            own, "source_lost", ("source_recovered", "source_started", "source_stopped"), running[1]
        )
    ]
    if not session.settings.capture_while_paused:
        exact += [(span, "paused") for _, span in pairs(events, "paused", ("resumed",), running[1])]
    return exact


def likely(
    exact: Sequence[Explanation], events: Sequence[Event], running: Span, records: Sequence[StoredRecord]
) -> list[Explanation]:
    """What explains the rest: the exact explanations with some slack, and the absence of an agent that came back."""
    restarts = (event for event in events if event.kind == "agent_restarted")
    return [
        *(((start - SLACK_US, end + SLACK_US), cause) for (start, end), cause in exact),
        *((_absence(event, records, running), "agent restarted") for event in restarts),
    ]


def absences(
    records: Sequence[StoredRecord],
    holes: Sequence[Hole],
    kinds: Mapping[Place, str],
    unsound: frozenset[Key],
    running: Span,
    final: bool,
) -> list[Explanation]:
    """What a stream's chain shows: records that are not counted, and the time between those beside a hole.

    `kinds` are the stream's findings by their first places; `final`: what is missing does not come any more.
    """
    found = [
        (_span(record), kinds.get((record.epoch, record.seq), DISTRUSTED))
        for record in records
        if key(record) in unsound
    ]
    media = [record for record in records if record.kind is RecordKind.MEDIA]
    places: list[tuple[int, float]] = [(record.epoch, record.seq) for record in media]
    ends = [running[0], *(_span(record)[1] for record in media)]
    starts = [*(record.start_us for record in media), running[1]]
    for hole in holes:
        last = math.inf if hole.until_seq is None else hole.until_seq
        before, after = bisect_left(places, (hole.epoch, hole.seq)), bisect_right(places, (hole.epoch, last))
        cause = kinds.get((hole.epoch, hole.seq), "deleted" if final else AWAITED)
        found.append(((ends[before], starts[after]), cause))
    return found


def awaited(records: Sequence[StoredRecord], running: Span) -> list[Explanation]:
    """The time after the last record of a stream whose agent still delivers."""
    last_us = max((_span(record)[1] for record in records if record.kind is RecordKind.MEDIA), default=running[0])
    return [((last_us, running[1]), AWAITED)]


def pairs(events: Sequence[Event], opens: str, closes: tuple[str, ...], end_us: int) -> list[tuple[Event, Span]]:
    """Each `opens` event with its time until the next of `closes`, or until the end. Repeated ones count once."""
    found: list[tuple[Event, Span]] = []
    begun: Event | None = None
    for event in events:
        if event.kind == opens:
            begun = begun or event
        elif event.kind in closes and begun:
            found.append((begun, (begun.at_us, event.at_us)))
            begun = None
    return [*found, (begun, (begun.at_us, max(end_us, begun.at_us)))] if begun else found


def _absence(event: Event, records: Sequence[StoredRecord], running: Span) -> Span:
    """From the last evidence before an agent came back until then."""
    before = (
        _span(record)[1] for record in records if record.kind is RecordKind.MEDIA and record.start_us < event.at_us
    )
    return max(before, default=running[0]), event.at_us


def _time(event: Event, running: Span) -> Span:
    return event.at_us, running[1] if event.until_us is None else event.until_us


def _span(record: StoredRecord) -> Span:
    return record.start_us, record.start_us + record.duration_us


def _joined(pieces: Sequence[Explanation]) -> list[Explanation]:
    """Pieces that touch and have one cause become one."""
    joined: list[Explanation] = []
    for span, cause in pieces:
        if joined and joined[-1][1] == cause and joined[-1][0][1] == span[0]:
            joined[-1] = ((joined[-1][0][0], span[1]), cause)
        else:
            joined.append((span, cause))
    return joined


def _text(event: Event, name: str, default: str = UNKNOWN) -> str:
    return str(event.detail.get(name) or default)

"""How much of the running time there is evidence of, and why there is none of the rest. Pure.

Times are microseconds of the session clock. The causes come from what the agent recorded; where nothing explains a gap, its
cause is `unknown`, and that raises a flag.
"""

from collections.abc import Iterable, Sequence

from secureproctor.contract.events import Event
from secureproctor.contract.record import RecordKind
from secureproctor.contract.streams import Stream
from secureproctor.service.chains import Key, key
from secureproctor.service.evidence import StoredRecord
from secureproctor.service.intervals import Span, bridged, clipped, complement
from secureproctor.service.session import Session

HOLE_US = 50_000
"""Less than this between two segments is the grid of their time stamps, not a gap."""
SLACK_US = 5_000_000
"""A lost device is noticed seconds after its last picture, and its first new one comes seconds after it was found."""
ENDING_US = 2_000_000
"""Between the last picture and the word that the session ended."""
UNKNOWN = "unknown"

Explanation = tuple[Span, str]


def running_time(session: Session, records: Iterable[StoredRecord]) -> Span:
    """From the Start to the end; of a session whose agent never told of its end, to the last sign of it."""
    if session.started_ms is None:
        return 0, 0
    if session.ended_us is not None:
        return 0, max(session.ended_us, 0)
    signs = [record.start_us + record.duration_us for record in records if record.kind is RecordKind.MEDIA]
    return 0, max(0, session.contact_us or 0, *signs)


def covered(records: Iterable[StoredRecord], unsound: set[Key], running: Span) -> list[Span]:
    """The running time that sound media records cover; also those that were dropped after the live window."""
    sound = [record for record in records if record.kind is RecordKind.MEDIA and key(record) not in unsound]
    return clipped(bridged(((r.start_us, r.start_us + r.duration_us) for r in sound), HOLE_US), running)


def gaps(covered_spans: Sequence[Span], running: Span, reasons: Sequence[Explanation]) -> list[Explanation]:
    """The rest of the running time, cut where its causes change, in order."""
    found: list[Explanation] = []
    unexplained = [gap for gap in complement(covered_spans, running) if gap[1] - gap[0] >= HOLE_US]
    for span, cause in reasons:
        found += [(part, cause) for part in clipped(unexplained, span)]
        unexplained = [rest for gap in unexplained for rest in complement([span], gap)]
    return sorted([*found, *((gap, UNKNOWN) for gap in unexplained)])


def explanations(stream: Stream, events: Sequence[Event], session: Session, running: Span) -> list[Explanation]:
    """What the agent recorded that explains gaps of a stream, the most exact first."""
    own = [event for event in events if event.stream == stream]
    found = [
        (_wider((event.at_us, running[1] if event.until_us is None else event.until_us)), _text(event, "cause"))
        for event in own
        if event.kind == "gap"
    ]
    found += [
        (_wider(span), _text(event, "code", "source_lost"))
        for event, span in pairs(
            own, "source_lost", ("source_recovered", "source_started", "source_stopped"), running[1]
        )
    ]
    if not session.settings.capture_while_paused:
        found += [(_wider(span), "paused") for _, span in pairs(events, "paused", ("resumed",), running[1])]
    started = [event.at_us for event in own if event.kind == "source_started"]
    if started:
        found.append(((running[0], min(started) + SLACK_US // 5), "starting"))
    if session.ended_us is not None:
        found.append(((running[1] - ENDING_US, running[1]), "ending"))
    return found


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


def _wider(span: Span) -> Span:
    return span[0] - SLACK_US, span[1] + SLACK_US


def _text(event: Event, name: str, default: str = UNKNOWN) -> str:
    return str(event.detail.get(name) or default)

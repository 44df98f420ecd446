"""The report's part on the lockdown: how each rule stood, for how long the machine was locked, how it was attested. Pure."""

from collections.abc import Sequence

from secureproctor.contract.events import Event
from secureproctor.contract.report import LockdownReport
from secureproctor.service.coverage import pairs
from secureproctor.service.intervals import Span, clipped, difference, length, union
from secureproctor.service.lockdown import Lockdown
from secureproctor.service.session import Session

UNLOCKS = ("lockdown_lifted", "lockdown_released", "lockdown_left_behind", "agent_restarted")
"""What ends a time of being locked. An agent that came back applies the lockdown again, and says so."""
ABSENT = "agent restarted"
"""The cause of a gap in which no agent ran: its guardian gives the machine back within seconds."""


def lockdown_report(session: Session, known: Lockdown, events: Sequence[Event], running: Span) -> LockdownReport:
    """That part of the report."""
    left = [span for _, span in pairs(events, "left_window", ("returned_to_window",), running[1])]
    return LockdownReport(
        phase=known.told.phase,
        rules=known.told.rules,
        browser=known.told.browser,
        locked_s=length(locked(events, running)) / 1e6,
        away=max(session.away, len(left)),
        away_s=length(clipped(left, running)) / 1e6,
        attested=session.attested,
        missed_s=sum(doubt.heard_ms for doubt in known.doubts if doubt.kind == "missing") / 1000,
    )


def locked(events: Sequence[Event], running: Span) -> list[Span]:
    """The running time in which the lockdown was applied."""
    spans = (span for _, span in pairs(events, "lockdown_applied", UNLOCKS, running[1]))
    without = (
        (event.at_us, event.until_us)
        for event in events
        if event.kind == "gap" and event.detail.get("cause") == ABSENT and event.until_us is not None
    )
    return difference(union(clipped(spans, running)), without)

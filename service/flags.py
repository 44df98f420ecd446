"""What the service concludes from the facts: flags, and the credibility index with each deduction that made it. Pure.

Every number of the verdict stands in the two tables; nothing is concluded on the candidate's machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from secureproctor.contract.events import FLAGS, Event
from secureproctor.contract.report import ChainReport, Credibility, FlagReport, Gap, StreamReport
from secureproctor.contract.streams import Stream
from secureproctor.service.coverage import UNKNOWN, pairs
from secureproctor.service.session import Session


@dataclass(frozen=True, slots=True)
class Rule:
    """A flag from the time between two kinds of events. Shorter than `least_us` it is nothing."""

    flag: str
    opens: str
    closes: tuple[str, ...]
    stream: str = ""
    least_us: int = 0
    confidence: float = 1.0


_BACK = ("source_recovered", "source_started")
RULES: tuple[Rule, ...] = (
    # a dialog of the browser takes the focus for a moment
    Rule("AWAY_FROM_WINDOW", "page_hidden", ("page_shown",), least_us=1_000_000, confidence=0.9),
    Rule("CAMERA_UNAVAILABLE", "source_lost", _BACK, Stream.WEBCAM),
    Rule("SCREEN_UNAVAILABLE", "source_lost", _BACK, Stream.SCREEN),
    Rule("MICROPHONE_UNAVAILABLE", "source_lost", _BACK, Stream.AUDIO),
    Rule("LINK_LOST", "link_lost", ("link_restored",)),
)

GAP_LEAST_S = 1.0
"""An unexplained gap that is shorter raises no flag."""


@dataclass(frozen=True, slots=True)
class Deduction:
    """Points off the index for each flag of a kind, at most `most` for all of the kind."""

    each: float
    most: float


DEDUCTIONS: dict[str, Deduction] = {
    "AWAY_FROM_WINDOW": Deduction(5, 30),
    "CAMERA_UNAVAILABLE": Deduction(10, 30),
    "SCREEN_UNAVAILABLE": Deduction(10, 30),
    "MICROPHONE_UNAVAILABLE": Deduction(5, 20),
    "LINK_LOST": Deduction(1, 5),
    "EVIDENCE_GAP": Deduction(5, 30),
    "CHAIN_BROKEN": Deduction(40, 60),
    "SESSION_EXPIRED": Deduction(10, 10),
}
UNCOVERED = Deduction(1, 50)
"""For each percent of the running time that the least covered stream lacks."""
BANDS: tuple[tuple[float, str], ...] = ((75, "High"), (50, "Medium"), (0, "Low"))
"""The least score of each band."""


def raise_flags(
    session: Session, events: Sequence[Event], gaps: Sequence[Gap], chains: Sequence[ChainReport], running_s: float
) -> tuple[FlagReport, ...]:
    """All flags in the order of time. Their evidence points into `events`."""
    found = [flag for rule in RULES for flag in _by_rule(rule, events, running_s)]
    found += [
        FlagReport("EVIDENCE_GAP", gap.start_s, gap.end_s, 0.8, note=f"{gap.stream}: {FLAGS['EVIDENCE_GAP']}")
        for gap in gaps
        if gap.cause == UNKNOWN and gap.end_s - gap.start_s >= GAP_LEAST_S
    ]
    found += [
        FlagReport("CHAIN_BROKEN", 0.0, running_s, 1.0, note=f"{chain.stream}: {chain.faults[0]}")
        for chain in chains
        if chain.faults
    ]
    if session.end_reason == "expired":
        found.append(FlagReport("SESSION_EXPIRED", running_s, running_s, 1.0, note=FLAGS["SESSION_EXPIRED"]))
    return tuple(sorted(found, key=lambda flag: (flag.start_s, flag.flag)))


def credibility(flags: Sequence[FlagReport], streams: Sequence[StreamReport], running_s: float) -> Credibility:
    """The index: 100 less the deductions."""
    if running_s <= 0:
        return Credibility(0.0, BANDS[-1][1], ("The session never ran: there is nothing to believe or to doubt.",))
    score, computed = 100.0, ["It begins with 100 points."]
    for flag, deduction in DEDUCTIONS.items():
        count = sum(each.flag == flag for each in flags)
        points = min(count * deduction.each, deduction.most)
        if points:
            score -= points
            computed.append(f"{points:g} points off for {flag}, raised {count} times.")
    least = min(streams, key=lambda stream: stream.coverage_pct, default=None)
    if least and least.coverage_pct < 100:
        points = round(min((100 - least.coverage_pct) * UNCOVERED.each, UNCOVERED.most), 1)
        score -= points
        computed.append(
            f"{points:g} points off: {least.coverage_pct:g} % of the running time is covered by {least.stream}."
        )
    score = round(max(score, 0.0), 1)
    return Credibility(score, next(name for least_score, name in BANDS if score >= least_score), tuple(computed))


def _by_rule(rule: Rule, events: Sequence[Event], running_s: float) -> list[FlagReport]:
    own = [event for event in events if not rule.stream or event.stream == rule.stream]
    return [
        FlagReport(
            rule.flag,
            span[0] / 1e6,
            span[1] / 1e6,
            rule.confidence,
            (next(index for index, each in enumerate(events) if each is event),),
            FLAGS[rule.flag],
        )
        for event, span in pairs(own, rule.opens, rule.closes, int(running_s * 1e6))
        if span[1] - span[0] >= rule.least_us
    ]

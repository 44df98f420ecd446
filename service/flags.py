"""What the service concludes from the facts: flags, and the credibility index with each deduction that made it. Pure.

Every number of the verdict stands in the two tables and in that of lockdown_flags.py; nothing is concluded on the candidate's
machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from secureproctor.contract.events import FLAGS, Event
from secureproctor.contract.report import BLAMELESS, ChainReport, Credibility, Finding, FlagReport, Gap, StreamReport
from secureproctor.contract.streams import Stream
from secureproctor.service.coverage import DISK_FULL, UNKNOWN, pairs
from secureproctor.service.intervals import Span
from secureproctor.service.lockdown import Lockdown
from secureproctor.service.lockdown_flags import lockdown_flags
from secureproctor.service.session import Session


@dataclass(frozen=True, slots=True)
class Rule:
    """A flag from the time between two kinds of events."""

    flag: str
    opens: str
    closes: tuple[str, ...]
    stream: str = ""


_BACK = ("source_recovered", "source_started")
RULES: tuple[Rule, ...] = (
    Rule("CAMERA_UNAVAILABLE", "source_lost", _BACK, Stream.WEBCAM),
    Rule("SCREEN_UNAVAILABLE", "source_lost", _BACK, Stream.SCREEN),
    Rule("MICROPHONE_UNAVAILABLE", "source_lost", _BACK, Stream.AUDIO),
    Rule("LINK_LOST", "link_lost", ("link_restored",)),
)

INSTANTS: dict[str, str] = {"clock_changed": "CLOCK_CHANGED"}
"""Events that raise a flag by themselves."""

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
    "EVIDENCE_TAMPERED": Deduction(40, 80),
    # a full disk and a clock that sets itself are nobody's fault; what evidence lacks is counted below
    "EVIDENCE_DROPPED": Deduction(0, 0),
    "CLOCK_CHANGED": Deduction(1, 5),
    "LOCKDOWN_BROKEN": Deduction(10, 40),
    "TOLERANCE_EXCEEDED": Deduction(10, 20),
    "FORBIDDEN_PROGRAM": Deduction(10, 40),
    "SEVERAL_DISPLAYS": Deduction(10, 30),
    "REMOTE_SESSION": Deduction(20, 40),
    "VIRTUAL_MACHINE_SUSPECTED": Deduction(10, 10),
    "HIDDEN_WINDOW": Deduction(15, 45),
    "INPUT_INJECTED": Deduction(5, 20),
    "SCREENSHOT_TRIED": Deduction(5, 20),
    # a browser may crash by itself
    "BROWSER_GONE": Deduction(5, 15),
    "ATTESTATION_MISSING": Deduction(10, 40),
    "SESSION_EXPIRED": Deduction(10, 10),
}
SURE_FROM = 0.5
"""A flag of less confidence is for people to look at, and takes no points off."""
UNCOVERED = Deduction(1, 50)
"""For each percent of the running time that the least covered stream lacks."""
BANDS: tuple[tuple[float, str], ...] = ((75, "High"), (50, "Medium"), (0, "Low"))
"""The least score of each band."""


def raise_flags(
    session: Session,
    events: Sequence[Event],
    gaps: Sequence[Gap],
    chains: Sequence[ChainReport],
    tampering: Sequence[Finding],
    running: Span,
    known: Lockdown,
) -> tuple[FlagReport, ...]:
    """All flags in the order of time. Their evidence points into `events`."""
    begun_s, ended_s = running[0] / 1e6, running[1] / 1e6
    found = [flag for rule in RULES for flag in _by_rule(rule, events, running[1])]
    found += [
        FlagReport(
            INSTANTS[event.kind], event.at_us / 1e6, event.at_us / 1e6, 1.0, (index,), FLAGS[INSTANTS[event.kind]]
        )
        for index, event in enumerate(events)
        if event.kind in INSTANTS
    ]
    found += lockdown_flags(session, events, known, running[1])
    found += _dropped(events)
    found += [
        FlagReport("EVIDENCE_GAP", gap.start_s, gap.end_s, 0.8, note=f"{gap.stream}: {FLAGS['EVIDENCE_GAP']}")
        for gap in gaps
        if gap.cause == UNKNOWN and gap.end_s - gap.start_s >= GAP_LEAST_S
    ]
    found += [
        FlagReport("CHAIN_BROKEN", begun_s, ended_s, 1.0, note=f"{chain.stream}: {chain.faults[0]}")
        for chain in chains
        if chain.faults
    ]
    found += _tampered(tampering, begun_s, ended_s)
    if session.end_reason == "expired":
        found.append(FlagReport("SESSION_EXPIRED", ended_s, ended_s, 1.0, note=FLAGS["SESSION_EXPIRED"]))
    return tuple(sorted(found, key=lambda flag: (flag.start_s, flag.flag)))


def _tampered(tampering: Sequence[Finding], begun_s: float, ended_s: float) -> list[FlagReport]:
    """One flag for each stream, with the first finding's sentence."""
    by_stream: dict[str, list[Finding]] = {}
    for finding in tampering:
        if finding.kind not in BLAMELESS:
            by_stream.setdefault(finding.stream, []).append(finding)
    return [
        FlagReport("EVIDENCE_TAMPERED", begun_s, ended_s, 1.0, note=f"{stream}: {each[0].sentence}{_more(each)}")
        for stream, each in by_stream.items()
    ]


def _more(findings: Sequence[Finding]) -> str:
    return f" And {len(findings) - 1} more." if len(findings) > 1 else ""


def _dropped(events: Sequence[Event]) -> list[FlagReport]:
    """One flag for each stream of which the agent gave up evidence."""
    by_stream: dict[str, list[int]] = {}
    for index, event in enumerate(events):
        if event.kind == "gap" and event.detail.get("cause") == DISK_FULL:
            by_stream.setdefault(event.stream, []).append(index)
    return [
        FlagReport(
            "EVIDENCE_DROPPED",
            min(events[index].at_us for index in found) / 1e6,
            max(events[index].until_us or events[index].at_us for index in found) / 1e6,
            1.0,
            tuple(found),
            f"{stream}: {FLAGS['EVIDENCE_DROPPED']}",
        )
        for stream, found in by_stream.items()
    ]


def credibility(flags: Sequence[FlagReport], streams: Sequence[StreamReport], running_s: float) -> Credibility:
    """The index: 100 less the deductions."""
    if running_s <= 0:
        return Credibility(0.0, BANDS[-1][1], ("The session never ran: there is nothing to believe or to doubt.",))
    score, computed = 100.0, ["It begins with 100 points."]
    for flag, deduction in DEDUCTIONS.items():
        count = sum(each.flag == flag and each.confidence >= SURE_FROM for each in flags)
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


def _by_rule(rule: Rule, events: Sequence[Event], end_us: int) -> list[FlagReport]:
    own = [event for event in events if not rule.stream or event.stream == rule.stream]
    return [
        FlagReport(
            rule.flag,
            span[0] / 1e6,
            span[1] / 1e6,
            1.0,
            (next(index for index, each in enumerate(events) if each is event),),
            FLAGS[rule.flag],
        )
        for event, span in pairs(own, rule.opens, rule.closes, end_us)
    ]

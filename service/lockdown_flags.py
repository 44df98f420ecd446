"""Flags from what the lockdown saw, and from what was not attested. Pure; every number of a verdict stands in the table.

Sightings of one flag about the same thing (a program, a rule) belong together: where one lasts, until what ends it, else as
long as they follow each other closely. Assistive technology raises nothing, whatever such a program is seen to do.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from secureproctor.contract.events import FLAGS, Detail, Event
from secureproctor.contract.report import FlagReport
from secureproctor.service.coverage import pairs
from secureproctor.service.doubts import Doubt, Kind
from secureproctor.service.intervals import bridged, overlaps
from secureproctor.service.lockdown import Lockdown
from secureproctor.service.session import Session

JOIN_US = 60_000_000
"""Sightings of one thing that follow each other within this time are one."""
AWAY_LEAST_US = 1_000_000
"""A dialog of the browser takes the focus for a moment; a window that pushed itself in front is put back within one."""
AWAY_SLACK_US = 1_000_000
"""System and page do not notice in the same moment that the window was left."""
MAX_EVIDENCE = 50
"""Events to which a flag points: the first ones; more say nothing new."""
REMOTE_FROM = 0.5
VIRTUAL_FROM = 0.7
"""The least weights of evidence that raise a flag."""
SEVERAL_SIGNS = 2
"""One sign alone is never a verdict, however heavy it is; signs of one name are one."""
SUPPORTS = 0.1
"""A sign that weighs less supports no other one."""
_SIGN = re.compile(r"\s*(?P<name>\S[^:]*) (?P<weight>[0-9.]+): ")
"""How an event names a sign: its name, its weight, what was seen; several are parted by semicolons."""

Confidence = Callable[[Detail], float | None]
"""How sure a flag is by what an event says: 0 when it says nothing against the candidate, None when it says nothing at all."""


def _by(name: str, known: dict[str, float], other: float) -> Confidence:
    """The confidence by one word of a detail."""
    return lambda detail: known.get(str(detail.get(name)), other)


def _always(confidence: float) -> Confidence:
    return lambda _: confidence


def _displays(detail: Detail) -> float | None:
    active, allowed = detail.get("active"), detail.get("allowed")
    if not isinstance(active, int) or not isinstance(allowed, int):
        return None
    if active > allowed:
        return 0.9
    return 0.6 if detail.get("mirrored") else 0.0


def _weighted(least: float) -> Confidence:
    """The weight of the evidence, if it is heavy enough and of several signs."""

    def confidence(detail: Detail) -> float | None:
        weight = detail.get("weight")
        if not isinstance(weight, int | float):
            return None
        return min(weight, 1.0) if weight >= least and len(_signs(detail)) >= SEVERAL_SIGNS else 0.0

    return confidence


def _signs(detail: Detail) -> set[str]:
    found = (_SIGN.match(each) for each in str(detail.get("evidence") or "").split(";"))
    return {sign["name"] for sign in found if sign and _heavy(sign["weight"])}


def _heavy(weight: str) -> bool:
    try:
        return float(weight) >= SUPPORTS
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Sighted:
    """A flag from events of one kind. `confidence` of a detail is 0 when it says nothing against the candidate. `about` names
    what of the detail tells one thing from another.

    `lasts`: it goes on until an event of `closes` about the same thing, or of the same kind with confidence 0, or to the
    end. `closing` is what that end leaves of the confidence.
    """

    flag: str
    confidence: Confidence
    about: str = ""
    lasts: bool = False
    closes: str = ""
    closing: Callable[[Detail], float] = lambda _: 1.0


SIGHTED: dict[str, Sighted] = {
    "program_forbidden": Sighted(
        "FORBIDDEN_PROGRAM",
        _by("by", {"signer": 0.95, "original_name": 0.95}, 0.9),  # a name alone can be a coincidence
        "program",
        lasts=True,
        closes="program_closed",
        closing=lambda detail: 0.4 if detail.get("how") == "candidate" else 1.0,  # they were asked to, and did
    ),
    "displays": Sighted("SEVERAL_DISPLAYS", _displays, lasts=True),
    "remote_session": Sighted("REMOTE_SESSION", _weighted(REMOTE_FROM), lasts=True),
    "virtual_machine": Sighted("VIRTUAL_MACHINE_SUSPECTED", _weighted(VIRTUAL_FROM), lasts=True),
    "browser_gone": Sighted("BROWSER_GONE", _always(1.0), lasts=True, closes="browser_attached"),
    # one that was put back at once may have been undone by the system itself
    "rule_undone": Sighted("LOCKDOWN_BROKEN", lambda detail: 0.95 if detail.get("held") is False else 0.6, "rule"),
    "tolerance_exceeded": Sighted("TOLERANCE_EXCEEDED", _always(1.0)),
    # a window that only lies over all others is seen by capture, too
    "window_hidden": Sighted(
        "HIDDEN_WINDOW", lambda detail: 0.8 if "capture" in str(detail.get("how")) else 0.4, "program"
    ),
    "input_injected": Sighted("INPUT_INJECTED", lambda detail: 0.0 if detail.get("assistive") else 0.6, "device"),
    "screenshot_tried": Sighted("SCREENSHOT_TRIED", _always(0.9)),
}
"""The events from which flags come."""

DOUBTED: dict[Kind, tuple[str, float, str]] = {
    "missing": ("ATTESTATION_MISSING", 0.9, FLAGS["ATTESTATION_MISSING"]),
    "contradicted": (
        "LOCKDOWN_BROKEN",
        0.8,
        "The agent told the proctor another state of the lockdown than it attested.",
    ),
}
"""The flag of each kind of doubt, its confidence, and its sentence."""


@dataclass(slots=True)
class _Open:
    """A flag in the making."""

    begun_us: int
    last_us: int
    confidence: float
    evidence: list[int]

    def grow(self, at_us: int, index: int, confidence: float = 0.0) -> None:
        """One more event belongs to it."""
        self.last_us = at_us
        self.confidence = max(self.confidence, confidence)
        self.evidence.append(index)


def lockdown_flags(session: Session, events: Sequence[Event], known: Lockdown, end_us: int) -> list[FlagReport]:
    """All of them; their evidence points into `events`. What was seen after the end raises nothing."""
    assistive = {event.detail.get("program") for event in events if event.kind == "assistive_technology"}
    seen = [
        (index, event)
        for index, event in enumerate(events)
        if event.at_us <= end_us and event.detail.get("program", "") not in assistive
    ]
    found = [flag for kind, rule in SIGHTED.items() for flag in _sighted(kind, rule, seen, end_us)]
    return [*found, *_away(events, end_us), *(_doubted(session, doubt, known) for doubt in known.doubts)]


def _sighted(kind: str, rule: Sighted, seen: Sequence[tuple[int, Event]], end_us: int) -> Iterator[FlagReport]:
    """The flags of one kind of events."""
    opened: dict[str, _Open] = {}
    for index, event in seen:
        confidence = _confidence(kind, rule, event)
        if confidence is None:
            continue
        about = str(event.detail.get(rule.about, ""))
        now = opened.get(about)
        if confidence == 0:
            if now and rule.lasts:
                now.grow(event.at_us, index)
                now.confidence *= rule.closing(event.detail) if event.kind == rule.closes else 1.0
                yield _flag(rule, about, opened.pop(about))
        elif now and (rule.lasts or event.at_us - now.last_us <= JOIN_US):
            now.grow(event.at_us, index, confidence)
        else:
            if now:
                yield _flag(rule, about, now)
            opened[about] = _Open(event.at_us, event.at_us, confidence, [index])
    for about, now in opened.items():
        now.last_us = max(end_us, now.last_us) if rule.lasts else now.last_us
        yield _flag(rule, about, now)


def _confidence(kind: str, rule: Sighted, event: Event) -> float | None:
    """None: the event has nothing to do with this flag. 0: it ends it."""
    if event.kind == kind:
        return rule.confidence(event.detail)
    return 0.0 if event.kind == rule.closes else None


def _flag(rule: Sighted, about: str, found: _Open) -> FlagReport:
    note = f"{about}: {FLAGS[rule.flag]}" if about else FLAGS[rule.flag]
    begun_s, until_s, evidence = found.begun_us / 1e6, found.last_us / 1e6, tuple(found.evidence[:MAX_EVIDENCE])
    return FlagReport(rule.flag, begun_s, until_s, round(found.confidence, 2), evidence, note)


def _away(events: Sequence[Event], end_us: int) -> list[FlagReport]:
    """The time away from the exam window, as the page told it and, surer, as the system did."""
    at = {id(event): index for index, event in enumerate(events)}
    told = [
        (span, at[id(event)], confidence)
        for opens, closes, confidence in (
            ("page_hidden", "page_shown", 0.9),
            ("left_window", "returned_to_window", 1.0),
        )
        for event, span in pairs(events, opens, (closes,), end_us)
    ]
    return [
        FlagReport(
            "AWAY_FROM_WINDOW",
            span[0] / 1e6,
            span[1] / 1e6,
            max(confidence for _, _, confidence in own),
            tuple(sorted(index for _, index, _ in own)[:MAX_EVIDENCE]),
            FLAGS["AWAY_FROM_WINDOW"],
        )
        for span in bridged((span for span, _, _ in told), AWAY_SLACK_US)
        if span[1] - span[0] >= AWAY_LEAST_US
        if (own := [each for each in told if overlaps(each[0], span)])
    ]


def _doubted(session: Session, doubt: Doubt, known: Lockdown) -> FlagReport:
    flag, confidence, sentence = DOUBTED[doubt.kind]
    begun_s, until_s = (session.session_us(at_ms) / 1e6 for at_ms in (doubt.from_ms, doubt.until_ms))
    bad = ", ".join(f"{times} {verdict}" for verdict, times in known.misattested.items())
    note = f"{sentence} It was heard for {doubt.heard_ms / 1000:.0f} s of that." + (
        f" Not good were: {bad}." if bad else ""
    )
    return FlagReport(flag, begun_s, until_s, confidence, note=note)

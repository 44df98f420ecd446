"""The figures of an exam in the secure browser: what the lockdown stopped, how fast, and its end. Pure."""

import math

from secureproctor.contract.report import EventReport, Report
from secureproctor.demo.account import Account, Figures
from secureproctor.demo.hands import WAYS_OUT

FIGURES: dict[str, str] = {
    "keys_tried": "key combinations that lead out of the exam, pressed by the candidate",
    "keys_stopped": "those of them that were stopped, and are on the record",
    "theft_recovered_ms": "from another window's coming to the front until the exam window was back and it was on the record",
    "clipboard_emptied_ms": "from another program's filling the clipboard until it was empty",
    "program_reported_ms": "from a forbidden program's start until it was on the record",
    "program_closed_s": "from its start until it was ended, after the candidate had been asked",
    "away": "how often the exam window was left",
    "attested": "heartbeats whose attestation was good",
    "requests_let_in": "requests of the exam that the service vouched for: the browser's, and one of the page",
    "requests_refused": "requests without an attestation, or with one that was used before",
    "locked_pct": "the share of the running time in which the lockdown was applied",
    "unlocked_ms": "from the candidate's Stop until the machine was given back",
}
"""Each figure's meaning; one that could not be measured is missing."""

LET_IN = ("browser", "page")
REFUSED = {"outsider": "missing", "replay": "replayed"}


def figures(account: Account, report: Report) -> Figures:
    """The figures of a locked exam."""
    marks, verdicts = account.marks, account.verdicts
    found: Figures = {
        "keys_tried": len(WAYS_OUT),
        "keys_stopped": len({each.detail.get("keys") for each in report.events if each.kind == "key_stopped"}),
        "away": report.lockdown.away,
        "attested": report.lockdown.attested,
        "requests_let_in": sum(verdicts.get(who) == "ok" for who in LET_IN),
        "requests_refused": sum(verdicts.get(who) == verdict for who, verdict in REFUSED.items()),
        "program_closed_s": marks.get("forbidden ended", math.inf) - marks.get("forbidden", 0.0),
    }
    if report.running_s:
        found["locked_pct"] = 100 * min(1.0, report.lockdown.locked_s / report.running_s)
    timed = {
        "theft_recovered_ms": ("window", "returned_to_window"),
        "clipboard_emptied_ms": ("clipboard", "clipboard_emptied"),
        "program_reported_ms": ("forbidden", "program_forbidden"),
        "unlocked_ms": ("stop", "lockdown_released"),
    }
    for name, (mark, kind) in timed.items():
        if (after := _after(report.events, kind, marks.get(mark, math.inf))) is not None:
            found[name] = after
    return {name: value for name, value in found.items() if not isinstance(value, float) or math.isfinite(value)}


def _after(events: tuple[EventReport, ...], kind: str, since: float) -> float | None:
    """Milliseconds from a moment to the first event of a kind after it; None when there is none. An event's time has whole
    milliseconds, and may seem to lie a moment before what caused it."""
    later = [each.at_ms - since * 1000 for each in events if each.kind == kind and each.at_ms - since * 1000 > -1]
    return max(0.0, min(later)) if later else None

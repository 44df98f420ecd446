"""The figures of a locked exam, of accounts that are made up: nothing runs here."""

import math

import pytest

from secureproctor.contract.events import Detail
from secureproctor.contract.report import Credibility, EventReport, LockdownReport, Report
from secureproctor.demo import msb
from secureproctor.demo.account import Account
from secureproctor.demo.hands import WAYS_OUT
from secureproctor.demo.terms import Terms

ZERO = 1_000.0
"""The wall time of the session clock's 0."""
Told = tuple[str, float, Detail]


def stopped(keys: str, at_s: float) -> Told:
    return "key_stopped", at_s, {"keys": keys}


EVENTS: tuple[Told, ...] = (
    ("returned_to_window", 4.0, {}),  # of something that was before
    *(stopped(keys, 5.0 + n / 10) for n, keys in enumerate(WAYS_OUT)),
    stopped(WAYS_OUT[0], 6.0),  # once more
    ("left_window", 10.05, {}),
    ("returned_to_window", 10.12, {}),
    ("clipboard_emptied", 15.03, {}),
    ("program_forbidden", 20.2, {}),
    ("lockdown_released", 40.3, {}),
)


def event(kind: str, at_s: float, detail: Detail) -> EventReport:
    return EventReport(kind, at_s, round((ZERO + at_s) * 1000), "", None, detail)


def report(*events: Told, running_s: float = 40.0, locked_s: float = 39.8) -> Report:
    return Report(
        3, "s", "u", "g", "", "", "ended", "stopped", 0, int(ZERO * 1000), None, running_s, 300, {}, (), True, (), (), (),
        (), tuple(event(*each) for each in events), (), (), Credibility(100, "high"),
        lockdown=LockdownReport("released", locked_s=locked_s, away=2, away_s=0.1, attested=7),
    )  # fmt: skip


def account() -> Account:
    marks = {"window": 10.0, "clipboard": 15.0, "forbidden": 20.0, "forbidden ended": 23.5, "stop": 40.0}
    verdicts = {"browser": "ok", "page": "ok", "outsider": "missing", "replay": "replayed"}
    return Account(Terms(), marks={name: ZERO + at for name, at in marks.items()}, verdicts=verdicts)


def test_what_the_lockdown_stopped_and_how_fast_is_measured() -> None:
    figures = msb.figures(account(), report(*EVENTS))
    assert figures == {
        "keys_tried": len(WAYS_OUT),
        "keys_stopped": len(WAYS_OUT),
        "theft_recovered_ms": pytest.approx(120),
        "clipboard_emptied_ms": pytest.approx(30),
        "program_reported_ms": pytest.approx(200),
        "program_closed_s": 3.5,
        "away": 2,
        "attested": 7,
        "requests_let_in": 2,
        "requests_refused": 2,
        "locked_pct": pytest.approx(99.5),
        "unlocked_ms": pytest.approx(300),
    }
    assert figures.keys() == msb.FIGURES.keys()


def test_what_was_not_seen_has_no_figure() -> None:
    """A figure that is missing breaks its promise; a nought would keep it."""
    made = account()
    made.marks["forbidden ended"] = math.inf
    del made.marks["stop"]
    figures = msb.figures(made, report(running_s=0))
    assert msb.FIGURES.keys() - figures.keys() == {
        *("theft_recovered_ms", "clipboard_emptied_ms", "program_reported_ms", "unlocked_ms"),
        *("program_closed_s", "locked_pct"),
    }
    assert figures["keys_stopped"] == 0


def test_a_course_that_did_not_come_to_the_forbidden_program_has_figures_all_the_same() -> None:
    figures = msb.figures(Account(Terms()), report())
    assert "program_closed_s" not in figures
    assert (figures["requests_let_in"], figures["requests_refused"]) == (0, 0)


def test_a_verdict_counts_only_for_whom_it_is_right() -> None:
    made = account()
    made.verdicts |= {"outsider": "ok", "replay": "stale", "page": "not_locked"}
    figures = msb.figures(made, report())
    assert (figures["requests_let_in"], figures["requests_refused"]) == (1, 0)


def test_an_event_of_the_same_millisecond_is_not_before_what_caused_it() -> None:
    made = account()
    made.marks["clipboard"] = ZERO + 15.0007
    assert msb.figures(made, report(("clipboard_emptied", 15.0, {})))["clipboard_emptied_ms"] == 0


def test_more_than_the_whole_time_cannot_have_been_locked() -> None:
    assert msb.figures(account(), report(locked_s=41.0))["locked_pct"] == 100

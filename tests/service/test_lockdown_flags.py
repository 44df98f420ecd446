"""Flags from what the lockdown saw: each has its reason and its confidence, and nobody is accused of what is harmless."""

from typing import Any

import pytest

from secureproctor.contract.channel import LockdownChanged
from secureproctor.contract.events import EVENTS, FLAGS, Event
from secureproctor.contract.http import ProctoringSettings
from secureproctor.contract.lockdown import RuleStatus
from secureproctor.contract.report import FlagReport, LockdownReport, StreamReport
from secureproctor.service.doubts import Doubt
from secureproctor.service.flags import DEDUCTIONS, SURE_FROM, credibility
from secureproctor.service.lockdown import Lockdown
from secureproctor.service.lockdown_flags import DOUBTED, SIGHTED, lockdown_flags
from secureproctor.service.lockdown_report import UNLOCKS, lockdown_report
from secureproctor.service.session import Session

S = 1_000_000
END_S = 1000
ZERO_MS = 1_700_000_000_000
SESSION = Session(
    "s", "u", "g", "", "", "k", ProctoringSettings(navigation_control=True), 300, 0, b"", b"", "ended",
    started_ms=ZERO_MS - 3_600_000, zero_ms=ZERO_MS, away=2, attested=190,
)  # fmt: skip


def event(kind: str, at_s: float, until_s: float | None = None, /, **detail: Any) -> Event:
    return Event(kind, int(at_s * S), 0, "", None if until_s is None else int(until_s * S), detail)


def flags(*events: Event, **known: Any) -> list[FlagReport]:
    return lockdown_flags(SESSION, events, Lockdown(**known), END_S * S)


def shown(*events: Event) -> list[tuple[str, float, float, float]]:
    return [(each.flag, each.start_s, each.end_s, each.confidence) for each in flags(*events)]


VM_SIGNS = "smbios 0.6: QEMU; hypervisor 0.4: KVMKVMKVM"
CASES: dict[str, tuple[list[Event], list[tuple[str, float, float, float]]]] = {
    "a program until it is closed": (
        [
            event("program_forbidden", 10, program="anydesk", by="name"),
            event("program_forbidden", 21, program="anydesk", by="signer", times=4),
            event("program_closed", 30, program="another", how="closed"),
            event("program_closed", 31, program="anydesk", how="closed"),
        ],
        [("FORBIDDEN_PROGRAM", 10, 31, 0.95)],
    ),
    "a program that nobody could close": (
        [event("program_forbidden", 10, program="anydesk", by="name"), event("program_not_closed", 12, program="anydesk")],
        [("FORBIDDEN_PROGRAM", 10, END_S, 0.9)],
    ),
    "a program that the candidate closed when asked": (
        [
            event("program_forbidden", 1, program="chat", by="name"),
            event("program_closed", 9, program="chat", how="candidate"),
        ],
        [("FORBIDDEN_PROGRAM", 1, 9, 0.36)],
    ),
    "two programs": (
        [event("program_forbidden", 10, program="a", by="name"), event("program_forbidden", 11, program="b", by="name")],
        [("FORBIDDEN_PROGRAM", 10, END_S, 0.9), ("FORBIDDEN_PROGRAM", 11, END_S, 0.9)],
    ),
    "displays beyond what is allowed, for as long as they are there": (
        [
            event("displays", 0, count=1, active=1, mirrored=0, allowed=1),
            event("displays", 50, count=2, active=2, mirrored=0, allowed=1),
            event("displays", 60, count=None, active=None, mirrored=None, allowed=1),
            event("displays", 90, count=2, active=1, mirrored=0, allowed=1),
        ],
        [("SEVERAL_DISPLAYS", 50, 90, 0.9)],
    ),
    "a docked notebook with its panel off": ([event("displays", 0, count=2, active=1, mirrored=0, allowed=1)], []),
    "one display more that is allowed": ([event("displays", 0, count=2, active=2, mirrored=0, allowed=2)], []),
    "a mirrored display": (
        [event("displays", 5, count=2, active=2, mirrored=1, allowed=2)],
        [("SEVERAL_DISPLAYS", 5, END_S, 0.6)],
    ),
    "several signs of a remote session, until they are gone": (
        [
            event("remote_session", 3, weight=0.8, evidence="session 0.6: ssh; port 0.5: 3389"),
            event("remote_session", 40, weight=0.0, evidence=""),
        ],
        [("REMOTE_SESSION", 3, 40, 0.8)],
    ),
    "one sign of a remote session": ([event("remote_session", 3, weight=0.9, evidence="port 0.9: 3389; x")], []),
    "several signs of a virtual machine": (
        [event("virtual_machine", 1, weight=0.76, evidence=VM_SIGNS)],
        [("VIRTUAL_MACHINE_SUSPECTED", 1, END_S, 0.76)],
    ),
    "one sign of it in two words": (
        [event("virtual_machine", 1, weight=0.99, evidence="mac 0.9: 08:00:27:1; mac 0.9: 08:00:27:2")], [],
    ),
    "a heavy sign beside one that weighs nothing": (
        [event("virtual_machine", 1, weight=0.9, evidence="smbios 0.9: x; sensors 0.05: none")], [],
    ),
    "a hypervisor on a real computer": (
        [event("virtual_machine", 1, weight=0.3, evidence="hypervisor 0.2: Microsoft Hv; battery 0.1: none")], [],
    ),
    "what could not be read": ([event("virtual_machine", 1, weight=None, evidence="", unknown="all")], []),
    "a rule that was undone and applied again": (
        [event("rule_undone", 10, rule="keys"), event("rule_undone", 15, rule="keys"), event("rule_undone", 16, rule="focus"),
         event("rule_undone", 200, rule="keys", held=True)],
        [("LOCKDOWN_BROKEN", 10, 15, 0.6), ("LOCKDOWN_BROKEN", 200, 200, 0.6), ("LOCKDOWN_BROKEN", 16, 16, 0.6)],
    ),
    "a rule that could not be applied again": (
        [event("rule_undone", 10, rule="keys", held=False)], [("LOCKDOWN_BROKEN", 10, 10, 0.95)],
    ),
    "more leaves than the exam tolerates": (
        [event("tolerance_exceeded", 70, times=4, then="pause")], [("TOLERANCE_EXCEEDED", 70, 70, 1.0)],
    ),
    "a window that capture cannot see": (
        [event("window_hidden", 5, program="x", how="excluded from capture")], [("HIDDEN_WINDOW", 5, 5, 0.8)],
    ),
    "a window that lies over all others": (
        [event("window_hidden", 5, program="x", how="overlay that lets clicks pass")], [("HIDDEN_WINDOW", 5, 5, 0.4)],
    ),
    "keys of a program": ([event("input_injected", 5, device="XTEST")], [("INPUT_INJECTED", 5, 5, 0.6)]),
    "keys of an on-screen keyboard": ([event("input_injected", 5, device="XTEST", assistive=True)], []),
    "a picture of the screen": ([event("screenshot_tried", 5, how="key")], [("SCREENSHOT_TRIED", 5, 5, 0.9)]),
    "a browser that came back": (
        [event("browser_gone", 5), event("browser_silent", 6), event("browser_attached", 9)], [("BROWSER_GONE", 5, 9, 1.0)],
    ),
    "a browser that is closed after the exam": ([event("browser_gone", END_S + 1)], []),
    "assistive technology, and all that it does": (
        [
            event("assistive_technology", 1, program="onboard", kind="keyboard"),
            event("window_hidden", 2, program="onboard", how="topmost"),
            event("program_forbidden", 3, program="onboard", by="name"),
            event("input_injected", 4, program="onboard", device="XTEST"),
        ],
        [],
    ),
    "the window left, as page and system tell it": (
        [
            event("page_hidden", 10),
            event("left_window", 10.4, program="mail", how="window"),
            event("returned_to_window", 20, away_s=9.6, by="candidate"),
            event("page_shown", 20.3),
            event("page_hidden", 50),
            event("page_shown", 55),
        ],
        [("AWAY_FROM_WINDOW", 10, 20.3, 1.0), ("AWAY_FROM_WINDOW", 50, 55, 0.9)],
    ),
    "a window that pushed itself in front and was put back": (
        [event("left_window", 10, program="mail", how="window"), event("returned_to_window", 10.2, by="agent")], [],
    ),
    "what is only on the record": (
        [
            event(kind, 1, program="x", keys="Alt+Tab", injected=True, rule="keys", how="x")
            for kind in ("key_stopped", "key_seen", "clipboard_emptied", "program_started", "window_opened", "print_tried",
                         "window_restored", "guardian_gone", "rule_standing", "lockdown_stuck", "session_key", "quit_refused")
        ],
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_seen_raises_what_it_shows(case: str) -> None:
    events, expected = CASES[case]
    assert {each.kind for each in events} <= EVENTS.keys()
    assert shown(*events) == expected


def test_a_flag_names_what_it_is_about_and_points_to_its_events() -> None:
    (flag,) = flags(
        event("source_started", 0),
        event("program_forbidden", 10, program="anydesk", by="name"),
        event("program_closed", 12, program="anydesk", how="asked"),
    )
    assert (flag.note, flag.evidence) == (f"anydesk: {FLAGS['FORBIDDEN_PROGRAM']}", (1, 2))


def test_doubts_are_flags_on_the_sessions_clock() -> None:
    """The candidate's own clock goes an hour behind the service's."""
    doubts = (
        Doubt("missing", ZERO_MS + 20_000, ZERO_MS + 80_000, 45_000),
        Doubt("contradicted", ZERO_MS, ZERO_MS + 1, 1),
    )
    missing, contradicted = flags(doubts=doubts, misattested={"bad_signature": 7, "stale": 1})
    assert (missing.flag, missing.start_s, missing.end_s) == ("ATTESTATION_MISSING", 20.0, 80.0)
    assert missing.note.endswith("It was heard for 45 s of that. Not good were: 7 bad_signature, 1 stale.")
    assert (contradicted.flag, contradicted.start_s) == ("LOCKDOWN_BROKEN", 0.0)


def test_every_flag_of_the_tables_is_one() -> None:
    raised = {rule.flag for rule in SIGHTED.values()} | {flag for flag, _, _ in DOUBTED.values()}
    assert raised <= FLAGS.keys() & DEDUCTIONS.keys()
    assert {*SIGHTED, *UNLOCKS} <= EVENTS.keys()


def test_each_flag_takes_its_points_and_says_so_and_what_is_unsure_takes_none() -> None:
    streams = (StreamReport("screen", 1, 1, 100.0, 100.0, ""),)
    found = flags(
        event("program_forbidden", 1, program="chat", by="name"),
        event("program_closed", 2, program="chat", how="candidate"),
        event("screenshot_tried", 3, how="key"),
        event("rule_undone", 4, rule="keys"),
    )
    assert [each.confidence < SURE_FROM for each in found] == [True, False, False]
    index = credibility(found, streams, 100.0)
    assert index.score == 85.0
    assert index.computed[1:] == (
        "10 points off for LOCKDOWN_BROKEN, raised 1 times.",
        "5 points off for SCREENSHOT_TRIED, raised 1 times.",
    )


def report(*events: Event, running: tuple[int, int] = (0, 1000), **known: Any) -> LockdownReport:
    return lockdown_report(SESSION, Lockdown(**known), events, (running[0] * S, running[1] * S))


def test_the_report_says_how_the_machine_was_locked_and_attested() -> None:
    told = LockdownChanged("released", (RuleStatus("keys", "enforced"),), 1)
    doubts = (Doubt("missing", 1, 50_000, 40_000), Doubt("missing", 1, 2, 500), Doubt("contradicted", 1, 2, 9000))
    found = report(
        event("lockdown_applied", -1),
        event("left_window", 10),
        event("returned_to_window", 15),
        event("lockdown_lifted", 100, why="paused"),
        event("lockdown_applied", 150),
        event("lockdown_released", 1001, why="stopped"),
        told=told,
        doubts=doubts,
    )
    assert found == LockdownReport("released", told.rules, None, 950.0, 2, 5.0, 190, 40.5)


def test_a_machine_whose_agent_died_was_not_locked_before_it_came_back() -> None:
    found = report(
        event("lockdown_applied", 0),
        event("gap", 300, 340, cause="agent restarted"),
        event("agent_restarted", 335),
        event("lockdown_left_behind", 336, by="guardian", rules="keys"),
        event("lockdown_applied", 345),
    )
    assert found.locked_s == 300 + 655


def test_a_session_without_a_lockdown_has_an_empty_part() -> None:
    assert lockdown_report(Session(
        "s", "u", "g", "", "", "k", ProctoringSettings(), 300, 0, b"", b"",
    ), Lockdown(), (), (0, S)) == LockdownReport()  # fmt: skip

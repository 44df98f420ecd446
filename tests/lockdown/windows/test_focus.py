"""The exam's window against others: told once for each leave, brought back, and put as it was."""

from collections.abc import Callable

import pytest

from secureproctor.lockdown.rule import ApplyFailed, RestoreFailed
from secureproctor.lockdown.windows.api import Notice, Rect
from tests.lockdown.windows.fakes import FRAMED, SCREEN, FakeWindowsSystem, Stage, terms

EXAM, NOTES = 1, 2


def test_another_window_is_told_and_sent_back_at_once(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("focus")
    system.windows.front = NOTES
    stage.pump(0, Notice("foreground", NOTES))
    assert stage.told.details("left_window") == [{"program": "notes.exe", "how": "window"}]
    assert stage.told.details("returned_to_window") == [{"away_s": 0.0, "by": "agent"}]
    assert system.windows.front == EXAM


def test_a_window_that_nobody_gets_in_front_of_is_one_long_leave(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("focus")
    system.windows.front, system.windows.stubborn = NOTES, {NOTES}
    stage.pump(0.25, Notice("foreground", NOTES))
    assert stage.told.kinds() == ["left_window"]
    stage.pump(1.0)
    assert ("minimize", NOTES) in system.windows.asked
    assert stage.told.kinds() == ["left_window", "returned_to_window"]
    assert stage.told.details("returned_to_window")[0]["by"] == "agent"


def test_the_event_may_come_before_what_it_tells_of(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("focus")
    stage.pump(0, Notice("foreground", NOTES))
    system.windows.front = NOTES
    stage.pump(0.1)
    assert stage.told.kinds() == ["left_window", "returned_to_window"]


def test_a_theft_whose_event_got_lost_is_seen_within_a_second(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("focus")
    system.windows.front = NOTES
    assert stage.rule("focus").verify()
    assert stage.told.kinds() == ["left_window", "returned_to_window"]


def test_no_window_in_front_is_a_change_under_way_and_no_leave(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("focus")
    system.windows.front = 0
    stage.pump(0.5, Notice("foreground", 0))
    assert stage.told == []


def test_minimized_it_is_shown_again(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("focus")
    system.windows.windows[EXAM].minimized = True
    stage.pump(0.1, Notice("minimized", EXAM))
    assert stage.told.details("left_window") == [{"program": "", "how": "minimized"}]
    assert not system.windows.windows[EXAM].minimized
    assert stage.told.kinds()[-1] == "returned_to_window"


@pytest.mark.parametrize(
    "friend",
    [
        lambda system: system.processes.add(200, "C:\\Program Files\\NVDA\\nvda.exe"),
        lambda system: system.processes.add(200, "C:\\Calc\\Calculator.EXE"),
        lambda system: system.processes.add(200, "C:\\Program Files\\Browser\\browser.exe", parent=100),
    ],
    ids=["assistive", "allowed", "the browser's own"],
)
def test_the_exams_company_is_no_leave(
    stage: Stage, system: FakeWindowsSystem, friend: Callable[[FakeWindowsSystem], None]
) -> None:
    friend(system)
    stage.apply("focus", terms(allowed=["calculator"]))
    system.windows.front = NOTES
    stage.pump(0.2, Notice("foreground", NOTES))
    assert stage.told == []
    assert system.windows.front == NOTES


def test_it_fills_its_display_and_gets_its_frame_back(stage: Stage, system: FakeWindowsSystem) -> None:
    before = system.windows.snapshot()
    image = stage.apply("focus")
    exam = system.windows.windows[EXAM]
    assert exam.rect == SCREEN
    assert exam.dress.style & 0x00C00000 == 0
    assert exam.dress.extended & 0x8
    stage.rule("focus").restore(image)
    assert system.windows.snapshot() == before


def test_a_browser_that_fills_its_display_keeps_its_styles(stage: Stage, system: FakeWindowsSystem) -> None:
    system.windows.windows[EXAM].rect = Rect(-8, -8, 1928, 1088)
    stage.apply("focus")
    assert system.windows.windows[EXAM].dress.style == FRAMED.style


def test_a_window_that_was_made_smaller_is_put_right_and_told(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("focus")
    system.windows.windows[EXAM].rect = Rect(0, 0, 500, 500)
    assert stage.rule("focus").verify()
    assert stage.told.kinds() == ["window_restored"]
    assert system.windows.windows[EXAM].rect == SCREEN


def test_a_window_that_hangs_is_asked_nothing(stage: Stage, system: FakeWindowsSystem) -> None:
    image = stage.apply("focus")
    system.windows.windows[EXAM].hung = True
    assert stage.rule("focus").verify()
    with pytest.raises(RestoreFailed, match="does not answer"):
        stage.rule("focus").restore(image)
    system.windows.windows[EXAM].hung = False
    stage.rule("focus").restore(image)
    assert system.windows.windows[EXAM].dress == FRAMED


def test_a_handle_that_another_program_has_now_is_left_alone(stage: Stage, system: FakeWindowsSystem) -> None:
    image = stage.apply("focus")
    system.windows.windows[EXAM].pid = 200
    before = system.windows.snapshot()
    stage.rule("focus").restore(image)
    assert system.windows.snapshot() == before


def test_without_a_window_nothing_can_be_said_or_done(stage: Stage, system: FakeWindowsSystem) -> None:
    system.windows.windows.clear()
    system.windows.front = 0
    assert stage.rule("focus").probe(terms()).standing == "could_not_check"
    with pytest.raises(ApplyFailed):
        stage.apply("focus")


def test_an_exam_window_that_is_gone_does_not_hold(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("focus")
    del system.windows.windows[EXAM]
    assert not stage.rule("focus").verify()


def test_the_exam_is_its_largest_window_when_another_program_is_in_front(
    stage: Stage, system: FakeWindowsSystem
) -> None:
    system.windows.add(7, 100, rect=Rect(0, 0, 1000, 1000))
    system.windows.front = NOTES
    image = stage.apply("focus")
    assert image["window"] == 7


@pytest.mark.parametrize(("code", "program"), [(7, "the lock screen"), (2, "another user's session")])
def test_a_session_that_is_locked_or_left_is_a_leave(
    stage: Stage, system: FakeWindowsSystem, code: int, program: str
) -> None:
    stage.apply("focus")
    system.windows.front = 0
    stage.pump(1, Notice("session", code=code))
    assert stage.told.details("left_window") == [{"program": program, "how": "window"}]
    system.windows.front = EXAM
    stage.pump(0.2, Notice("session", code=8))
    assert stage.told.details("returned_to_window")[0]["by"] == "candidate"

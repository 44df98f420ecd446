"""The clipboard is empty but for what the exam itself puts there."""

from secureproctor.lockdown.windows.api_session import SystemClipboard
from secureproctor.lockdown.windows.api_windows import DesktopWindows
from tests.windows.stage import Actor, Measure, Stage


def clipboard() -> SystemClipboard:
    return SystemClipboard(DesktopWindows(0))


def test_it_is_emptied_at_the_start(stage: Stage, exam: Actor, candidate: Actor) -> None:
    candidate.tell("copy answers")
    stage.apply("clipboard", exam=exam)
    stage.pump_until(lambda: clipboard().is_empty(), "the emptying")
    assert stage.first("clipboard_emptied", why="start", program="python.exe")


def test_what_another_program_copies_is_gone_at_once(
    stage: Stage, exam: Actor, candidate: Actor, measured: Measure
) -> None:
    stage.apply("clipboard", exam=exam)
    taken = []
    for _ in range(5):
        candidate.tell("copy answers")
        taken.append(stage.pump_until(lambda: clipboard().is_empty(), "the emptying"))
    assert not exam.tell("paste")
    assert stage.first("clipboard_emptied", why="outside", program="python.exe")
    measured("clipboard filled from outside: empty after", taken)


def test_what_the_exam_copies_stays(stage: Stage, exam: Actor) -> None:
    stage.apply("clipboard", exam=exam)
    stage.pump_for(0.3)
    stage.told.clear()
    exam.tell("copy own")
    stage.pump_for(1.5)
    assert exam.tell("paste")
    assert stage.told == []
    stage.rule("clipboard").restore({})
    assert clipboard().is_empty()
    assert stage.first("clipboard_emptied", why="end")


def test_a_program_that_holds_it_open_only_delays_it(stage: Stage, exam: Actor, candidate: Actor) -> None:
    candidate.tell("copy answers")
    candidate.start("hold_clipboard 0.5")
    stage.apply("clipboard", exam=exam)
    stage.pump_until(lambda: clipboard().is_empty(), "the emptying")
    assert candidate.answer() is True

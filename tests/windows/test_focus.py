"""The exam's window stays in front and full screen, against another program that comes in front; then it is as it was."""

import time

from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.lockdown.windows.api_windows import DesktopWindows
from tests.windows.stage import Actor, Measure, Stage

TOPMOST, CAPTION = 0x8, 0x00C00000


def test_a_window_that_comes_in_front_is_told_and_sent_back(
    stage: Stage, exam: Actor, candidate: Actor, measured: Measure
) -> None:
    stage.apply("focus", exam=exam)
    windows = DesktopWindows(0)
    told, recovered = [], []
    for _ in range(10):
        stage.told.clear()
        candidate.start("front")
        began = time.monotonic()
        stage.pump_until(lambda: stage.first("returned_to_window"), "the return")
        assert windows.foreground() == exam.window
        left, back = stage.first("left_window", how="window"), stage.first("returned_to_window", by="agent")
        assert left
        assert back
        told.append(left - began)
        recovered.append(back - began)
        candidate.answer()
    assert stage.told[0][1].detail["program"] == "python.exe"
    measured("another window in front: told after", told)
    measured("another window in front: the exam is back after", recovered)


def test_a_program_that_fights_for_it_loses_in_the_end(stage: Stage, exam: Actor, candidate: Actor) -> None:
    stage.apply("focus", exam=exam)
    candidate.start("fight 2")
    stage.pump_for(2.5)
    assert candidate.answer() > 0
    stage.pump_until(lambda: stage.kinds()[-1] == "returned_to_window")
    assert DesktopWindows(0).foreground() == exam.window
    assert stage.kinds().count("left_window") == stage.kinds().count("returned_to_window")


def test_a_program_that_hangs_in_front_hangs_nobody_else(stage: Stage, exam: Actor, candidate: Actor) -> None:
    stage.apply("focus", exam=exam)
    candidate.tell("front")
    candidate.start("hang 1")
    assert stage.pump_until(lambda: stage.first("returned_to_window")) < 10
    assert candidate.answer() is True


def test_the_exam_minimized_is_shown_again(stage: Stage, exam: Actor) -> None:
    stage.apply("focus", exam=exam)
    exam.tell("show 6")
    stage.pump_until(lambda: stage.first("left_window", how="minimized") and stage.first("returned_to_window"))
    assert not DesktopWindows(0).is_minimized(exam.window)


def test_an_allowed_program_may_be_in_front(stage: Stage, exam: Actor, candidate: Actor) -> None:
    stage.apply("focus", exam=exam, settings=LockdownSettings(allowed_programs=("Python",)))
    candidate.tell("front")
    stage.pump_for(0.5)
    assert stage.told == []
    assert DesktopWindows(0).foreground() == candidate.window


def test_the_exam_fills_its_display_and_gets_its_frame_back(stage: Stage, exam: Actor) -> None:
    windows = DesktopWindows(0)
    before = windows.dress(exam.window), windows.rect(exam.window), windows.placement(exam.window)
    stage.apply("focus", exam=exam)
    stage.pump_for(0.2)
    assert windows.rect(exam.window) == windows.screen(exam.window)
    assert windows.dress(exam.window).extended & TOPMOST
    assert not windows.dress(exam.window).style & CAPTION
    rule, image = stage.applied[0]
    rule.restore(image)
    stage.pump_for(0.2)
    assert (windows.dress(exam.window), windows.rect(exam.window), windows.placement(exam.window)) == before


def test_a_frame_that_comes_back_is_taken_off_again(stage: Stage, exam: Actor) -> None:
    stage.apply("focus", exam=exam)
    windows = DesktopWindows(0)
    windows.move(exam.window, windows.screen(exam.window)._replace(right=300, bottom=300), topmost=False)
    stage.pump_until(lambda: stage.first("window_restored"))
    assert windows.rect(exam.window) == windows.screen(exam.window)

"""Focus theft on a real X server under openbox: told, and undone."""

from collections.abc import Iterator

import pytest

from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.lockdown.linux import ewmh
from secureproctor.lockdown.linux.place import open_place
from secureproctor.lockdown.linux.x11 import connect
from secureproctor.lockdown.rule import Exam, Terms
from tests.lockdown.linux.x11_desk import Desk, Locked, Puppet, kill, locked

FULL = frozenset({"_NET_WM_STATE_FULLSCREEN", "_NET_WM_STATE_ABOVE"})


@pytest.fixture
def focus(x11: Desk, exam: Puppet) -> Iterator[Locked]:
    with locked(x11, exam.exam, "focus") as lock:
        yield lock


def of(browser: Puppet, exam: Puppet) -> Exam:
    """An exam whose process has another window besides."""
    return Exam(browser.process.pid, exam.window)


def returned(lock: Locked, times: int = 1) -> None:
    lock.until(lambda: lock.kinds().count("returned_to_window") >= times, "the exam to be in front again")


def test_the_exam_is_full_screen_and_in_front_as_soon_as_it_is_applied(x11: Desk, exam: Puppet, focus: Locked) -> None:
    assert x11.state(exam.window) >= FULL
    assert focus.rules["focus"].verify()
    assert x11.active() == exam.window
    assert not focus.of("left_window")


def test_a_window_that_opens_is_a_leave_and_the_exam_comes_back(x11: Desk, exam: Puppet, focus: Locked) -> None:
    with x11.program(name="chat"):
        returned(focus)
        assert [each.detail for each in focus.of("left_window")] == [{"program": "chat", "how": "window"}]
        assert focus.of("returned_to_window")[0].detail["by"] == "agent"
        assert x11.active() == exam.window


def steal(x11: Desk, lock: Locked, *argv: str) -> None:
    """Until it is told: what is undone within a few milliseconds, by a request that was under way, nobody sees."""
    before = len(lock.of("left_window"))

    def told() -> bool:
        x11.run(*argv)
        lock.during(0.1)
        return len(lock.of("left_window")) > before

    lock.until(told)


@pytest.mark.parametrize("thief", ["wmctrl", "xdotool"])
def test_the_focus_that_somebody_takes_is_taken_back(x11: Desk, exam: Puppet, focus: Locked, thief: str) -> None:
    with x11.program(name="chat") as chat:
        returned(focus)
        focus.seen.clear()
        ways = {"wmctrl": ("wmctrl", "-i", "-a"), "xdotool": ("xdotool", "windowactivate")}
        steal(x11, focus, *ways[thief], str(chat.window))
        returned(focus)
        assert focus.of("left_window")[0].detail["program"] == "chat"
        focus.until(lambda: x11.active() == exam.window)


def test_each_leave_is_told(x11: Desk, exam: Puppet, focus: Locked) -> None:
    with x11.program(name="chat") as chat:
        returned(focus)
        for times in (2, 3):
            steal(x11, focus, "wmctrl", "-i", "-a", str(chat.window))
            returned(focus, times)
    assert len({each.about for each in focus.of("left_window")}) == 3


def test_a_minimized_exam_comes_back(x11: Desk, exam: Puppet, focus: Locked) -> None:
    x11.run("xdotool", "windowminimize", str(exam.window))
    returned(focus)
    assert focus.of("left_window")[0].detail["how"] == "minimized"
    focus.until(lambda: "_NET_WM_STATE_HIDDEN" not in x11.state(exam.window))


def test_another_desktop_is_left_again(x11: Desk, exam: Puppet, focus: Locked) -> None:
    x11.run("xdotool", "set_desktop", "1")
    returned(focus)
    assert focus.of("left_window")
    focus.until(lambda: x11.run("xdotool", "get_desktop").strip() == "0")


@pytest.mark.parametrize("state", ["fullscreen", "above"])
def test_a_window_that_lost_its_state_gets_it_back(x11: Desk, exam: Puppet, focus: Locked, state: str) -> None:
    x11.run("wmctrl", "-i", "-r", str(exam.window), "-b", f"remove,{state}")
    focus.until(lambda: focus.of("window_restored"))
    focus.until(lambda: x11.state(exam.window) >= FULL)
    assert not focus.of("left_window"), "it has not been left"


def test_a_dialog_of_the_exams_process_is_no_leave(x11: Desk, exam: Puppet) -> None:
    """Another window of the same process, that says that it belongs to the exam's."""
    with x11.program("dialog=1", name="browser") as dialog, locked(x11, of(dialog, exam), "focus") as lock:
        x11.run("xdotool", "windowactivate", str(dialog.window))
        lock.until(lambda: x11.active() == dialog.window)
        lock.during(0.3)
        assert not lock.seen
        assert x11.active() == dialog.window, "the candidate can answer it"


def test_a_second_window_of_the_browser_is_a_leave(x11: Desk, exam: Puppet) -> None:
    with x11.program(name="browser") as second, locked(x11, Exam(second.process.pid, exam.window), "focus") as lock:
        x11.run("xdotool", "windowactivate", str(second.window))
        returned(lock)
        assert lock.of("left_window")[0].detail["program"] == "browser"


def test_somebody_elses_dialog_is_a_leave(x11: Desk, exam: Puppet, focus: Locked) -> None:
    with x11.program(f"dialog={exam.window}", name="chat"):
        returned(focus)


def test_assistive_technology_is_no_leave(x11: Desk, exam: Puppet, focus: Locked) -> None:
    with x11.program(name="onboard") as keyboard:
        x11.run("xdotool", "windowactivate", str(keyboard.window))
        focus.until(lambda: x11.active() == keyboard.window)
        focus.during(0.3)
        assert not focus.seen


def test_an_endless_thief_is_answered_now_and_then(x11: Desk, exam: Puppet, focus: Locked) -> None:
    """It asks 200 times a second; the exam asks at most ten times at once, and eight times a second."""
    asked = 0
    with x11.program("normal", "steals", name="thief"), pytest.MonkeyPatch.context() as patch:
        activate = ewmh.activate

        def count(x: object, window: int) -> None:
            nonlocal asked
            asked += 1
            activate(x, window)  # type: ignore[arg-type]  # passed on as it is

        patch.setattr(ewmh, "activate", count)
        focus.during(1.5)
    assert 3 <= asked <= 10 + 8 * 2
    focus.until(lambda: x11.active() == exam.window)
    focus.until(lambda: focus.kinds().count("returned_to_window") == focus.kinds().count("left_window"))


def test_a_leave_goes_on_when_the_rule_is_applied_again(x11: Desk, exam: Puppet, focus: Locked) -> None:
    """As the guard does with a rule that was undone: the candidate has left once."""
    with x11.program(name="chat"):
        focus.until(lambda: focus.of("left_window"))
        focus.rules["focus"].apply(Terms(exam.exam, LockdownSettings()), focus.seen.append)
        returned(focus)
        focus.during(0.1)
    assert len(focus.of("left_window")) == len(focus.of("returned_to_window"))


def test_restore_takes_away_what_was_added_and_nothing_else(x11: Desk, exam: Puppet) -> None:
    x11.run("wmctrl", "-i", "-r", str(exam.window), "-b", "add,sticky")
    was = x11.state(exam.window)
    with locked(x11, exam.exam, "focus") as lock:
        assert x11.state(exam.window) > was
        lock.restore()
        assert x11.state(exam.window) == was
    x11.run("wmctrl", "-i", "-r", str(exam.window), "-b", "remove,sticky")


def test_without_a_window_the_process_says_which(x11: Desk, exam: Puppet) -> None:
    with x11.program(name="chat"), locked(x11, Exam(exam.process.pid), "focus"):
        assert x11.active() == exam.window
        assert x11.state(exam.window) >= FULL


def test_where_nothing_is_to_be_enforced_a_leave_is_told_only(x11: Desk, exam: Puppet) -> None:
    terms = Terms(exam.exam, LockdownSettings(), observe_only=True)
    lock = Locked(open_place("x11", agent=x11.pids["Xvfb"]))
    x11.run("xdotool", "windowactivate", "--sync", str(exam.window))
    try:
        lock.apply(terms, "focus")
        assert lock.images["focus"] == {}
        with x11.program(name="chat") as chat:
            lock.until(lambda: lock.of("left_window"))
            lock.during(0.2)
            assert x11.active() == chat.window
            x11.run("xdotool", "windowactivate", str(exam.window))
            returned(lock)
        assert lock.of("returned_to_window")[0].detail["by"] == "candidate"
        assert not x11.state(exam.window)
        lock.restore()
    finally:
        lock.place.close()


def test_a_window_that_is_gone_does_not_hold_and_needs_no_restoring(x11: Desk) -> None:
    with x11.program(name="browser") as browser, locked(x11, browser.exam, "focus") as lock:
        assert lock.rules["focus"].verify()
        kill(browser.process.pid)
        lock.until(lambda: not lock.rules["focus"].verify())


def test_without_a_window_manager_it_is_observed_and_the_window_raised(x11: Desk, exam: Puppet) -> None:
    """Last in this file: it ends the window manager."""
    kill(x11.pids["openbox"])
    x = connect()
    try:
        with locked(x11, exam.exam, "focus") as lock:
            lock.until(lambda: not ewmh.has_manager(x))
            rule = lock.rules["focus"]
            assert rule.probe(Terms(exam.exam, LockdownSettings())).standing == "observed"
            lock.restore()
            lock.apply(Terms(exam.exam, LockdownSettings()), "focus")
            assert lock.images["focus"] == {}
            with x11.program(name="chat") as chat:
                x11.run("xdotool", "windowfocus", str(chat.window))
                returned(lock)
                assert lock.of("left_window")[0].detail["program"] == "chat"
            assert x11.run("xdotool", "getwindowfocus").strip() == str(exam.window)
    finally:
        x.close()

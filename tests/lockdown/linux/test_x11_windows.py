"""Other programs' windows: those that come, those that hide over the exam, and those that are nobody's concern."""

import contextlib
from collections.abc import Iterator

import pytest

from tests.lockdown.linux.x11_desk import Desk, Locked, Puppet, locked


@pytest.fixture
def hidden(x11: Desk, exam: Puppet) -> Iterator[Locked]:
    with locked(x11, exam.exam, "focus", "hidden_windows") as lock:
        yield lock


@pytest.mark.parametrize(("kind", "how"), [("clickthrough", "click_through"), ("overlay", "overlay")])
def test_a_window_over_the_exam_is_found(x11: Desk, hidden: Locked, kind: str, how: str) -> None:
    with x11.program(kind, name="ghost"):
        hidden.until(lambda: hidden.of("window_hidden"))
    assert [each.detail for each in hidden.of("window_hidden")] == [{"program": "ghost", "how": how}]


@pytest.mark.parametrize(("kind", "how"), [("faint", "transparent"), ("above", "overlay")])
def test_a_managed_window_over_the_exam_is_found(x11: Desk, exam: Puppet, kind: str, how: str) -> None:
    """Where the exam is not kept in front, so that such a window stays over it."""
    with locked(x11, exam.exam, "hidden_windows") as lock, x11.program(kind, name="ghost"):
        lock.until(lambda: lock.of("window_hidden"))
        assert lock.seen[0].detail == {"program": "ghost", "how": how}


def test_one_that_was_there_before_and_lets_clicks_through_is_found(x11: Desk, exam: Puppet) -> None:
    with x11.program("clickthrough", name="ghost"), locked(x11, exam.exam, "hidden_windows") as lock:
        lock.until(lambda: lock.of("window_hidden"))
        assert lock.seen[0].detail["how"] == "click_through"


def test_a_panel_that_was_there_before_is_none(x11: Desk, exam: Puppet) -> None:
    with x11.program("overlay", name="panel") as panel, locked(x11, exam.exam, "hidden_windows") as lock:
        lock.during(0.2)
        x11.run("xdotool", "windowmove", str(panel.window), "50", "50")
        lock.during(0.7)
        assert not lock.seen


def test_assistive_technology_may_lie_over_the_exam(x11: Desk, hidden: Locked) -> None:
    with x11.program("overlay", name="onboard"):
        hidden.during(0.7)
    assert not hidden.of("window_hidden")


def test_what_the_exam_shows_itself_is_none(x11: Desk) -> None:
    with x11.program("overlay", name="browser") as menu, locked(x11, menu.exam, "hidden_windows") as lock:
        lock.during(0.7)
        assert not lock.seen


def test_a_new_window_is_told_by_its_program(x11: Desk, exam: Puppet) -> None:
    with x11.program(name="before") as before, contextlib.ExitStack() as stack:
        x11.managed(before.window)
        lock = stack.enter_context(locked(x11, exam.exam, "windows"))
        with x11.program(name="chat"):
            lock.until(lambda: lock.of("window_opened"))
        with x11.program("above", name="topper"):
            lock.until(lambda: len(lock.of("window_opened")) == 2)
        with x11.program("overlay", name="popup"):
            lock.until(lambda: len(lock.of("window_opened")) == 3)
        told = [(each.detail["program"], each.detail["topmost"], each.counts) for each in lock.of("window_opened")]
    assert told == [("chat", False, False), ("topper", True, False), ("popup", True, False)]


def test_a_process_shows_a_window_and_is_asked_to_close_it(x11: Desk, exam: Puppet) -> None:
    with x11.program(name="chat") as chat, locked(x11, exam.exam) as lock:
        shown = lock.place._parts.shown
        lock.until(lambda: shown.has_window(chat.process.pid))
        assert shown.has_window(1) is False
        assert shown.close(chat.process.pid)
        assert not shown.close(1)
        lock.until(lambda: "asked to close" in chat.hears())

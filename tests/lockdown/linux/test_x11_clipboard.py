"""The clipboard on a real X server: what other programs put there is gone before it can be pasted."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.lockdown.linux.x11_desk import Desk, Locked, Puppet, locked

BOTH = ("clipboard", "primary")


def fill(x11: Desk, selection: str, text: str = "the answer") -> None:
    argv = ["xclip", "-selection", selection, "-i"]
    subprocess.run(argv, env=x11.environment, input=text.encode(), stdout=subprocess.DEVNULL, timeout=10, check=True)


def paste(x11: Desk, selection: str) -> subprocess.Popen[bytes]:
    argv = ["xclip", "-selection", selection, "-o"]
    return subprocess.Popen(argv, env=x11.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def pasted(lock: Locked, x11: Desk, selection: str) -> bytes:
    """What a paste gives, while the rule is at work."""
    process = paste(x11, selection)
    lock.until(lambda: process.poll() is not None)
    out, _ = process.communicate()
    return out


@pytest.fixture
def lock(x11: Desk, exam: Puppet) -> Iterator[Locked]:
    with locked(x11, exam.exam, "clipboard") as lock:
        yield lock


@pytest.mark.parametrize("selection", BOTH)
def test_what_was_there_is_emptied_at_the_start(x11: Desk, exam: Puppet, selection: str) -> None:
    fill(x11, selection)
    with locked(x11, exam.exam, "clipboard") as lock:
        assert [each.detail["why"] for each in lock.seen] == ["start"]
        assert not lock.seen[0].counts
        assert pasted(lock, x11, selection) == b""


@pytest.mark.parametrize("selection", BOTH)
def test_what_comes_from_outside_is_emptied_and_told(x11: Desk, lock: Locked, selection: str) -> None:
    fill(x11, selection)
    lock.until(lambda: lock.of("clipboard_emptied"))
    assert lock.seen[0].detail["why"] == "outside"
    assert lock.seen[0].counts == (selection == "clipboard")
    assert pasted(lock, x11, selection) == b""
    assert "answer" not in str(lock.seen)


def test_it_says_which_program_it_was(x11: Desk, lock: Locked) -> None:
    with x11.program("normal", "owns", name="notes") as notes:
        lock.until(lambda: lock.of("clipboard_emptied"))
        assert lock.seen[0].detail["program"] == "notes"
        lock.until(lambda: "lost" in notes.hears())


def test_what_the_exams_page_copies_can_be_pasted_until_the_end(x11: Desk) -> None:
    """It is emptied at the start; then the page copies again."""
    with (
        x11.program("normal", "owns", "insists", name="browser") as browser,
        locked(x11, browser.exam, "clipboard") as lock,
    ):
        lock.until(lambda: "lost" in browser.hears())
        assert pasted(lock, x11, "clipboard") == b"answer"
        assert [each.detail["why"] for each in lock.seen] == ["start"]
        lock.restore()
        assert [each.detail["why"] for each in lock.seen] == ["start", "end"]


def test_a_manager_that_takes_it_again_and_again_is_answered_now_and_then(x11: Desk, lock: Locked) -> None:
    with x11.program("normal", "owns", "insists", name="manager") as manager:
        lock.during(1.5)
        assert 3 <= len(lock.of("clipboard_emptied")) <= 10 + 2 * 3
        manager.hears()
    assert lock.rules["clipboard"].verify()


def test_in_the_end_nobody_owns_it_and_it_works_as_ever(x11: Desk, exam: Puppet) -> None:
    with locked(x11, exam.exam, "clipboard"):
        pass
    fill(x11, "clipboard", "mine")
    assert paste(x11, "clipboard").communicate()[0] == b"mine"

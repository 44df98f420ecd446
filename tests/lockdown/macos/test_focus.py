"""Leaving the exam and coming back, on a Mac that may or may not do what is asked."""

import pytest

from secureproctor.lockdown.macos.place import MacPlace
from secureproctor.lockdown.rule import ApplyFailed, Exam, RestoreFailed
from tests.lockdown.macos.fakes import DENIED, EXAM, FINDER, LOGIN, NEW, OTHER, SCREEN, Mac, Watched, program, window


def test_the_exam_is_made_full_screen_and_put_back() -> None:
    watched = Watched(Mac(), "focus")
    assert watched.mac.full_screen[EXAM]
    watched.restore()
    assert not watched.mac.full_screen[EXAM]


def test_a_window_that_was_full_screen_stays_so() -> None:
    watched = Watched(Mac(full_screen={EXAM: True}), "focus")
    assert watched.images == [{}]
    watched.restore()
    assert watched.mac.full_screen[EXAM]


def test_a_window_that_covers_its_display_is_left_as_it_is() -> None:
    """As a browser's in kiosk mode, which macOS does not call full screen."""
    watched = Watched(Mac(windows=[window(1, EXAM, rect=SCREEN)]), "focus")
    assert not watched.mac.full_screen[EXAM]


def test_another_process_with_the_same_number_is_left_alone() -> None:
    watched = Watched(Mac(), "focus")
    watched.mac.running[EXAM] = program(EXAM, "/opt/other", started=1.0)
    watched.restore()
    assert watched.mac.full_screen[EXAM]


def test_what_cannot_be_put_back_now_is_said() -> None:
    watched = Watched(Mac(), "focus")
    watched.mac.refuses.add("full screen")
    with pytest.raises(RestoreFailed):
        watched.restore()


def test_leaving_is_told_and_undone_at_once_by_the_event() -> None:
    watched = Watched(Mac(), "focus")
    watched.mac.come_in_front(OTHER)
    assert watched.mac.front == EXAM
    watched.run(0.2)
    assert watched.told("left_window") == [{"program": "Notes", "how": "window"}]
    assert [each["by"] for each in watched.told("returned_to_window")] == ["agent"]


def test_leaving_is_seen_within_300_ms_without_an_event() -> None:
    watched = Watched(Mac(), "focus")
    watched.mac.front = OTHER
    watched.run(0.3)
    assert watched.told("left_window")
    assert watched.mac.front == EXAM


def test_when_macos_does_not_bring_the_exam_in_front_who_is_there_is_hidden() -> None:
    watched = Watched(Mac(obeys=False), "focus")
    watched.mac.come_in_front(OTHER)
    watched.run(1.0)
    assert ("hide", OTHER) in watched.mac.events
    assert watched.mac.front == EXAM
    assert len(watched.told("left_window")) == 1


def test_when_nothing_helps_the_rule_says_that_it_does_not_hold() -> None:
    watched = Watched(Mac(obeys=False, yields=False), "focus")
    assert watched.verify()
    watched.mac.come_in_front(OTHER)
    assert watched.verify()
    watched.run(6.0)
    assert not watched.verify()
    watched.mac.come_in_front(EXAM)
    watched.run(0.2)
    assert watched.verify()


def test_without_the_right_leaving_is_seen_and_not_undone() -> None:
    watched = Watched(Mac(rights=DENIED), "focus")
    assert watched.probe().standing == "observed"
    watched.mac.front = OTHER
    watched.run(6.0)
    watched.mac.front = EXAM
    watched.run(0.3)
    assert not [event for event in watched.mac.events if event[0] in ("activate", "hide")]
    (returned,) = watched.told("returned_to_window")
    assert returned["by"] == "candidate"
    assert isinstance(returned["away_s"], float)
    assert 5.8 < returned["away_s"] < 6.5
    assert watched.verify()


def test_a_hidden_exam_is_shown_again() -> None:
    watched = Watched(Mac(), "focus")
    watched.mac.hidden.add(EXAM)
    watched.mac.come_in_front(FINDER)
    watched.run(0.3)
    assert not watched.mac.hidden
    assert watched.told("left_window") == [{"program": "Finder", "how": "minimized"}]


def test_over_the_lock_screen_nothing_is_fought_for() -> None:
    watched = Watched(Mac(locked=True), "focus")
    watched.mac.come_in_front(LOGIN)
    watched.run(2.0)
    assert not [event for event in watched.mac.events if event[0] in ("activate", "hide")]
    assert watched.told("left_window") == [{"program": "loginwindow", "how": "window"}]


@pytest.mark.parametrize(
    "path",
    [
        "/Applications/Browser.app/Contents/MacOS/Helper",
        "/System/Library/CoreServices/VoiceOver.app/Contents/MacOS/VoiceOver",
    ],
)
def test_the_browsers_own_and_assistive_programs_are_no_leave(path: str) -> None:
    watched = Watched(Mac(), "focus")
    watched.mac.running[NEW] = program(NEW, path, parent=EXAM)
    watched.mac.come_in_front(NEW)
    watched.run(1.0)
    assert not watched.seen


def test_full_screen_that_was_left_is_restored_and_told() -> None:
    watched = Watched(Mac(), "focus")
    watched.mac.full_screen[EXAM] = False
    watched.run(1.1)
    assert watched.mac.full_screen[EXAM]
    assert watched.told("window_restored") == [{}]


def test_without_a_process_it_is_what_is_in_front_and_stays_that() -> None:
    watched = Watched(Mac(obeys=False), "focus", exam=Exam())
    watched.mac.front = OTHER
    watched.apply()
    assert watched.told("left_window")


def test_a_window_tells_its_process() -> None:
    watched = Watched(Mac(front=OTHER), "focus", exam=Exam(window=1))
    assert watched.mac.full_screen[EXAM]


def test_without_the_exam_nothing_can_be_said() -> None:
    mac = Mac(front=0)
    place = MacPlace(mac.api(), mac.clock)
    rule = next(each for each in place.rules if each.id == "focus")
    terms = Watched(Mac()).terms
    gone = type(terms)(Exam(999), terms.settings)
    assert rule.probe(gone).standing == "could_not_check"
    with pytest.raises(ApplyFailed):
        rule.apply(gone, lambda _: None)


def test_an_exam_that_is_gone_does_not_hold() -> None:
    watched = Watched(Mac(), "focus")
    del watched.mac.running[EXAM]
    assert not watched.verify()


def test_a_minimized_exam_that_is_still_in_front_is_a_leave() -> None:
    watched = Watched(Mac(rights=DENIED), "focus")
    watched.mac.hidden.add(EXAM)
    watched.run(1.1)
    assert watched.told("left_window") == [{"program": "", "how": "minimized"}]
    watched.run(2.0)
    assert not watched.told("returned_to_window")
    watched.mac.hidden.clear()
    watched.run(0.3)
    assert len(watched.told("returned_to_window")) == 1

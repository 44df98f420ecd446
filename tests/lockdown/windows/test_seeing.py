"""Clipboard, hidden windows and new windows, over a Windows that is fast, slow, or held by somebody."""

from secureproctor.lockdown.windows.api import Dress, Notice, Rect
from tests.lockdown.windows.fakes import FakeWindowsSystem, Stage, terms

GLASS = Dress(0x14000000, 0x8 | 0x20 | 0x80000)


def fill(system: FakeWindowsSystem, pid: int) -> None:
    system.clipboard.filled, system.clipboard.by = True, pid


def test_a_clipboard_that_is_full_is_emptied_at_the_start_and_that_is_no_violation(
    stage: Stage, system: FakeWindowsSystem
) -> None:
    fill(system, 200)
    stage.apply("clipboard")
    assert not system.clipboard.filled
    assert stage.told.details("clipboard_emptied") == [{"program": "notes.exe", "why": "start"}]
    assert not stage.told[0].counts


def test_what_comes_from_outside_is_emptied_and_what_the_exam_copies_stays(
    stage: Stage, system: FakeWindowsSystem
) -> None:
    stage.apply("clipboard")
    fill(system, 100)
    stage.pump(1, Notice("clipboard"))
    assert not system.clipboard.is_empty()
    fill(system, 200)
    stage.pump(0, Notice("clipboard"))
    assert system.clipboard.is_empty()
    assert stage.told.details("clipboard_emptied") == [{"program": "notes.exe", "why": "outside"}]


def test_an_owner_that_nobody_knows_is_outside(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("clipboard")
    fill(system, 0)
    stage.pump(0, Notice("clipboard"))
    assert stage.told.details("clipboard_emptied") == [{"program": "", "why": "outside"}]


def test_a_program_that_holds_the_clipboard_open_only_delays_it(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("clipboard")
    fill(system, 200)
    system.clipboard.held = True
    stage.pump(0.3, Notice("clipboard"))
    assert stage.told == []
    system.clipboard.held = False
    stage.pump(0.2)
    assert len(stage.told) == 1


def test_nothing_is_carried_out_at_the_end(stage: Stage, system: FakeWindowsSystem) -> None:
    image = stage.apply("clipboard")
    fill(system, 100)
    stage.rule("clipboard").restore(image)
    assert system.clipboard.is_empty()
    assert stage.told.details("clipboard_emptied")[0]["why"] == "end"
    fill(system, 200)
    stage.rule("clipboard").restore(image)
    assert not system.clipboard.is_empty()


def test_a_window_that_excludes_itself_from_capture_is_a_violation_told_once(
    stage: Stage, system: FakeWindowsSystem
) -> None:
    stage.apply("hidden_windows")
    system.windows.add(5, 200, affinity=0x11)
    stage.pump(5)
    assert stage.told.details("window_hidden") == [{"program": "notes.exe", "how": "excluded from capture"}]
    assert stage.told[0].counts


def test_one_that_is_shown_so_is_seen_at_once(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("hidden_windows")
    system.windows.add(5, 200, affinity=0x1)
    stage.pump(0, Notice("shown", 5))
    assert stage.told.details("window_hidden")[0]["how"] == "black in capture"


def test_an_overlay_like_glass_is_an_observation(stage: Stage, system: FakeWindowsSystem) -> None:
    system.windows.add(5, 200, dress=GLASS)
    system.windows.add(6, 200, dress=GLASS, rect=Rect(0, 0, 20, 20))
    stage.apply("hidden_windows")
    assert [each.counts for each in stage.told] == [False]


def test_the_exam_and_assistive_technology_may_hide_their_windows(stage: Stage, system: FakeWindowsSystem) -> None:
    system.processes.add(300, "C:\\Program Files\\NVDA\\nvda.exe")
    system.windows.add(5, 300, dress=GLASS)
    system.windows.windows[1].affinity = 0x11
    stage.apply("hidden_windows")
    assert stage.told == []


def test_a_windows_that_does_not_tell_is_no_pass(stage: Stage, system: FakeWindowsSystem) -> None:
    for window in system.windows.windows.values():
        window.affinity = None
    assert stage.rule("hidden_windows").probe(terms()).standing == "could_not_check"


def test_new_windows_are_told_by_their_program(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("windows")
    system.windows.add(5, 200)
    system.windows.add(6, 200, rect=Rect(0, 0, 10, 10))
    stage.pump(0, Notice("shown", 5), Notice("shown", 6), Notice("shown", 99), Notice("shown", 5))
    assert stage.told.details("window_opened") == [{"program": "notes.exe", "topmost": False}]


def test_a_new_window_whose_event_got_lost_is_seen_by_the_next_look(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("windows")
    system.windows.add(5, 200, dress=Dress(0x14000000, 0x8))
    assert stage.rule("windows").verify()
    assert stage.rule("windows").verify()
    assert stage.told.details("window_opened") == [{"program": "notes.exe", "topmost": True}]

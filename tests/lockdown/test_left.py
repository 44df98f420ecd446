"""What an agent that died has left: put back, newest first, through failures, by one at a time."""

from pathlib import Path

import pytest

from secureproctor.lockdown.holding import holding
from secureproctor.lockdown.left import Restored, restore_left, take_notes
from secureproctor.lockdown.rule import Place
from secureproctor.lockdown.undo import Undo
from tests.lockdown.fakes import FakePlace, Faults, Machine, terms


class Wreck:
    """A machine that an agent has locked, and died."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.machine, self.faults = folder, Machine(), Faults()
        self.was = self.machine.values
        self.place = FakePlace(self.machine, self.faults)
        folder.mkdir(mode=0o700)
        for rule in self.place.rules:
            image = rule.before(terms())
            if image:
                Undo(folder, self.place.name).keep(rule.id, image)
            rule.apply(terms(), lambda _: None)
        self.place.events.clear()

    def restore(self, by: str = "unlock", patience_s: float = 0.0) -> Restored:
        return restore_left(self.folder, self.place.opened, by, patience_s, lambda: 5.0)


@pytest.fixture
def wreck(tmp_path: Path) -> Wreck:
    return Wreck(tmp_path / "lockdown")


def test_everything_is_put_back_newest_first(wreck: Wreck) -> None:
    restored = wreck.restore()
    assert wreck.machine.values == wreck.was
    assert restored.rules == (
        "printing", "screenshots", "clipboard", "task_manager", "sign_out", "switch_user", "lock_screen", "power",
    )  # fmt: skip
    assert not restored.stuck
    assert wreck.place.events[-1] == ("close", "fake")


def test_with_nothing_to_do_nothing_is_opened(tmp_path: Path) -> None:
    def opened() -> Place:
        raise AssertionError("it was opened")

    assert restore_left(tmp_path / "nowhere", opened, "agent") == Restored()
    assert not (tmp_path / "nowhere").exists()


def test_a_second_time_there_is_nothing_left(wreck: Wreck) -> None:
    wreck.restore()
    wreck.place.events.clear()
    assert wreck.restore() == Restored()
    assert not wreck.place.events


@pytest.mark.parametrize("crash", [False, True], ids=["as it may", "as it must not"])
def test_a_rule_that_is_stuck_keeps_its_image_and_stops_no_other_one(wreck: Wreck, crash: bool) -> None:
    if crash:
        wreck.faults.crash.add(("restore", "clipboard"))
    else:
        wreck.faults.restore.add("clipboard")
    restored = wreck.restore()
    assert [rule for rule, _ in restored.stuck] == ["clipboard"]
    assert all(why for _, why in restored.stuck)
    assert len(restored.rules) == 7
    assert [left.rule for left in Undo(wreck.folder).left()] == ["clipboard"]
    wreck.faults.crash.clear()
    wreck.faults.restore.clear()
    assert wreck.restore().rules == ("clipboard",)
    assert wreck.machine.values == wreck.was


def test_a_place_that_cannot_be_opened_leaves_everything_for_later(wreck: Wreck) -> None:
    wreck.faults.open = True
    restored = wreck.restore()
    assert len(restored.stuck) == 8
    assert "there is no display" in restored.stuck[0][1]
    wreck.faults.open = False
    wreck.restore()
    assert wreck.machine.values == wreck.was


def test_nobody_restores_while_another_process_is_answerable(wreck: Wreck) -> None:
    with holding(wreck.folder, "the agent"):
        restored = wreck.restore()
    assert len(restored.stuck) == 8
    assert "the agent, process" in restored.stuck[0][1]
    assert not wreck.place.events


def test_a_file_that_cannot_be_understood_is_told_and_stops_nothing(wreck: Wreck) -> None:
    (wreck.folder / "power.json").write_bytes(b"\0" * 100)
    restored = wreck.restore()
    assert len(restored.rules) == 7
    assert [each.name for each in restored.unreadable] == ["power-0.json"]
    assert wreck.restore().unreadable == restored.unreadable


def test_what_was_restored_without_an_agent_is_told_to_the_next_one_once(wreck: Wreck) -> None:
    rules = wreck.restore("guardian").rules
    (note,) = take_notes(wreck.folder)
    assert (note.by, note.rules, note.wall_ms) == ("guardian", rules, 5000)
    assert take_notes(wreck.folder) == ()


def test_an_agent_needs_no_note_of_its_own(wreck: Wreck) -> None:
    wreck.restore("agent")
    assert take_notes(wreck.folder) == ()


def test_a_note_that_is_damaged_is_passed_over(wreck: Wreck) -> None:
    wreck.restore("guardian")
    (path,) = (wreck.folder / "notes").iterdir()
    path.write_bytes(path.read_bytes()[:10])
    assert take_notes(wreck.folder) == ()

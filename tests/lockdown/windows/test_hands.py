"""The hooks for all rules that care: shared, missed when they are gone, and never taken for somebody's injected input."""

import pytest

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.rule import ApplyFailed
from tests.lockdown.windows.fakes import FakeWindowsSystem, Stage

HOOKED: tuple[RuleId, ...] = ("keys", "screenshots", "printing", "injected_input")
F5, PRINT_SCREEN, CTRL, WIN, PLUS = 0x74, 0x2C, 0xA2, 0x5B, 0xBB


def test_a_stopped_key_wakes_the_guard_and_is_told_in_its_thread(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("keys")
    system.hooks.type(F5)
    assert system.messages.woken == 1
    assert stage.told == []
    stage.pump()
    assert stage.told.details("key_stopped") == [{"keys": "F5", "injected": False}]
    assert system.hooks.arrived == []


def test_rules_share_one_pair_of_hooks_and_the_last_one_unhooks(stage: Stage, system: FakeWindowsSystem) -> None:
    for rule in HOOKED:
        stage.apply(rule)
    assert system.hooks.opened == 1
    for rule in HOOKED[1:]:
        stage.rule(rule).restore({})
    assert system.hooks.is_open
    stage.rule("keys").restore({})
    assert not system.hooks.is_open


def test_each_rule_tells_its_own(stage: Stage, system: FakeWindowsSystem) -> None:
    for rule in HOOKED[:3]:
        stage.apply(rule)
    system.hooks.type(PRINT_SCREEN)
    system.hooks.type(CTRL, ord("P"))
    system.hooks.type(F5)
    stage.pump()
    assert stage.told.kinds() == ["screenshot_tried", "print_tried", "key_stopped"]


def test_hooks_that_windows_removed_silently_are_missed_and_set_again(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("keys")
    rule = stage.rule("keys")
    system.clock.now += 1
    assert rule.verify()
    system.hooks.removed = True
    system.clock.now += 1
    assert rule.verify()  # it was just asked
    system.clock.now += 1.5
    assert not rule.verify()
    stage.apply("keys")
    assert system.hooks.opened == 2
    assert rule.verify()


def test_on_the_secure_desktop_nobody_can_be_asked(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("keys")
    system.hooks.secure_desktop = True
    for _ in range(5):
        system.clock.now += 1
        assert stage.rule("keys").verify()


def test_hooks_that_are_refused_are_no_success(stage: Stage, system: FakeWindowsSystem) -> None:
    system.hooks.refuse = True
    with pytest.raises(ApplyFailed, match="does not let the keyboard be watched"):
        stage.apply("keys")
    assert not stage.rule("keys").verify()


def test_injected_keys_and_movements_are_told_once_for_each_device(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("injected_input")
    for _ in range(1000):
        system.hooks.move_pointer_by_program()
    system.hooks.type(ord("A"), injected=True)
    stage.pump()
    assert [each["device"] for each in stage.told.details("input_injected")] == ["mouse", "keyboard"]
    assert all(each.counts for each in stage.told)
    assert len(system.hooks.arrived) == 2


def test_what_assistive_technology_presses_is_no_violation(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("injected_input")
    system.processes.add(300, "C:\\Program Files\\NVDA\\nvda.exe")
    stage.pump(1)
    system.hooks.type(ord("A"), injected=True)
    stage.pump()
    assert stage.told.details("input_injected") == [{"device": "keyboard", "assistive": "nvda.exe"}]
    assert not stage.told[0].counts
    del system.processes.running[300]
    system.hooks.type(ord("A"), injected=True)
    stage.pump()
    assert stage.told[1].counts


def test_a_screen_reader_that_comes_later_gets_its_commands(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("keys")
    system.session.reader = True
    stage.rule("keys").verify()
    system.hooks.type(0x2D, F5)
    assert (F5, True) in system.hooks.arrived


def test_the_magnifier_gets_its_keys_though_win_is_stopped(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("keys")
    system.hooks.type(WIN, PLUS)
    stage.pump()
    assert system.hooks.pressed == [(WIN, PLUS)]


def test_what_is_printed_otherwise_is_seen_in_the_queues(stage: Stage, system: FakeWindowsSystem) -> None:
    system.readings.jobs = frozenset({"Office/1"})
    stage.apply("printing")
    system.readings.jobs = frozenset({"Office/1", "Microsoft Print to PDF/7"})
    system.clock.now += 4
    assert stage.rule("printing").verify()
    assert stage.told.details("print_tried") == [{"how": "printer", "printer": "Microsoft Print to PDF"}]
    system.readings.jobs = None
    system.clock.now += 4
    stage.rule("printing").verify()
    assert len(stage.told) == 1

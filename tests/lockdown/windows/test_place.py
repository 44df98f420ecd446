"""The place: all rules in their order, waits that end in time, and everything given back by `close`."""

import threading

import pytest

from secureproctor.contract.lockdown import RULES, LockdownSettings
from secureproctor.lockdown.windows.api import Notice
from secureproctor.lockdown.windows.facts import open_facts
from secureproctor.lockdown.windows.place import open_place
from tests.lockdown.windows.fakes import FakeWindowsSystem, Stage, terms


def test_it_has_every_rule_in_its_order(stage: Stage) -> None:
    assert tuple(rule.id for rule in stage.place.rules) == tuple(RULES)


def test_with_all_rights_it_claims_what_it_can_do_and_no_more(stage: Stage) -> None:
    standings = {rule.id: rule.probe(terms()).standing for rule in stage.place.rules}
    observed = {rule for rule, text in RULES.items() if text.observes} | {"screenshots", "printing"}
    assert {rule for rule, standing in standings.items() if standing == "observed"} == observed
    assert {standings[rule] for rule in RULES if rule not in observed} == {"enforced"}


def test_closing_unhooks_and_twice_is_harmless(stage: Stage, system: FakeWindowsSystem) -> None:
    stage.apply("keys")
    stage.place.close()
    stage.place.close()
    assert not system.hooks.is_open
    assert system.messages.closed


def test_a_wait_is_no_longer_than_what_is_due(stage: Stage, system: FakeWindowsSystem) -> None:
    waits: list[float] = []
    wait = system.messages.wait

    def remember(timeout_s: float) -> object:
        waits.append(timeout_s)
        return wait(timeout_s)

    system.messages.wait = remember  # type: ignore[assignment,method-assign]  # only remembers
    stage.place.pump(60)
    stage.apply("hidden_windows")
    stage.place.pump(60)
    assert waits == [60, 2.0]


@pytest.mark.parametrize("open_it", [open_place, open_facts])
def test_elsewhere_it_says_that_this_is_not_windows(open_it: object) -> None:
    with pytest.raises(OSError, match=r"Windows"):
        open_it()  # type: ignore[operator]  # both are functions
    assert "hooks" not in [each.name for each in threading.enumerate()]


def test_a_program_is_known_soon_after_its_start_and_at_once_when_it_shows_a_window(
    stage: Stage, system: FakeWindowsSystem
) -> None:
    forbidden = terms(settings=LockdownSettings(forbidden_programs=("cheat.exe",), programs="observe"))
    stage.apply("programs", forbidden)
    stage.pump(1)
    system.processes.add(300, "C:\\cheat.exe")
    stage.pump(0.4)
    assert [each["pid"] for each in stage.told.details("program_forbidden")] == [300]
    del system.processes.running[300]
    stage.pump(1)
    system.processes.add(301, "C:\\cheat.exe")
    system.windows.add(9, 301)
    stage.pump(0, Notice("shown", 9))
    assert [each["pid"] for each in stage.told.details("program_forbidden")] == [300, 301]


def test_what_ran_before_anybody_listened_is_no_new_program(stage: Stage, system: FakeWindowsSystem) -> None:
    system.processes.add(300, "C:\\Users\\me\\tool.exe")
    stage.apply("windows")
    stage.pump(2)
    assert stage.told == []
    stage.rule("windows").restore({})
    stage.pump(4)
    system.processes.add(301, "C:\\Users\\me\\tool.exe")
    stage.apply("windows")
    stage.pump(2)
    assert stage.told == []

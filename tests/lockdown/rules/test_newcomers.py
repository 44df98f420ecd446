"""Programs and windows that appear during the exam."""

import pytest

from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.rules.assistive import AssistiveRule
from secureproctor.lockdown.rules.census import Census
from secureproctor.lockdown.rules.newcomers import MOST, WindowsRule
from tests.lockdown.rules.machine import BROWSER, Machine, Watched, terms


@pytest.fixture
def machine() -> Machine:
    made = Machine()
    made.start(BROWSER, "chromium", path="/usr/lib/chromium/chromium")
    made.start(30, "old", path="/home/me/old")
    return made


def watched(machine: Machine) -> Watched:
    census = Census(machine, machine.clock)
    made = Watched(machine, census, WindowsRule(census, Catalogue.shipped("linux"), machine.clock))
    made.apply(terms())
    made.run(1)
    return made


def test_a_program_that_did_not_come_with_the_system_is_told_when_it_starts(machine: Machine) -> None:
    rules = watched(machine)
    machine.start(40, "helper", path="/home/me/helper")
    rules.run(1)
    assert [(each.kind, each.detail, each.counts) for each in rules.seen] == [
        ("program_started", {"program": "helper"}, False)
    ]


def test_a_program_of_the_system_is_told_when_it_shows_a_window(machine: Machine) -> None:
    rules = watched(machine)
    machine.start(40, "gedit", path="/usr/bin/gedit")
    machine.start(41, "tracker", path="/usr/libexec/tracker")
    rules.run(1.5)
    assert rules.seen == []
    machine.windows.add(40)
    rules.run(10)
    assert [each.detail for each in rules.seen] == [{"program": "gedit"}]
    assert rules.rules[0].period_s is None  # type: ignore[attr-defined]  # it watches


def test_the_exams_own_processes_are_not_told(machine: Machine) -> None:
    rules = watched(machine)
    machine.start(40, "chromium", path="/usr/lib/chromium/chromium", parent=BROWSER)
    machine.windows.add(40)
    rules.run(10)
    assert rules.seen == []


def test_thousands_of_short_programs_are_not_waited_for(machine: Machine) -> None:
    rules = watched(machine)
    for pid in range(1000, 1000 + 3 * MOST):
        machine.start(pid, "cc1", path="/usr/libexec/cc1")
        machine.windows.add(pid)
    rules.run(10)
    assert 0 < len(rules.seen) <= MOST


def test_a_window_is_told_by_its_program(machine: Machine) -> None:
    rules = watched(machine)
    rule = rules.rules[0]
    assert isinstance(rule, WindowsRule)
    rule.opened("xterm", topmost=True)
    assert [(each.kind, each.detail) for each in rules.seen] == [
        ("window_opened", {"program": "xterm", "topmost": True})
    ]
    rule.restore({})
    rule.opened("xterm", topmost=False)
    assert len(rules.seen) == 1


def test_assistive_technology_is_told_once_and_is_no_violation(machine: Machine) -> None:
    census = Census(machine, machine.clock)
    rules = Watched(machine, census, AssistiveRule(census, Catalogue.shipped("linux")))
    rules.apply(terms())
    for pid in (40, 41):
        machine.start(pid, "orca", path="/usr/bin/python3")
        rules.run(1)
    assert [(each.kind, each.detail, each.counts) for each in rules.seen] == [
        ("assistive_technology", {"program": "orca", "kind": "screen_reader", "known_as": "Orca"}, False)
    ]

"""Forbidden programs on a machine of plain data: told, asked, closed, and who is spared."""

import pytest

from secureproctor.contract.lockdown import ProgramsPolicy
from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.rules.census import Census
from secureproctor.lockdown.rules.course import FORCE_S, GRACE_S, SPREE, SPREE_S
from secureproctor.lockdown.rules.programs import ProgramsRule, TaskManagerRule
from tests.lockdown.rules.machine import AGENT, BROWSER, Machine, Watched, terms

PATIENCE_S = 20.0


@pytest.fixture
def machine() -> Machine:
    made = Machine()
    made.start(1, "systemd", path="/usr/lib/systemd/systemd", parent=0)
    made.start(AGENT, "python3", path="/usr/bin/python3")
    made.start(BROWSER, "chromium", path="/usr/lib/chromium/chromium")
    return made


def watched(machine: Machine, **settings: object) -> Watched:
    census = Census(machine, machine.clock)
    made = Watched(machine, census, ProgramsRule(census, Catalogue.shipped("linux"), machine.clock))
    made.apply(terms(**settings))  # type: ignore[arg-type]  # fields by name
    return made


def test_a_program_is_told_asked_when_patience_ends_and_gone(machine: Machine) -> None:
    rule = watched(machine)
    machine.start(50, "anydesk")
    machine.windows.add(50)
    rule.run(PATIENCE_S - 1)
    assert rule.kinds() == ["program_forbidden"]
    assert rule.seen[0].counts
    assert rule.seen[0].detail == {
        "program": "anydesk",
        "known_as": "AnyDesk",
        "category": "remote_control",
        "by": "name",
        "pid": 50,
        "left_s": PATIENCE_S,
    }
    rule.run(3)
    assert machine.done == [("ask", 50)]
    assert rule.kinds() == ["program_forbidden", "program_closed"]
    assert rule.seen[-1].detail == {"program": "anydesk", "how": "asked"}


def test_what_the_candidate_closes_in_time_is_touched_by_nobody(machine: Machine) -> None:
    rule = watched(machine)
    machine.start(50, "anydesk")
    rule.run(5)
    machine.end(50)
    rule.run(PATIENCE_S)
    assert machine.done == []
    assert rule.seen[-1].detail == {"program": "anydesk", "how": "candidate"}


def test_what_does_not_hear_is_closed_by_force(machine: Machine) -> None:
    machine.stubborn.add(50)
    machine.windows.add(50)
    rule = watched(machine)
    machine.start(50, "anydesk")
    rule.run(PATIENCE_S + GRACE_S + 2)
    assert machine.done == [("ask", 50), ("close", 50)]
    assert rule.seen[-1].detail == {"program": "anydesk", "how": "closed"}


def test_what_does_not_die_is_told_and_left(machine: Machine) -> None:
    machine.stubborn.add(50)
    machine.immortal.add(50)
    rule = watched(machine)
    machine.start(50, "anydesk")
    rule.run(PATIENCE_S + GRACE_S + FORCE_S + 3)
    tries = len(machine.done)
    assert rule.kinds() == ["program_forbidden", "program_not_closed"]
    rule.run(60)
    assert len(machine.done) == tries


@pytest.mark.parametrize("policy", ["observe", "ask"])
def test_by_policy_nothing_is_closed(machine: Machine, policy: ProgramsPolicy) -> None:
    rule = watched(machine, programs=policy)
    machine.start(50, "anydesk")
    rule.run(120)
    assert machine.done == []
    assert rule.kinds() == ["program_forbidden"]
    assert rule.seen[0].detail["left_s"] is None


def test_its_processes_are_one_program_and_its_head_is_asked(machine: Machine) -> None:
    machine.stubborn.update({50, 51})
    machine.windows.add(50)
    rule = watched(machine)
    machine.start(50, "Discord")
    machine.start(51, "Discord", parent=50)
    rule.run(PATIENCE_S + GRACE_S + 2)
    assert rule.kinds() == ["program_forbidden", "program_closed"]
    assert machine.done == [("ask", 50), ("close", 50), ("close", 51)]


def test_a_program_that_comes_back_has_no_patience_left(machine: Machine) -> None:
    rule = watched(machine)
    machine.windows.update({50, 51})
    machine.start(50, "anydesk")
    rule.run(PATIENCE_S + 3)
    machine.start(51, "anydesk")
    rule.run(3)
    assert rule.kinds() == ["program_forbidden", "program_closed"] * 2
    assert rule.seen[2].detail["left_s"] == 0.0


def test_one_that_is_started_again_and_again_is_closed_a_few_times_a_minute(machine: Machine) -> None:
    rule = watched(machine, program_patience_s=0.0)
    count = 0

    def again() -> None:
        nonlocal count
        if 50 not in machine.running:
            count += 1
            machine.start(50, "anydesk", started=float(count))

    rule.run(SPREE_S - 5, again)
    assert len([each for each in machine.done if each[0] == "ask"]) == SPREE
    assert rule.kinds()[-1] == "program_not_closed"
    rule.run(SPREE_S, again)
    assert len([each for each in machine.done if each[0] == "ask"]) <= 2 * SPREE + 1


def test_the_exams_browser_is_spared_and_what_is_started_out_of_it_is_not(machine: Machine) -> None:
    rule = watched(machine, forbidden_programs=("chromium",), program_patience_s=0.0)
    machine.start(21, "chromium", path="/usr/lib/chromium/chromium", parent=BROWSER)
    machine.start(22, "chromium", path="", parent=21)
    machine.start(60, "anydesk", parent=BROWSER)
    machine.start(61, "chromium", path="/home/me/chromium/chromium")
    rule.run(10)
    assert {pid for _, pid in machine.done} == {60, 61}
    assert {21, 22, BROWSER} <= machine.running.keys()


def test_programs_of_other_users_are_observed_only(machine: Machine) -> None:
    rule = watched(machine, program_patience_s=0.0)
    machine.start(50, "teamviewerd", own=False)
    rule.run(30)
    assert machine.done == []
    assert rule.kinds() == ["program_forbidden", "program_not_closed"]
    assert not rule.seen[0].counts
    assert "another user" in str(rule.seen[1].detail["why"])


def test_what_the_system_needs_is_never_closed_even_if_the_exam_forbids_it(machine: Machine) -> None:
    rule = watched(machine, forbidden_programs=("gnome-shell",), program_patience_s=0.0)
    machine.start(50, "gnome-shell", path="/usr/bin/gnome-shell")
    rule.run(30)
    assert machine.done == []
    assert rule.seen[-1].kind == "program_not_closed"


def test_assistive_technology_is_never_closed_even_if_the_exam_forbids_it(machine: Machine) -> None:
    rule = watched(machine, forbidden_programs=("orca",), program_patience_s=0.0)
    machine.start(50, "orca", path="/usr/bin/python3", original_name="python3")
    rule.run(30)
    assert rule.seen == []
    assert machine.done == []


def test_what_the_exam_or_it_allows_is_not_told(machine: Machine) -> None:
    census = Census(machine, machine.clock)
    rule = Watched(machine, census, ProgramsRule(census, Catalogue.shipped("linux"), machine.clock))
    rule.apply(terms(allowed=("TeamViewer",), allowed_programs=("zoom",)))
    machine.start(50, "teamviewer")
    machine.start(51, "zoom")
    rule.run(5)
    assert rule.seen == []


def test_a_number_that_another_process_has_now_is_never_closed(machine: Machine) -> None:
    rule = watched(machine, program_patience_s=5.0)
    machine.start(50, "anydesk")
    rule.run(4)
    machine.end(50)
    machine.start(50, "gedit", started=5000.0)
    rule.run(30)
    assert machine.done == []
    assert rule.kinds() == ["program_forbidden", "program_closed"]


def test_what_runs_already_at_the_start_takes_the_same_course(machine: Machine) -> None:
    machine.start(50, "anydesk")
    rule = watched(machine)
    rule.run(PATIENCE_S + 5)
    assert rule.kinds() == ["program_forbidden", "program_closed"]


def test_restored_it_forgets_everything_and_looks_no_more(machine: Machine) -> None:
    rule = watched(machine)
    machine.start(50, "anydesk")
    rule.run(3)
    one = rule.rules[0]
    assert isinstance(one, ProgramsRule)
    one.restore({})
    one.restore({})
    assert not one.verify()
    assert one.period_s is None
    machine.clock.now += 100
    one.react()
    assert machine.done == []


def test_a_probe_names_what_runs_and_cannot_be_closed(machine: Machine) -> None:
    census = Census(machine, machine.clock)
    rule = ProgramsRule(census, Catalogue.shipped("linux"), machine.clock)
    machine.start(50, "anydesk")
    assert rule.probe(terms()).standing == "enforced"
    machine.start(51, "teamviewerd", own=False)
    probed = rule.probe(terms())
    assert (probed.standing, "teamviewerd" in probed.why, probed.remedy) == ("observed", True, "Close teamviewerd.")
    assert rule.probe(terms(programs="ask")).standing == "observed"
    assert rule.probe(terms(observe_only=True)).standing == "observed"


def test_a_probe_of_a_slow_machine_ends_in_time(machine: Machine) -> None:
    machine.look_s = 0.5
    for pid in range(100, 200):
        machine.start(pid, "bash")
    census = Census(machine, machine.clock)
    began = machine.clock.now
    ProgramsRule(census, Catalogue.shipped("linux"), machine.clock).probe(terms())
    assert machine.clock.now - began < 6


def test_a_task_manager_is_closed_at_once_whatever_the_exam_wants_of_other_programs(machine: Machine) -> None:
    census = Census(machine, machine.clock)
    rule = TaskManagerRule(census, Catalogue.task_managers("linux"), machine.clock)
    driven = Watched(machine, census, rule)
    driven.apply(terms(programs="observe", forbidden_programs=("gedit",)))
    machine.windows.add(50)
    machine.start(50, "gnome-system-monitor", path="/usr/bin/gnome-system-monitor")
    machine.start(51, "gedit", path="/usr/bin/gedit")
    driven.run(2)
    assert machine.done == [("ask", 50)]
    assert [each.rule for each in driven.seen] == ["task_manager", "task_manager"]

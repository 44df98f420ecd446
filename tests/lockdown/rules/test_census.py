"""How processes are found as they come, and what that may cost."""

from secureproctor.lockdown.rules.census import LIST_S, LOOK_S, POLL_S, Arrival, Census
from tests.lockdown.rules.machine import Machine, Watched


class Announced:
    """Announcements by hand; None was lost."""

    def __init__(self) -> None:
        self.waiting: list[frozenset[int] | None] = []

    def fileno(self) -> int:
        return -1

    def read(self) -> frozenset[int] | None:
        return self.waiting.pop(0) if self.waiting else frozenset()


def told(arrivals: list[Arrival]) -> list[tuple[str, bool]]:
    return [(each.running.name, each.new) for each in arrivals]


def census_of(machine: Machine, announced: Announced | None = None) -> tuple[Census, Watched, list[Arrival]]:
    census, arrivals = Census(machine, machine.clock, announced), list[Arrival]()
    census.listen(arrivals.append)
    return census, Watched(machine, census), arrivals


def test_what_runs_already_is_told_and_what_comes_is_new() -> None:
    machine = Machine()
    machine.start(1, "init")
    _, watched, arrivals = census_of(machine)
    watched.run(1)
    machine.start(2, "zoom")
    watched.run(1)
    assert told(arrivals) == [("init", False), ("zoom", True)]


def test_a_program_that_replaces_another_one_right_after_its_start_is_seen() -> None:
    machine = Machine()
    _, watched, arrivals = census_of(machine)
    watched.run(1)
    machine.start(2, "bash", started=5.0)
    watched.run(POLL_S)
    machine.start(2, "zoom", started=5.0)
    watched.run(2 * POLL_S)
    assert told(arrivals) == [("bash", True), ("zoom", True)]


def test_a_program_that_replaces_an_old_one_is_seen_when_its_turn_comes() -> None:
    machine = Machine()
    for pid in range(1, 11):
        machine.start(pid, "bash", started=1.0)
    _, watched, arrivals = census_of(machine)
    watched.run(5)
    machine.start(7, "zoom", started=1.0)
    watched.run(20)
    assert told(arrivals)[10:] == [("zoom", True)]


def test_a_number_that_another_process_has_now_is_another_process() -> None:
    machine = Machine()
    machine.start(3, "zoom", started=1.0)
    _, watched, arrivals = census_of(machine)
    watched.run(1)
    machine.end(3)
    watched.run(1)
    machine.start(3, "zoom", started=9.0)
    watched.run(1)
    assert told(arrivals) == [("zoom", False), ("zoom", True)]


def test_announced_programs_are_looked_at_without_reading_the_list() -> None:
    machine, announced = Machine(), Announced()
    _, watched, arrivals = census_of(machine, announced)
    watched.run(1)
    lists = machine.lists
    machine.start(4, "zoom")
    announced.waiting.append(frozenset({4}))
    watched.census.react()
    assert told(arrivals) == [("zoom", True)]
    assert machine.lists == lists


def test_when_announcements_were_lost_the_list_is_read() -> None:
    machine, announced = Machine(), Announced()
    _, watched, arrivals = census_of(machine, announced)
    watched.run(1)
    machine.start(4, "zoom")
    announced.waiting.append(None)
    watched.census.react()
    assert told(arrivals) == [("zoom", True)]


def test_an_announcement_that_never_comes_is_made_good_by_the_list() -> None:
    machine = Machine()
    _, watched, arrivals = census_of(machine, Announced())
    watched.run(1)
    machine.start(4, "zoom")
    watched.run(2 * LIST_S)
    assert told(arrivals) == [("zoom", True)]


def test_on_a_slow_machine_a_call_stays_short_and_the_newest_come_first() -> None:
    machine = Machine(look_s=LOOK_S)
    for pid in range(1, 51):
        machine.start(pid, "bash", started=1.0)
    census, watched, arrivals = census_of(machine)
    began = machine.clock.now
    census.react()
    assert machine.clock.now - began <= 2 * LOOK_S
    machine.start(99, "zoom")
    watched.run(1)
    assert "zoom" in [each.running.name for each in arrivals[:20]]


def test_a_list_that_takes_long_is_read_less_often() -> None:
    machine = Machine(listing_s=0.1)
    _, watched, _ = census_of(machine)
    watched.run(20)
    assert machine.lists * 0.1 <= 20 * 0.1
    assert machine.lists >= 4


def test_nobody_listens_so_nobody_looks() -> None:
    machine = Machine()
    machine.start(1, "init")
    census, watched, arrivals = census_of(machine)
    watched.run(1)
    census.forget(arrivals.append)
    machine.looks = 0
    census.react()
    watched.run(5)
    assert census.period_s is None or machine.looks == 0


def test_a_second_listener_is_told_what_is_known_already() -> None:
    machine = Machine()
    machine.start(1, "init")
    census, watched, _ = census_of(machine)
    watched.run(1)
    second: list[Arrival] = []
    census.listen(second.append)
    assert told(second) == [("init", False)]


def test_who_listens_again_is_told_once_each() -> None:
    machine = Machine()
    census, watched, _ = census_of(machine)
    arrivals: list[Arrival] = []
    listener = arrivals.append
    census.listen(listener)
    census.listen(listener)
    machine.start(5, "zoom")
    watched.run(2)
    assert len(arrivals) == 1

"""The watch over the agent's own clocks, on clocks of the test's own."""

import pytest

from secureproctor.agent.session.wakefulness import Absence, ClockSet, Times, Wakefulness

SECOND = 1_000_000


class Clocks:
    def __init__(self) -> None:
        self.now = Times(1_000 * SECOND, 400 * SECOND, 1_700_000_000 * SECOND)

    def __call__(self) -> Times:
        return self.now

    def go(self, awake_s: float = 0.0, asleep_s: float = 0.0, set_s: float = 0.0) -> None:
        boot, monotonic, wall = self.now
        awake, asleep = round(awake_s * SECOND), round(asleep_s * SECOND)
        self.now = Times(boot + awake + asleep, monotonic + awake, wall + awake + asleep + round(set_s * SECOND))


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def watch(clocks: Clocks) -> Wakefulness:
    found = Wakefulness(clocks)
    found.look()
    return found


def test_an_agent_that_looks_every_second_was_never_away(clocks: Clocks, watch: Wakefulness) -> None:
    for _ in range(100):
        clocks.go(1.2)
        assert watch.news() == []


def test_sleep_is_what_only_the_boot_clock_counts(clocks: Clocks, watch: Wakefulness) -> None:
    before = clocks.now.boot_us
    clocks.go(0.5, asleep_s=3600)
    assert watch.news() == [Absence("machine_slept", before, clocks.now.boot_us)]
    assert watch.news() == []


def test_an_agent_that_was_stopped_is_told_apart_from_a_late_one(clocks: Clocks, watch: Wakefulness) -> None:
    clocks.go(1.5)
    assert watch.news() == []
    clocks.go(5.1)
    assert [type(each) for each in watch.news()] == [Absence]
    assert watch.absences[0].kind == "agent_stalled"


def test_a_short_standstill_explains_a_gap_without_an_event_of_its_own(clocks: Clocks, watch: Wakefulness) -> None:
    before = clocks.now.boot_us
    clocks.go(3.3)
    assert watch.cause(before, clocks.now.boot_us) == "agent stalled"
    assert watch.news() == []


@pytest.mark.parametrize("by_s", [3600.0, -3600.0, 2.5, -2.5])
def test_a_clock_that_was_set_is_told_with_its_direction(clocks: Clocks, watch: Wakefulness, by_s: float) -> None:
    clocks.go(1, set_s=by_s)
    assert watch.news() == [ClockSet(clocks.now.boot_us, round(by_s * SECOND))]


def test_sleep_is_no_change_of_the_clock(clocks: Clocks, watch: Wakefulness) -> None:
    clocks.go(1, asleep_s=60)
    assert not any(isinstance(each, ClockSet) for each in watch.news())


def test_a_gap_gets_its_cause_even_before_the_pulse_has_noticed(clocks: Clocks, watch: Wakefulness) -> None:
    before = clocks.now.boot_us
    clocks.go(1, asleep_s=60)
    assert watch.cause(before + SECOND, clocks.now.boot_us) == "machine asleep"
    assert watch.cause(before - 10 * SECOND, before - SECOND) == ""
    assert len(watch.news()) == 1


def test_what_is_remembered_is_bounded(clocks: Clocks, watch: Wakefulness) -> None:
    for _ in range(100):
        clocks.go(10)
        watch.news()
    assert len(watch.absences) == 32
    assert watch.absences[-1].until_us == clocks.now.boot_us

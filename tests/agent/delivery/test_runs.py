"""Runs and sizes against a plain set and a plain dict."""

from hypothesis import given
from hypothesis import strategies as st

from secureproctor.agent.delivery.runs import LARGEST, Runs, Sizes

NUMBERS = st.integers(0, 40) | st.integers(1 << 64, (1 << 64) + 20)
STEPS = st.lists(st.tuples(st.booleans(), NUMBERS), max_size=120)


def pieces(numbers: set[int]) -> int:
    return sum(number - 1 not in numbers for number in numbers)


@given(STEPS)
def test_runs_are_the_set_that_they_stand_for(steps: list[tuple[bool, int]]) -> None:
    runs, naive = Runs(), set[int]()
    for add, number in steps:
        if add:
            assert runs.add(number) is (number not in naive)
            naive.add(number)
        else:
            assert runs.discard(number) is (number in naive)
            naive.discard(number)
        assert list(runs) == sorted(naive)
        assert len(runs) == len(naive)
        assert runs.holes == pieces(naive)
        for asked in (number - 1, number, number + 1):
            assert (asked in runs) is (asked in naive)
            assert runs.from_(asked) == min((each for each in naive if each >= asked), default=None)


@given(st.sets(NUMBERS))
def test_runs_of_ascending_numbers_are_those_that_are_added_one_by_one(numbers: set[int]) -> None:
    added = Runs()
    for number in numbers:
        added.add(number)
    assert Runs.of(sorted(numbers)) == added


def test_a_night_of_backlog_is_one_run() -> None:
    runs = Runs.of(range(65_000))
    assert (len(runs), runs.holes) == (65_000, 1)
    for number in range(1000):
        runs.discard(number)
        runs.add(65_000 + number)
    assert (len(runs), runs.holes) == (65_000, 1)


@given(st.lists(st.tuples(NUMBERS, st.none() | st.integers(0, 1 << 33)), max_size=60))
def test_sizes_are_the_dict_that_they_stand_for(steps: list[tuple[int, int | None]]) -> None:
    sizes, naive = Sizes(), dict[int, int]()
    for number, size in steps:
        if size is None:
            assert sizes.take(number) == naive.pop(number, 0)
        else:
            sizes.put(number, size)
            naive[number] = min(size, LARGEST)
        assert sizes.total == sum(naive.values())


def test_sizes_cost_nothing_when_all_are_taken() -> None:
    sizes = Sizes()
    for number in range(2000):
        sizes.put(number, 7)
    for number in range(2000):
        assert sizes.take(number) == 7
    assert sizes == Sizes()

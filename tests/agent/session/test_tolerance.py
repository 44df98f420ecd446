"""How often the exam window was left: two watchers, one count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.agent.session.tolerance import SAME_S, Left, Returned, Tolerance

AGAIN = Left(False, False, 1, 1, False)


def test_each_departure_counts_and_the_one_beyond_the_tolerance_exceeds_it() -> None:
    tolerance = Tolerance(1)
    assert tolerance.left_window("lockdown", 10, True) == Left(True, True, 1, 0, False)
    assert tolerance.returned("lockdown", 13.5) == Returned(3.5, 1, 0)
    assert tolerance.left_window("lockdown", 20, True) == Left(True, True, 2, 0, True)
    assert tolerance.returned("lockdown", 21) == Returned(1, 2, 0)
    assert tolerance.left_window("lockdown", 30, True).exceeded


def test_without_a_tolerance_nothing_exceeds_it_and_nothing_is_left_of_it() -> None:
    tolerance = Tolerance(None)
    for time_s in range(10):
        left = tolerance.left_window("lockdown", time_s * 10, True)
        assert (left.exceeded, left.left) == (False, None)
        tolerance.returned("lockdown", time_s * 10 + 1)
    assert tolerance.times == 10


def test_what_does_not_count_is_told_with_the_number_so_far() -> None:
    tolerance = Tolerance(2, times=1)
    assert tolerance.left_window("page", 5, False) == Left(True, False, 1, 1, False)
    assert tolerance.returned("page", 6) == Returned(1, 1, 1)


@pytest.mark.parametrize("order", [("lockdown", "page"), ("page", "lockdown")])
def test_both_tell_of_one_departure_in_any_order(order: tuple[str, str]) -> None:
    first, second = order
    tolerance = Tolerance(2)
    assert tolerance.left_window(first, 10, True).counted  # type: ignore[arg-type]  # one of the watchers
    assert tolerance.left_window(second, 10.1, True) == AGAIN  # type: ignore[arg-type]  # as above
    tolerance.returned("page", 15)
    tolerance.returned("lockdown", 15.1)
    assert tolerance.times == 1
    assert tolerance.left_window("page", 40, True).times == 2


def test_a_page_that_tells_it_late_tells_of_the_departure_that_is_over_already() -> None:
    tolerance = Tolerance(2)
    tolerance.left_window("lockdown", 10, True)
    tolerance.returned("lockdown", 10.3)
    assert tolerance.left_window("page", 10 + SAME_S, True) == AGAIN
    tolerance.returned("page", 13)
    assert tolerance.left_window("page", 13.1, True).times == 2


def test_the_same_watcher_never_tells_one_departure_twice() -> None:
    tolerance = Tolerance(None)
    for _ in range(3):
        tolerance.left_window("lockdown", 10, True)
        tolerance.returned("lockdown", 10)
    assert tolerance.times == 3


def test_the_page_alone_is_away_until_it_is_back_and_the_lockdown_has_the_last_word() -> None:
    tolerance = Tolerance(None)
    tolerance.left_window("page", 10, True)
    tolerance.left_window("lockdown", 20, True)
    assert tolerance.returned("lockdown", 25) == Returned(15, 1, None)
    assert tolerance.returned("page", 26) is None
    assert tolerance.left_window("page", 30, True).counted


def test_a_page_that_is_gone_does_not_swallow_the_next_departure() -> None:
    tolerance = Tolerance(None)
    tolerance.left_window("page", 10, True)
    tolerance.forget("page")
    assert tolerance.left_window("lockdown", 20, True).times == 2


DEEDS = st.lists(
    st.tuples(st.sampled_from(["leave", "return"]), st.sampled_from(["lockdown", "page"]), st.floats(0, 5)), max_size=40
)


@given(DEEDS)
def test_whatever_is_told_the_count_never_falls_nor_grows_by_more_than_one(deeds: list[tuple[str, str, float]]) -> None:
    """And no departure counts while the lockdown says that the candidate is still away."""
    tolerance, now_s, before, away = Tolerance(3), 0.0, 0, False
    for deed, by, passed_s in deeds:
        now_s += passed_s
        if deed == "leave":
            counted = tolerance.left_window(by, now_s, True).counted  # type: ignore[arg-type]  # one of the watchers
            assert not (counted and away)
            away = away or by == "lockdown"
        else:
            tolerance.returned(by, now_s)  # type: ignore[arg-type]  # as above
            away = away and by != "lockdown"
        assert tolerance.times - before in (0, 1)
        before = tolerance.times

"""The waits between attempts: bounded, growing, spread, and never shorter than the service asked for."""

import itertools
import math
import random

from hypothesis import given
from hypothesis import strategies as st

from secureproctor.agent.delivery.backoff import FIRST_S, LONGEST_S, RESUME_SPREAD_S, SHORTEST_S, Backoff, Pace

CHANCES = st.floats(0, 1, exclude_max=True)


@given(st.lists(CHANCES, min_size=1, max_size=200))
def test_every_wait_lies_within_its_bounds(chances: list[float]) -> None:
    drawn = iter(chances)
    backoff = Backoff(lambda: next(drawn))
    for failures in range(len(chances)):
        ceiling = min(LONGEST_S, FIRST_S * 2 ** min(failures, 30))
        assert SHORTEST_S <= backoff.failed() <= ceiling


def test_the_waits_double_up_to_the_longest() -> None:
    backoff = Backoff(lambda: 1.0)
    assert [backoff.failed() for _ in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


def test_a_success_begins_anew() -> None:
    backoff = Backoff(lambda: 1.0)
    for _ in range(5):
        backoff.failed()
    backoff.succeeded()
    assert backoff.failed() == FIRST_S


@given(CHANCES, st.floats(0, 3600))
def test_what_the_service_asked_for_is_never_undercut(chance: float, retry_after_s: float) -> None:
    assert Backoff(lambda: chance).failed(retry_after_s) >= retry_after_s


def test_a_hall_of_candidates_does_not_come_back_at_once() -> None:
    seeded = random.Random(7)
    waits = sorted(Backoff(seeded.random, failures=9).failed(30) for _ in range(200))
    assert waits[-1] - waits[0] > LONGEST_S * 0.9
    assert max(later - earlier for earlier, later in itertools.pairwise(waits)) < 1


def test_many_failures_do_not_overflow() -> None:
    assert Backoff(lambda: 1.0, failures=10**9).failed() == LONGEST_S


def pace(chance: float = 0.5) -> Pace:
    return Pace(Backoff(lambda: chance), lambda: chance)


def test_while_the_service_is_away_one_probe_goes_at_a_time() -> None:
    at = pace()
    at.began()
    assert at.wait_s(0) == 0, "nothing is wrong: others may begin"
    at.failed(0, 1)
    assert 0 < at.wait_s(1) <= FIRST_S
    at.began()
    assert at.wait_s(1000) == math.inf
    at.failed(1000, 1005)
    assert 0 < at.wait_s(1005) < math.inf
    at.began()
    at.succeeded(1010)
    at.began()
    assert at.wait_s(1010) == 0


def test_requests_that_die_with_the_same_link_are_one_failure() -> None:
    at = pace()
    for began in range(8):
        at.failed(began, 10 + began)
    assert at.backoff.failures == 1


def test_what_the_service_asked_for_holds_whatever_else_is_heard() -> None:
    at = pace()
    at.failed(0, 1, 30)
    at.succeeded(2)
    assert at.wait_s(2) == 29
    at.failed(0, 3, 10)
    assert at.wait_s(3) == 28, "a late answer to an older request shortens nothing"


def test_live_goes_on_at_once_and_a_backlog_at_a_moment_of_its_own() -> None:
    seeded, waits = random.Random(7), []
    for _ in range(200):
        at = Pace(Backoff(seeded.random), seeded.random)
        at.failed(0, 1)
        at.succeeded(181)
        assert at.wait_s(181) == 0
        waits.append(at.backlog_wait_s(181))
    assert 0 <= min(waits) < max(waits) <= RESUME_SPREAD_S
    assert max(waits) - min(waits) > RESUME_SPREAD_S * 0.9


def test_a_hiccup_holds_the_backlog_up_no_longer_than_it_lasted() -> None:
    at = pace(0.999)
    at.failed(0, 1)
    at.succeeded(1.2)
    assert at.backlog_wait_s(1.2) <= 0.2


def test_good_news_while_nothing_was_wrong_change_nothing() -> None:
    at = pace()
    at.succeeded(5)
    assert (at.wait_s(5), at.backlog_wait_s(5)) == (0, 0)

"""The waits between attempts: bounded, growing, spread, and never shorter than the service asked for."""

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from secureproctor.agent.delivery.backoff import FIRST_S, LONGEST_S, Backoff

CHANCES = st.floats(0, 1, exclude_max=True)


@given(st.lists(CHANCES, min_size=1, max_size=200))
def test_every_wait_lies_within_its_bounds(chances: list[float]) -> None:
    drawn = iter(chances)
    backoff = Backoff(lambda: next(drawn))
    for failures in range(len(chances)):
        ceiling = min(LONGEST_S, FIRST_S * 2 ** min(failures, 30))
        assert ceiling / 2 <= backoff.failed() <= ceiling


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
    assert waits[-1] - waits[0] > LONGEST_S / 3
    assert max(later - earlier for earlier, later in itertools.pairwise(waits)) < 1


def test_many_failures_do_not_overflow() -> None:
    assert Backoff(lambda: 1.0, failures=10**9).failed() == LONGEST_S

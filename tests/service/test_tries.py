"""Wrong passwords, and how long each lets the next one wait."""

import pytest

from secureproctor.contract.errors import Refusal
from secureproctor.service import tries
from secureproctor.service.tries import PATIENCE, Tries


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def tried(of: Tries, name: str = "ada", address: str = "192.0.2.1") -> bool:
    try:
        of.begin(name, address)
    except Refusal:
        return False
    return True


def test_each_wrong_try_beyond_the_free_ones_doubles_the_time_until_the_next() -> None:
    clock = Clock()
    of = Tries(clock)
    assert [tried(of, address=str(n)) for n in range(6)] == [True] * 5 + [False]
    waited = []
    for n in range(9):
        begun = clock.now
        while not tried(of, address=f"other{n}"):
            clock.now += 1
        waited.append(clock.now - begun)
    assert waited == [1, 2, 4, 8, 16, 30, 30, 30, 30]
    assert max(waited) == PATIENCE["name"].most_s


def test_a_right_password_makes_the_name_clean_and_costs_the_address_nothing() -> None:
    of = Tries(Clock())
    for _ in range(100):
        assert tried(of)
        of.right("ada", "192.0.2.1")
    assert [tried(of) for _ in range(6)] == [True] * 5 + [False]


def test_an_address_that_guesses_at_many_names_is_slowed_down_and_others_are_not() -> None:
    of = Tries(Clock())
    free = PATIENCE["address"].free
    assert [tried(of, f"name{n}") for n in range(free + 1)] == [True] * free + [False]
    assert tried(of, "eve", "192.0.2.2")


def test_an_ipv6_subscriber_is_one_address() -> None:
    of = Tries(Clock())
    tried_ = [tried(of, f"name{n}", f"2001:db8:1:2::{n:x}") for n in range(21)]
    assert tried_ == [True] * 20 + [False]
    assert tried(of, "eve", "2001:db8:1:3::1")


def test_many_tries_at_once_are_not_all_free() -> None:
    of = Tries(Clock())
    begun = [tried(of) for _ in range(50)]
    assert sum(begun) == PATIENCE["name"].free


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "MAX_REMEMBERED", 10)
    of = Tries(Clock())
    for n in range(100):
        tried(of, f"name{n}", f"address{n}")
    assert len(of._wrong) == 10

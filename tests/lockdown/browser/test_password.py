"""The quit password: its hash, and what guessing costs."""

import hashlib
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secureproctor.lockdown.browser.password import (
    FREE_TRIES,
    MOST_WAIT_S,
    Cost,
    NotAHash,
    Tries,
    check_password,
    hash_password,
    parsed,
)

CHEAP = Cost(n=16, r=1, p=1)
SALT, DIGEST = "ab" * 16, "cd" * 32


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_a_password_belongs_to_its_own_hash_only(password: str, other: str) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in password + other):
        return
    hashed = hash_password(password, CHEAP)
    assert check_password(password, hashed)
    same = unicodedata.normalize("NFC", password) == unicodedata.normalize("NFC", other)
    assert check_password(other, hashed) == same


def test_a_letter_that_two_keyboards_spell_in_two_ways_is_one() -> None:
    assert check_password("cafe\u0301 noir", hash_password("caf\u00e9 noir", CHEAP))


def test_two_hashes_of_one_password_differ() -> None:
    assert hash_password("correct horse", CHEAP) != hash_password("correct horse", CHEAP)


def test_the_ordinary_cost_is_64_mib_twice_and_the_hash_is_scrypt_of_rfc_7914() -> None:
    hashed = hash_password("correct horse")
    scheme, n, r, p, salt, digest = hashed.split("$")
    assert (scheme, int(n) * int(r) * 128, int(p)) == ("scrypt", 64 * 1024 * 1024, 2)
    other = hashlib.scrypt(b"correct horse", salt=bytes.fromhex(salt), n=65536, r=8, p=2, maxmem=1 << 28, dklen=32)
    assert other.hex() == digest
    assert len(hashed) <= 256, "a claim's text is no longer"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "letmein",
        f"bcrypt$16$1$1${SALT}${DIGEST}",
        f"scrypt$16$1$1${SALT}",
        f"scrypt$15$1$1${SALT}${DIGEST}",
        f"scrypt$0$1$1${SALT}${DIGEST}",
        f"scrypt$-16$1$1${SALT}${DIGEST}",
        f"scrypt$16$ 1$1${SALT}${DIGEST}",
        f"scrypt$16$1$0${SALT}${DIGEST}",
        f"scrypt$1048576$8$1${SALT}${DIGEST}",
        f"scrypt$16$1$99${SALT}${DIGEST}",
        f"scrypt$16$1$1$ab${DIGEST}",
        f"scrypt$16$1$1${SALT}$cdcd",
        f"scrypt$16$1$1${SALT}$xy",
    ],
)
def test_what_is_no_bearable_hash_is_refused(text: str) -> None:
    with pytest.raises(NotAHash):
        parsed(text)
    with pytest.raises(NotAHash):
        check_password("letmein", text)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_the_first_tries_are_free_and_each_later_one_waits_twice_as_long() -> None:
    clock = Clock()
    tries = Tries(clock)
    waits = []
    for _ in range(FREE_TRIES + 9):
        waits.append(tries.wait_s)
        clock.now_s += tries.wait_s
        assert tries.begin()
    assert waits == [0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, MOST_WAIT_S]


def test_a_try_that_comes_too_soon_is_not_looked_at_and_not_counted() -> None:
    clock = Clock()
    tries = Tries(clock, wrong=FREE_TRIES + 1)
    assert not tries.begin()
    assert tries.wait_s == 4
    clock.now_s += 3.5
    assert (tries.begin(), tries.wait_s) == (False, 1)
    clock.now_s += 0.5
    assert tries.begin()
    assert tries.wait_s == 8


def test_many_tries_at_once_are_not_all_free() -> None:
    tries = Tries(Clock())
    assert [tries.begin() for _ in range(6)] == [True] * FREE_TRIES + [False] * 3


def test_a_right_password_clears_the_count() -> None:
    tries = Tries(Clock(), wrong=20)
    assert tries.wait_s == MOST_WAIT_S
    tries.right()
    assert tries.wait_s == 0

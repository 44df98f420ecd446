"""The quit password: what an MSB Key holds of it, and how often one may guess.

    scrypt$n$r$p$salt$hash      RFC 7914; salt and hash in hexadecimal

Whoever has the MSB Key, and the candidate's page has it, can guess at home without any waiting. So the hash costs as much as
a candidate's computer can bear once (64 MiB, about half a second), the salt is fresh, and a short password is refused where
keys are made.
"""

import hashlib
import hmac
import math
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

MIN_PASSWORD = 8
FREE_TRIES = 3
MOST_WAIT_S = 300.0
_SALT, _HASH = 16, 32


class NotAHash(ValueError):
    """The text is no hash of a quit password."""


@dataclass(frozen=True, slots=True)
class Cost:
    """scrypt's parameters; it needs 128 * n * r bytes."""

    n: int = 1 << 16
    r: int = 8
    p: int = 2

    @property
    def bearable(self) -> bool:
        """A key of a careless maker must not eat up a candidate's computer: 256 MiB, and so much time, are the most."""
        power = self.n >= 2 and self.n & (self.n - 1) == 0
        return power and 1 <= self.r <= 32 and 1 <= self.p <= 16 and self.n * self.r <= 1 << 21


@dataclass(frozen=True, slots=True)
class Hash:
    """A hash taken apart."""

    cost: Cost
    salt: bytes
    digest: bytes


def hash_password(password: str, cost: Cost = Cost()) -> str:
    """A password's hash, with a salt of its own; 114 characters."""
    salt = secrets.token_bytes(_SALT)
    return f"scrypt${cost.n}${cost.r}${cost.p}${salt.hex()}${_derived(password, salt, cost).hex()}"


def parsed(text: str) -> Hash:
    """A hash taken apart. Raises NotAHash."""
    try:
        scheme, n, r, p, salt, digest = text.split("$")
        found = Hash(Cost(*map(_number, (n, r, p))), bytes.fromhex(salt), bytes.fromhex(digest))
    except ValueError:
        raise NotAHash("it is not of the form scrypt$n$r$p$salt$hash") from None
    if scheme != "scrypt" or len(found.salt) < _SALT or len(found.digest) != _HASH or not found.cost.bearable:
        raise NotAHash("its scheme, cost, salt or length is not one that is taken here")
    return found


def _number(text: str) -> int:
    """Digits only: int() would take signs, spaces, and other scripts."""
    if not (text.isascii() and text.isdigit() and len(text) <= 8):
        raise ValueError(text)
    return int(text)


def check_password(password: str, hashed: str) -> bool:
    """Whether the password belongs to the hash, in the same time for every password. Raises NotAHash.

    It lets other threads run meanwhile: call it in one of its own.
    """
    known = parsed(hashed)
    return hmac.compare_digest(_derived(password, known.salt, known.cost), known.digest)


def _derived(password: str, salt: bytes, cost: Cost) -> bytes:
    """Of the composed form (NFC): keyboards of two systems may spell one letter in two ways."""
    spelled = unicodedata.normalize("NFC", password).encode()
    memory = 128 * cost.r * (cost.n + cost.p + 2) + (1 << 20)  # OpenSSL counts its own work space, too
    return hashlib.scrypt(spelled, salt=salt, n=cost.n, r=cost.r, p=cost.p, maxmem=memory, dklen=_HASH)


class Tries:
    """How long to wait before the next try: the first ones are free, then it doubles from 2 s to MOST_WAIT_S.

    A try counts as wrong from its beginning, so that many at once are not all free. `clock` gives seconds that cannot be set
    back; `wrong` are the tries that are on the record already, for an agent that came back.
    """

    def __init__(self, clock: Callable[[], float], wrong: int = 0) -> None:
        self._clock = clock
        self._wrong = wrong
        self._last_s = clock()

    @property
    def wait_s(self) -> int:
        """Whole seconds until the next try is looked at; 0: now."""
        if self._wrong < FREE_TRIES:
            return 0
        due_s = min(2.0 ** min(self._wrong - FREE_TRIES + 1, 30), MOST_WAIT_S)
        return max(0, math.ceil(self._last_s + due_s - self._clock()))

    def begin(self) -> bool:
        """Whether a try may be looked at now; if not, it is not counted."""
        if self.wait_s > 0:
            return False
        self._wrong += 1
        self._last_s = self._clock()
        return True

    def right(self) -> None:
        """The try that began proved right."""
        self._wrong = 0

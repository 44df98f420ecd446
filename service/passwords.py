"""Passwords as they may lie in the database: scrypt (RFC 7914), with cost and salt beside the hash.

    scrypt$LOG2N$R$P$SALT$HASH      salt and hash in hexadecimal

The cost is twice what RFC 7914's author and libsodium call interactive (N = 2^14, r = 8, p = 1): 32 MiB and about a tenth of a
second of a core; whoever guesses over the network is slowed down besides (tries.py). An older hash keeps its own cost.
"""

import hashlib
import hmac
import secrets

_LOG2N, _R, _P = 15, 8, 1
_SALT, _HASH = 16, 32
_MEMORY = 64 * 1024 * 1024
"""OpenSSL refuses what needs more; this cost needs a little over 32 MiB."""


def hashed(password: str) -> str:
    """A password's hash, with a salt of its own. Takes about a tenth of a second, and lets other threads run."""
    salt = secrets.token_bytes(_SALT)
    return f"scrypt${_LOG2N}${_R}${_P}${salt.hex()}${_derived(password, salt, _LOG2N, _R, _P).hex()}"


def matches(password: str, stored: str) -> bool:
    """Whether a password belongs to a hash. It takes the same time for every password, and for no hash at all ("")."""
    scheme, *cost, salt, digest = (stored or NOBODYS).split("$")
    if scheme != "scrypt":
        raise ValueError(f"a password hash of an unknown kind: {scheme!r}")
    derived = _derived(password, bytes.fromhex(salt), *map(int, cost))
    return hmac.compare_digest(derived, bytes.fromhex(digest)) and bool(stored)


def _derived(password: str, salt: bytes, log2n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=1 << log2n, r=r, p=p, maxmem=_MEMORY, dklen=_HASH)


NOBODYS = f"scrypt${_LOG2N}${_R}${_P}${'00' * _SALT}${'00' * _HASH}"
"""What a password is held against when there is no account: a name that does not exist must not answer sooner."""

"""The nonces of attestations: the service recognizes its own without remembering any.

A nonce says when it was given and to which session, under a MAC that only the service can make (contract.attestation). So it
needs no table, survives a restart, and is worth nothing for another session.
"""

import hmac
import re
from collections.abc import Callable

from secureproctor.contract.jws import encoded

_MAC_BYTES = 16
_HEXADECIMAL = re.compile(r"[0-9a-f]{1,16}", re.ASCII)
LEEWAY_S = 60.0
"""A nonce from further in the future is none: the service's clock was set back since."""


class Nonces:
    """Makes and recognizes; `wall` gives seconds since 1970."""

    def __init__(self, key: bytes, wall: Callable[[], float]) -> None:
        self._key = key
        self._wall = wall

    def fresh(self, session_id: str) -> str:
        """A nonce of this moment."""
        return self._nonce(session_id, int(self._wall() * 1000))

    def age_s(self, session_id: str, nonce: str) -> float | None:
        """How long ago this session was given this nonce, in seconds; None when it never was."""
        given_ms = nonce.partition(".")[0]
        if not _HEXADECIMAL.fullmatch(given_ms):
            return None
        ms = int(given_ms, 16)
        if not hmac.compare_digest(nonce.encode("utf-8", "replace"), self._nonce(session_id, ms).encode()):
            return None
        age_s = self._wall() - ms / 1000
        return max(age_s, 0.0) if age_s >= -LEEWAY_S else None

    def _nonce(self, session_id: str, ms: int) -> str:
        mac = hmac.digest(self._key, f"{session_id}\n{ms}".encode(), "sha256")
        return f"{ms:x}.{encoded(mac[:_MAC_BYTES])}"

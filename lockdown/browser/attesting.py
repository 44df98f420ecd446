"""The session's key, and what the agent states with it (contract.attestation).

The key lives and dies in this object: it is never written, shown, copied or pickled. An agent that came back has another one.
"""

import itertools
from typing import NoReturn

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from secureproctor.contract import jws
from secureproctor.contract.attestation import TYPE, Claims, RuleState
from secureproctor.contract.lockdown import Phase
from secureproctor.contract.msb import BrowserIdentity


class Attesting:
    """Attests one session. `x` is the public part, as it goes to the service."""

    __slots__ = ("_count", "_private", "_session_id", "x")

    def __init__(self, session_id: str) -> None:
        self._session_id = session_id
        self._private = Ed25519PrivateKey.generate()
        self._count = itertools.count(1)  # a step of it cannot be taken twice, by whatever threads
        self.x = jws.public_text(self._private.public_key())

    def statement(
        self,
        nonce: str,
        phase: Phase,
        rules: tuple[RuleState, ...],
        state: str,
        browser: BrowserIdentity | None,
        now_ms: int,
        aud: str = "",
        once: bool = False,
    ) -> str:
        """An attestation for `nonce`; its `n` is greater than that of all before. `now_ms`: milliseconds since 1970."""
        claims = Claims(
            sid=self._session_id,
            nonce=nonce,
            n=next(self._count),
            iat=now_ms,
            phase=phase,
            rules=rules,
            state=state,
            browser=browser,
            aud=aud,
            once=once,
        )
        return jws.sign(msgspec.json.encode(claims), self._private, TYPE)

    def __repr__(self) -> str:
        return f"Attesting({self._session_id!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a session's key does not leave the memory of its agent")

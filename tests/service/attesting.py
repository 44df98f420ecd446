"""An agent that attests, as the contract says, and a client that makes MSB Keys."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from secureproctor.contract import jws, msb
from secureproctor.contract.attestation import TYPE, Claims, RuleState
from secureproctor.contract.channel import SessionKey
from secureproctor.contract.lockdown import RULES
from secureproctor.contract.msb import MsbClaims

NOW_MS = 1_700_000_000_000
HELD = tuple(RuleState(rule, "observed" if RULES[rule].observes else "enforced", True) for rule in RULES)
"""All rules in place."""


@dataclass
class Attester:
    """The attesting part of an agent: a key, and a count."""

    session_id: str
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    n: int = 0

    @property
    def key(self) -> SessionKey:
        return SessionKey(jws.public_text(self.private.public_key()), NOW_MS)

    def attest(self, nonce: str, **changes: Any) -> str:
        """A locked, running session, but for what is said otherwise."""
        self.n += 1
        claims = Claims(self.session_id, nonce, self.n, NOW_MS, "locked", HELD, "running")
        return self.sign(msgspec.json.encode(msgspec.structs.replace(claims, **changes)))

    def sign(self, payload: bytes, typ: str = TYPE) -> str:
        return jws.sign(payload, self.private, typ)


def msb_key(client: str, exam: str, private: Ed25519PrivateKey | None = None, **changes: Any) -> str:
    """An MSB Key that is valid for ever."""
    claims = MsbClaims(client, exam, 0, 0, 4_000_000_000, "1")
    payload = msgspec.json.encode(msgspec.structs.replace(claims, **changes))
    return jws.sign(payload, private or Ed25519PrivateKey.generate(), msb.TYPE)

"""Fresh attestation: what the agent states, signed with the session's key, for a nonce that the service has just given.

The session's key (Ed25519) is made by the agent at Init and lives in its memory; its public part goes to the service over the
proctor channel, which only the holder of the session's token can open. Each KeepAlive of the service brings a nonce; the next
Heartbeat brings an attestation for it. For the exam's requests the browser gets further attestations, which name the request's
origin or its whole address (`aud`); it puts one into the header HEADER, and the exam's server has it verified by the service,
which judges signature, nonce, audience, and whether one that is good for one use was used before.

Both are compact JWS (`alg` `Ed25519`, `typ` `attestation+jws`) with `Claims` as payload. A nonce is
`<milliseconds since 1970 in base 16>.<HMAC-SHA256 over session id and milliseconds, 16 bytes as base64url>`: the service
recognizes its own without remembering any.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from secureproctor.contract.http import Text, Url
from secureproctor.contract.lockdown import Phase, RuleId, Standing
from secureproctor.contract.msb import BrowserIdentity

TYPE = "attestation+jws"
ALGORITHM = "Ed25519"
HEADER = "SecureProctor-Attestation"
MAX_TOKEN = 8192
FRESH_S = 30.0
"""An attestation whose nonce is older is stale, unless the exam's server asks for less or more."""
MISSING_AFTER_S = 30.0
"""A session that the service hears, and that has not attested for so long, is told to the proctor."""


class RuleState(msgspec.Struct, frozen=True):
    """How a rule stands, and whether it is in place."""

    rule: RuleId
    standing: Standing
    holds: bool


class Claims(msgspec.Struct, frozen=True):
    """What is stated. `n` grows with every attestation of a session key; `iat` is the agent's wall clock in milliseconds.

    `aud` is empty in a heartbeat, else an origin or an address. `once`: it is good for one verification."""

    sid: str
    nonce: str
    n: int
    iat: int
    phase: Phase
    rules: tuple[RuleState, ...]
    state: str = ""
    browser: BrowserIdentity | None = None
    aud: str = ""
    once: bool = False


class VerifyBody(msgspec.Struct, frozen=True, rename="camel"):
    """`POST /v1/attestations/verify`, signed by the exam's server as Init is. `url` is the address that was requested;
    `user_id` and `group_name`, when given, must be the session's."""

    public_key: Text
    token: Annotated[str, Meta(max_length=MAX_TOKEN)]
    url: Url
    user_id: Text = ""
    group_name: Text = ""
    max_age_s: Annotated[float, Meta(gt=0, le=3600)] = FRESH_S


Verdict = Literal[
    "ok",
    "missing",
    "malformed",
    "unknown_session",
    "wrong_client",
    "wrong_candidate",
    "bad_signature",
    "stale",
    "wrong_audience",
    "replayed",
    "session_over",
    "not_locked",
    "rule_missing",
    "browser_unproven",
]
VERDICTS: dict[Verdict, str] = {
    "ok": "The request comes from the candidate's locked exam.",
    "missing": "The request had no attestation.",
    "malformed": "It is no attestation.",
    "unknown_session": "The session is not known.",
    "wrong_client": "The session belongs to another client.",
    "wrong_candidate": "The session is of another candidate or another exam.",
    "bad_signature": "It was not signed by the session's agent.",
    "stale": "It is too old: it may be replayed.",
    "wrong_audience": "It was made for another address.",
    "replayed": "It was good for one use, and was used before.",
    "session_over": "The session is over.",
    "not_locked": "The lockdown is not applied.",
    "rule_missing": "A rule that the exam requires is not in place.",
    "browser_unproven": "The exam asks for the secure browser, and this is not known to be one.",
}


class VerifyData(msgspec.Struct, frozen=True):
    """The judgement. `reason` is the verdict as a sentence. What follows it is empty unless the signature is good."""

    ok: bool
    verdict: Verdict
    reason: str
    session_id: str = ""
    user_id: str = ""
    group_name: str = ""
    state: str = ""
    phase: str = ""
    rules: tuple[RuleState, ...] = ()
    browser: BrowserIdentity | None = None
    age_s: float | None = None


class VerifyAnswer(msgspec.Struct, frozen=True):
    """The answer of `POST /v1/attestations/verify`: 200 whatever the verdict."""

    data: VerifyData

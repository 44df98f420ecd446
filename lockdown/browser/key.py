"""The MSB Key as the agent judges it, and as its maker signs it.

The order of the judgement is the point: form, signer, signature, and only then what the key says. No sentence of a refusal
by `verify` repeats anything of a key whose signature is not good, but for the signer that it names.

A signer speaks for its own client only: a key of the client B that says it is the client A's is not trusted for A.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from secureproctor.contract import jws
from secureproctor.contract.errors import Refusal
from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.contract.msb import LEEWAY_S, MAX_KEY, TYPE, MsbClaims, MsbTrust
from secureproctor.lockdown.browser.password import NotAHash, parsed

_FAULT = re.compile(r" - at `\$\.?(.*)`$")
_NAMES = frozenset(field.encode_name for field in msgspec.structs.fields(MsbClaims))
_LOCKDOWN_NAMES = frozenset(field.encode_name for field in msgspec.structs.fields(LockdownSettings))
_FAR_S = 253_402_300_799
"""The end of the year 9999, after which no calendar of Python's goes."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a trusted signer says. `kid` is the thumbprint of its public key."""

    claims: MsbClaims
    kid: str


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a key says of itself, whoever made it."""

    claims: MsbClaims
    kid: str


def trusts_for(policy: Sequence[str], service: Sequence[str], client: str) -> tuple[MsbTrust, ...]:
    """Whom to trust: those of the policy (each `client=x`), if it names any; else those of the service for `client`.

    A policy that names keys closes the list: a service that was taken over cannot add to it. Raises ValueError with a
    sentence for an entry that cannot be read; it must not be as if it were not there.
    """
    if policy:
        return tuple(_trust(*_halves(each)) for each in policy)
    return tuple(_trust(client, x) for x in service)


def _halves(entry: str) -> tuple[str, str]:
    client, equals, x = entry.rpartition("=")  # a key has no "=" in it, a client's name may
    if not (client.strip() and equals):
        raise ValueError(f"msb_keys: {entry!r} is not of the form client=key")
    return client.strip(), x


def _trust(client: str, x: str) -> MsbTrust:
    try:
        return MsbTrust(client, jws.public_x(x))
    except jws.Malformed as error:
        raise ValueError(f"msb_keys: the key of the client {client!r} cannot be read: {error}") from None


def generate() -> Ed25519PrivateKey:
    """A new key pair."""
    return Ed25519PrivateKey.generate()


def sign(claims: MsbClaims, private: Ed25519PrivateKey) -> str:
    """The MSB Key of these claims. Raises Refusal msb_key_malformed when it could not be read again, being too long, say."""
    key = jws.sign(msgspec.json.encode(claims), private, TYPE)
    inspect(key)
    return key


def inspect(text: str) -> Unverified:
    """What a key says, without any trust in it. Raises Refusal msb_key_missing, msb_key_malformed or msb_key_unsigned."""
    parts = _read(text)
    return Unverified(_claims(parts.unverified), parts.kid)


def verify(text: str, trusts: Sequence[MsbTrust], client: str, exam: str, now_s: float) -> Verified:
    """What a key says that is good for this client, this exam and now (seconds since 1970). Raises Refusal msb_key_*."""
    parts = _read(text)
    signers = [trust for trust in trusts if jws.thumbprint(trust.x) == parts.kid]
    if not signers:
        raise Refusal("msb_key_untrusted", kid=parts.kid, client=client)
    try:
        claims = _claims(jws.verify(parts, signers[0].x))
    except jws.Forged:
        raise Refusal("msb_key_tampered") from None
    if claims.iss != client:
        raise Refusal("msb_key_wrong_client", key_client=claims.iss, client=client)
    if client not in {trust.client for trust in signers}:
        raise Refusal("msb_key_untrusted", kid=parts.kid, client=client)
    if claims.exam != exam:
        raise Refusal("msb_key_wrong_exam", key_exam=claims.exam, exam=exam)
    _judge_time(claims, now_s)
    return Verified(claims, parts.kid)


def _judge_time(claims: MsbClaims, now_s: float) -> None:
    if now_s < claims.nbf - LEEWAY_S:
        raise Refusal("msb_key_early", at=when(claims.nbf))
    if now_s >= claims.exp + LEEWAY_S:
        raise Refusal("msb_key_expired", at=when(claims.exp))


def _read(text: str) -> jws.Parts:
    """A line break at the end, as editors leave it in files, is not held against a key."""
    text = text.strip()
    if not text:
        raise Refusal("msb_key_missing")
    try:
        return jws.read(text, TYPE, MAX_KEY)
    except jws.Unsigned:
        raise Refusal("msb_key_unsigned") from None
    except jws.Malformed as error:
        raise Refusal("msb_key_malformed", why=str(error)) from None


def _claims(payload: bytes) -> MsbClaims:
    """Only the place of a fault is told, for the fault itself may quote a key that nobody has verified."""
    try:
        unknown = unknown_members(jws.strict_object(payload))
        if unknown:
            raise Refusal("msb_key_malformed", why=f"this version does not know its {', '.join(unknown)}")
        claims = msgspec.json.decode(payload, type=MsbClaims)
        if claims.quit_password_hash:
            parsed(claims.quit_password_hash)
    except jws.Malformed as error:
        raise Refusal("msb_key_malformed", why=f"of its content, {error}") from None
    except NotAHash:
        raise Refusal("msb_key_malformed", why="its quitPasswordHash is none") from None
    except msgspec.ValidationError as error:
        place = _FAULT.search(str(error))
        why = f"its {place.group(1)} is not valid" if place else "its content lacks something, or has too much"
        raise Refusal("msb_key_malformed", why=why) from None
    if not all(0 <= each <= _FAR_S for each in (claims.iat, claims.nbf, claims.exp)):
        raise Refusal("msb_key_malformed", why="its times are out of range")
    return claims


def unknown_members(claims: dict[str, object]) -> tuple[str, ...]:
    """The names of what a key says and nobody here would obey: what is passed over of a lockdown softens it."""
    lockdown = claims.get("lockdown")
    inner = lockdown if isinstance(lockdown, dict) else {}
    return tuple(
        _printable(name)
        for names, known in ((claims, _NAMES), (inner, _LOCKDOWN_NAMES))
        for name in names
        if name not in known
    )


def _printable(name: str) -> str:
    return repr(name[:64])


def when(seconds: int) -> str:
    """A time for people, in UTC, as all times in sentences are."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

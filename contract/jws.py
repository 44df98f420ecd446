"""Compact JWS (RFC 7515) with one algorithm, Ed25519 (RFC 8037, named as in RFC 9864): MSB Keys and attestations are such.

    base64url(header) . base64url(payload) . base64url(signature)      header: exactly alg, typ and kid

Everything that JOSE leaves open, and that attacks have lived on, is closed: there is no choice of algorithms and no `none`,
no `crit`, no `jwk` or `x5u` that brings its own key; `typ` has to be the expected one, so that a token for one purpose is
none for another; `kid` is the thumbprint of the key (RFC 7638) and nothing else; an object names no member twice; and base64url
is taken only in the spelling that an encoder makes, so that a token cannot be spelled in two ways.

`read` believes nothing. What it returns becomes true by `verify`, with a key that the caller trusts.

    Malformed            no such token
    └── Unsigned         a token without a signature
    Forged               the signature is not that of this key over these bytes
"""

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM = "Ed25519"
MAX_TOKEN = 16384
_MAX_HEADER = 512
_MEMBERS = frozenset({"alg", "typ", "kid"})
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class Malformed(ValueError):
    """The text is no token of this kind. Says why in words that hold nothing of the text."""


class Unsigned(Malformed):
    """It is a token, but nobody signed it: no third part, or `alg` `none`."""


class Forged(ValueError):
    """The signature is not that of the key."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A token taken apart. Nothing of it is known to be true; `verify` gives the payload that is."""

    kid: str
    unverified: bytes
    """The payload as it came."""
    signed: bytes
    signature: bytes


def encoded(data: bytes) -> str:
    """base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes of the one spelling that `encoded` makes of them. Raises Malformed for any other text."""
    try:
        if not _BASE64URL.fullmatch(text):
            raise Malformed("it is not base64url without padding")
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise Malformed("it is not base64url without padding") from None
    if encoded(data) != text:
        raise Malformed("its base64url is not spelled as an encoder does")
    return data


def strict_object(data: bytes) -> dict[str, object]:
    """A JSON object in UTF-8 in which, as in all objects inside, no member stands twice. Raises Malformed."""
    try:
        found: object = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except Malformed:
        raise
    except (ValueError, RecursionError):
        raise Malformed("it is not JSON in UTF-8") from None
    if not isinstance(found, dict):
        raise Malformed("it is not a JSON object")
    return found


def _once(members: list[tuple[str, object]]) -> dict[str, object]:
    if len({name for name, _ in members}) < len(members):
        raise Malformed("a member stands in it twice")
    return dict(members)


def _no_constant(_name: str) -> object:
    raise Malformed("it is not JSON in UTF-8")


def public_text(key: Ed25519PublicKey) -> str:
    """`x` of a key's JWK (RFC 8037, section 2): its 32 bytes as base64url, 43 characters."""
    return encoded(key.public_bytes_raw())


def public_key(x: str) -> Ed25519PublicKey:
    """The key of `x`. Raises Malformed."""
    raw = decoded(x)
    if len(raw) != 32:
        raise Malformed("an Ed25519 public key has 32 bytes")
    return Ed25519PublicKey.from_public_bytes(raw)


def public_x(text: str) -> str:
    """`x` of what a person gave: `x` itself, or a JWK as JSON, of which only the public part is looked at. Raises Malformed."""
    text = text.strip()
    if text.startswith("{"):
        jwk = strict_object(text.encode())
        if jwk.get("kty") != "OKP" or jwk.get("crv") != ALGORITHM:
            raise Malformed("it is not the JWK of an Ed25519 key")
        text = str(jwk.get("x", ""))
    public_key(text)
    return text


def thumbprint(x: str) -> str:
    """The JWK thumbprint of a public key (RFC 7638, RFC 8037 appendix A.3; SHA-256): 43 characters."""
    jwk = {"crv": ALGORITHM, "kty": "OKP", "x": x}
    return encoded(hashlib.sha256(json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode()).digest())


def sign(payload: bytes, private: Ed25519PrivateKey, typ: str) -> str:
    """The token of a payload, which is JSON in UTF-8."""
    header = {"alg": ALGORITHM, "typ": typ, "kid": thumbprint(public_text(private.public_key()))}
    signed = f"{encoded(json.dumps(header, separators=(',', ':')).encode())}.{encoded(payload)}"
    return f"{signed}.{encoded(private.sign(signed.encode()))}"


def read(token: str, typ: str, limit: int = MAX_TOKEN) -> Parts:
    """Take a token of that `typ` and of at most `limit` characters apart. Raises Malformed or Unsigned."""
    if len(token) > limit:
        raise Malformed(f"it has more than {limit} characters")
    parts = token.split(".")
    if len(parts) not in (2, 3) or len(parts[0]) > _MAX_HEADER:
        raise Malformed("it does not consist of header, payload and signature")
    header = strict_object(decoded(parts[0]))
    payload = decoded(parts[1])
    if len(parts) == 2 or not parts[2] or _names_none(header.get("alg")):
        raise Unsigned("it is not signed")
    kid = _kid(header, typ)
    signature = decoded(parts[2])
    if len(signature) != 64:
        raise Malformed("its signature does not have 64 bytes")
    return Parts(kid, payload, f"{parts[0]}.{parts[1]}".encode(), signature)


def _names_none(algorithm: object) -> bool:
    """In whatever letters: that other readers take `nOnE` for it, too, has been an attack."""
    return isinstance(algorithm, str) and algorithm.lower() == "none"


def _kid(header: dict[str, object], typ: str) -> str:
    if header.get("alg") != ALGORITHM:
        raise Malformed(f"its algorithm is not {ALGORITHM}")
    if header.get("typ") != typ:
        raise Malformed(f"its type is not {typ}")
    if header.keys() != _MEMBERS:
        raise Malformed("its header holds something else than alg, typ and kid")
    kid = header["kid"]
    if not isinstance(kid, str) or not _THUMBPRINT.fullmatch(kid):
        raise Malformed("its kid is no JWK thumbprint")
    return kid


def verify(parts: Parts, x: str) -> bytes:
    """The payload, which the holder of the key of `x` signed. Raises Forged, and Malformed when `x` is no key."""
    key = public_key(x)
    if parts.kid != thumbprint(x):
        raise Forged("it was signed by another key")
    try:
        key.verify(parts.signature, parts.signed)
    except InvalidSignature:
        raise Forged("its signature does not belong to its content") from None
    return parts.unverified

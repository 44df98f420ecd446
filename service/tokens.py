"""Session tokens for agents, and access codes for the links of reports.

A session token is a JWS (EdDSA over Ed25519) that names its session and the page origins that may talk to the agent about
it. An access code is `expiry.mac`: short enough for a link, and worth nothing for another session.
"""

import base64
import hmac
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from secureproctor.contract.errors import Refusal

ALGORITHM = "Ed25519"
AUDIENCE = "secureproctor-session"
TOKEN_LIFETIME_S = 24 * 3600
ACCESS_LIFETIME_S = 7 * 24 * 3600
_HOUR = 3600


class Tokens:
    """Issues and verifies; `wall` gives seconds since 1970."""

    def __init__(self, token_seed: bytes, access_key: bytes, wall: Callable[[], float]) -> None:
        private = Ed25519PrivateKey.from_private_bytes(token_seed)
        self._key = OKPKey.import_key(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self._access_key = access_key
        self._wall = wall

    def issue(self, session_id: str, origins: tuple[str, ...]) -> str:
        """A session token, valid for TOKEN_LIFETIME_S."""
        now = int(self._wall())
        claims = {"sub": session_id, "aud": AUDIENCE, "origins": list(origins), "iat": now}
        return jwt.encode({"alg": ALGORITHM}, {**claims, "exp": now + TOKEN_LIFETIME_S}, self._key, [ALGORITHM])

    def verify(self, authorization: str, session_id: str, *, expired_too: bool = False) -> None:
        """Accept the Authorization header for this session; raise Refusal token_invalid or token_expired."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Refusal("token_invalid")
        try:
            claims = jwt.decode(token.strip(), self._key, [ALGORITHM]).claims
        except (JoseError, ValueError):
            raise Refusal("token_invalid") from None
        if claims.get("aud") != AUDIENCE or claims.get("sub") != session_id:
            raise Refusal("token_invalid")
        if not expired_too and claims["exp"] <= self._wall():
            raise Refusal("token_expired")

    def access(self, session_id: str) -> tuple[str, int]:
        """An access code and its expiry in seconds since 1970. It changes once an hour, so that links stay equal."""
        expires = (int(self._wall()) // _HOUR + 1) * _HOUR + ACCESS_LIFETIME_S
        return f"{expires}.{self._mac(session_id, expires)}", expires

    def check_access(self, session_id: str, code: str) -> None:
        """Raise Refusal access_denied unless the code was made for this session and is still valid."""
        expires, _, mac = code.partition(".")
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            raise Refusal("access_denied")
        if not hmac.compare_digest(mac.encode(), self._mac(session_id, int(expires)).encode()):
            raise Refusal("access_denied")
        if int(expires) <= self._wall():
            raise Refusal("access_denied")

    def _mac(self, session_id: str, expires: int) -> str:
        digest = hmac.digest(self._access_key, f"{session_id}\n{expires}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest[:24]).decode()

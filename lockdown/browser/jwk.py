"""The private key of a maker of MSB Keys as a file: a JWK (RFC 7517, RFC 8037) that nobody but its owner can read."""

import json
import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from secureproctor.contract import jws


def save(path: Path, private: Ed25519PrivateKey) -> None:
    """Write a new file, 0600 from its first moment. Raises OSError; FileExistsError for any file that is there already."""
    x = jws.public_text(private.public_key())
    d = jws.encoded(private.private_bytes_raw())
    jwk = {
        "kty": "OKP",
        "crv": jws.ALGORITHM,
        "x": x,
        "d": d,
        "kid": jws.thumbprint(x),
        "use": "sig",
        "alg": jws.ALGORITHM,
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(jwk, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())


def load(path: Path) -> Ed25519PrivateKey:
    """The private key of a file. Raises OSError, or jws.Malformed, whose words hold nothing of the file."""
    text = path.read_bytes()
    x = jws.public_x(text.decode("utf-8", "replace"))
    jwk = jws.strict_object(text.strip()) if text.lstrip().startswith(b"{") else {}
    d = jwk.get("d")
    if not isinstance(d, str):
        raise jws.Malformed("it holds a public key only")
    raw = jws.decoded(d)
    if len(raw) != 32:
        raise jws.Malformed("an Ed25519 private key has 32 bytes")
    private = Ed25519PrivateKey.from_private_bytes(raw)
    if jws.public_text(private.public_key()) != x:
        raise jws.Malformed("its two halves do not belong together")
    return private


def others_can_read(path: Path) -> bool:
    """Whether the file's mode lets others read the key. False on Windows, where a mode says nothing of that."""
    return os.name != "nt" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)

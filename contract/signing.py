"""The two ways in which an exam's server signs a request, and the one verifier that accepts both.

The private key is a secret shared by the exam's server and the service; it never travels.

- *Parameters* (`ak`, `ts`, `asgn`): `base64(HMAC-SHA256(private key, METHOD + endpoint + "\\n" + values))`, where the values
  are those of all parameters but `asgn`, in the order of the parameters' names, joined by newlines. A JSON body counts as
  the parameter `rd`, as its exact text. The endpoint is the address as the signer knows it, without its query.
- *Body* (`Authorization` header): `UPPERHEX(PBKDF2-HMAC-SHA1(password = the exact body, salt = private key, 1001
  iterations, 25 bytes))`. For a request without a body, the password is the values of its parameters, in the order of
  their names, joined by newlines. This scheme has no time stamp: a signature is valid for its exact bytes only.

Nothing here reads a clock, a key store or a socket.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from secureproctor.contract.errors import Refusal

STALE_AFTER_S = 24 * 3600
PBKDF2_ITERATIONS = 1001
PBKDF2_BYTES = 25
UNSIGNED = frozenset({"asgn"})


def joined_values(parameters: Mapping[str, str]) -> str:
    """The values in the order of their names, joined by newlines."""
    return "\n".join(parameters[name] for name in sorted(parameters) if name not in UNSIGNED)


def sign_parameters(private_key: str, method: str, endpoint: str, parameters: Mapping[str, str]) -> str:
    """The `asgn` of a request: base64 text of 44 characters."""
    text = f"{method.upper()}{endpoint}\n{joined_values(parameters)}"
    return base64.b64encode(hmac.digest(private_key.encode(), text.encode(), "sha256")).decode()


def sign_body(private_key: str, body: bytes) -> str:
    """The `Authorization` value of a body: 50 upper-case hexadecimal digits."""
    digest = hashlib.pbkdf2_hmac("sha1", body, private_key.encode(), PBKDF2_ITERATIONS, PBKDF2_BYTES)
    return digest.hex().upper()


def verify(
    keys: Mapping[str, str],
    *,
    method: str,
    endpoints: Sequence[str],
    query: Mapping[str, str],
    body: bytes,
    public_key: str,
    authorization: str,
    now_s: float,
) -> str:
    """Accept either scheme and return the public key that signed; raise Refusal otherwise.

    `keys` maps public to private keys; `endpoints` are the spellings of this address that the service answers to;
    `public_key` is the one that the body names; `now_s` is seconds since 1970.
    """
    if "asgn" in query:
        _check_time_stamp(query.get("ts", ""), now_s)
        signer = query.get("ak", "")
        private_key = _private_key(keys, signer)
        signed = {**query, "rd": body.decode("utf-8", "replace")} if body else query
        expected = [sign_parameters(private_key, method, endpoint, signed) for endpoint in endpoints]
        given = query["asgn"]
    elif authorization:
        signer = public_key
        private_key = _private_key(keys, signer)
        expected = [sign_body(private_key, body or joined_values(query).encode())]
        given = authorization
    else:
        raise Refusal("signature_missing")
    if not any(hmac.compare_digest(given.encode(), each.encode()) for each in expected):
        raise Refusal("signature_mismatch")
    if public_key and signer != public_key:
        raise Refusal("signature_mismatch")
    return signer


def _private_key(keys: Mapping[str, str], public_key: str) -> str:
    private_key = keys.get(public_key)
    if private_key is None:
        raise Refusal("key_not_authorized", key=public_key)
    return private_key


def _check_time_stamp(ts: str, now_s: float) -> None:
    if not (ts.isascii() and ts.isdigit() and len(ts) <= 12):
        raise Refusal("timestamp_invalid", ts=ts)
    age_s = now_s - int(ts)
    if abs(age_s) > STALE_AFTER_S:
        raise Refusal("timestamp_stale", age_h=round(age_s / 3600))

"""Tokens against the vectors of RFC 8037, against a second implementation, and against whoever spells them differently."""

import base64
import json
import string

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.jwk import OKPKey

from secureproctor.contract import jws
from secureproctor.contract.jws import Forged, Malformed, Unsigned

# RFC 8037, appendix A: the key, its thumbprint, and a signature over a token whose alg has the older name EdDSA
D = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
TOKEN = (
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
)
PRIVATE = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(D + "="))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TYP = "test+jws"
GOOD = jws.sign(b'{"a":1}', PRIVATE, TYP)
HEADER = {"alg": "Ed25519", "typ": TYP, "kid": THUMBPRINT}


def spelled(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def token(header: object, payload: bytes = b'{"a":1}', key: Ed25519PrivateKey = PRIVATE) -> str:
    """A well-signed token of any header."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    signed = f"{spelled(head)}.{spelled(payload)}"
    return f"{signed}.{spelled(key.sign(signed.encode()))}"


def test_the_vectors_of_rfc_8037() -> None:
    assert jws.public_text(PRIVATE.public_key()) == X
    assert jws.thumbprint(X) == THUMBPRINT
    head, payload, signature = TOKEN.split(".")
    parts = jws.Parts(THUMBPRINT, jws.decoded(payload), f"{head}.{payload}".encode(), jws.decoded(signature))
    assert jws.verify(parts, X) == b"Example of Ed25519 signing"
    with pytest.raises(Malformed):
        jws.read(TOKEN, TYP)


@given(st.binary(max_size=300))
def test_what_is_signed_is_read_and_verified(payload: bytes) -> None:
    parts = jws.read(jws.sign(payload, OTHER, TYP), TYP)
    assert jws.verify(parts, jws.public_text(OTHER.public_key())) == payload


def test_another_implementation_verifies_what_is_signed_here() -> None:
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": X})
    found = joserfc_jws.deserialize_compact(GOOD, key, algorithms=["Ed25519"])
    assert (found.payload, found.headers()) == (b'{"a":1}', HEADER)
    assert key.thumbprint() == THUMBPRINT


def test_what_another_implementation_signs_is_verified_here() -> None:
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": X, "d": D})
    made = joserfc_jws.serialize_compact(
        {"kid": THUMBPRINT, "typ": TYP, "alg": "Ed25519"}, b'{"a":1}', key, algorithms=["Ed25519"]
    )
    assert jws.verify(jws.read(made, TYP), X) == b'{"a":1}'


HEADERS: dict[str, object] = {
    "the older name of the algorithm": {**HEADER, "alg": "EdDSA"},
    "an algorithm that takes the public key for a secret": {**HEADER, "alg": "HS256"},
    "no algorithm": {"typ": TYP, "kid": THUMBPRINT},
    "another type": {**HEADER, "typ": "JWT"},
    "no type": {"alg": "Ed25519", "kid": THUMBPRINT},
    "critical extensions": {**HEADER, "crit": ["b64"], "b64": False},
    "a key of its own": {**HEADER, "jwk": {"kty": "OKP", "crv": "Ed25519", "x": X}},
    "an address of a key": {**HEADER, "x5u": "https://evil.example/key"},
    "no kid": {"alg": "Ed25519", "typ": TYP},
    "a kid that is no thumbprint": {**HEADER, "kid": "../../key"},
    "a kid that is no text": {**HEADER, "kid": 7},
    "a member twice": b'{"alg":"none","alg":"Ed25519","typ":"test+jws","kid":"' + THUMBPRINT.encode() + b'"}',
    "a list": [HEADER],
    "no JSON": b"alg=Ed25519",
    "UTF-16": json.dumps(HEADER).encode("utf-16"),
    "NaN": b'{"alg":NaN}',
    "too deep": b"[" * 380,
    "too long": {**HEADER, "kid": "A" * 600},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_header_that_is_not_exactly_the_one_that_is_meant_is_refused(header: object) -> None:
    with pytest.raises(Malformed) as refused:
        jws.read(token(header), TYP)
    assert not isinstance(refused.value, Unsigned)


@pytest.mark.parametrize(
    "unsigned",
    [
        token({**HEADER, "alg": "none"}),
        token({**HEADER, "alg": "NoNe"}),
        token({"alg": "none"}).rpartition(".")[0] + ".",
        GOOD.rpartition(".")[0],
        GOOD.rpartition(".")[0] + ".",
    ],
)
def test_a_token_that_nobody_signed_is_told_from_one_that_is_none(unsigned: str) -> None:
    with pytest.raises(Unsigned):
        jws.read(unsigned, TYP)


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "...", "a.b.c", GOOD + "=", GOOD + ".x", " " + GOOD, GOOD + "\n", "é.é.é", GOOD[:-4], "x" * 20000],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        jws.read(text, TYP)


def test_a_token_longer_than_the_limit_is_refused() -> None:
    long = jws.sign(b"x" * 900, PRIVATE, TYP)
    assert jws.read(long, TYP, len(long)).kid == THUMBPRINT
    with pytest.raises(Malformed, match="more than"):
        jws.read(long, TYP, len(long) - 1)


@given(st.integers(0, len(GOOD) - 1), st.sampled_from(string.ascii_letters + string.digits + "-_.=+/ \n"))
def test_no_other_spelling_of_a_token_is_good(at: int, letter: str) -> None:
    """Also not one that differs only in bits that base64url leaves unused."""
    other = GOOD[:at] + letter + GOOD[at + 1 :]
    if other == GOOD:
        return
    with pytest.raises((Malformed, Forged)):
        jws.verify(jws.read(other, TYP), X)


@given(st.binary(max_size=70))
def test_base64url_has_one_spelling(data: bytes) -> None:
    text = jws.encoded(data)
    assert jws.decoded(text) == data
    for other in (text + "=", text + "\n", text + "A" * (len(text) % 4 == 0)):
        if other != text:
            with pytest.raises(Malformed):
                jws.decoded(other)


def test_a_token_of_another_key_is_forged_even_if_it_names_this_one() -> None:
    with pytest.raises(Forged, match="does not belong"):
        jws.verify(jws.read(token(HEADER, key=OTHER), TYP), X)


def test_a_good_signature_under_the_name_of_another_key_is_forged() -> None:
    kid = jws.thumbprint(jws.public_text(OTHER.public_key()))
    with pytest.raises(Forged, match="another key"):
        jws.verify(jws.read(token({**HEADER, "kid": kid}), TYP), X)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_json_is_an_object_or_refused(data: bytes) -> None:
    try:
        found = jws.strict_object(data)
    except Malformed:
        return
    assert isinstance(found, dict)


def test_no_object_within_an_object_names_a_member_twice() -> None:
    assert jws.strict_object(b'{"a":{"x":1},"b":[{"x":1},{"x":2}]}')
    with pytest.raises(Malformed, match="twice"):
        jws.strict_object(b'{"b":[{"x":1,"x":2}]}')


@pytest.mark.parametrize("text", [X, f"  {X}\n", json.dumps({"kty": "OKP", "crv": "Ed25519", "x": X, "d": D})])
def test_a_public_key_is_taken_as_x_or_as_a_jwk(text: str) -> None:
    assert jws.public_x(text) == X


@pytest.mark.parametrize(
    "text",
    [
        "",
        X[:-1],
        X + "=",
        X[:-1] + "p",
        "{",
        json.dumps({"kty": "EC", "crv": "P-256", "x": X}),
        json.dumps({"kty": "OKP", "crv": "X25519", "x": X}),
        json.dumps({"kty": "OKP", "crv": "Ed25519"}),
    ],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        jws.public_x(text)

"""Both signature schemes against values that OpenSSL computed, and everything that must not pass."""

import hmac
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secureproctor.contract.errors import Refusal
from secureproctor.contract.signing import STALE_AFTER_S, joined_values, sign_body, sign_parameters, verify

NOW_S = 1_700_000_000
PUBLIC, PRIVATE = "pk-demo", "sk-öffnen"
KEYS = {PUBLIC: PRIVATE, "pk-other": "sk-other"}
BODY = '{"publicKey":"pk-demo","userId":"zoë","groupName":"maths"}'.encode()
INIT = "https://exam.example/v1/init"
REPORT = "https://exam.example/v2/report/"
QUERY = {"ak": PUBLIC, "ts": str(NOW_S)}
REPORT_QUERY = {"userId": "u1", "groupName": "maths", "reportFormat": "json", "publicKey": PUBLIC}

# `openssl dgst -sha256 -hmac KEY -binary | base64` over method, address, newline, values
ASGN_OF_INIT = "wEj+TIXkQRbMJd0fLi0UtJ0qBhxd3eki5xv4tcPrYDQ="
ASGN_OF_REPORT = "d85oiKK0vDRyQafLM4ZOQR3aO31EPQUFtbgc698mOaU="
# `openssl kdf -keylen 25 -kdfopt digest:SHA1 -kdfopt iter:1001 -kdfopt pkcs5:1 -kdfopt hexpass:... -kdfopt hexsalt:... PBKDF2`
BODY_SIGNATURE = "2109561176D4B9149324CA3ED8A32E066EBFC592694192CB14"
REPORT_SIGNATURE = "0EC755915BAB0D0B344F61D7F2442F2076A1FBBACB1ED20766"


def rfc2898(password: bytes, salt: bytes, iterations: int, length: int) -> bytes:
    """PBKDF2-HMAC-SHA1 as RFC 2898 §5.2 spells it."""
    out, number = b"", 1
    while len(out) < length:
        block = mixed = hmac.digest(password, salt + number.to_bytes(4, "big"), "sha1")
        for _ in range(iterations - 1):
            block = hmac.digest(password, block, "sha1")
            mixed = bytes(a ^ b for a, b in zip(mixed, block, strict=True))
        out, number = out + mixed, number + 1
    return out[:length]


def signed_by_parameters(
    query: Mapping[str, str] = QUERY, body: bytes = BODY, private: str = PRIVATE, address: str = INIT
) -> dict[str, str]:
    values = {**query, "rd": body.decode()} if body else dict(query)
    return {**query, "asgn": sign_parameters(private, "POST", address, values)}


def check(
    query: Mapping[str, str] | None = None,
    *,
    body: bytes = BODY,
    public_key: str = PUBLIC,
    authorization: str = "",
    now_s: float = NOW_S,
    method: str = "POST",
    endpoints: tuple[str, ...] = (INIT,),
) -> str:
    return verify(
        KEYS,
        method=method,
        endpoints=endpoints,
        query=query or {},
        body=body,
        public_key=public_key,
        authorization=authorization,
        now_s=now_s,
    )


def refusal(query: Mapping[str, str] | None = None, **arguments: object) -> str:
    with pytest.raises(Refusal) as caught:
        check(query, **arguments)  # type: ignore[arg-type]  # each test names its own
    return caught.value.code


# the schemes themselves


def test_the_parameters_of_init_are_signed_as_openssl_signs_them() -> None:
    assert sign_parameters(PRIVATE, "POST", INIT, {**QUERY, "rd": BODY.decode()}) == ASGN_OF_INIT


def test_the_parameters_of_a_report_are_signed_in_the_order_of_their_names() -> None:
    assert sign_parameters(PRIVATE, "get", REPORT, {**REPORT_QUERY, "ts": str(NOW_S)}) == ASGN_OF_REPORT


def test_a_body_is_signed_as_openssl_signs_it() -> None:
    assert sign_body(PRIVATE, BODY) == BODY_SIGNATURE


def test_a_body_is_signed_as_rfc_2898_says() -> None:
    assert sign_body(PRIVATE, BODY) == rfc2898(BODY, PRIVATE.encode(), 1001, 25).hex().upper()


def test_the_signature_is_no_part_of_what_is_signed() -> None:
    assert joined_values({"b": "2", "asgn": "never", "a": "1"}) == "1\n2"


# what passes


def test_signed_parameters_pass_and_name_the_signer() -> None:
    assert check({**QUERY, "asgn": ASGN_OF_INIT}) == PUBLIC


def test_a_signed_body_passes_and_names_the_signer() -> None:
    assert check(authorization=BODY_SIGNATURE) == PUBLIC


def test_a_signed_query_without_a_body_passes() -> None:
    assert check(REPORT_QUERY, body=b"", authorization=REPORT_SIGNATURE, endpoints=(REPORT,)) == PUBLIC


def test_any_spelling_of_the_address_that_the_service_answers_to_passes() -> None:
    assert check(signed_by_parameters(address="http://127.0.0.1:8400/v1/init"), endpoints=(
        INIT, "http://127.0.0.1:8400/v1/init",
    )) == PUBLIC  # fmt: skip


def test_the_parameters_win_when_both_schemes_are_there() -> None:
    """A stale time stamp is not mended by a body signature that has none."""
    old = signed_by_parameters({"ak": PUBLIC, "ts": str(NOW_S - STALE_AFTER_S - 1)})
    assert refusal(old, authorization=BODY_SIGNATURE) == "timestamp_stale"


# what does not


def test_a_request_without_a_signature_is_refused() -> None:
    assert refusal(QUERY) == "signature_missing"


@pytest.mark.parametrize("address", ["https://exam.example/v1/other", "http://exam.example/v1/init", INIT + "/"])
def test_a_signature_for_another_address_is_refused(address: str) -> None:
    assert refusal(signed_by_parameters(address=address)) == "signature_mismatch"


def test_a_signature_for_another_method_is_refused() -> None:
    assert refusal(signed_by_parameters(), method="PUT") == "signature_mismatch"


def test_a_signature_by_another_private_key_is_refused() -> None:
    assert refusal(signed_by_parameters(private="sk-other")) == "signature_mismatch"
    assert refusal(authorization=sign_body("sk-other", BODY)) == "signature_mismatch"


def test_a_body_that_names_another_key_than_the_signer_is_refused() -> None:
    """Whoever has a key may not register in another customer's name."""
    query = signed_by_parameters({"ak": "pk-other", "ts": str(NOW_S)}, private="sk-other")
    assert refusal(query, public_key=PUBLIC) == "signature_mismatch"


@pytest.mark.parametrize("public", ["pk-unknown", "", "pk-démo", "PK-DEMO"])
def test_an_unknown_key_is_refused_under_its_own_code(public: str) -> None:
    assert refusal(signed_by_parameters({"ak": public, "ts": str(NOW_S)}), public_key=public) == "key_not_authorized"
    assert refusal(public_key=public, authorization=BODY_SIGNATURE) == "key_not_authorized"


@pytest.mark.parametrize("given_text", ["", "é" * 44, "=" * 10_000, "\0", ASGN_OF_INIT.lower(), ASGN_OF_INIT + "\n"])
def test_text_that_is_no_signature_is_refused(given_text: str) -> None:
    assert refusal({**QUERY, "asgn": given_text}) == "signature_mismatch"


@pytest.mark.parametrize(
    "given_text", ["é" * 50, BODY_SIGNATURE.lower(), BODY_SIGNATURE[:-1], f"Bearer {BODY_SIGNATURE}"]
)
def test_an_authorization_that_is_no_signature_is_refused(given_text: str) -> None:
    assert refusal(authorization=given_text) == "signature_mismatch"


@pytest.mark.parametrize(
    "ts",
    ["", "-1700000000", "+1700000000", "1.7e9", "1700000000.5", " 1700000000", "0x10", "٣٤٥", "²", "1" * 13, "now"],
)
def test_a_time_stamp_that_is_no_number_of_seconds_is_refused(ts: str) -> None:
    assert refusal(signed_by_parameters({"ak": PUBLIC, "ts": ts})) == "timestamp_invalid"


def test_a_missing_time_stamp_is_refused() -> None:
    assert refusal(signed_by_parameters({"ak": PUBLIC})) == "timestamp_invalid"


@pytest.mark.parametrize("away_s", [-STALE_AFTER_S, -1, 0, 1, STALE_AFTER_S])
def test_a_time_stamp_within_a_day_of_the_clock_passes(away_s: int) -> None:
    assert check(signed_by_parameters({"ak": PUBLIC, "ts": str(NOW_S + away_s)})) == PUBLIC


@pytest.mark.parametrize(
    "ts", [0, NOW_S - STALE_AFTER_S - 1, NOW_S + STALE_AFTER_S + 1, NOW_S * 1000 // 10, 10**12 - 1]
)
def test_a_time_stamp_more_than_a_day_away_is_stale(ts: int) -> None:
    assert refusal(signed_by_parameters({"ak": PUBLIC, "ts": str(ts)})) == "timestamp_stale"


def test_a_foreign_time_stamp_is_judged_before_keys_are_looked_up() -> None:
    assert refusal({"ak": "pk-unknown", "ts": "soon", "asgn": "x"}) == "timestamp_invalid"


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@st.composite
def changed_texts(draw: st.DrawFn) -> tuple[str, str]:
    """A text, and the same with one character changed, left out or put in."""
    text = draw(TEXTS)
    at = draw(st.integers(0, len(text) - 1))
    left_out = text[:at] + text[at + 1 :]
    other = draw(st.characters(exclude_categories=["Cs"]))
    changed = draw(st.sampled_from([text[:at] + other + text[at + 1 :], left_out, text[:at] + other + text[at:]]))
    return text, changed


@settings(max_examples=60, deadline=None)
@given(changed_texts())
def test_one_character_of_the_body_breaks_either_signature(texts: tuple[str, str]) -> None:
    text, changed = (each.encode() for each in texts)
    query = signed_by_parameters(body=text)
    wanted = "signature_mismatch" if changed != text else None
    for given_query, authorization in ((query, ""), ({}, sign_body(PRIVATE, text))):
        if wanted and changed:
            assert refusal(given_query, body=changed, authorization=authorization) == wanted
        elif not wanted:
            assert check(given_query, body=changed, authorization=authorization) == PUBLIC


@settings(max_examples=100, deadline=None)
@given(changed_texts(), st.sampled_from(["userId", "groupName", "z"]))
def test_one_character_of_a_parameter_breaks_the_signature(texts: tuple[str, str], name: str) -> None:
    text, changed = texts
    query = signed_by_parameters({**QUERY, name: text}, body=b"")
    if changed == text:
        assert check({**query, name: changed}, body=b"") == PUBLIC
    else:
        assert refusal({**query, name: changed}, body=b"") == "signature_mismatch"

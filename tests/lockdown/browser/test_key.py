"""The judgement of an MSB Key: every refusal is another one, comes in its order, and repeats nothing that nobody signed."""

import json
import os
import stat
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.contract import jws
from secureproctor.contract.errors import Refusal
from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.contract.msb import LEEWAY_S, MAX_KEY, TYPE, MsbClaims, MsbTrust
from secureproctor.lockdown.browser import jwk
from secureproctor.lockdown.browser.key import generate, inspect, sign, trusts_for, verify

OURS, THEIRS = generate(), generate()
NOW = 1_800_000_000
CLAIMS = MsbClaims("acme", "maths", NOW - 60, NOW, NOW + 3600, "j1", lockdown=LockdownSettings(required=("focus",)))
KEY = sign(CLAIMS, OURS)


def x_of(key: Ed25519PrivateKey) -> str:
    return jws.public_text(key.public_key())


def kid_of(key: Ed25519PrivateKey) -> str:
    return jws.thumbprint(x_of(key))


TRUSTS = (MsbTrust("acme", x_of(OURS)), MsbTrust("other", x_of(THEIRS)))


def refused(text: str, *, client: str = "acme", exam: str = "maths", now_s: float = NOW) -> Refusal:
    with pytest.raises(Refusal) as caught:
        verify(text, TRUSTS, client, exam, now_s)
    return caught.value


def signed(payload: object, key: Ed25519PrivateKey = OURS) -> str:
    return jws.sign(payload if isinstance(payload, bytes) else json.dumps(payload).encode(), key, TYPE)


def members(**changes: object) -> dict[str, object]:
    return {**msgspec.to_builtins(CLAIMS), **changes}


def test_a_good_key_is_good() -> None:
    found = verify(f"{KEY}\n", TRUSTS, "acme", "maths", NOW)
    assert (found.claims, found.kid) == (CLAIMS, kid_of(OURS))


def tampered(key: str, **changes: object) -> str:
    head, payload, signature = key.split(".")
    changed = {**json.loads(jws.decoded(payload)), **changes}
    return f"{head}.{jws.encoded(json.dumps(changed).encode())}.{signature}"


REFUSALS: dict[str, tuple[str, dict[str, object]]] = {
    "msb_key_missing": ("  \n", {}),
    "msb_key_malformed": ("maths-2027", {}),
    "msb_key_unsigned": (KEY.rpartition(".")[0], {}),
    "msb_key_untrusted": (sign(CLAIMS, generate()), {}),
    "msb_key_tampered": (tampered(KEY, exam="evil words"), {"exam": "evil words"}),
    "msb_key_expired": (KEY, {"now_s": NOW + 3600 + LEEWAY_S}),
    "msb_key_early": (KEY, {"now_s": NOW - LEEWAY_S - 1}),
    "msb_key_wrong_exam": (KEY, {"exam": "physics"}),
    "msb_key_wrong_client": (KEY, {"client": "other"}),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_each_refusal_is_another_one_with_a_sentence_and_a_remedy(code: str) -> None:
    text, how = REFUSALS[code]
    refusal = refused(text, **how)  # type: ignore[arg-type]  # the table mixes texts and times
    assert refusal.code == code
    assert refusal.message.endswith(".")
    assert refusal.remedy.endswith(".")


@pytest.mark.parametrize("now_s", [NOW - LEEWAY_S, NOW, NOW + 3600, NOW + 3600 + LEEWAY_S - 1])
def test_clocks_may_differ_by_the_leeway(now_s: float) -> None:
    assert verify(KEY, TRUSTS, "acme", "maths", now_s).claims.jti == "j1"


def test_alg_none_is_unsigned_whatever_it_says() -> None:
    head = jws.encoded(json.dumps({"alg": "none", "typ": TYPE, "kid": kid_of(OURS)}).encode())
    assert refused(f"{head}.{KEY.split('.')[1]}.").code == "msb_key_unsigned"


def test_the_claims_of_an_unverified_key_stay_out_of_every_sentence() -> None:
    evil = "EVIL-WORDS"
    unsigned = signed(members(exam=evil, iss=evil)).rpartition(".")[0]
    for text in (
        sign(msgspec.structs.replace(CLAIMS, exam=evil, iss=evil), generate()),
        tampered(KEY, exam=evil, iss=evil, **{evil: evil}),
        unsigned,
        f"{evil}.{evil}.{evil}",
    ):
        refusal = refused(text)
        assert evil not in f"{refusal} {refusal.data}"


def test_the_signature_is_judged_before_time_exam_and_client() -> None:
    assert refused(tampered(KEY, exp=1, exam="x", iss="y"), now_s=NOW * 2).code == "msb_key_tampered"


def test_a_signer_speaks_for_its_own_client_only() -> None:
    """The client `other` is trusted, and signs a key that says it is of `acme`."""
    refusal = refused(sign(CLAIMS, THEIRS))
    assert (refusal.code, refusal.data["kid"]) == ("msb_key_untrusted", kid_of(THEIRS))


def test_one_signer_may_be_trusted_for_two_clients() -> None:
    trusts = (MsbTrust("other", x_of(OURS)), MsbTrust("acme", x_of(OURS)))
    assert verify(KEY, trusts, "acme", "maths", NOW).kid == kid_of(OURS)


def test_a_client_with_two_keys_is_trusted_by_either() -> None:
    trusts = (MsbTrust("acme", x_of(THEIRS)), MsbTrust("acme", x_of(OURS)))
    assert verify(KEY, trusts, "acme", "maths", NOW).kid == kid_of(OURS)
    assert verify(sign(CLAIMS, THEIRS), trusts, "acme", "maths", NOW).kid == kid_of(THEIRS)


MALFORMED: dict[str, object] = {
    "no object": [1],
    "no JSON": b"exam=maths",
    "a claim missing": {name: value for name, value in members().items() if name != "exp"},
    "a claim that nobody knows": members(allowEverything=True),
    "a lockdown claim that nobody knows": members(lockdown={"requird": ["focus"]}),
    "a rule that does not exist": members(lockdown={"required": ["focus", "gravity"]}),
    "a floor that does not exist": members(floor=["everything"]),
    "a wrong type": members(exp="tomorrow"),
    "times out of range": members(exp=10**15),
    "a time before all times": members(nbf=-1),
    "a claim twice": json.dumps(members()).replace("{", '{"exam":"physics",', 1).encode(),
    "a quit password in clear": members(quitPasswordHash="letmein"),
    "a hash that would eat all memory": members(quitPasswordHash=f"scrypt$8388608$64$8${'00' * 16}${'00' * 32}"),
    "too many addresses": members(allowedUrls=["https://a.example"] * 201),
}


@pytest.mark.parametrize("payload", MALFORMED.values(), ids=MALFORMED)
def test_a_well_signed_key_that_says_something_else_than_a_key_is_malformed(payload: object) -> None:
    assert refused(signed(payload)).code == "msb_key_malformed"


def test_a_key_too_long_is_neither_signed_nor_read() -> None:
    urls = tuple(f"https://exam.example/{'x' * 200}{n}" for n in range(100))
    with pytest.raises(Refusal, match="more than"):
        sign(msgspec.structs.replace(CLAIMS, allowed_urls=urls), OURS)
    assert refused("A" * (MAX_KEY + 1)).code == "msb_key_malformed"


@given(st.text(max_size=200) | st.tuples(*[st.sampled_from([*KEY.split("."), "", "e30"])] * 3).map(".".join))
def test_no_text_is_a_key_but_the_one_that_was_signed(text: str) -> None:
    if text.strip() != KEY:
        assert refused(text).code.startswith("msb_key_")


def test_inspecting_needs_no_trust_and_gives_none() -> None:
    found = inspect(tampered(KEY, exam="physics"))
    assert (found.claims.exam, found.kid) == ("physics", kid_of(OURS))
    for code in ("msb_key_missing", "msb_key_malformed", "msb_key_unsigned"):
        with pytest.raises(Refusal) as caught:
            inspect(REFUSALS[code][0])
        assert caught.value.code == code


def test_a_policy_that_names_keys_closes_the_list() -> None:
    policy, service = (f"acme={x_of(OURS)}", f"a=b={x_of(THEIRS)}"), (x_of(THEIRS),)
    assert trusts_for(policy, service, "acme") == (MsbTrust("acme", x_of(OURS)), MsbTrust("a=b", x_of(THEIRS)))
    assert trusts_for((), service, "acme") == (MsbTrust("acme", x_of(THEIRS)),)
    assert trusts_for((), (), "acme") == ()


@pytest.mark.parametrize("entry", ["", "acme", "acme=", f"={x_of(OURS)}", "acme=short", f"acme={x_of(OURS)}="])
def test_a_policy_entry_that_cannot_be_read_is_told_and_not_passed_over(entry: str) -> None:
    with pytest.raises(ValueError, match="msb_keys"):
        trusts_for((f"acme={x_of(OURS)}", entry), (), "acme")


def test_a_private_key_is_kept_in_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "key.jwk"
    before = os.umask(0)
    try:
        jwk.save(path, OURS)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not jwk.others_can_read(path)
    assert x_of(jwk.load(path)) == x_of(OURS)
    assert jws.public_x(path.read_text()) == x_of(OURS)
    with pytest.raises(FileExistsError):
        jwk.save(path, THEIRS)
    assert x_of(jwk.load(path)) == x_of(OURS)
    path.chmod(0o640)
    assert jwk.others_can_read(path)


@pytest.mark.parametrize(
    "change",
    [{"d": None}, {"d": "AAAA"}, {"d": "no base64!"}, {"x": x_of(THEIRS)}, {"crv": "X25519"}, {"x": None}],
)
def test_a_file_that_holds_no_private_key_is_refused_without_repeating_it(
    tmp_path: Path, change: dict[str, object]
) -> None:
    path = tmp_path / "key.jwk"
    jwk.save(path, OURS)
    whole = json.loads(path.read_text())
    path.write_text(json.dumps(whole | change))
    with pytest.raises(jws.Malformed) as caught:
        jwk.load(path)
    assert whole["d"] not in str(caught.value)


def test_a_file_with_x_alone_is_no_private_key(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text(x_of(OURS))
    with pytest.raises(jws.Malformed, match="public key only"):
        jwk.load(path)

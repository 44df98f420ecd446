"""What may be signed: everything that makes no sense is found before, and all at once."""

import pytest

from secureproctor.contract import jws
from secureproctor.contract.msb import MsbTrust
from secureproctor.lockdown.browser.key import generate, sign, verify
from secureproctor.lockdown.browser.making import DEFAULT_HOURS, Nonsense, made
from secureproctor.lockdown.browser.password import Cost, hash_password

NOW = 1_800_000_000.25
LEAST: dict[str, object] = {"iss": "acme", "exam": "maths"}


def test_the_least_that_is_said_is_completed_and_verifies() -> None:
    claims = made(LEAST, NOW)
    assert (claims.iat, claims.nbf, claims.exp) == (1_800_000_000, 1_800_000_000, 1_800_000_000 + DEFAULT_HOURS * 3600)
    private = generate()
    trust = MsbTrust("acme", jws.public_text(private.public_key()))
    assert verify(sign(claims, private), [trust], "acme", "maths", NOW).claims == claims


def test_two_keys_of_the_same_claims_have_numbers_of_their_own() -> None:
    assert made(LEAST, NOW).jti != made(LEAST, NOW).jti


def test_what_is_given_is_kept() -> None:
    claims = made({**LEAST, "iat": 1, "nbf": 2_000_000_000, "exp": 2_000_000_001, "jti": "mine"}, NOW)
    assert (claims.iat, claims.nbf, claims.exp, claims.jti) == (1, 2_000_000_000, 2_000_000_001, "mine")


def test_hours_count_from_the_beginning_and_go_before_an_end() -> None:
    assert made({**LEAST, "nbf": 2_000_000_000, "exp": 5}, NOW, hours=1.5).exp == 2_000_005_400


def test_a_whole_exam_is_taken() -> None:
    lockdown = {"required": ["keys"], "off": ["printing"], "browsingTolerance": 2, "beyondTolerance": "pause"}
    members = {
        "startUrl": "https://exam.example.org/a?b=c",
        "allowedUrls": ["https://*.example.org/*.js"],
        "lockdown": lockdown,
        "browsers": ["path:/opt/exam/browser"],
        "floor": ["recording"],
        "quitPasswordHash": hash_password("correct horse", Cost(16, 1, 1)),
    }
    assert made({**LEAST, **members}, NOW).lockdown.browsing_tolerance == 2


NONSENSE: dict[str, tuple[dict[str, object], str]] = {
    "no client": ({"iss": ""}, "iss"),
    "no exam": ({"exam": ""}, "exam"),
    "an end before the beginning": ({"exp": 1, "nbf": 2}, "before it begins"),
    "over already": ({"nbf": 1, "exp": 2}, "expired already, at 1970-01-01 00:00:02 UTC"),
    "no number": ({"nbf": "now"}, "nbf"),
    "an unknown claim": ({"allow": 1}, "'allow'"),
    "an unknown lockdown claim": ({"lockdown": {"requird": []}}, "'requird'"),
    "a lockdown that is none": ({"lockdown": 7}, "lockdown"),
    "unknown rules": (
        {"lockdown": {"required": ["gravity", "keys"], "off": ["time"]}},
        "rules gravity, time; there are p",
    ),
    "unknown floors": ({"floor": ["marble"]}, "no floors marble; there are screenCapture"),
    "required and off": ({"lockdown": {"required": ["keys"], "off": ["keys"]}}, "both required and off: keys"),
    "allowed and forbidden": (
        {"lockdown": {"allowedPrograms": ["Zoom"], "forbiddenPrograms": ["zoom"]}},
        "both allowed and forbidden: Zoom",
    ),
    "beyond no tolerance": ({"lockdown": {"beyondTolerance": "end"}}, "could end the test"),
    "a tolerance without focus": ({"lockdown": {"browsingTolerance": 1, "off": ["focus"]}}, "needs the rule focus"),
    "a start that is no address": ({"startUrl": "exam.example.org"}, "start address exam.example.org"),
    "a start with a star": ({"startUrl": "https://*.example.org"}, "start address"),
    "a pattern for everything": ({"allowedUrls": ["https://*"]}, "allowed address https://*"),
    "a browser without a kind": ({"browsers": ["chromium"]}, "browser chromium"),
    "a password in clear": ({"quitPasswordHash": "letmein1"}, "--quit-password"),
}


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_is_refused_in_a_sentence(what: str) -> None:
    members, words = NONSENSE[what]
    with pytest.raises(Nonsense) as caught:
        made({**LEAST, **members}, NOW)
    assert words in str(caught.value)
    assert all(each.endswith(".") for each in caught.value.problems)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    members = {"exp": 1, "startUrl": "x", "browsers": ["y"], "lockdown": {"required": ["keys"], "off": ["keys"]}}
    with pytest.raises(Nonsense) as caught:
        made({**LEAST, **members}, NOW)
    assert len(caught.value.problems) == 4

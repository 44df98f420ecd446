"""Whether a candidate is admitted with an MSB Key. What makes a key good is tested where keys are judged."""

import time
from typing import Any

import msgspec
import pytest

from secureproctor.agent.session.admission import admitted
from secureproctor.contract import jws
from secureproctor.contract.errors import Refusal
from secureproctor.contract.http import InitData
from secureproctor.contract.msb import MsbClaims
from secureproctor.lockdown.browser.key import generate, sign
from tests.agent.conftest import init_data

PRIVATE = generate()
X = jws.public_text(PRIVATE.public_key())


def registered(keys: tuple[str, ...] = (X,), settings: dict[str, Any] | None = None, **claims: Any) -> InitData:
    now_s = int(time.time())
    known: dict[str, Any] = {
        "iss": "client",
        "exam": "maths",
        "iat": now_s,
        "nbf": now_s,
        "exp": now_s + 60,
        "jti": "j",
    }
    key = sign(MsbClaims(**{**known, **claims}), PRIVATE)
    data = init_data(**{"msb": True, "msb_key": key, **(settings or {})})
    return msgspec.structs.replace(data, client="client", msb_keys=keys)


def code_of(data: InitData, policy: tuple[str, ...] = ()) -> str:
    with pytest.raises(Refusal) as caught:
        admitted(data, policy)
    return caught.value.code


def test_a_good_key_is_kept_with_what_it_says() -> None:
    key = admitted(registered(start_url="https://exam.example/"), ())
    assert key is not None
    assert (key.claims.start_url, key.kid) == ("https://exam.example/", jws.thumbprint(X))


def test_an_exam_without_secure_browser_needs_none() -> None:
    assert admitted(registered(settings={"msb": False}), ()) is None
    assert code_of(registered(settings={"msb_key": ""})) == "msb_key_missing"


def test_the_policy_says_whom_to_trust_before_the_service_does() -> None:
    other = jws.public_text(generate().public_key())
    assert admitted(registered(keys=()), (f"client={X}",)) is not None
    assert code_of(registered(), (f"client={other}",)) == "msb_key_untrusted"
    assert code_of(registered(), ("nonsense",)) == "msb_key_malformed"


def test_the_key_is_judged_by_this_computers_clock() -> None:
    data = registered()
    with pytest.raises(Refusal) as caught:
        admitted(data, (), lambda: int(time.time() + 3600) * 1000)
    assert caught.value.code == "msb_key_expired"


def test_init_may_not_give_less_than_the_key_demands() -> None:
    assert admitted(registered(floor=("screenCapture",)), ()) is not None
    data = registered(floor=("screenCapture", "recording"), settings={"screen_capture": False, "recording": False})
    with pytest.raises(Refusal, match="Screen Capture is on, Recording is on") as caught:
        admitted(data, ())
    assert caught.value.code == "below_floor"

"""What the agent states, and that its key stays where it is."""

import copy
import logging
import pickle
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from secureproctor.contract import jws
from secureproctor.contract.attestation import MAX_TOKEN, TYPE, Claims, RuleState
from secureproctor.contract.lockdown import RULES
from secureproctor.contract.msb import BrowserIdentity
from secureproctor.lockdown.browser.attesting import Attesting

STATES = tuple(RuleState(rule, "could_not_check", True) for rule in RULES)
BROWSER = BrowserIdentity(4711, "/opt/" + "x" * 250, "p" * 128, "v" * 64, "s" * 100, "signature", True, "w" * 200)


def state(attesting: Attesting, **changes: object) -> Claims:
    text = attesting.statement("n1", "locked", STATES[:1], "running", None, 5, **changes)  # type: ignore[arg-type]  # two kinds
    return msgspec.json.decode(jws.verify(jws.read(text, TYPE), attesting.x), type=Claims)


def test_a_statement_says_what_it_was_given_and_is_signed_by_the_key_that_was_told() -> None:
    attesting = Attesting("s1")
    text = attesting.statement("n1", "locked", STATES, "running", BROWSER, 1234, "https://exam.example/a", True)
    claims = msgspec.json.decode(jws.verify(jws.read(text, TYPE, MAX_TOKEN), attesting.x), type=Claims)
    assert claims == Claims("s1", "n1", 1, 1234, "locked", STATES, "running", BROWSER, "https://exam.example/a", True)


def test_the_longest_statement_fits_into_a_request_header() -> None:
    text = Attesting("s" * 64).statement(
        "n" * 60, "released", STATES, "authorization", BROWSER, 10**13, "https://e/" + "u" * 2038, True
    )
    assert len(text) <= MAX_TOKEN


def test_each_statement_has_a_greater_number() -> None:
    attesting = Attesting("s1")
    assert [state(attesting).n for _ in range(3)] == [1, 2, 3]


def test_no_number_is_given_twice_to_threads_that_ask_at_once() -> None:
    attesting = Attesting("s1")
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: state(attesting).n, range(64)))
    assert sorted(numbers) == list(range(1, 65))


def test_each_session_has_a_key_of_its_own_and_no_statement_passes_for_another_session() -> None:
    one, other = Attesting("s1"), Attesting("s1")
    text = one.statement("n1", "locked", (), "running", None, 5)
    with pytest.raises(jws.Forged):
        jws.verify(jws.read(text, TYPE), other.x)


def test_an_attestation_is_no_msb_key() -> None:
    with pytest.raises(jws.Malformed):
        jws.read(Attesting("s1").statement("n1", "locked", (), "", None, 5), "msb+jws")


def test_the_key_is_neither_shown_nor_copied_nor_written(caplog: pytest.LogCaptureFixture) -> None:
    attesting = Attesting("s1")
    secret = attesting._private.private_bytes_raw()
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").debug("%s %r", attesting, attesting)
    for shown in (repr(attesting), str(attesting), f"{attesting}", caplog.text):
        assert "s1" in shown
        assert secret.hex() not in shown
        assert jws.encoded(secret) not in shown
        assert "rivate" not in shown
    for away in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="does not leave"):
            away(attesting)
    assert not hasattr(attesting, "__dict__")

"""An exam in the secure browser: who is let in, what is locked and attested, and how the machine is given back.

What happens when browser or agent are killed, and other courses that take long, are in test_secure_browser_courses.py.
"""

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Error, Playwright

from secureproctor.contract import page as contract
from secureproctor.contract.http import InitBody, ProctoringSettings
from secureproctor.contract.signing import sign_body
from secureproctor.demo.locked import QUIT_PASSWORD, Client
from secureproctor.demo.program import DeskError
from secureproctor.demo.securebrowser import PRODUCT, PROGRAM
from secureproctor.demo.stage import PUBLIC_KEY
from secureproctor.lockdown.browser.password import Cost, hash_password
from tests.e2e.candidate import GROUP
from tests.e2e.house import until
from tests.e2e.locked import LockedHouse, Sitting, locked_house


@pytest.fixture(scope="module")
def place(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LockedHouse]:
    """Desk, service and exam's server."""
    with locked_house(playwright, tmp_path_factory.mktemp("secure")) as made:
        yield made


@pytest.fixture(scope="module")
def seated(place: LockedHouse) -> Iterator[Sitting]:
    """The secure browser, and the agent that it has started."""
    cheap = hash_password(QUIT_PASSWORD, Cost(n=2))  # of each guess
    with place.sitting(place.key(quit_password_hash=cheap)) as made:
        yield made


@pytest.fixture(scope="module")
def running(seated: Sitting) -> Sitting:
    """An exam that runs, and is locked."""
    return seated.begin()


def _tampered(place: LockedHouse) -> str:
    head, _, signature = place.key().split(".")
    _, payload, _ = place.key(exam="another").split(".")
    return ".".join((head, payload, signature))


def _unsigned(place: LockedHouse) -> str:
    head, payload, _ = place.key().split(".")
    return f"{head}.{payload}."


def _past(place: LockedHouse) -> str:
    now = int(time.time())
    return place.key(iat=now - 900, nbf=now - 900, exp=now - 300)


KEYS: dict[str, Any] = {
    "msb_key_tampered": _tampered,
    "msb_key_unsigned": _unsigned,
    "msb_key_expired": _past,
    "msb_key_early": lambda place: place.key(nbf=int(time.time()) + 900),
    "msb_key_wrong_exam": lambda place: place.key(exam="chemistry-101"),
    "msb_key_wrong_client": lambda place: place.key(iss="another-client"),
    "msb_key_untrusted": lambda _: Client().key("http://127.0.0.1/", []),
    "below_floor": lambda place: place.key(floor=("authorization",)),
    "field_missing": lambda _: "",
    "msb_key_malformed": lambda _: "made in advance",
}
"""By the code with which each is refused."""


@pytest.mark.parametrize("code", KEYS)
def test_a_key_that_is_not_good_is_refused_at_init_with_its_own_code(
    place: LockedHouse, seated: Sitting, code: str
) -> None:
    settings = ProctoringSettings(msb=True, msb_key=KEYS[code](place))
    body = msgspec.json.encode(InitBody(PUBLIC_KEY, "candidate-with-a-key", GROUP, settings))
    request = contract.SignedRequest(body.decode(), sign_body(place.home.service.private_key, body))
    with place.home.local_program() as program:
        with pytest.raises(DeskError) as refused:
            program.call("init", contract.Registered, msgspec.to_builtins(request))
        assert program.call("hello", contract.Status).state == "idle"
    assert (refused.value.code, refused.value.sentence[-1], refused.value.remedy[-1]) == (code, ".", ".")


def test_an_address_that_the_key_does_not_name_is_blocked(place: LockedHouse, seated: Sitting) -> None:
    assert seated.browser.context is not None
    page = seated.browser.context.new_page()
    answer = page.goto(f"{place.exam}/questions")
    assert answer is not None
    assert answer.status == 403  # that page is let in by the browser; what it asks for is another matter
    with pytest.raises(Error, match="ERR_BLOCKED_BY_CLIENT"):
        page.goto(place.home.pc.camera_url or "")
    page.close()


def test_the_browser_that_started_the_agent_is_known_by_its_program(running: Sitting) -> None:
    snapshot = running.proctor.snapshot(running.session, lambda it: it.lockdown == "locked" and it.browser)
    browser = running.proctor.detail(running.session).browser
    assert browser is not None
    assert (snapshot.browser, browser.proof, browser.path) == ("path", "path", PROGRAM)
    assert (browser.started_agent, browser.product, browser.why) == (True, PRODUCT, "")


def test_the_exam_is_for_the_browser_alone(place: LockedHouse, running: Sitting) -> None:
    address = f"{place.exam}/questions"
    assert until(lambda: running.fetched(address), lambda it: it[0] == 200, "an attested request") == (200, "ok")
    assert place.questions() == (403, "missing")
    assert place.questions({"SecureProctor-Attestation": "a.b.c"}) == (403, "malformed")
    once = running.attested(address, once=True)
    assert [place.questions(once) for _ in range(2)] == [(200, "ok"), (403, "replayed")]
    assert place.questions(running.attested("https://elsewhere.example/")) == (403, "wrong_audience")


def test_the_quit_password_ends_the_exam_and_gives_the_machine_back(place: LockedHouse, running: Sitting) -> None:
    candidate, header = running.candidate, running.attested(place.exam)
    assert "not the quit password" in running.guess("let us out")
    assert not place.is_free()
    assert running.guess(QUIT_PASSWORD) == ""
    assert place.is_free()
    candidate.expect_state("ended")
    assert place.questions(header) == (403, "session_over")
    report = until(lambda: place.home.report(candidate.user, GROUP), lambda it: it.verified, "all evidence")
    assert (report.end_reason, report.lockdown.phase) == ("quit by password", "released")
    assert report.lockdown.locked_s == pytest.approx(report.running_s, abs=1)
    assert [each.kind for each in report.events if each.kind.startswith("quit")] == ["quit_refused", "quit_by_password"]

"""Every setting of the form, and what it changes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from secureproctor.contract import page as contract
from secureproctor.contract.lockdown import RULES
from tests.e2e.candidate import Candidate
from tests.e2e.house import House
from tests.e2e.line import Line, line
from tests.e2e.tabs import Tabs


@pytest.fixture(scope="module")
def proctor(home: House) -> Iterator[Line]:
    """A proctor who tries what is switched off."""
    with line(home.service) as made:
        yield made


@pytest.fixture(scope="module")
def tab(browser: Tabs) -> Page:
    """One tab for all: who closed a tab and opens another one waits until the first one's place is given away."""
    return browser.tab()


@pytest.fixture
def candidate(tab: Page, home: House) -> Iterator[Candidate]:
    """Another candidate for each test, whose session is over afterwards."""
    yield Candidate(tab, home)
    home.clear()


def test_switched_off_it_captures_less_and_the_proctor_may_do_less(
    candidate: Candidate, proctor: Line, home: House
) -> None:
    off = dict.fromkeys(["screenCapture", "audioProctoring", "recording", "pauseResume", "endTest"], False)
    candidate.open(**off, expiryTime=120, userEmail="eileen@example.org")
    candidate.calls("init", "checkSystem", "start")
    assert home.status().capturing == ("webcam",)
    assert home.status().lockdown == contract.LockdownStatus()
    for kind, setting in {"pause": "Pause/Resume", "resume": "Pause/Resume", "end": "End"}.items():
        assert setting.lower() in proctor.refused(candidate.session, kind).lower()
    snapshot = proctor.snapshot(candidate.session)
    assert (snapshot.expiry_s, snapshot.pause_resume, snapshot.end_test) == (120, False, False)
    candidate.expect_state("running")
    candidate.calls("stop")
    report = candidate.report()
    assert {each["stream"] for each in report["streams"] if each["segments"]} & {"screen", "audio"} == set()
    assert (report["settings"]["recording"], report["user_email"]) == (False, "eileen@example.org")
    assert [each["playlist"] for each in report["streams"] if each["stream"] == "webcam"] == [""]


def test_a_session_begins_paused_and_holds_its_evidence(candidate: Candidate, proctor: Line, home: House) -> None:
    candidate.open(initialStatePaused=True, captureWhilePaused=False).field("autoAcknowledge").check()
    candidate.calls("init", "checkSystem", "start")
    candidate.expect_state("paused")
    expect(candidate.field("pauseLayer")).to_be_visible()
    assert home.status().capturing == ()
    proctor.order(candidate.session, "resume")
    candidate.expect_state("running")
    home.until_status(lambda it: set(it.capturing) == {"screen", "webcam", "audio"}, "the capturing to begin")


@pytest.mark.parametrize(
    ("skip", "steps"), [("skipId", ["photo"]), ("skipIdAndPhoto", [])], ids=["skip ID", "skip ID and photo"]
)
def test_pictures_are_left_out(candidate: Candidate, proctor: Line, skip: str, steps: list[str]) -> None:
    candidate.open(authorization=True, **{skip: True})
    candidate.check_in()
    candidate.desk_press("accept")
    for step in steps:
        candidate.expect_step(step)
        candidate.take_picture()
    if steps:
        candidate.desk_press("submit")
    candidate.expect_step("submitted")
    identity = proctor.detail(candidate.session, lambda it: it.identity.submitted_ms).identity
    assert [identity.photo is not None, identity.id_card] == [bool(steps), None]


def test_an_address_within_the_network_is_no_photo(candidate: Candidate, proctor: Line, home: House) -> None:
    """The exam names a photo; the service fetches none from where it stands, and says so to the proctor."""
    candidate.open(authorization=True, candidatePhotoUrl=f"{home.service.url}/web/icon.svg").calls("init")
    identity = proctor.detail(candidate.session, lambda it: it.identity.reference_error).identity
    assert identity.reference == ""


def test_navigation_control_asks_what_can_be_locked_here(candidate: Candidate, home: House) -> None:
    candidate.open(navigationControl=True, lockdownRequired="keys, focus", browsingTolerance=3)
    candidate.calls("init", "checkSystem")
    candidate.expect_state("ready")
    assert not [entry for entry in candidate.log if "does not pass it on" in entry]
    stated = home.status().lockdown
    assert (stated.phase, stated.tolerance_left, len(stated.rules)) == ("probed", 3, len(RULES))
    assert {each.rule for each in stated.rules if each.required} == {"keys", "focus"}
    assert not any(each.holds for each in stated.rules)
    expect(candidate.page.locator("[data-check=lockdown]")).to_have_attribute("data-status", "passed")


def test_what_is_no_msb_key_is_refused_before_anything_is_captured(candidate: Candidate) -> None:
    assert candidate.open(msb=True, msbKey="made in advance").press("init")["code"] == "msb_key_malformed"
    expect(candidate.field("state")).not_to_have_attribute("data-state", "registered")


def test_a_mistake_is_told_at_its_field(candidate: Candidate) -> None:
    candidate.open(userEmail="nobody", expiryTime=5)
    candidate.field("init").click()
    for name in ("userEmail", "expiryTime"):
        expect(candidate.field(f"{name}-error")).not_to_be_empty()
    expect(candidate.field("state")).not_to_have_attribute("data-state", "registered")

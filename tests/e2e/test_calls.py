"""Every call and every listener of the page, in the order in which an exam uses them, on both transports."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright, expect

from secureproctor.demo.camera import CameraFault
from tests.e2e.candidate import Candidate
from tests.e2e.house import House, until
from tests.e2e.line import Line, line
from tests.e2e.tabs import TRANSPORTS, Tabs, tabs


@pytest.fixture(scope="module", params=TRANSPORTS)
def opened(
    request: pytest.FixtureRequest, home: House, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tabs]:
    """A browser whose pages reach the agent by this transport."""
    with tabs(home, playwright, tmp_path_factory.mktemp(request.param), request.param) as made:
        yield made


@pytest.fixture(scope="module")
def candidate(opened: Tabs) -> Candidate:
    """The candidate of all tests, with every setting that asks for a call."""
    return opened.candidate(authorization=True)


@pytest.fixture(scope="module")
def proctor(home: House, candidate: Candidate) -> Iterator[Line]:
    """A proctor at the other end."""
    with line(home.service) as made:
        yield made


def test_hello_shows_where_the_agent_stands(candidate: Candidate, opened: Tabs) -> None:
    expect(candidate.field("state")).to_have_attribute("data-state", re.compile("idle|ended"))
    expect(candidate.field("transport")).to_have_attribute("data-transport", opened.transport)


def test_start_before_init_is_refused_with_a_remedy(candidate: Candidate) -> None:
    error = until(
        lambda: candidate.press_as_holder("start"),
        lambda refused: refused["code"] != "held_elsewhere",
        "the tab of the other transport to be forgotten",
    )
    assert error["code"] == "not_now"
    assert len(error["text"].splitlines()) == 3


def test_init_registers_and_gives_a_token(candidate: Candidate) -> None:
    candidate.listen()
    candidate.insist("init")
    candidate.expect_state("registered")
    for shown in ("consoleRequest", "consoleSignature", "consoleToken"):
        expect(candidate.field(shown)).not_to_be_empty()
    assert candidate.session


def test_check_system_proves_camera_microphone_and_screen(candidate: Candidate) -> None:
    candidate.calls("checkSystem")
    rows = candidate.page.locator("[data-check]")
    status = {row.get_attribute("data-check"): row.get_attribute("data-status") for row in rows.all()}
    assert {status[name] for name in ("camera", "microphone", "screen")} == {"passed"}
    assert "failed" not in status.values()


def test_start_waits_for_authorization(candidate: Candidate) -> None:
    assert candidate.press("start")["code"] == "not_now"


def test_nothing_is_shown_to_the_camera_before_consent(candidate: Candidate) -> None:
    candidate.expect_step("consent")
    candidate.desk_press("accept")
    candidate.expect_step("photo")


@pytest.mark.parametrize("of", ["photo", "id_card"])
def test_a_picture_is_previewed_taken_and_taken_again(candidate: Candidate, of: str) -> None:
    candidate.expect_step(of)
    candidate.take_picture(again=of == "photo")


def test_the_proctor_sees_what_was_handed_in(candidate: Candidate, proctor: Line) -> None:
    candidate.desk_press("submit")
    candidate.expect_step("submitted")
    detail = proctor.detail(candidate.session, lambda it: it.identity.photo and it.identity.id_card)
    assert detail.identity.step == "submitted"
    assert detail.identity.consent_ms is not None


def test_a_picture_can_be_asked_for_again(candidate: Candidate, proctor: Line) -> None:
    order = proctor.order(candidate.session, "resubmit", argument="photo", text="Please take off the hat.")
    candidate.expect_step("photo")
    expect(candidate.desk).to_contain_text("Please take off the hat.")
    candidate.take_picture()
    candidate.desk_press("submit")
    proctor.command(candidate.session, order, "acknowledged")
    proctor.snapshot(candidate.session, lambda it: it.authorization_step == "submitted")


def test_authorized_the_candidate_starts(candidate: Candidate, proctor: Line) -> None:
    proctor.order(candidate.session, "authorize")
    candidate.expect_step("authorized")
    candidate.insist("start")
    candidate.expect_state("running")
    expect(candidate.field("capturing")).to_have_attribute("data-on", "true")


@pytest.mark.parametrize(("kind", "state"), [("pause", "paused"), ("resume", "running")])
def test_a_request_is_obeyed_at_once_and_acknowledged_by_the_page(
    candidate: Candidate, proctor: Line, kind: str, state: str
) -> None:
    order = proctor.order(candidate.session, kind, text=f"{kind}, please")
    candidate.expect_state(state)
    expect(candidate.field("request")).to_have_attribute("data-kind", kind)
    assert proctor.command(candidate.session, order, "applied").acknowledged_ms is None
    candidate.calls(f"{kind}Ack")
    assert proctor.command(candidate.session, order, "acknowledged").acknowledged_by == "page"
    assert any(f"{kind}, please" in entry for entry in candidate.log)


def test_an_acknowledgement_of_nothing_is_refused(candidate: Candidate) -> None:
    assert candidate.press("pauseAck")["code"] == "nothing_to_acknowledge"


@pytest.mark.parametrize(("kind", "state"), [("pause", "paused"), ("resume", "running")])
def test_auto_acknowledgement_does_without_the_page(candidate: Candidate, proctor: Line, kind: str, state: str) -> None:
    candidate.field("autoAcknowledge").check()
    order = proctor.order(candidate.session, kind)
    candidate.expect_state(state)
    assert proctor.command(candidate.session, order, "acknowledged").acknowledged_by != "page"


def test_a_message_of_the_proctor_is_heard_and_marked_as_read(candidate: Candidate, proctor: Line) -> None:
    proctor.say(candidate.session, "Do you see the clock?")
    expect(candidate.message("Do you see the clock?")).to_have_attribute("data-sender", "proctor")
    expect(candidate.field("consoleChat")).to_contain_text("Do you see the clock?")
    candidate.message(
        "Do you see the clock?"
    ).scroll_into_view_if_needed()  # what nobody has before their eyes is unread
    proctor.detail(candidate.session, lambda it: it.chat and it.chat[-1].delivered_ms and it.chat[-1].read_ms)


def test_a_message_of_the_candidate_gets_its_marks(candidate: Candidate, proctor: Line) -> None:
    candidate.say("I do.")
    own = candidate.message("I do.")
    expect(own).to_have_attribute("data-mark", "delivered")
    detail = proctor.detail(candidate.session, lambda it: it.chat and it.chat[-1].text == "I do.")
    proctor.read(candidate.session, detail.chat[-1].id)
    expect(own).to_have_attribute("data-mark", "read")


def test_a_second_tab_looks_on_until_it_takes_over(candidate: Candidate, opened: Tabs) -> None:
    second = opened.candidate(authorization=True)
    second.expect_state("running")
    expect(second.field("holder")).to_be_visible()
    assert second.press("stop")["code"] == "held_elsewhere"
    second.field("takeOver").click()
    expect(second.field("holder")).to_be_hidden()
    candidate.field("takeOver").click()
    expect(second.field("holder")).to_be_visible()
    second.page.close()


def test_the_error_listener_is_told_of_a_lost_camera(candidate: Candidate, home: House) -> None:
    home.pc.camera_fault(CameraFault.GONE)
    try:
        told = candidate.field("log").locator("[data-kind=error]").filter(has_text="source_lost")
        expect(told.first).to_be_attached()
    finally:
        home.pc.camera_fault(CameraFault.NONE)
    home.until_status(lambda it: "webcam" in it.capturing, "the camera")


def test_the_candidate_sees_what_left_the_computer(candidate: Candidate) -> None:
    candidate.field("departedShow").click()
    for what in ("screen", "webcam", "audio", "events", "stills", "chat"):
        expect(candidate.field("departed").locator(f"[data-departed={what}]")).to_be_attached()


def test_the_end_request_ends_and_is_acknowledged(candidate: Candidate, proctor: Line) -> None:
    candidate.field("autoAcknowledge").uncheck()
    order = proctor.order(candidate.session, "end", text="Time is up.")
    candidate.expect_state("ended")
    candidate.calls("endAck")
    assert proctor.command(candidate.session, order, "acknowledged").acknowledged_by == "page"
    expect(candidate.field("capturing")).to_have_attribute("data-on", "false")


def test_the_report_comes_as_a_link_and_as_json(candidate: Candidate) -> None:
    candidate.calls("reportUrl")
    assert candidate.session in (candidate.field("reportLink").get_attribute("href") or "")
    report = candidate.report()
    assert (report["session_id"], report["state"], report["end_reason"]) == (
        candidate.session,
        "ended",
        "ended by proctor",
    )
    assert {each["sender"] for each in report["chat"]} == {"proctor", "candidate"}
    assert report["identity"]["step"] == "authorized"

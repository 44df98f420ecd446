"""The demo page, as an integrator, a candidate and an automation use it."""

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from secureproctor.contract import page as contract
from secureproctor.contract import signing
from secureproctor.contract.errors import ErrorInfo, Refusal
from secureproctor.contract.http import MANDATORY, SETTINGS, InitBody, ProctoringSettings
from secureproctor.contract.lockdown import LockdownSettings

Until = Callable[..., None]
PRIVATE_KEY = "prïvate+key/="
FILLED = {
    "publicKey": "public-1",
    "userId": "user-1",
    "groupName": "group-1",
    "userName": "Zoë Å",
    "userEmail": "zoe@exam.example",
}


@pytest.fixture
def demo(page: Page, site: Any, agent: Any) -> Page:
    """The demo page, empty, with its agent."""
    page.goto(f"{site.url}/demo?agent={agent.url}")
    expect(page.locator("#state")).to_have_text("Not registered")
    return page


@pytest.fixture
def filled(demo: Page) -> Page:
    """The demo page with all that is mandatory."""
    for name, value in FILLED.items():
        demo.fill(f"#{name}", value)
    demo.fill("#privateKey", PRIVATE_KEY)
    return demo


def test_the_form_asks_for_every_setting_of_the_contract(demo: Page) -> None:
    labels = demo.locator("#form :is(label, legend)").all_inner_texts()
    for name, (label, _) in SETTINGS.items():
        assert any(text.rstrip("*").startswith(label) for text in labels), name
    for name, label in {**MANDATORY, "privateKey": "Private Key", "msbKey": "MSB Key"}.items():
        expect(demo.locator(f"label[for={name}]")).to_have_text(f"{label}*")
        expect(demo.locator(f"#{name}")).to_have_attribute("aria-required", "true")


def test_the_form_begins_with_the_contracts_defaults(filled: Page, agent: Any) -> None:
    filled.click("#init")
    expect(filled.locator("#consoleToken")).to_have_text("token-1")
    (request,) = agent.named("init")
    assert sent(request).proctoring_settings == ProctoringSettings()
    assert sent(request).expiry_time == 300


def sent(request: contract.SignedRequest) -> InitBody:
    return msgspec.json.decode(request.body, type=InitBody, strict=True)


FAULTS = [
    ("publicKey", "", "Fill in Public Key."),
    ("privateKey", " ", "Fill in Private Key."),
    ("userId", "", "Fill in User ID."),
    ("userId", "u" * 257, "User ID may have 256 characters at most."),
    ("groupName", "", "Fill in Group Name."),
    ("userEmail", "zoe", "Write the e-mail address in the form name@example.com."),
    ("userEmail", "zoe@exam", "Write the e-mail address in the form name@example.com."),
    ("expiryTime", "9", "Give a whole number of seconds from 10 to 86400."),
    ("expiryTime", "86401", "Give a whole number of seconds from 10 to 86400."),
    ("expiryTime", "30.5", "Give a whole number of seconds from 10 to 86400."),
    ("expiryTime", "", "Give a whole number of seconds from 10 to 86400."),
    ("candidatePhotoUrl", "javascript:alert(1)", "Give an address that begins with http:// or https://."),
    ("candidatePhotoUrl", "photo.jpg", "Give an address that begins with http:// or https://."),
    ("msbKey", "", "Fill in MSB Key."),
    ("lockdownRequired", "keys, screens,locks", "There is no rule screens, locks."),
    ("browsingTolerance", "1001", "Give a whole number from 0 to 1000, or nothing."),
    ("browsingTolerance", "1.5", "Give a whole number from 0 to 1000, or nothing."),
]


def test_each_fault_is_told_at_its_field_and_nothing_is_sent(filled: Page, agent: Any) -> None:
    filled.check("#msb")
    filled.fill("#msbKey", "key")
    for name, value, sentence in FAULTS:
        field, before = filled.locator(f"#{name}"), filled.input_value(f"#{name}")
        field.fill(value)
        filled.click("#init")
        expect(filled.locator(f"#{name}-error")).to_have_text(sentence)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_be_focused()
        assert f"{name}-error" in (field.get_attribute("aria-describedby") or "")
        field.fill(before)
        expect(filled.locator(f"#{name}-error")).to_be_empty()
        expect(field).to_have_attribute("aria-invalid", "false")
    assert agent.named("init") == []


def test_what_has_no_meaning_cannot_be_chosen(filled: Page, agent: Any) -> None:
    locks = "#lockdownRequired, #browsingTolerance, #beyondTolerance, #programsPolicy, #whilePaused"
    expect(filled.locator("#msbKey")).to_be_disabled()
    for switch in ("#navigationControl", "#msb"):
        assert all(field.is_disabled() for field in filled.locator(locks).all())
        filled.check(switch)
        assert not any(field.is_disabled() for field in filled.locator(locks).all())
        filled.fill("#lockdownRequired", "keys")
        filled.uncheck(switch)
    filled.check("#initialStatePaused")
    filled.uncheck("#pauseResume")
    expect(filled.locator("#initialStatePaused")).to_be_disabled()
    filled.click("#init")
    expect(filled.locator("#consoleToken")).to_have_text("token-1")
    settings = sent(agent.named("init")[0]).proctoring_settings
    assert (settings.pause_resume, settings.initial_state) == (False, "running")
    assert settings.lockdown == LockdownSettings()


def test_the_form_arrives_as_it_was_filled(filled: Page, agent: Any) -> None:
    for name in ("screenCapture", "recording", "audioProctoring", "endTest", "captureWhilePaused"):
        filled.uncheck(f"#{name}")
    for name in ("authorization", "msb", "navigationControl", "skipId", "skipIdAndPhoto", "initialStatePaused"):
        filled.check(f"#{name}")
    filled.fill("#msbKey", "msb-key")
    filled.fill("#candidatePhotoUrl", "https://exam.example/zoe.jpg")
    filled.fill("#expiryTime", "120")
    filled.fill("#lockdownRequired", "keys, focus ,displays")
    filled.fill("#browsingTolerance", "3")
    filled.select_option("#beyondTolerance", "pause")
    filled.select_option("#programsPolicy", "ask")
    filled.select_option("#whilePaused", "lifted")
    filled.click("#init")
    expect(filled.locator("#consoleToken")).to_have_text("token-1")
    body = sent(agent.named("init")[0])
    assert (body.public_key, body.user_id, body.group_name, body.expiry_time) == ("public-1", "user-1", "group-1", 120)
    assert (body.user_meta_data.name, body.user_meta_data.email) == ("Zoë Å", "zoe@exam.example")
    assert body.proctoring_settings == ProctoringSettings(
        screen_capture=False, recording=False, audio_proctoring=False, authorization=True, pause_resume=True,
        initial_state="paused", end_test=False, msb=True, msb_key="msb-key", navigation_control=True, skip_id=True,
        skip_id_and_photo=True, candidate_photo_url="https://exam.example/zoe.jpg", capture_while_paused=False,
        lockdown=LockdownSettings(
            required=("keys", "focus", "displays"), browsing_tolerance=3, beyond_tolerance="pause", programs="ask",
            while_paused="lifted",
        ),
    )  # fmt: skip


def test_init_shows_request_signature_and_token_by_either_scheme(filled: Page, site: Any, agent: Any) -> None:
    for scheme in ("body", "parameters"):
        filled.select_option("#scheme", scheme)
        filled.click("#init")
        expect(filled.locator("#consoleToken")).to_have_text("token-1")
        request = agent.named("init")[-1]
        assert filled.inner_text("#consoleRequest") == request.body
        signature = filled.inner_text("#consoleSignature")
        assert signature == (request.authorization or request.query["asgn"])
        signing.verify(
            {"public-1": PRIVATE_KEY}, method="POST", endpoints=[f"{site.url}/v1/init"], query=request.query,
            body=request.body.encode(), public_key="public-1", authorization=request.authorization,
            now_s=filled.evaluate("Date.now() / 1000"),
        )  # fmt: skip
        assert PRIVATE_KEY not in request.body


@pytest.mark.parametrize(("button", "form"), [("#reportUrl", "url"), ("#reportJson", "json")])
def test_the_report_is_fetched_with_a_signed_query(filled: Page, site: Any, agent: Any, button: str, form: str) -> None:
    filled.click(button)
    expect(filled.locator("#reportLink")).to_have_attribute("href", "https://exam.example/report/session-1?access=a")
    (query,) = agent.named("report")
    expected = {"groupName": "group-1", "publicKey": "public-1", "reportFormat": form, "userId": "user-1"}
    assert query.query == expected == json.loads(filled.inner_text("#consoleRequest"))
    signing.verify(
        {"public-1": PRIVATE_KEY}, method="GET", endpoints=[], query=query.query, body=b"",
        public_key="public-1", authorization=query.authorization, now_s=0,
    )  # fmt: skip
    assert json.loads(filled.locator("#reportText").text_content() or "") == {"schema": 1}


def test_a_refusal_is_shown_whole_and_at_its_field(filled: Page, agent: Any) -> None:
    agent.answers["init"] = Refusal("field_invalid", field="proctoringSettings.candidatePhotoUrl", why="it is gone")
    filled.click("#init")
    error = filled.locator("#consoleError")
    expect(error).to_have_attribute("data-code", "field_invalid")
    assert filled.inner_text("#consoleError").split("\n") == [
        "field_invalid (E400)",
        "The field proctoringSettings.candidatePhotoUrl is not valid: it is gone.",
        "Correct proctoringSettings.candidatePhotoUrl.",
    ]
    expect(filled.locator("#candidatePhotoUrl-error")).to_contain_text("it is gone")


def test_check_system_shows_each_check_with_what_to_do(demo: Page) -> None:
    demo.click("#checkSystem")
    rows = demo.locator("#checks tbody tr")
    expect(rows).to_have_count(3)
    assert [(row.get_attribute("data-check"), row.get_attribute("data-status")) for row in rows.all()] == [
        ("camera", "passed"), ("microphone", "failed"), ("screen", "could_not_check"),
    ]  # fmt: skip
    expect(rows.nth(1)).to_contain_text("only silence")
    expect(rows.nth(1)).to_contain_text("Unmute the microphone.")


def test_start_and_stop_show_what_is_captured(demo: Page, agent: Any) -> None:
    running = contract.Status(
        agent="agent", state="running", session_id="s", capturing=("screen", "webcam", "audio"),
        test_sources=("webcam",), link=contract.LinkStatus(True),
    )  # fmt: skip
    agent.answers.update(
        {"start": running, "stop": contract.Status(agent="agent", state="ended", session_id="s", end_reason="stopped")}
    )
    expect(demo.locator("#capturing")).to_have_text("Nothing")
    demo.click("#start")
    expect(demo.locator("#state")).to_have_attribute("data-state", "running")
    expect(demo.locator("#capturing")).to_have_text("Screen, Camera (test source), Microphone")
    expect(demo.locator("#link")).to_have_text("Online")
    demo.click("#stop")
    expect(demo.locator("#state")).to_have_text("Ended: stopped")
    expect(demo.locator("#capturing")).to_have_text("Nothing")


def test_an_agent_that_went_away_is_told_and_comes_back(demo: Page, agent: Any) -> None:
    agent.become(state="running", session_id="s", link=contract.LinkStatus(True))
    expect(demo.locator("#state")).to_have_text("Running")
    agent.drop()
    expect(demo.locator("#log")).to_contain_text("The agent is away")
    expect(demo.locator("#state")).to_have_text("Running")


def test_listeners_fill_their_outputs_once_they_are_set(demo: Page, agent: Any) -> None:
    for number, button in enumerate(("#listenError", "#listenChat", "#listenEvents")):
        expect(demo.locator(button)).to_have_attribute("aria-pressed", "false")
        demo.click(button)
        expect(demo.locator(button)).to_have_attribute("aria-pressed", "true")
        expect(demo.locator("#log [data-kind=listener]")).to_have_count(number + 1)
    agent.tell(contract.ErrorEvent(ErrorInfo("camera_lost", "The camera is gone.", "Plug it in.")))
    agent.tell(contract.ChatEvent("c", "<b>Hello</b> from the proctor", 1_700_000_000_000))
    agent.tell(contract.RequestEvent("resume", "r-1", "go on", True))
    expect(demo.locator("#consoleError")).to_contain_text("Plug it in.")
    expect(demo.locator("#consoleChat")).to_contain_text("Proctor: <b>Hello</b> from the proctor")
    expect(demo.locator("#log")).to_contain_text("Resume request: go on (acknowledged)")
    demo.click("#listenChat")
    agent.tell(contract.ChatEvent("d", "unheard", 1_700_000_000_000))
    expect(demo.locator("#conversation")).to_contain_text("unheard")
    expect(demo.locator("#consoleChat")).not_to_contain_text("unheard")


def test_chat_goes_to_the_proctor(demo: Page, agent: Any) -> None:
    demo.click("#listenChat")
    demo.fill("#chatText", "My camera is dark.")
    demo.click("#chatSend")
    expect(demo.locator("#consoleChat")).to_contain_text("You: My camera is dark.")
    expect(demo.locator("#chatText")).to_have_value("")
    assert agent.named("sendMessage") == [contract.Message("My camera is dark.")]
    agent.answers["sendMessage"] = Refusal("body_malformed", why="no")
    demo.fill("#chatText", "kept")
    demo.press("#chatText", "Enter")
    expect(demo.locator("#consoleError")).to_contain_text("body_malformed")
    expect(demo.locator("#chatText")).to_have_value("kept")


def test_auto_acknowledgement_is_a_switch_that_tells_the_truth(demo: Page, agent: Any) -> None:
    agent.answers["enableAutoAcknowledgement"] = replace(agent.status, auto_acknowledgement=True)
    demo.check("#autoAcknowledge")
    expect(demo.locator("#log")).to_contain_text("Auto Acknowledgement: on")
    agent.answers["enableAutoAcknowledgement"] = Refusal("busy")
    demo.locator("#autoAcknowledge").click()
    expect(demo.locator("#consoleError")).to_contain_text("busy")
    expect(demo.locator("#autoAcknowledge")).to_be_checked()
    assert [each.enabled for each in agent.named("enableAutoAcknowledgement")] == [True, False]


@pytest.mark.parametrize("kind", ["pause", "resume", "end"])
def test_a_request_is_acknowledged_by_its_id(demo: Page, agent: Any, kind: Any) -> None:
    agent.ask(kind, f"{kind}-7", "a word")
    expect(demo.locator("#request")).to_contain_text("a word")
    demo.click(f"#{kind}Ack")
    expect(demo.locator("#request")).to_be_hidden()
    assert agent.named(f"{kind}Ack") == [contract.Acknowledgement(f"{kind}-7")]


def test_a_pause_covers_the_exam_and_leaves_the_proctor_in_reach(demo: Page, agent: Any) -> None:
    agent.become(state="paused", session_id="s", paused=True)
    agent.ask("pause", "p-1", "The room is too dark.")
    expect(demo.get_by_role("dialog", name="Your test is paused")).to_be_visible()
    expect(demo.locator("#pauseTitle")).to_be_focused()
    expect(demo.locator("#pauseText")).to_have_text("The room is too dark.")
    assert demo.locator("#exam").evaluate("(exam) => exam.inert")
    topmost = "() => document.elementFromPoint(innerWidth / 2, innerHeight / 2).closest('#pauseLayer') !== null"
    assert demo.evaluate(topmost)
    expect(demo.locator("#state")).to_be_visible()
    demo.click("#pauseAck")
    demo.fill("#chatText", "I switch on the light.")
    demo.click("#chatSend")
    expect(demo.locator("#conversation")).to_contain_text("light")
    assert len(agent.named("pauseAck")) == 1
    demo.fill("#chatText", "half a mess")
    agent.become(state="running", paused=False)
    expect(demo.locator("#pauseLayer")).to_be_hidden()
    assert not demo.evaluate(topmost)
    expect(demo.locator("#chatText")).to_have_value("half a mess")
    demo.click("#checkSystem")


def test_a_paused_candidate_can_always_stop(demo: Page, agent: Any) -> None:
    agent.answers["stop"] = contract.Status(agent="agent", state="ended", session_id="s", end_reason="stopped")
    agent.become(state="paused", session_id="s", paused=True)
    demo.click("#pausedStop")
    expect(demo.locator("#pauseLayer")).to_be_hidden()
    assert agent.named("stop") == [{}]


def test_the_form_is_filled_by_the_address_and_the_key_by_the_fragment_alone(page: Page, site: Any, agent: Any) -> None:
    values = "userId=u%201&screenCapture=0&msb=1&msbKey=k&scheme=parameters&initialStatePaused=1&privateKey=leak"
    page.goto(f"{site.url}/demo?agent={agent.url}&{values}#privateKey=a+b/c%3D")
    expect(page.locator("#privateKey")).to_have_value("a+b/c=")
    expect(page.locator("#userId")).to_have_value("u 1")
    expect(page.locator("#msbKey")).to_have_value("k")
    expect(page.locator("#scheme")).to_have_value("parameters")
    expect(page.locator("#screenCapture")).not_to_be_checked()
    expect(page.locator("#initialStatePaused")).to_be_checked()
    expect(page).to_have_url(re.compile(r"^[^#]*$"))
    page.goto(f"{site.url}/demo?agent={agent.url}&privateKey=leak")
    expect(page.locator("#privateKey")).to_have_value("")


def test_an_agent_elsewhere_is_not_taken_from_the_address(page: Page, site: Any) -> None:
    page.goto(f"{site.url}/demo?agent=ws://evil.example/v1/page")
    expect(page.locator("#consoleError")).to_have_attribute("data-code", "agent_url_invalid")


def test_a_missing_agent_is_told_without_a_press(page: Page, site: Any, agent: Any) -> None:
    agent.close()
    page.clock.install()
    page.goto(f"{site.url}/demo?agent={agent.url}")
    page.clock.fast_forward(5_000)
    expect(page.locator("#state")).to_have_text("No agent on this computer yet")
    expect(page.locator("#consoleError")).to_contain_text("agent_missing")
    expect(page.locator("#consoleError")).to_contain_text("Start the SecureProctor agent")


def test_every_control_has_a_name(demo: Page) -> None:
    nameless = demo.evaluate("""() => [...document.querySelectorAll("input, select, textarea, button, output")]
        .filter((each) => !(each.labels?.length || each.textContent.trim() || each.getAttribute("aria-label")))
        .map((each) => each.id)""")
    assert nameless == []


RUNNING: dict[str, Any] = {"state": "running", "session_id": "s", "link": contract.LinkStatus(True)}
PAUSED: dict[str, Any] = {**RUNNING, "state": "paused", "paused": True}
TERMS = contract.ConsentTerms(("screen", "photo"), "Algebra", "Example University", "https://proctoring.example", 72)
SAID = (
    contract.ChatMessage("m-1", "proctor", "Please show your desk.", 1_700_000_000_000, "Ada", 1_700_000_000_500),
    contract.ChatMessage("m-2", "candidate", "Of course.", 1_700_000_001_000, "", 1_700_000_001_100, 1_700_000_002_000),
    contract.ChatMessage("m-3", "candidate", "Is it seen?", 1_700_000_003_000),
)


def marks(demo: Page) -> dict[str, str]:
    """How far each message of the conversation came."""
    return {
        item.get_attribute("data-message") or "": item.get_attribute("data-mark") or ""
        for item in demo.locator("#conversation li").all()
    }


def test_an_open_camera_is_told_also_before_the_start(demo: Page, agent: Any) -> None:
    desk = contract.AuthorizationStatus("capture", TERMS, ("photo",), preview=True)
    agent.become(state="awaiting_authorization", session_id="s", authorization=desk)
    expect(demo.locator("#capturing")).to_have_text("Camera, for your own eyes")
    agent.become(authorization=msgspec.structs.replace(desk, preview=False))
    expect(demo.locator("#capturing")).to_have_text("Nothing")


def test_the_desk_is_there_while_authorization_is_awaited(demo: Page, agent: Any, until: Until) -> None:
    agent.become(state="registered", session_id="s", authorization=contract.AuthorizationStatus("consent", TERMS))
    expect(demo.locator("#desk")).to_be_hidden()
    agent.become(state="awaiting_authorization")
    expect(demo.locator("#desk section")).to_have_attribute("data-step", "consent")
    expect(demo.locator("#state")).to_have_text("Waiting for authorization")
    demo.click("[data-desk=accept]")
    until(lambda: agent.named("consent") == [contract.Consent(True)], "the consent")
    agent.tell(contract.AuthorizationEvent("resubmit", "Too dark."))
    expect(demo.locator("#log")).to_contain_text("resubmit: Too dark.")
    agent.become(state="running", authorization=contract.AuthorizationStatus("authorized", TERMS))
    expect(demo.locator("#desk")).to_be_hidden()


def test_a_request_tells_how_long_it_waits_and_comes_again(demo: Page, agent: Any, until: Until) -> None:
    agent.become(**RUNNING)
    demo.click("#listenEvents")
    expect(demo.locator("#listenEvents")).to_have_attribute("aria-pressed", "true")
    demo.clock.install()
    demo.clock.pause_at(4_000_000_000)
    agent.ask("end", "e-1", "Time is over.", 25.0)
    expect(demo.locator("#requestLeft")).to_have_text("0:25")
    demo.clock.run_for(10_000)
    expect(demo.locator("#requestLeft")).to_have_attribute("data-seconds", "15")
    agent.tell(contract.RequestEvent("end", "e-1", "Time is over.", reminder=1, left_s=15.0))
    expect(demo.locator("#requestText")).to_have_text("Asked again: End – “Time is over.”: please confirm with End Ack")
    expect(demo.locator("#requestNews")).to_contain_text("Asked again")
    expect(demo.locator("#log")).to_contain_text("End request: Time is over. (asked again)")
    demo.clock.run_for(15_000)
    expect(demo.locator("#requestLeftText")).to_contain_text("The proctor has been told")
    demo.click("#endAck")
    until(lambda: agent.named("endAck") == [contract.Acknowledgement("e-1")], "the acknowledgement")
    agent.become(pending=())
    expect(demo.locator("#request")).to_be_hidden()


def test_a_session_that_begins_paused_waits_with_its_request(page: Page, site: Any, agent: Any, until: Until) -> None:
    """Also for a page that is loaded again in the middle of it."""
    pending = contract.PendingRequest("pause", "p-1", "We begin at nine.", 12.0)
    agent.status = replace(agent.status, **PAUSED, pending=(pending,))
    for _ in range(2):
        page.goto(f"{site.url}/demo?agent={agent.url}")
        expect(page.get_by_role("dialog", name="Your test is paused")).to_be_visible()
        expect(page.locator("#pauseText")).to_have_text("We begin at nine.")
        expect(page.locator("#request")).to_have_attribute("data-id", "p-1")
        expect(page.locator("#requestLeft")).to_be_visible()
    page.click("#pauseAck")
    until(lambda: agent.named("pauseAck") == [contract.Acknowledgement("p-1")], "the acknowledgement")


def test_the_conversation_is_there_after_a_reload(page: Page, site: Any, agent: Any, until: Until) -> None:
    agent.status = replace(agent.status, **RUNNING)
    agent.answers["conversation"] = contract.Conversation(SAID)
    page.goto(f"{site.url}/demo?agent={agent.url}")
    for _ in range(2):
        expect(page.locator("#conversation li")).to_have_count(3)
        assert [item.get_attribute("data-sender") for item in page.locator("#conversation li").all()] == [
            "proctor", "candidate", "candidate",
        ]  # fmt: skip
        expect(page.locator("#conversation li").first).to_contain_text("Ada")
        page.reload()
    expect(page.locator("#conversation li")).to_have_count(3)
    agent.tell(contract.ChatEvent("m-0", "This came before.", 1_600_000_000_000, "Ada"))
    expect(page.locator("#conversation li").first).to_contain_text("This came before.")
    assert {name: mark for name, mark in marks(page).items() if name in ("m-2", "m-3")} == {
        "m-2": "read",
        "m-3": "sent",
    }


def test_a_message_shows_how_far_it_came(demo: Page, agent: Any) -> None:
    agent.become(**RUNNING)
    demo.fill("#chatText", "My camera is dark.")
    demo.click("#chatSend")
    item = demo.locator("#conversation li[data-message=chat-1]")
    expect(item).to_have_attribute("data-mark", "sent")
    for mark in ("delivered", "read"):
        agent.tell(contract.ChatMarkEvent("chat-1", mark, 1))
        expect(item).to_have_attribute("data-mark", mark)
        expect(item).to_contain_text(mark.capitalize())
    agent.tell(contract.ChatMarkEvent("chat-1", "delivered", 1))  # late
    agent.tell(contract.ChatMarkEvent("chat-2", "delivered", 1))  # before its message
    agent.answers["sendMessage"] = contract.Sent("chat-2")
    demo.fill("#chatText", "Still there?")
    demo.click("#chatSend")
    expect(demo.locator("#conversation li")).to_have_count(2)
    expect(demo.locator("#conversation li[data-message=chat-2]")).to_have_attribute("data-mark", "delivered")
    assert marks(demo)["chat-1"] == "read"


def test_a_message_of_the_proctor_is_read_when_it_is_seen(demo: Page, agent: Any, until: Until) -> None:
    agent.become(**RUNNING)
    demo.evaluate("() => { scrollTo(0, 0); document.hasFocus = () => false }")
    agent.tell(contract.ChatEvent("m-1", "Please show your desk.", 1))
    agent.tell(contract.ChatEvent("m-2", "Thank you.", 2))
    expect(demo.locator("#conversation li")).to_have_count(2)
    demo.locator("#chatText").scroll_into_view_if_needed()
    demo.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    assert agent.named("chatRead") == []
    demo.evaluate("() => { document.hasFocus = () => true; dispatchEvent(new Event('focus')) }")
    until(lambda: agent.named("chatRead"), "the read mark")
    expect(demo.locator("#conversation li[data-message=m-1]")).to_have_attribute("data-mark", "read")
    assert [each.id for each in agent.named("chatRead")] == ["m-2"]  # up to this one


def test_another_tab_that_holds_the_session_is_told_and_can_be_taken_over_from(
    demo: Page, agent: Any, until: Until
) -> None:
    agent.become(**RUNNING)
    expect(demo.locator("#holder")).to_be_hidden()
    agent.tell(contract.HolderEvent(False))
    expect(demo.locator("#holder")).to_be_visible()
    expect(demo.locator("#holderNews")).to_contain_text("another tab")
    agent.tell(contract.ChatEvent("m-1", "seen by the other tab", 1))
    expect(demo.locator("#conversation li")).to_have_count(1)
    demo.locator("#conversation").scroll_into_view_if_needed()
    demo.click("#takeOver")
    until(lambda: agent.named("takeOver") == [{}], "the taking over")
    assert agent.named("chatRead") == []  # this page is not the one
    agent.tell(contract.HolderEvent(True))
    expect(demo.locator("#holder")).to_be_hidden()


def test_what_left_the_machine_is_listed(demo: Page, agent: Any) -> None:
    demo.click("#departedShow")
    expect(demo.locator("#departed")).to_have_text("Nothing has left this computer.")
    rows = (
        contract.DepartedRow("screen", 12, 3_400_000, 1_700_000_000_000, 1_700_000_060_000),
        contract.DepartedRow("chat", 1, 20, 1_700_000_000_000, 1_700_000_000_000),
    )
    agent.answers["departed"] = contract.Departed("https://proctoring.example", rows)
    demo.click("#departedShow")
    expect(demo.locator("[data-departed]")).to_have_count(2)
    assert [row.get_attribute("data-departed") for row in demo.locator("[data-departed]").all()] == ["screen", "chat"]
    expect(demo.locator("[data-departed=screen]")).to_contain_text("3.4 MB")
    expect(demo.locator("#departed")).to_contain_text("https://proctoring.example")


def test_quality_and_transport_are_shown(demo: Page, agent: Any, site: Any) -> None:
    expect(demo.locator("#quality")).to_have_text("–")
    for quality, shown in {"full": "Full", "reduced": "Reduced", "least": "Lowest"}.items():
        agent.become(**RUNNING, quality=quality)
        expect(demo.locator("#quality")).to_have_text(shown)
        expect(demo.locator("#quality")).to_have_attribute("data-level", quality)
    expect(demo.locator("#transport")).to_have_attribute("data-transport", "loopback")


def test_the_page_goes_through_the_extension_when_it_is_asked_to(exam: Any, page: Page, site: Any, agent: Any) -> None:
    exam.extend()
    page.goto(f"{site.url}/demo?transport=native")
    expect(page.locator("#transport")).to_have_text("Extension")
    agent.become(**RUNNING)
    expect(page.locator("#state")).to_have_text("Running")
    page.click("#checkSystem")
    expect(page.locator("#checks tbody tr")).to_have_count(3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_told_from_its_ground_in_both_schemes(
    demo: Page, agent: Any, scheme: Any, faint: Callable[[str], list[Any]]
) -> None:
    demo.emulate_media(color_scheme=scheme)
    agent.answers["conversation"] = contract.Conversation(SAID)
    agent.become(**RUNNING)
    agent.ask("end", "e-1", "Time is over.")
    agent.tell(contract.HolderEvent(False))
    demo.click("#checkSystem")
    demo.click("#departedShow")
    expect(demo.locator("#request")).to_be_visible()
    expect(demo.locator("#holder")).to_be_visible()
    expect(demo.locator("#checks tbody tr")).to_have_count(3)
    assert faint("body") == []


def test_it_fits_a_narrow_window(demo: Page, agent: Any) -> None:
    demo.set_viewport_size({"width": 400, "height": 800})
    agent.become(**RUNNING)
    agent.ask("pause", "p-1", "a" * 200)
    agent.tell(contract.HolderEvent(False))
    expect(demo.locator("#holder")).to_be_visible()
    assert demo.evaluate("document.documentElement.scrollWidth") <= 400

"""The authorization desk: what a candidate sees, hears and presses, from consent to the proctor's decision."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from msgspec.structs import replace
from playwright.sync_api import Locator, Page, expect

from secureproctor.contract import page as contract
from secureproctor.contract.errors import CODES, Refusal
from secureproctor.contract.stills import HINTS

Until = Callable[..., None]
Faint = Callable[[str], list[Any]]
ROOT = Path(__file__).parents[2]
TERMS = contract.ConsentTerms(
    ("screen", "webcam", "audio", "photo", "id_card"),
    "Algebra I",
    "Example University",
    "https://proctoring.example",
    72,
)
AWAITING = contract.Status(
    agent="agent", state="awaiting_authorization", session_id="s", link=contract.LinkStatus(True),
    authorization=contract.AuthorizationStatus("consent", TERMS),
)  # fmt: skip
OF: dict[str, int] = {"photo": 1, "id_card": 2}
DESK = b"""<!doctype html><html lang=en><title>Exam</title><link rel=icon href=/web/icon.svg>
<script src=/secureproctor.js></script><script type=module src=/desk.js></script>
<main><button id=elsewhere>Elsewhere</button><input id=chat aria-label=Chat><div id=desk></div></main>"""
SCRIPT = b"""import {showAuthorization} from "%s";
globalThis.proctor = new SecureProctor({agentUrl: new URLSearchParams(location.search).get("agent")});
globalThis.closing = new AbortController();
globalThis.outcomes = [];
await proctor.hello();
showAuthorization(proctor, document.getElementById("desk"), {signal: closing.signal})
    .then((outcome) => outcomes.push(outcome), (error) => outcomes.push(error.name));"""


def jpeg(shade: int) -> str:
    """A small picture in base64, told from others by its shade."""
    return base64.b64encode(cv2.imencode(".jpg", np.full((48, 64, 3), shade, np.uint8))[1].tobytes()).decode()


@dataclass
class Candidate:
    """The desk on a page, and an agent that does as the desk asks."""

    page: Page
    url: str
    agent: Any

    def __post_init__(self) -> None:
        self.agent.status = AWAITING
        answers: dict[str, Callable[[Any], object]] = {
            "consent": lambda params: self.step("capture" if params.accepted else "consent"),
            "startPreview": lambda params: self.step("capture", preview=True),
            "stopPreview": lambda params: self.step(self.agent.status.authorization.step, preview=False),
            "takePhoto": self._take,
            "submitAuthorization": lambda params: self.step("submitted", wanted=(), taken=(), preview=False),
        }
        self.agent.answers |= answers

    def step(self, step: Any, **changes: Any) -> contract.Status:
        """Change the authorization without telling; the status then."""
        authorization = self.agent.status.authorization
        if step == "capture" and authorization.step == "consent":
            changes |= {"wanted": ("photo", "id_card")}
        status: contract.Status = self.agent.status
        status = replace(status, authorization=replace(authorization, step=step, **changes))
        self.agent.status = status
        return status

    def told(self, step: Any, **changes: Any) -> None:
        """Change the authorization, as the agent tells it."""
        self.agent.tell(self.step(step, **changes))

    def _take(self, params: contract.Picture) -> contract.Shot:
        taken = self.agent.status.authorization.taken
        self.told("capture", taken=(*(of for of in taken if of != params.of), params.of))
        return contract.Shot(params.of, jpeg(60 * OF[params.of]), 64, 48, 1_700_000_000_000, ("too_dark",))

    def preview(self, of: Any = "photo", *hints: str) -> None:
        """The camera sees something."""
        self.agent.tell(contract.PreviewEvent(of, jpeg(200), 64, 48, hints))

    def load(self) -> None:
        """Load the page, again or the first time."""
        self.page.goto(self.url)
        expect(self.page.locator("section.authorization")).to_have_count(1)

    def press(self, button: str) -> None:
        self.page.click(f"[data-desk={button}]")

    def at(self, step: str) -> None:
        """Wait until the desk is at a step."""
        expect(self.page.locator("section.authorization")).to_have_attribute("data-step", step)

    def part(self, name: str) -> Locator:
        return self.page.locator(f"[data-desk={name}]")

    @property
    def title(self) -> Locator:
        return self.page.locator("section.authorization > h2")

    def buttons(self) -> list[str]:
        """The names of what can be pressed."""
        seen = self.page.locator("section.authorization button:visible").all()
        return [each.get_attribute("data-desk") or "" for each in seen]

    def called(self, *methods: str) -> list[str]:
        """Which of the methods were called, in order."""
        return [method for method, _ in self.agent.calls if method in methods]

    def outcomes(self) -> list[Any]:
        """What the promise became."""
        found: list[Any] = self.page.evaluate("outcomes")
        return found


@pytest.fixture
def candidate(page: Page, site: Any, agent: Any) -> Candidate:
    """A page with the desk, not yet loaded."""
    site.files["/desk"] = ("text/html", DESK)
    site.files["/desk.js"] = ("text/javascript", SCRIPT % b"/authorization.js")
    return Candidate(page, f"{site.url}/desk?agent={agent.url}", agent)


def test_a_candidate_goes_from_consent_to_the_proctors_word(candidate: Candidate) -> None:
    candidate.load()
    candidate.at("consent")
    assert candidate.buttons() == ["accept", "decline"]
    candidate.press("accept")
    for of in ("photo", "id_card"):
        candidate.at(of)
        if of == "photo":
            assert candidate.buttons() == ["start-camera"]
            expect(candidate.part("state")).to_contain_text("The camera opens when you press the button.")
            candidate.press("start-camera")
        candidate.preview(of)
        expect(candidate.part("preview")).to_be_visible()
        assert candidate.buttons() == ["take"]
        candidate.press("take")
        expect(candidate.part("shot")).to_be_visible()
        assert candidate.buttons() == ["use", "retake"]
        candidate.press("use")
    candidate.at("review")
    expect(candidate.page.get_by_role("img", name="The photo that was taken of you")).to_be_visible()
    expect(candidate.page.get_by_role("img", name="The picture that was taken of your ID card")).to_be_visible()
    candidate.press("submit")
    candidate.at("submitted")
    assert candidate.buttons() == []
    assert candidate.outcomes() == []
    candidate.told("authorized", text="Good luck!")
    candidate.at("authorized")
    expect(candidate.part("words")).to_have_text("Good luck!")
    assert candidate.outcomes() == []  # Start is not possible yet
    candidate.agent.become(state="ready")
    candidate.page.wait_for_function("outcomes.length")
    assert candidate.outcomes() == [{"decision": "authorized", "text": "Good luck!"}]
    candidate.agent.become(state="running")
    expect(candidate.title).to_be_hidden()
    assert [each.of for each in candidate.agent.named("takePhoto")] == ["photo", "id_card"]


def test_the_terms_say_what_for_whom_where_and_how_long(candidate: Candidate) -> None:
    candidate.load()
    candidate.at("consent")
    rows = candidate.part("terms").locator("dt, dd").all_inner_texts()
    assert dict(zip(rows[::2], rows[1::2], strict=True)) == {
        "What is captured": "Your screen\nThe picture of your camera\nThe sound of your microphone\n"
        "A photo of you, taken before the start\nA picture of your ID card, taken before the start",
        "For whom": "Example University, for Algebra I",
        "Where it goes": "https://proctoring.example",
        "How long it is kept": "3 days",
    }
    candidate.told("consent", terms=replace(TERMS, live_only=True, kept_h=1.0))
    expect(candidate.part("terms")).to_contain_text("watched live and not recorded")
    expect(candidate.part("terms")).to_contain_text("1 hour")


def test_who_does_not_agree_is_told_what_that_means_and_may_still_agree(candidate: Candidate) -> None:
    candidate.load()
    candidate.press("decline")
    expect(candidate.part("state")).to_contain_text("You did not agree, so the exam cannot start")
    assert candidate.buttons() == ["accept", "decline"]
    candidate.press("accept")
    candidate.at("photo")
    assert [each.accepted for each in candidate.agent.named("consent")] == [False, True]


def test_a_picture_can_be_taken_again_at_once_and_before_it_is_handed_in(candidate: Candidate) -> None:
    candidate.step("capture", preview=True)
    candidate.load()
    candidate.preview()
    candidate.press("take")
    candidate.press("retake")
    candidate.at("photo")
    expect(candidate.part("shot")).to_be_hidden()
    candidate.press("take")
    candidate.press("use")
    candidate.at("id_card")
    candidate.press("take")
    candidate.press("use")
    candidate.at("review")
    candidate.press("retake-photo")
    candidate.at("photo")
    candidate.press("start-camera")
    candidate.press("take")
    candidate.press("use")
    candidate.at("review")
    assert [each.of for each in candidate.agent.named("takePhoto")] == ["photo", "photo", "id_card", "photo"]


def test_the_camera_follows_the_steps(candidate: Candidate, until: Until) -> None:
    """It is shown the next picture's hints, and is closed after the last."""
    candidate.step("capture")
    candidate.load()
    candidate.press("start-camera")
    candidate.preview()
    for _ in range(2):
        candidate.press("take")
        candidate.press("use")
    candidate.at("review")
    until(lambda: candidate.called("stopPreview"), "the camera's closing")
    assert candidate.called("startPreview", "takePhoto", "stopPreview") == [
        "startPreview", "takePhoto", "startPreview", "takePhoto", "stopPreview",
    ]  # fmt: skip
    assert [each.of for each in candidate.agent.named("startPreview")] == ["photo", "id_card"]


def test_a_camera_that_closed_by_itself_can_be_opened_again(candidate: Candidate) -> None:
    candidate.step("capture", preview=True)
    candidate.load()
    candidate.preview()
    expect(candidate.part("preview")).to_be_visible()
    candidate.told("capture", preview=False)
    expect(candidate.part("preview")).to_be_hidden()
    assert candidate.part("preview").get_attribute("src") is None
    assert candidate.buttons() == ["start-camera"]


@pytest.mark.parametrize(
    ("asked", "steps"),
    [(("photo",), ["photo"]), (("id_card",), ["id_card"]), (("photo", "id_card"), ["photo", "id_card"])],
)
def test_what_the_proctor_asks_for_again_is_shown_with_their_words(
    candidate: Candidate, asked: tuple[Any, ...], steps: list[str]
) -> None:
    candidate.step("submitted")
    candidate.load()
    candidate.at("submitted")
    candidate.told("capture", wanted=asked, text="<b>Too</b> dark.")
    for step in steps:
        candidate.at(step)
        expect(candidate.part("words")).to_have_text("<b>Too</b> dark.")
        if candidate.buttons() == ["start-camera"]:
            candidate.press("start-camera")
        candidate.press("take")
        candidate.press("use")
    candidate.at("review")
    candidate.press("submit")
    candidate.at("submitted")


def test_who_is_rejected_is_told_why(candidate: Candidate) -> None:
    candidate.step("submitted")
    candidate.load()
    candidate.told("rejected", text="The card has expired.")
    candidate.at("rejected")
    expect(candidate.title).to_have_text("You may not start")
    expect(candidate.part("words")).to_have_text("The card has expired.")
    candidate.agent.become(state="ended", end_reason="rejected by proctor")
    expect(candidate.title).to_be_visible()
    assert candidate.outcomes() == [{"decision": "rejected", "text": "The card has expired."}]


def test_a_page_that_was_loaded_again_is_at_the_same_step(candidate: Candidate, until: Until) -> None:
    steps = {
        "consent": candidate.agent.status,
        "photo": candidate.step("capture", preview=True),
        "id_card": candidate.step("capture", taken=("photo",)),
        "review": candidate.step("capture", taken=("photo", "id_card")),
        "submitted": candidate.step("submitted", wanted=(), taken=(), preview=False),
        "authorized": candidate.step("authorized"),
    }
    for step, status in steps.items():
        candidate.agent.status = status
        candidate.load()
        candidate.at(step)
        if step == "photo":
            candidate.preview()
            expect(candidate.part("preview")).to_be_visible()
        if step == "id_card":
            candidate.preview("photo")  # the camera was opened by the page before, for what is done
            until(lambda: candidate.agent.named("startPreview"), "the next picture")
            assert candidate.agent.named("startPreview") == [contract.Picture("id_card")]
        if step == "review":
            expect(candidate.page.locator(".desk-kept")).to_contain_text("cannot show it")


def test_without_pictures_consent_is_all_that_is_handed_in(candidate: Candidate) -> None:
    candidate.agent.answers["consent"] = lambda params: candidate.step("submitted")
    candidate.load()
    candidate.press("accept")
    candidate.at("submitted")
    expect(candidate.title).to_have_text("Waiting for the proctor")


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"authorization": None, "state": "registered"}, {"decision": "off", "text": ""}),
        ({"state": "ended"}, {"decision": "ended", "text": ""}),
    ],
)
def test_what_needs_no_desk_has_none(candidate: Candidate, changes: dict[str, Any], outcome: dict[str, str]) -> None:
    candidate.agent.status = replace(candidate.agent.status, **changes)
    candidate.load()
    candidate.page.wait_for_function("outcomes.length")
    assert candidate.outcomes() == [outcome]
    expect(candidate.page.locator("section.authorization")).to_be_hidden()


def test_before_its_time_there_is_no_desk(candidate: Candidate) -> None:
    """Check System comes first."""
    candidate.agent.status = replace(candidate.agent.status, state="registered")
    candidate.load()
    expect(candidate.page.locator("section.authorization")).to_be_hidden()
    candidate.agent.become(state="awaiting_authorization")
    candidate.at("consent")
    assert candidate.outcomes() == []


def test_hints_stand_still_until_they_are_sure(candidate: Candidate) -> None:
    candidate.step("capture", preview=True)
    candidate.load()
    candidate.at("photo")
    candidate.page.clock.install()
    candidate.page.clock.pause_at(4_000_000_000)
    candidate.page.evaluate("""() => {
        globalThis.said = [];
        const place = document.querySelector("[data-desk=hints]");
        new MutationObserver(() => said.push(place.textContent)).observe(place, {childList: true});
    }""")

    def sees(seconds: float, *hints: str) -> None:
        for _ in range(round(seconds * 5)):
            candidate.preview("photo", *hints)
            candidate.page.evaluate("() => proctor.hello()")  # the preview is there when this is answered
            candidate.page.clock.run_for(200)

    sees(2, "too_dark", "blurred", "face_small")
    sees(0.4, "no_face")  # a head that turned for a moment
    sees(3, "too_dark", "blurred")
    sees(2)
    assert candidate.page.evaluate("said") == [f"{HINTS['too_dark']} {HINTS['blurred']}", "The picture looks good."]
    hints = candidate.part("hints")
    expect(hints).to_have_attribute("role", "status")
    expect(hints).to_have_attribute("data-good", "true")


def test_hints_forbid_nothing_and_stay_with_the_picture(candidate: Candidate) -> None:
    candidate.step("capture", preview=True)
    candidate.load()
    candidate.preview("photo", "no_face")
    expect(candidate.part("take")).to_be_enabled()
    candidate.press("take")
    expect(candidate.part("hints")).to_have_text(HINTS["too_dark"])
    expect(candidate.part("use")).to_be_enabled()


def test_the_pages_hints_are_those_of_the_contract(candidate: Candidate) -> None:
    candidate.load()
    assert candidate.page.evaluate("async () => (await import('/web/authorization-hints.js')).HINTS") == HINTS


def test_a_refusal_is_told_with_what_to_do_and_goes_away(candidate: Candidate) -> None:
    candidate.step("capture")
    candidate.agent.answers["startPreview"] = Refusal(
        "camera_unavailable", diagnosis="another program has it", remedy="Close the other program."
    )
    candidate.load()
    candidate.press("start-camera")
    fault = candidate.page.get_by_role("alert").filter(has_text="another program has it")
    expect(fault).to_contain_text("Close the other program.")
    candidate.agent.answers["startPreview"] = lambda params: candidate.step("capture", preview=True)
    candidate.press("start-camera")
    expect(candidate.part("take")).to_be_visible()
    expect(candidate.part("fault")).to_be_empty()


def test_a_second_tab_sees_the_step_and_may_take_over(candidate: Candidate) -> None:
    candidate.load()
    candidate.agent.tell(contract.HolderEvent(False))
    expect(candidate.part("accept")).to_be_disabled()
    expect(candidate.page.locator(".desk-held")).to_contain_text("open in another tab")
    candidate.press("take-over")
    candidate.agent.tell(contract.HolderEvent(True))
    expect(candidate.part("accept")).to_be_enabled()
    assert len(candidate.agent.named("takeOver")) == 1


def test_what_is_away_is_told_while_it_waits(candidate: Candidate) -> None:
    candidate.step("submitted")
    candidate.load()
    candidate.at("submitted")
    candidate.agent.become(link=contract.LinkStatus(False, 20.0))
    expect(candidate.part("state")).to_contain_text("sent by itself as soon as it is back")
    candidate.agent.become(link=contract.LinkStatus(True))
    expect(candidate.part("state")).to_contain_text("All is handed in")
    candidate.agent.close()
    expect(candidate.part("state")).to_contain_text("The SecureProctor agent is away.")


def test_the_desk_can_be_closed(candidate: Candidate) -> None:
    candidate.load()
    candidate.at("consent")
    candidate.page.evaluate("closing.abort()")
    expect(candidate.page.locator("section.authorization")).to_have_count(0)
    assert candidate.outcomes() == ["AbortError"]
    candidate.told("submitted")
    candidate.page.evaluate("() => proctor.hello()")  # nothing listens any more, and nothing fails


def test_it_is_the_same_from_the_services_root_and_from_its_folder(candidate: Candidate, site: Any) -> None:
    for path in (b"/authorization.js", b"/web/authorization.js"):
        site.files["/desk.js"] = ("text/javascript", SCRIPT % path)
        candidate.load()
        candidate.at("consent")
        sheet = candidate.page.locator("link[rel=stylesheet]")
        expect(sheet).to_have_attribute("href", f"{site.url}/web/authorization.css")
        expect(candidate.page.locator("section.authorization")).to_have_css("border-top-style", "solid")


# keyboard and screen reader


def test_all_is_done_by_the_keyboard(candidate: Candidate) -> None:
    """From each step's heading, which has the focus, Tab goes on to its buttons."""
    candidate.load()
    candidate.page.focus("[data-desk=accept]")
    candidate.page.keyboard.press("Enter")
    for step, buttons in (
        ("Your photo", ["start-camera"]), ("Your photo", ["take"]), ("Your photo", ["use"]), ("Your ID card", ["take"]),
        ("Your ID card", ["use"]), ("Hand in", ["retake-photo", "retake-id_card", "submit"]),
    ):  # fmt: skip
        expect(candidate.title).to_have_text(step)
        for button in buttons:
            expect(candidate.part(button)).to_be_visible()
        expect(candidate.title).to_be_focused()
        for button in buttons:
            candidate.page.keyboard.press("Tab")
            expect(candidate.part(button)).to_be_focused()
        candidate.page.keyboard.press("Enter")
    candidate.at("submitted")
    expect(candidate.title).to_be_focused()


def test_the_focus_is_not_taken_from_who_writes_elsewhere(candidate: Candidate) -> None:
    candidate.step("submitted")
    candidate.load()
    candidate.at("submitted")
    assert candidate.page.evaluate("document.activeElement === document.body")  # nor at the page's beginning
    candidate.page.focus("#chat")
    candidate.told("authorized")
    candidate.at("authorized")
    expect(candidate.page.locator("#chat")).to_be_focused()


def test_a_desk_that_appears_has_the_focus(candidate: Candidate) -> None:
    """As after the press on Check System; but not while somebody writes."""
    candidate.agent.status = replace(candidate.agent.status, state="registered")
    candidate.load()
    candidate.page.focus("#elsewhere")
    candidate.agent.become(state="awaiting_authorization")
    expect(candidate.title).to_be_focused()
    candidate.agent.become(state="registered")
    expect(candidate.title).to_be_hidden()
    candidate.page.focus("#chat")
    candidate.agent.become(state="awaiting_authorization")
    expect(candidate.title).to_be_visible()
    expect(candidate.page.locator("#chat")).to_be_focused()


LIVE = {"state": "status", "hints": "status", "fault": "alert"}


def test_what_changes_is_announced_by_regions_that_were_there_before(candidate: Candidate) -> None:
    candidate.load()
    for name, role in LIVE.items():
        expect(candidate.part(name)).to_have_attribute("role", role)
    candidate.page.evaluate("""() => {
        globalThis.regions = [...document.querySelectorAll("[role=status], [role=alert]")];
    }""")
    candidate.press("accept")
    candidate.press("start-camera")
    candidate.press("take")
    candidate.at("photo")
    assert candidate.page.evaluate("regions.every((each) => each.isConnected)")


def test_a_status_that_tells_nothing_new_is_not_read_out_again(candidate: Candidate) -> None:
    candidate.load()
    candidate.at("consent")
    candidate.page.evaluate("""() => {
        globalThis.writes = 0;
        const section = document.querySelector("section.authorization");
        const anything = {childList: true, characterData: true, subtree: true};
        for (const region of section.querySelectorAll("[role]"))
            new MutationObserver((all) => (writes += all.length)).observe(region, anything);
    }""")
    for waiting in range(5):
        candidate.agent.become(waiting_segments=waiting)
    candidate.page.evaluate("() => proctor.hello()")
    assert candidate.page.evaluate("writes") == 0


def steps_of(candidate: Candidate) -> dict[str, contract.Status]:
    """A status for each look of the desk."""
    return {
        "consent": candidate.agent.status,
        "photo": candidate.step("capture", preview=True, text="The photo is too dark."),
        "review": candidate.step("capture", taken=("photo", "id_card")),
        "submitted": candidate.step("submitted", wanted=(), taken=(), preview=False, text=""),
        "rejected": candidate.step("rejected", text="No."),
    }


def test_every_control_and_picture_has_a_name(candidate: Candidate) -> None:
    for step, status in steps_of(candidate).items():
        candidate.agent.status = status
        candidate.load()
        candidate.at(step)
        candidate.preview()
        nameless = candidate.page.evaluate("""() =>
            [...document.querySelectorAll("section.authorization :is(button, img)")]
                .filter((each) => each.checkVisibility() && !(each.alt ?? each.textContent).trim())
                .map((each) => each.outerHTML)""")
        assert nameless == []
        expect(candidate.page.get_by_role("region", name=candidate.title.inner_text())).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_told_from_its_ground_in_both_schemes(candidate: Candidate, scheme: Any, faint: Faint) -> None:
    candidate.page.emulate_media(color_scheme=scheme)
    candidate.agent.answers["consent"] = Refusal("internal")
    for step, status in steps_of(candidate).items():
        candidate.agent.status = status
        candidate.load()
        candidate.at(step)
        if step == "consent":
            candidate.press("accept")
            expect(candidate.part("fault")).to_contain_text(CODES["internal"].message)
        expect(candidate.page.locator("section.authorization")).to_have_css("border-top-style", "solid")
        assert faint("section.authorization") == []


def test_it_fits_a_narrow_window(candidate: Candidate) -> None:
    candidate.page.set_viewport_size({"width": 400, "height": 800})
    for step, status in steps_of(candidate).items():
        candidate.agent.status = status
        candidate.load()
        candidate.at(step)
        candidate.preview()
        assert candidate.page.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_types_name_what_the_module_has(candidate: Candidate) -> None:
    candidate.load()
    types = (ROOT / "service" / "web" / "authorization.d.ts").read_text()
    there = candidate.page.evaluate("async () => Object.keys(await import('/authorization.js'))")
    assert re.findall(r"export declare function (\w+)", types) == there

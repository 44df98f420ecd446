"""The candidate: the demo page in real Chromium, used by its fields and buttons."""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from playwright.sync_api import Locator, Page, expect

from secureproctor.demo.stage import PUBLIC_KEY
from tests.e2e.house import House, until

GROUP = "physics-101"


@dataclass(slots=True)
class Candidate:
    """The page of one candidate."""

    page: Page
    home: House
    transport: str = "loopback"
    user: str = field(default_factory=lambda: f"candidate-{uuid.uuid4().hex[:8]}")
    address: str = ""

    def open(self, **form: str | bool | int) -> "Candidate":
        """Open the demo page, filled in; the form's entries go by their ids."""
        written = {name: str(int(value) if isinstance(value, bool) else value) for name, value in form.items()}
        own = {"publicKey": PUBLIC_KEY, "userId": self.user, "groupName": GROUP, "userName": "Eileen Collins"}
        query = urlencode({**self._way, **own, **written})
        key = quote(self.home.service.private_key)
        self.address = f"{self.home.service.url}/demo?{query}#privateKey={key}"
        return self.again()

    def again(self) -> "Candidate":
        """Open the same address anew."""
        self.page.goto(self.address)
        return self

    def somebody_else(self) -> "Candidate":
        """Another candidate in the same tab: a place that a closed tab held is given away only after some seconds."""
        return Candidate(self.page, self.home, self.transport)

    def field(self, name: str) -> Locator:
        """An element by its id."""
        return self.page.locator(f"#{name}")

    def press(self, button: str) -> dict[str, str]:
        """Press a call's button, and wait for its end; the error that the page shows, or nothing."""
        self.field("consoleError").evaluate("output => { output.textContent = ''; delete output.dataset.code }")
        self.field(button).click()
        self.page.locator(f"#{button}:not([aria-busy=true])").wait_for(state="attached")
        shown = self.field("consoleError")
        text = shown.inner_text().strip()
        return {"code": shown.get_attribute("data-code") or "", "text": text} if text else {}

    def calls(self, *buttons: str) -> None:
        """Press several in a row, all of which succeed."""
        for button in buttons:
            error = self.press(button)
            assert not error, (button, error)

    def listen(self) -> None:
        """Register every listener."""
        for button in ("listenError", "listenChat", "listenEvents"):
            if self.field(button).get_attribute("aria-pressed") != "true":
                self.field(button).click()

    def expect_state(self, state: str) -> None:
        """Wait until the page shows the session in that state."""
        expect(self.field("state")).to_have_attribute("data-state", state)

    @property
    def session(self) -> str:
        """The session's id as the page shows it."""
        return self.field("state").get_attribute("data-session") or ""

    @property
    def log(self) -> list[str]:
        """What the page has noted."""
        return self.field("log").locator("li").all_inner_texts()

    def say(self, text: str) -> None:
        """Write to the proctor."""
        self.field("chatText").fill(text)
        self.field("chatSend").click()

    def message(self, text: str) -> Locator:
        """A message of the conversation."""
        return self.page.locator("#conversation li[data-message]").filter(has_text=text)

    @property
    def desk(self) -> Locator:
        """The authorization desk."""
        return self.page.locator("#desk section.authorization")

    def expect_step(self, step: str) -> None:
        """Wait until the desk is at that step."""
        expect(self.desk).to_have_attribute("data-step", step)

    def desk_press(self, button: str) -> None:
        """Press a button of the desk."""
        self.desk.locator(f"[data-desk={button}]").click()

    def take_picture(self, *, again: bool = False) -> None:
        """Open the camera where it is closed, take the picture (`again`: twice), and use it."""
        opening, taking = (self.desk.locator(f"[data-desk={name}]") for name in ("start-camera", "take"))
        expect(opening.or_(taking).locator("visible=true").first).to_be_enabled()
        if opening.is_visible():
            opening.click()
        for button in ("take", "retake", "take") if again else ("take",):
            expect(self.desk.locator("[data-desk=preview], [data-desk=shot]").locator("visible=true")).to_be_visible()
            self.desk_press(button)
        expect(self.desk.locator("[data-desk=shot]")).to_be_visible()
        self.desk_press("use")

    def check_in(self) -> str:
        """Init and Check System; the session's id."""
        self.insist("init")
        self.calls("checkSystem")
        return self.session

    def hold(self) -> None:
        """Take the session over where that is offered, as it is to a page whose other tab has just gone."""
        if self.field("takeOver").is_visible():
            self.field("takeOver").click()
            expect(self.field("holder")).to_be_hidden()

    def insist(self, button: str) -> None:
        """Press until it succeeds: the page, or the agent behind it, may just be coming back."""
        until(lambda: self.press_as_holder(button), lambda error: not error, button)

    def press_as_holder(self, button: str) -> dict[str, str]:
        """Press, after the session was taken over where that is offered."""
        self.hold()
        return self.press(button)

    def report(self) -> dict[str, Any]:
        """The report as JSON, fetched by the page."""
        self.calls("reportJson")
        found: dict[str, Any] = json.loads(self.field("reportText").text_content() or "{}")
        return found

    @property
    def _way(self) -> dict[str, str]:
        if self.transport == "loopback":
            return {"agent": self.home.agent.address}
        return {"transport": self.transport}

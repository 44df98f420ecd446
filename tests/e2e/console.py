"""The proctor: the console in real Chromium, used by its fields and buttons."""

import uuid
from dataclasses import dataclass
from urllib.parse import quote

import httpx
import msgspec
from playwright.sync_api import Locator, Page, expect

from secureproctor.contract.http import InitAnswer, InitBody, UserMetaData
from secureproctor.contract.signing import sign_body
from secureproctor.demo.stage import PUBLIC_KEY
from tests.e2e.house import House


@dataclass(slots=True)
class Console:
    """The page of one proctor."""

    page: Page
    home: House

    def open_by_link(self) -> "Console":
        """As a super proctor, by the link that the service printed."""
        self.page.goto(f"{self.home.service.url}/console#key={quote(self.home.service.proctor_key)}")
        expect(self.wall).to_be_visible()
        return self

    def log_in(self, name: str, password: str) -> "Console":
        """By name and password; whether it worked is to be looked at."""
        self.page.goto(f"{self.home.service.url}/console")
        self.field("loginName").fill(name)
        self.field("loginPassword").fill(password)
        self.field("loginSubmit").click()
        return self

    def field(self, name: str) -> Locator:
        """An element by its id."""
        return self.page.locator(f"#{name}")

    @property
    def wall(self) -> Locator:
        """All candidates."""
        return self.field("wall")

    @property
    def cards(self) -> Locator:
        """The candidates that are shown on the wall."""
        return self.wall.locator("article[data-session]:visible")

    def card(self, session: str) -> Locator:
        """A candidate on the wall."""
        return self.wall.locator(f"article[data-session='{session}']")

    def look_at(self, session: str) -> Locator:
        """Open a candidate's page."""
        self.card(session).locator("[data-action=open]").click()
        expect(self.candidate).to_have_attribute("data-session", session)
        return self.candidate

    @property
    def candidate(self) -> Locator:
        """The one candidate's page."""
        return self.field("candidate")

    def part(self, name: str) -> Locator:
        """A part of the candidate's page."""
        return self.candidate.locator(f"[data-part={name}]")

    def press(self, action: str, reason: str = "") -> None:
        """Press a button of the candidate's page; `reason` is written before."""
        if reason:
            self.candidate.locator("[data-input=reason]").fill(reason)
        self.candidate.locator(f"[data-action={action}]").click()

    def answer(self, choice: str) -> None:
        """Confirm, or cancel, what the console asked."""
        self.page.locator(f"[data-action={choice}]:visible").click()

    def expect_command(self, kind: str, status: str, count: int = 1) -> None:
        """Wait until so many commands of the kind have come that far."""
        rows = self.part("commands").locator(f"[data-command][data-kind={kind}][data-status={status}]")
        expect(rows).to_have_count(count)

    def say(self, text: str) -> None:
        """Write to the candidate."""
        self.candidate.locator("[data-input=chat]").fill(text)
        self.candidate.locator("[data-action=say]").click()

    def message(self, text: str) -> Locator:
        """A message of the conversation."""
        return self.part("chat").locator("li[data-message]").filter(has_text=text)


def registered(home: House, group: str, name: str) -> str:
    """Somebody else's session, whose agent never comes; its id."""
    body = msgspec.json.encode(InitBody(PUBLIC_KEY, uuid.uuid4().hex, group, user_meta_data=UserMetaData(name)))
    headers = {"Authorization": sign_body(home.service.private_key, body)}
    answer = httpx.post(f"{home.service.url}/v1/init", content=body, headers=headers, trust_env=False)
    return msgspec.json.decode(answer.raise_for_status().content, type=InitAnswer).data.session_id

"""The exam page of the documentation in real Chromium: from its first button to the report, with a proctor who asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from secureproctor.contract.page import DEFAULT_PORT, Status
from secureproctor.demo.supervision import lasting_port
from tests.docs.servers import exam
from tests.e2e.house import House, house
from tests.e2e.line import Line, line
from tests.e2e.tabs import Tabs, tabs

ELSEWHERE = """globalThis.WebSocket = class extends WebSocket {
  constructor(url, ...more) { super(url.replace(":%d/", ":%d/"), ...more); }
}"""
"""The example looks for the agent at its usual port, which another one may have on this machine."""


@dataclass(slots=True)
class Exam:
    """The page in a tab, and who else has to do with it."""

    page: Page
    home: House
    proctor: Line
    browser: Tabs

    def field(self, name: str) -> Locator:
        """An element by its id."""
        return self.page.locator(f"#{name}")

    @property
    def session(self) -> str:
        """The session's id, which this page does not show."""
        return self.home.status().session_id

    def expect_state(self, state: str) -> None:
        """Wait until the page shows that state."""
        expect(self.field("state")).to_have_attribute("data-state", state)

    def press(self, button: str) -> None:
        """Press a button of the authorization desk."""
        self.page.locator(f"#desk [data-desk={button}]").click()

    def take(self, step: str) -> None:
        """Take a picture at that step of the desk, and use it."""
        expect(self.page.locator(f"section.authorization[data-step={step}]")).to_be_visible()
        opening = self.page.locator("#desk [data-desk=start-camera]")
        taking = self.page.locator("#desk [data-desk=take]")
        expect(opening.or_(taking).locator("visible=true")).to_be_visible()
        if opening.is_visible():
            opening.click()
        self.press("take")
        self.press("use")


@pytest.fixture(scope="module")
def at_exam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exam]:
    """An exam's server in Python, whose origin is not the service's."""
    folder: Path = tmp_path_factory.mktemp("exam")
    port = lasting_port()
    with (
        house(f"http://127.0.0.1:{port}") as home,
        exam("python", home.service.url, home.service.private_key, folder, port) as address,
        sync_playwright() as playwright,
        tabs(home, playwright, folder) as browser,
        line(home.service) as proctor,
    ):
        assert browser.context is not None
        browser.context.add_init_script(ELSEWHERE % (DEFAULT_PORT, home.agent.port))
        made = Exam(browser.tab(), home, proctor, browser)
        made.page.goto(f"{address}/")
        yield made


def test_the_candidate_is_checked_and_authorized(at_exam: Exam) -> None:
    at_exam.expect_state("idle")
    at_exam.field("begin").click()
    at_exam.expect_state("awaiting_authorization")
    expect(at_exam.field("checks").locator("li").first).to_be_visible()
    at_exam.press("accept")
    for step in ("photo", "id_card"):
        at_exam.take(step)
    at_exam.press("submit")
    at_exam.proctor.snapshot(at_exam.session, lambda it: it.authorization_step == "submitted")
    expect(at_exam.field("exam")).to_have_attribute("inert", "")


def test_authorized_after_a_reload_the_exam_begins(at_exam: Exam) -> None:
    at_exam.page.reload()
    expect(at_exam.page.locator("section.authorization[data-step=submitted]")).to_be_visible()
    at_exam.proctor.order(at_exam.session, "authorize")
    at_exam.expect_state("running")
    expect(at_exam.field("exam")).not_to_have_attribute("inert", "")


@pytest.mark.parametrize(("kind", "state"), [("pause", "paused"), ("resume", "running")])
def test_the_page_acknowledges_what_the_proctor_asks(at_exam: Exam, kind: str, state: str) -> None:
    order = at_exam.proctor.order(at_exam.session, kind, text="One moment.")
    at_exam.expect_state(state)
    assert at_exam.proctor.command(at_exam.session, order, "acknowledged").acknowledged_by == "page"
    expect(at_exam.field("fault")).to_have_text("One moment." if kind == "pause" else "")


def test_they_write_to_each_other(at_exam: Exam) -> None:
    at_exam.proctor.say(at_exam.session, "All well?")
    expect(at_exam.field("conversation")).to_contain_text("proctor: All well?")
    at_exam.field("words").fill("Yes.")
    at_exam.field("chat").locator("button").click()
    expect(at_exam.field("conversation")).to_contain_text("candidate: Yes. (delivered)")


def test_a_second_tab_is_told_and_can_go_on(at_exam: Exam) -> None:
    second = at_exam.browser.tab()
    second.goto(at_exam.page.url)
    expect(second.locator("#fault")).to_contain_text("another tab")
    second.locator("#fault button").click()
    expect(at_exam.field("fault")).to_contain_text("another tab")
    second.close()


def test_at_the_end_there_is_a_report(at_exam: Exam) -> None:
    session = at_exam.session
    at_exam.home.until_status(lambda it: it.state == "running", "the session to go on")
    at_exam.field("fault").locator("button").click()
    at_exam.field("finish").click()
    at_exam.expect_state("ended")
    link = at_exam.field("report")
    expect(link).to_have_text("What the proctors see")
    assert session in (link.get_attribute("href") or "")
    with at_exam.home.local_program() as program:
        assert program.call("hello", Status).end_reason == "stopped"

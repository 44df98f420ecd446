"""A reload, a crash or a restart in the middle of anything: afterwards page, agent and service say the same.

A session is played from authorization to its end, and each step is disturbed as soon as it is under way: what had already
happened, and what had not, is left to chance, and must make no difference. A run plays the session once, and lets another thing
happen at each step; with DISTURBANCES=all in the environment it is played once for each thing that can happen, at every step.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle

import pytest
from playwright.sync_api import Playwright, expect

from secureproctor.contract import page as contract
from secureproctor.contract.channel import COMMANDS
from tests.e2e.candidate import GROUP, Candidate
from tests.e2e.house import House, until
from tests.e2e.line import Line, line
from tests.e2e.tabs import Tabs, tabs

SAID = """all => all.map(item => [
  item.dataset.sender, [...item.childNodes].filter(node => node.nodeType === Node.TEXT_NODE).map(node => node.data).join("")
])"""
ASKED = {kind for kind, rule in COMMANDS.items() if rule.asks_page}
"""Commands that wait for the page."""


@dataclass(slots=True)
class Course:
    """A session that is disturbed again and again."""

    home: House
    browser: Tabs
    candidate: Candidate
    disturbances: Iterator[str]
    session: str = ""

    def disturb(self) -> None:
        """Let it happen, and let the candidate do what a person would afterwards."""
        DISTURBANCES[next(self.disturbances)](self)
        expect(self.candidate.field("state")).to_have_attribute("data-session", self.session)

    def order(self, kind: str, *, applied: bool = False) -> str:
        """Send a command and disturb at once (`applied`: as soon as it took effect); the command's id."""
        with line(self.home.service) as proctor:
            order = proctor.order(self.session, kind)
            if applied:
                proctor.command(self.session, order, "applied")
        self.disturb()
        return order

    def acknowledge(self, kind: str, order: str) -> None:
        """The candidate's page acknowledges, and the service hears of it."""
        expect(self.candidate.field("request")).to_have_attribute("data-id", order)
        self.candidate.insist(f"{kind}Ack")
        with line(self.home.service) as proctor:
            proctor.command(self.session, order, "acknowledged")

    def show_again(self) -> None:
        """A picture that was not handed in is in the agent's memory only; what went with it is taken once more."""
        authorization = self.home.until_status(
            lambda it: it.authorization, "the agent to know the session"
        ).authorization
        self.candidate.expect_step("review" if authorization and authorization.taken else "photo")
        self.candidate.hold()
        if authorization and not authorization.taken:
            self.candidate.take_picture()
            self.candidate.expect_step("review")

    def agree(self, state: str) -> None:
        """Wait until all ends say the same, with the session in that state."""
        with line(self.home.service) as proctor:
            until(
                lambda: self._ends(proctor),
                lambda ends: {(self.session, state)} == _known(ends),
                f"{state} at all ends",
            )
            until(lambda: self._ends(proctor), lambda ends: len(set(ends.values())) == 1, "all ends to agree")

    def _ends(self, proctor: Line) -> dict[str, "End"]:
        detail, snapshot = proctor.detail(self.session), proctor.snapshot(self.session)
        with self.home.local_program() as program:
            status = program.call("hello", contract.Status)
            conversation = program.call("conversation", contract.Conversation).messages
        waiting = [each.kind for each in detail.commands if each.status in ("applied", "unacknowledged")]
        return {
            "page": self._page(),
            "agent": End(
                status.session_id,
                status.state,
                tuple(each.kind for each in status.pending),
                tuple((each.sender, each.text) for each in conversation),
            ),
            "service": End(
                snapshot.session_id,
                snapshot.state,
                tuple(kind for kind in waiting if kind in ASKED),
                tuple((each.sender, each.text) for each in detail.chat),
            ),
        }

    def _page(self) -> "End":
        request = self.candidate.field("request")
        messages = self.candidate.page.locator("#conversation li[data-message]")
        said = messages.evaluate_all(SAID)
        return End(
            self.candidate.session,
            self.candidate.field("state").get_attribute("data-state") or "",
            (request.get_attribute("data-kind") or "",) if request.is_visible() else (),
            tuple((sender, text) for sender, text in said),
        )


@dataclass(frozen=True, slots=True)
class End:
    """What one end knows: the session, its state, requests that wait for the page, and what was said."""

    session: str
    state: str
    pending: tuple[str, ...]
    said: tuple[tuple[str, str], ...]


def _known(ends: dict[str, End]) -> set[tuple[str, str]]:
    return {(end.session, end.state) for end in ends.values()}


def _browser_crash(course: Course) -> None:
    course.browser.kill()
    course.browser.open()
    course.candidate.page = course.browser.tab()
    course.candidate.again()


def _agent_crash(course: Course) -> None:
    course.home.agent.program.kill()
    course.home.agent.start()


def _service_crash(course: Course) -> None:
    course.home.service.program.kill()
    course.home.service.start()


DISTURBANCES: dict[str, Callable[[Course], object]] = {
    "reload": lambda course: course.candidate.page.reload(),
    "browser": _browser_crash,
    "agent": _agent_crash,
    "service": _service_crash,
}


COURSES: dict[str, tuple[str, ...]] = {"mixed": ("agent", "browser", "service", "agent", "reload", "service")}
"""What happens in turn: to a picture that is not handed in yet, authorization, chat, pause, resume and end."""
if os.environ.get("DISTURBANCES") == "all":
    COURSES = {each: (each,) for each in DISTURBANCES}


@pytest.fixture(scope="module", params=COURSES)
def course(
    request: pytest.FixtureRequest, home: House, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Course]:
    """A candidate with a photo to show."""
    with tabs(home, playwright, tmp_path_factory.mktemp(request.param)) as browser:
        candidate = browser.candidate(authorization=True, skipId=True)
        made = Course(home, browser, candidate, cycle(COURSES[request.param]))
        made.session = candidate.check_in()
        yield made
    home.clear()


def test_in_the_middle_of_authorization(course: Course) -> None:
    course.candidate.desk_press("accept")
    course.candidate.take_picture()
    course.candidate.expect_step("review")
    course.disturb()
    course.show_again()
    course.candidate.desk_press("submit")
    course.candidate.expect_step("submitted")
    with line(course.home.service) as proctor:
        proctor.snapshot(course.session, lambda it: it.authorization_step == "submitted")
    course.order("authorize")
    course.agree("ready")
    with line(course.home.service) as proctor:
        assert proctor.snapshot(course.session).authorization_step == "authorized"
    course.candidate.insist("start")
    course.agree("running")


def test_in_the_middle_of_chat(course: Course) -> None:
    course.candidate.say("Is anybody there?")
    expect(course.candidate.message("Is anybody there?")).to_be_visible()
    with line(course.home.service) as proctor:
        proctor.say(course.session, "Yes, always.")
        # what is said has no receipt but that the console shows it
        proctor.detail(course.session, lambda it: any(each.text == "Yes, always." for each in it.chat))
    course.disturb()
    course.agree("running")
    with line(course.home.service) as proctor:
        detail = proctor.detail(course.session, lambda it: all(each.delivered_ms for each in it.chat) and it.chat)
    assert sorted(each.text for each in detail.chat) == ["Is anybody there?", "Yes, always."]


def test_in_the_middle_of_pause(course: Course) -> None:
    order = course.order("pause")
    course.agree("paused")
    expect(course.candidate.field("pauseLayer")).to_be_visible()
    course.acknowledge("pause", order)


def test_in_the_middle_of_resume(course: Course) -> None:
    order = course.order("resume", applied=True)
    course.agree("running")
    expect(course.candidate.field("pauseLayer")).to_be_hidden()
    course.acknowledge("resume", order)


def test_in_the_middle_of_end(course: Course) -> None:
    order = course.order("end", applied=True)
    course.agree("ended")
    course.acknowledge("end", order)


def test_each_command_took_effect_once(course: Course) -> None:
    report = until(lambda: course.home.report(course.candidate.user, GROUP), lambda it: it.verified, "all evidence")
    kinds = Counter(event.kind for event in report.events)
    assert (kinds["session_started"], kinds["paused"], kinds["resumed"], kinds["session_ended"]) == (1, 1, 1, 1)
    assert Counter((each.kind, each.status) for each in report.commands) == dict.fromkeys(
        [(kind, "acknowledged") for kind in ("authorize", "pause", "resume", "end")], 1
    )
    assert report.end_reason == "ended by proctor"

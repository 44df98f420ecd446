"""A candidate's computer on which only the secure browser starts the agent, with an exam's server beside the service.

The browser is the demo's stand-in (demo/securebrowser.py): Chromium in kiosk mode on a desk with a window manager. Its agent is
nobody's child, and is found by the folders that it was given.
"""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import psutil
import pytest
from playwright.sync_api import Playwright
from Xlib.display import Display

from secureproctor.agent.local.pairing import find
from secureproctor.contract.report import EventReport
from secureproctor.demo.desk import Desk, desk
from secureproctor.demo.locked import Client, agent_words
from secureproctor.demo.securebrowser import Launch
from secureproctor.demo.stage import PUBLIC_KEY
from tests.e2e import programs
from tests.e2e.candidate import Candidate
from tests.e2e.house import FPS, SIZE, House, until
from tests.e2e.line import Line, line
from tests.e2e.securebrowser import SecureBrowser

TAB_KEY, ALT = 23, 1 << 3
"""Keycode and modifier of what a person presses first."""
MASTERS, ANY_TIME, ASYNCHRONOUS, KEY_PRESS = 1, 0, 1, 1 << 2
"""All master devices, and how a key is grabbed (XInput 2)."""


class Listening(msgspec.Struct):
    """What the exam's server writes when it listens."""

    url: str


@dataclass(slots=True)
class LockedHouse:
    """The house, and what an exam with an MSB Key needs beside it. `exam` is the address of the exam's own server."""

    home: House
    client: Client
    exam: str
    playwright: Playwright
    folder: Path
    launches: int = 0

    def key(self, **changes: object) -> str:
        """An MSB Key that lets in service and exam's server; `changes` are claims (contract.msb.MsbClaims)."""
        service = self.home.service.url
        return self.client.key(f"{service}/demo", [f"{service}/*", f"{self.exam}/*"], **changes)

    @contextmanager
    def browser(self, key: str, *, hands_frames: bool = False) -> Iterator[SecureBrowser]:
        """The secure browser, closed at the end of the block."""
        self.launches += 1
        options = (*programs.LIGHT, "--test-camera", self.home.pc.camera_url or "")
        words = agent_words(self.home.pc.folder, self.home.service.url, options)
        launch = Launch(key, words, [self.exam], hands_frames=hands_frames)
        made = SecureBrowser(self.home, self.playwright, self.folder / str(self.launches), launch)
        try:
            yield made
        finally:
            made.close()

    @contextmanager
    def sitting(self, key: str, *, hands_frames: bool = False, **form: str | bool | int) -> Iterator["Sitting"]:
        """A candidate before the demo page in the secure browser, whose session is over at the end of the block."""
        with self.browser(key, hands_frames=hands_frames) as browser, line(self.home.service) as proctor:
            page = browser.open()
            self.agent_came()
            candidate = Candidate(page, self.home, "native").open(msb=True, msbKey=key, navigationControl=True, **form)
            candidate.field("autoAcknowledge").check()
            sitting = Sitting(self, browser, candidate, proctor)
            try:
                yield sitting
            finally:
                self.agent_came()
                self.home.clear()

    def agent_came(self, but: int = 0) -> int:
        """Wait for the agent that the browser, or its supervisor, starts; its process id. `but`: one that has ended."""
        runtime = self.home.pc.folder / "runtime"
        pairing = until(
            lambda: find(runtime), lambda it: it and it.pid != but and psutil.pid_exists(it.pid), "an agent"
        )
        assert pairing is not None
        self.home.agent.pairing = pairing
        return pairing.pid

    def end_agent(self) -> None:
        """End the agent, if there is one: its supervisor first."""
        words = str(self.home.pc.folder / "state")
        found = [each for each in psutil.process_iter(["cmdline"]) if words in (each.info["cmdline"] or [])]
        for process in sorted(found, key=lambda it: "--supervised" not in (it.info["cmdline"] or [])):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        until(lambda: [each for each in found if _runs(each)], lambda alive: not alive, "the agent to end")

    def is_free(self) -> bool:
        """Whether another program of the desk can have Alt+Tab."""
        display = Display(self.home.pc.display)
        try:
            display.xinput_query_version()
            root = display.screen().root
            grabbed = root.xinput_grab_keycode(
                MASTERS, ANY_TIME, TAB_KEY, ASYNCHRONOUS, ASYNCHRONOUS, False, KEY_PRESS, [ALT]
            )
            return not grabbed.modifiers  # those for which it was refused
        finally:
            display.close()

    def questions(self, headers: dict[str, str] | None = None) -> tuple[int, str]:
        """Ask the exam's server from outside of the browser: the status and the verdict."""
        answer = httpx.get(f"{self.exam}/questions", headers=headers, trust_env=False)
        return answer.status_code, answer.json()["verdict"]


def _runs(process: psutil.Process) -> bool:
    """One that has ended is not always put away at once by whoever its parent has become."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


@dataclass(slots=True)
class Sitting:
    """A candidate in the secure browser. `proctor` sees what the service knows."""

    place: LockedHouse
    browser: SecureBrowser
    candidate: Candidate
    proctor: Line
    session: str = ""

    def check_in(self) -> "Sitting":
        """Init and Check System."""
        self.session = self.candidate.check_in()
        return self

    def begin(self) -> "Sitting":
        """Everything up to a test that runs, and is locked."""
        self.check_in().candidate.calls("start")
        assert not self.place.is_free()
        return self

    def again(self) -> None:
        """The browser was killed: start it, and open the exam again."""
        self.candidate.page = self.browser.open()
        self.candidate.again()

    def told(self, kind: str, count: int = 1, since_ms: float = 0) -> list[EventReport]:
        """The events of a kind, once the service knows so many of them since a moment."""

        def found(events: list[EventReport]) -> list[EventReport]:
            return [each for each in events if each.kind == kind and each.at_ms >= since_ms]

        return found(self.proctor.detail(self.session, lambda it: len(found(it.events)) >= count).events)

    def guess(self, password: str) -> str:
        """Try a quit password; what the page has against it."""
        self.candidate.field("quitPassword").fill(password)
        self.candidate.field("quitSubmit").click()
        self.candidate.page.locator("#quitSubmit:not([aria-busy=true])").wait_for(state="attached")
        return self.candidate.field("quitFault").inner_text().strip()

    def until_free(self) -> None:
        """Wait until the candidate has the machine back."""
        until(self.place.is_free, bool, "the machine to be given back")

    def until_locked(self) -> None:
        """Wait until the lockdown is applied."""
        until(self.place.is_free, lambda free: not free, "the lockdown to be applied")

    def attested(self, address: str, *, once: bool = False) -> dict[str, str]:
        """The header of a request to the exam, as the exam's page gets it."""
        header, value = self.candidate.page.evaluate(_ATTEST, [address, once])
        return {header: value}

    def fetched(self, address: str) -> tuple[int, str]:
        """What the exam's page gets: the status and the verdict."""
        status, told = self.candidate.page.evaluate(_FETCH, address)
        return status, told["verdict"]


_ATTEST = """async ([url, once]) => {
  const proctor = new SecureProctor({ transport: "native" });
  const { header, value } = await proctor.attest(url, { once });
  proctor.close();
  return [header, value];
}"""
_FETCH = "async url => { const answer = await fetch(url); return [answer.status, await answer.json()]; }"


@contextmanager
def locked_house(playwright: Playwright, folder: Path) -> Iterator[LockedHouse]:
    """Desk, service and exam's server, as long as the block lasts; no agent is left behind."""
    client = Client()
    with (
        desk(size=SIZE, fps=FPS) as pc,
        programs.service(pc.folder, pc.environment, "--msb-key", client.trust) as service,
        _exam_server(pc, service) as exam,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("XAUTHORITY", pc.environment["XAUTHORITY"])  # of who looks whether the machine is free
        made = LockedHouse(House(pc, service, _agent_to_come(pc)), client, exam, playwright, folder)
        try:
            yield made
        finally:
            made.end_agent()


def _agent_to_come(pc: Desk) -> programs.Agent:
    announced, log = pc.folder / "runtime" / "agent.json", pc.folder / "state" / "agent.log"
    return programs.Agent(programs.Lasting("The agent", (), pc.environment, announced, log))


@contextmanager
def _exam_server(pc: Desk, service: programs.Service) -> Iterator[str]:
    ready = pc.folder / "exam.json"
    words = f"secureproctor.demo.examserver --service {service.url} --ready-file {ready}"
    words += f" --key {PUBLIC_KEY}:{service.private_key}"
    program = programs.Lasting("The exam's server", words.split(), pc.environment, ready, pc.folder / "exam.log")
    try:
        yield program.start(Listening).url
    finally:
        program.end()

"""What may happen to an exam in the secure browser: it is killed, or the agent is; a rule cannot be had; the test is paused.

Each course is a session of its own. How fast the machine is given back is measured elsewhere: here others are at work, too.
"""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import av
import httpx
import numpy as np
import psutil
import pytest
from playwright.sync_api import Playwright, expect
from Xlib.display import Display

from secureproctor.contract import jws
from secureproctor.contract.attestation import TYPE
from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.demo.locked import LOCKDOWN, QUIT_PASSWORD
from tests.e2e.candidate import GROUP
from tests.e2e.console import Console
from tests.e2e.house import until
from tests.e2e.locked import LockedHouse, Sitting, locked_house
from tests.e2e.tabs import tabs

pytestmark = pytest.mark.slow
MAGENTA = 0xFF00FF


@pytest.fixture(scope="module")
def place(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LockedHouse]:
    """Desk, service and exam's server."""
    with locked_house(playwright, tmp_path_factory.mktemp("secure")) as made:
        yield made


def now_ms() -> float:
    return time.time() * 1000


def test_a_browser_that_was_killed_leaves_the_machine_free_until_it_is_back(place: LockedHouse) -> None:
    with place.sitting(place.key()) as sitting:
        sitting.begin().browser.kill()
        sitting.until_free()
        sitting.told("browser_gone")
        assert sitting.told("lockdown_lifted")[0].detail["why"] == "browser gone"
        assert place.home.status().state == "running"
        sitting.again()
        sitting.until_locked()
        sitting.candidate.expect_state("running")
        sitting.told("browser_attached", 2)
        sitting.told("lockdown_applied", 2)
        address = f"{place.exam}/questions"
        until(lambda: sitting.fetched(address), lambda it: it == (200, "ok"), "the exam to let the browser in again")
        sitting.candidate.insist("stop")  # the place of the page that has gone is kept for a few seconds
        assert place.is_free()


def test_a_browser_that_does_not_come_back_in_time_ends_the_exam(place: LockedHouse) -> None:
    with place.sitting(place.key(wait_s=2.0)) as sitting:
        sitting.begin().browser.kill()
        sitting.until_free()
        place.home.until_status(lambda it: it.state == "ended", "the session to end")
        report = until(lambda: place.home.report(sitting.candidate.user, GROUP), lambda it: it.verified, "all evidence")
        assert report.end_reason == "browser gone"
        assert place.is_free()


def test_an_agent_that_was_killed_leaves_the_machine_free_and_the_next_one_locks_it_again(place: LockedHouse) -> None:
    with place.sitting(place.key()) as sitting:
        sitting.begin()
        address, began, pid = f"{place.exam}/questions", now_ms(), place.agent_came()
        before = _signer(sitting.attested(address))
        psutil.Process(pid).kill()
        sitting.until_free()
        place.agent_came(but=pid)
        sitting.until_locked()
        sitting.candidate.expect_state("running")
        assert place.home.status().session_id == sitting.session
        assert sitting.told("lockdown_left_behind", since_ms=began)[0].detail["by"] == "guardian"
        until(lambda: sitting.fetched(address), lambda it: it == (200, "ok"), "the next agent to attest")
        assert _signer(sitting.attested(address)) != before
        sitting.candidate.insist("stop")
        assert place.is_free()


def _signer(header: dict[str, str]) -> str:
    (token,) = header.values()
    return jws.read(token, TYPE).kid


def test_a_window_that_others_cannot_see_is_recorded_by_what_the_browser_hands_over(place: LockedHouse) -> None:
    lockdown = LockdownSettings(required=("keys",), off=("focus",))  # which would not suffer the magenta window
    with (
        place.sitting(place.key(lockdown=lockdown), hands_frames=True) as sitting,
        _magenta(place),
    ):
        sitting.begin().told("frames_handed")
        snapshot = sitting.proctor.snapshot(sitting.session, lambda it: it.streams["screen"].segments > 3)
        pictures = _screen(place, sitting.session, snapshot.access)
        whole = pictures[-1]
        assert whole.shape[0] > 500
        assert _share(whole, (255, 0, 255)) == 0  # another program's window, which the screen would have shown
        assert _share(whole, (255, 255, 255)) > 0.3  # the page's paper
        with _halted(sitting):
            assert sitting.told("source_lost")[0].detail["code"] == "no_frames"
        sitting.told("source_recovered")


@contextmanager
def _magenta(place: LockedHouse) -> Iterator[None]:
    """A window over half of the screen, which no window manager has a hand in."""
    display = Display(place.home.pc.display)
    try:
        screen = display.screen()
        half = screen.width_in_pixels // 2, screen.height_in_pixels
        window = screen.root.create_window(
            0, 0, *half, 0, screen.root_depth, background_pixel=MAGENTA, override_redirect=True
        )
        window.map()
        display.sync()
        yield
    finally:
        display.close()


@contextmanager
def _halted(sitting: Sitting) -> Iterator[None]:
    """The browser hangs."""
    process = sitting.browser.process
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def _screen(place: LockedHouse, session: str, access: str) -> list[Any]:
    url = f"{place.home.service.url}/v1/sessions/{session}/media/screen.mp4"
    answer = httpx.get(url, params={"access": access}, trust_env=False).raise_for_status()
    with av.open(io.BytesIO(answer.content), "r") as media:
        return [frame.to_ndarray(format="rgb24") for frame in media.decode(video=0)]


def _share(picture: Any, colour: tuple[int, int, int]) -> float:
    near = np.abs(picture.astype(int) - colour).max(axis=2) < 40
    return float(near.mean())


def test_a_rule_that_cannot_be_had_stops_the_exam_until_a_proctor_lets_it_pass(place: LockedHouse) -> None:
    lockdown = LockdownSettings(required=("keys", "lock_screen"))
    with (
        place.sitting(place.key(lockdown=lockdown)) as sitting,
        tabs(place.home, place.playwright, place.folder / "office") as office,
    ):
        candidate = sitting.check_in().candidate
        row = candidate.page.locator("[data-check=lockdown]")
        expect(row).to_have_attribute("data-status", "failed")
        expect(row).to_contain_text("a proctor can let it pass")
        assert candidate.press("start")["code"] == "not_now"
        console = Console(office.tab(), place.home).open_by_link()
        console.look_at(sitting.session)
        rule = console.part("rules").locator("[data-rule=lock_screen]").first
        expect(rule).to_have_attribute("data-standing", "impossible")
        rule.locator("[data-action=override]").click()
        console.page.locator("dialog[open] [data-input=reason]").fill("The room is watched.")
        console.page.locator("dialog[open] [data-action=confirm]").click()
        assert sitting.told("rule_overridden")[0].detail["reason"] == "The room is watched."
        candidate.calls("checkSystem")
        expect(row).to_have_attribute("data-status", "passed")
        candidate.calls("start")
        address = f"{place.exam}/questions"
        until(lambda: sitting.fetched(address), lambda it: it == (200, "ok"), "the exam to let the browser in")


def test_the_candidate_has_the_machine_back_while_the_test_is_paused(place: LockedHouse) -> None:
    lifted = LockdownSettings(required=LOCKDOWN.required, while_paused="lifted")
    with place.sitting(place.key(lockdown=lifted), whilePaused="lifted") as sitting:
        sitting.begin()
        sitting.proctor.order(sitting.session, "pause")
        sitting.candidate.expect_state("paused")
        sitting.until_free()
        assert sitting.told("lockdown_lifted")[0].detail["why"] == "paused"
        assert place.questions(sitting.attested(place.exam)) == (403, "not_locked")
        sitting.proctor.order(sitting.session, "resume")
        sitting.candidate.expect_state("running")
        sitting.until_locked()
        sitting.told("lockdown_applied", 2)


def test_a_request_that_is_made_again_later_is_refused(place: LockedHouse) -> None:
    with place.sitting(place.key()) as sitting:
        sitting.begin()
        address = f"{place.exam}/questions"
        header = sitting.attested(address)
        assert place.questions(header) == (200, "ok")
        later = until(lambda: place.questions(header), lambda it: it != (200, "ok"), "what was recorded to be too old")
        assert later == (403, "stale")
        until(lambda: sitting.fetched(address), lambda it: it == (200, "ok"), "the browser to be let in even so")


def test_who_guesses_the_quit_password_has_to_wait(place: LockedHouse) -> None:
    with place.sitting(place.key()) as sitting:
        sitting.begin()
        for _ in range(4):
            assert "not the quit password" in sitting.guess("let us out")
        assert len(sitting.told("quit_refused", 3)) == 3  # the fourth was not looked at: it came too soon
        assert "next try is possible in" in sitting.guess(QUIT_PASSWORD)
        assert not place.is_free()
        until(lambda: sitting.guess(QUIT_PASSWORD), lambda fault: not fault, "the next try to be due")
        sitting.candidate.expect_state("ended")
        assert place.is_free()


def test_an_ordinary_browser_is_refused_with_the_same_key(place: LockedHouse) -> None:
    """Also beside the secure browser, which has no session of its own."""
    key = place.key()
    with tabs(place.home, place.playwright, place.folder / "ordinary") as ordinary:
        with place.sitting(key):
            candidate = ordinary.candidate(msb=True, msbKey=key)
            candidate.insist("init")  # the place of the page in the other browser is kept for a moment
            candidate.calls("checkSystem")
            refused = candidate.press("start")
            assert refused["code"] == "browser_unproven"
            assert "this page is in another program" in refused["text"]
            candidate.calls("stop")
        candidate = candidate.somebody_else().open(msb=True, msbKey=key)
        candidate.check_in()
        refused = candidate.press("start")
        assert refused["code"] == "browser_unproven"
        assert "must be taken in the secure browser; it has not introduced itself" in refused["text"]
        candidate.expect_state("ready")
        assert place.is_free()
    place.home.clear()

"""The secure browser at the loopback API: a real socket, and processes of the test's own."""

import base64
import time
from typing import TYPE_CHECKING, Any

import cv2
import msgspec
import numpy as np
import pytest

from secureproctor.contract import jws
from secureproctor.contract.attestation import HEADER, TYPE
from secureproctor.contract.channel import KeepAlive
from tests.agent.conftest import a_key
from tests.agent.local.conftest import PAGE, PAIRING, Caller

if TYPE_CHECKING:
    from tests.agent.conftest import Stage
    from tests.agent.local.conftest import House

MSB = "/opt/msb/browser"
BROWSER = 100
PICTURE = base64.b64encode(cv2.imencode(".png", np.zeros((300, 400, 3), np.uint8))[1].tobytes()).decode()


@pytest.fixture
def stage(stage: "Stage") -> "Stage":
    stage.facts.add(BROWSER, MSB)
    return stage


async def attached(caller: Caller, **params: Any) -> dict[str, Any]:
    return await caller.result("attach", product="Exam Browser", version="1.0", **params)


async def test_a_program_of_its_own_is_known_by_its_connection(house: "House", stage: "Stage") -> None:
    stage.facts.anybody = BROWSER
    browser = await house.program()
    identity = (await attached(browser))["browser"]
    assert (identity["pid"], identity["path"], identity["proof"]) == (BROWSER, MSB, "path")
    beat = await browser.result("beat", n=1, window=7)
    assert beat == {"n": 1, "state": "idle", "phase": "off"}
    assert stage.conductor.locking.exam.window == 7


async def test_a_native_messaging_host_speaks_for_the_browser_that_started_it(house: "House", stage: "Stage") -> None:
    host = await house.page(origin=None, token=PAIRING, browser_pid=BROWSER)
    assert (await attached(host))["browser"]["pid"] == BROWSER


async def test_a_page_cannot_introduce_the_browser_that_it_is_in(house: "House", stage: "Stage") -> None:
    """The host speaks for a page then, whose frames it carries as they are."""
    host = await house.page(origin=None, token=PAIRING, speaks_for=PAGE, browser_pid=BROWSER)
    assert await host.refused("attach", product="Exam Browser") == "browser_unproven"
    assert not stage.browser.is_known


async def test_a_page_in_another_program_neither_starts_nor_attests_the_exam(house: "House", stage: "Stage") -> None:
    house.server.desk.admit = lambda data: a_key(start_url="https://exam.example/")
    house.api.data = _locked(house.api.data)
    stage.facts.anybody = BROWSER
    await attached(await house.program())
    stage.facts.add(300, "/usr/bin/chromium")
    stage.facts.anybody = 300
    page = await house.tab("t-1")
    await page.result("init", body="{}", authorization="signature")
    await page.result("checkSystem")
    assert await page.refused("start") == "browser_unproven"
    assert await page.refused("attest", url="https://exam.example/") == "browser_unproven"
    assert stage.guard.phase != "locked"


async def test_a_page_cannot_introduce_a_browser_nor_name_its_process(house: "House", stage: "Stage") -> None:
    page = await house.page(browser_pid=BROWSER)
    assert await page.refused("attach", product="Exam Browser") == "browser_unproven"
    assert await page.refused("beat", n=1) == "browser_unproven"
    assert not stage.browser.is_known


async def test_only_the_connection_that_introduced_the_browser_speaks_for_it(house: "House", stage: "Stage") -> None:
    stage.facts.anybody = BROWSER
    first, second = await house.program(), await house.program()
    await attached(first)
    assert await second.refused("beat", n=1) == "browser_unproven"
    await attached(second)
    assert await first.refused("beat", n=2) == "browser_unproven"
    await second.result("beat", n=1)


async def test_a_secure_exam_from_the_first_word_to_the_last(house: "House", stage: "Stage", eventually: Any) -> None:
    """The browser is attached before Init, the page starts, and the lockdown goes with the browser."""
    house.server.desk.admit = lambda data: a_key(start_url="https://exam.example/", wait_s=0)
    house.api.data = _locked(house.api.data)
    stage.facts.anybody = BROWSER
    browser, page = await house.program(), await house.tab("t-1")
    await attached(browser)
    await page.result("init", body="{}", authorization="signature")
    await page.result("checkSystem")
    status = await page.result("start")
    assert (status["state"], status["lockdown"]["phase"]) == ("running", "locked")
    assert status["lockdown"]["browser"]["proof"] == "path"
    assert (await attached(browser))["start_url"] == "https://exam.example/"
    stage.facts.kill(BROWSER)
    await stage.browser.look()
    assert (stage.session.end_reason, stage.guard.phase) == ("browser gone", "released")


async def test_the_page_of_a_locked_exam_says_where_it_is_by_its_connection(house: "House", stage: "Stage") -> None:
    house.api.data = _locked(house.api.data, msb=False, navigation_control=True)
    stage.facts.add(300, "/usr/bin/chromium")
    stage.facts.anybody = 300
    page = await house.tab("t-1")
    await page.result("init", body="{}", authorization="signature")
    await page.result("checkSystem")
    await page.result("start")
    assert stage.guard.terms is not None
    assert stage.guard.terms.exam.pid == 300


async def test_a_page_that_comes_back_to_a_lifted_exam_brings_the_lockdown_back(
    house: "House", stage: "Stage", eventually: Any
) -> None:
    await stage.running(navigation_control=True)
    await stage.conductor.locking.lift(stage.session, "browser gone")
    stage.facts.add(300, "/usr/bin/chromium")
    stage.facts.anybody = 300
    await house.tab("t-1")
    await eventually(lambda: stage.guard.phase == "locked")


# frames


async def test_a_browser_that_hides_its_window_hands_over_pictures(house: "House", stage: "Stage") -> None:
    stage.facts.anybody = BROWSER
    browser = await house.program()
    await attached(browser)
    assert await browser.refused("handFrame", image=PICTURE, at_ms=1) == "frame_not_wanted"
    await attached(browser, hides_window=True)
    taken = await browser.result("handFrame", image=PICTURE, at_ms=int(time.time() * 1000))
    assert taken["taken"] is False, "nothing is recorded"
    assert taken["next_s"] > 0
    assert await browser.refused("handFrame", image="no base64!", at_ms=1) == "frame_unreadable"
    assert await browser.refused("handFrame", image=base64.b64encode(b"no picture").decode(), at_ms=1) == (
        "frame_unreadable"
    )


async def test_a_picture_may_be_long_for_a_paired_program_and_not_for_a_page(house: "House", stage: "Stage") -> None:
    stage.facts.anybody = BROWSER
    noise = np.random.default_rng(1).integers(0, 256, (800, 1200, 3), np.uint8)
    image = base64.b64encode(cv2.imencode(".png", noise)[1].tobytes()).decode()
    assert len(image) > 2_000_000
    browser, page = await house.program(), await house.page()
    await attached(browser, hides_window=True)
    await browser.result("handFrame", image=image, at_ms=1)
    assert await browser.refused("sendMessage", text=image) == "message_too_long"
    await browser.result("beat", n=1)
    with pytest.raises(Exception, match="1009"):
        await page.call("handFrame", image=image, at_ms=1)


# attest and quit


async def test_a_page_gets_a_header_for_its_requests(house: "House", stage: "Stage") -> None:
    page = await house.tab("t-1")
    assert await page.refused("attest", url="https://exam.example/") == "attestation_not_possible"
    await stage.running(navigation_control=True)
    assert await page.refused("attest", url="https://exam.example/") == "attestation_not_possible"
    await stage.take(KeepAlive(1, "nonce"))
    attested = await page.result("attest", url="https://exam.example/", once=True)
    assert attested["header"] == HEADER
    assert stage.session.attestations is not None
    jws.verify(jws.read(attested["value"], TYPE), stage.session.attestations.attesting.x)


async def test_the_page_can_be_asked_for_the_quit_password(house: "House", stage: "Stage") -> None:
    page = await house.tab("t-1")
    await stage.running(navigation_control=True)
    assert await page.refused("quit", password="let me out") == "quit_not_possible"


async def test_a_hidden_page_counts_as_having_left(house: "House", stage: "Stage") -> None:
    await stage.running(navigation_control=True)
    page = await house.tab("t-1")
    status = await page.result("visibility", visible=True, focused=False)
    assert status["lockdown"]["away"] == 1
    status = await page.result("visibility", visible=True, focused=True)
    assert status["lockdown"]["away"] == 1


def _locked(data: Any, **settings: Any) -> Any:
    wanted = {"msb": True, **settings}
    return msgspec.structs.replace(data, settings=msgspec.structs.replace(data.settings, **wanted))

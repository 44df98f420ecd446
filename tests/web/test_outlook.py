"""The candidate's view of an interruption: countdown, what waits, what is on its way, the disk, and how it ended."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from secureproctor.contract.page import DrainStatus, LinkStatus, RoomStatus

Until = Callable[..., None]
SINCE_MS = 1_700_000_000_999  # a thousandth of a second later it is another second
RUNNING: dict[str, Any] = {"state": "running", "session_id": "s", "link": LinkStatus(True), "survivable_s": 300.0}
NOON_S = 4_000_000_000


def away(left_s: float | None, since_ms: int = SINCE_MS) -> LinkStatus:
    """Offline, with so many seconds until the expiry."""
    return LinkStatus(False, 12.4, left_s, since_ms)


def told_at(ms: int) -> str:
    """The time of day as the page shows it."""
    return time.strftime("%H:%M:%S", time.localtime(ms / 1000))


@pytest.fixture
def demo(page: Page, site: Any, agent: Any) -> Page:
    """The demo page of a session that runs; its clock moves only when a test moves it."""
    agent.status = type(agent.status)(agent="agent", **RUNNING)
    page.goto(f"{site.url}/demo?agent={agent.url}")
    expect(page.locator("#link")).to_have_text("Online")
    page.clock.install()
    page.clock.pause_at(NOON_S)
    return page


def seconds(demo: Page) -> str:
    return demo.locator("#countdown").get_attribute("data-seconds") or ""


def test_a_session_without_trouble_says_only_what_it_holds_out(demo: Page) -> None:
    expect(demo.locator("#survivable")).to_have_text("5 min")
    expect(demo.locator("#waiting")).to_have_text("None")
    expect(demo.locator("#outlook")).to_be_hidden()
    expect(demo.locator("#news")).to_be_empty()


def test_the_countdown_runs_by_itself_between_the_agents_words(demo: Page, agent: Any) -> None:
    agent.become(link=away(287.6), survivable_s=287.6, waiting_segments=3, waiting_bytes=1_234_567)
    expect(demo.locator("#outlookTitle")).to_have_text(f"Offline since {told_at(SINCE_MS)}")
    expect(demo.locator("#outlookText")).to_contain_text("The session goes on without the service.")
    expect(demo.locator("#countdown")).to_have_text("4:48")
    expect(demo.locator("#survivable")).to_have_text("4 min")
    expect(demo.locator("#waiting")).to_have_text("3 segments, 1.2 MB")
    for left in ("4:47", "4:46", "4:45"):
        demo.clock.run_for(1000)
        expect(demo.locator("#countdown")).to_have_text(left)
    demo.clock.run_for(285_000)
    expect(demo.locator("#countdown")).to_have_text("0:00")


def test_a_clock_that_is_set_meanwhile_changes_nothing(demo: Page, agent: Any) -> None:
    agent.become(link=away(100.0))
    expect(demo.locator("#countdown")).to_have_text("1:40")
    demo.clock.set_system_time(NOON_S + 3600)
    demo.clock.run_for(1000)
    expect(demo.locator("#countdown")).to_have_text("1:39")


def test_a_word_of_the_agent_that_comes_late_does_not_turn_it_back(demo: Page, agent: Any) -> None:
    agent.become(link=away(100.0))
    expect(demo.locator("#countdown")).to_have_text("1:40")
    demo.clock.run_for(1000)
    agent.become(link=away(99.4), waiting_segments=1)
    expect(demo.locator("#waiting")).to_have_attribute("data-segments", "1")
    assert seconds(demo) == "99"
    agent.become(link=away(200.0), waiting_segments=2)  # but another end is another end
    expect(demo.locator("#countdown")).to_have_text("3:20")


def test_a_screen_reader_hears_news_and_marks_but_not_each_second(demo: Page, agent: Any) -> None:
    demo.evaluate("""() => {
        globalThis.heard = [];
        for (const id of ["news", "timeNews"]) {
            const place = document.getElementById(id);
            new MutationObserver(() => heard.push(place.textContent)).observe(place, { childList: true });
        }
    }""")
    for second in range(0, 70, 2):
        agent.become(link=away(70.0 - second, SINCE_MS + second % 3), waiting_segments=second + 1)
        expect(demo.locator("#waiting")).to_have_attribute("data-segments", str(second + 1))
        demo.clock.run_for(2000)
    news, *marks = demo.evaluate("heard")
    assert news.startswith(f"Offline since {told_at(SINCE_MS)}. The session goes on without the service.")
    within = ("2 min", "1 min", "30 s", "10 s")
    assert marks == [f"The session ends in less than {length}." for length in within]
    expect(demo.locator("#countdown")).to_have_attribute("aria-live", "off")
    expect(demo.get_by_role("timer")).to_have_text("0:00")


def test_what_is_restored_takes_the_countdown_away(demo: Page, agent: Any) -> None:
    agent.become(link=away(100.0), waiting_segments=40)
    expect(demo.locator("#countdown")).to_be_visible()
    agent.become(link=LinkStatus(True), waiting_segments=0)
    expect(demo.locator("#outlook")).to_be_hidden()
    demo.clock.run_for(3000)
    assert seconds(demo) == ""
    expect(demo.locator("#timeNews")).to_be_empty()
    later = SINCE_MS + 60_000
    agent.become(link=away(300.0, later))
    expect(demo.locator("#outlookTitle")).to_have_text(f"Offline since {told_at(later)}")


def test_what_waited_is_seen_on_its_way(demo: Page, agent: Any) -> None:
    agent.become(waiting_segments=9, waiting_bytes=370_000, drain=DrainStatus(1_000_000, 370_000, 9250.0, 40.0))
    bar = demo.get_by_role("progressbar", name="Evidence delivered")
    expect(bar).to_have_attribute("value", "63")
    expect(demo.locator("#drainText")).to_have_text("63 % delivered, about 40 s left")
    expect(demo.locator("#outlookTitle")).to_have_text("Evidence is catching up")
    expect(demo.locator("#countdownPlace")).to_be_hidden()
    agent.become(drain=DrainStatus(1_000_000, 999, 0.0, None))
    expect(demo.locator("#drainText")).to_have_text("99 % delivered")
    agent.become(drain=DrainStatus(1_000_000, 999, 0.0, None), link=away(100.0))
    expect(bar).to_be_hidden()
    agent.become(drain=None, link=LinkStatus(True), waiting_segments=0)
    expect(demo.locator("#outlook")).to_be_hidden()


ENDINGS: list[tuple[dict[str, Any], str]] = [
    ({"link": away(None), "waiting_segments": 4},
     ("Your evidence up to then is safe on this computer and is delivered when the connection is back. "
      "Keep the computer on until then.")),
    ({"link": LinkStatus(True)}, "Your evidence up to then is safe on this computer and is being delivered."),
    ({"state": "ended"}, "Not all of the evidence could be delivered."),
    ({"waiting_segments": 0}, "All evidence up to then has been delivered."),
]  # fmt: skip


def test_an_end_by_expiry_says_why_and_where_the_evidence_is(demo: Page, agent: Any) -> None:
    agent.become(state="draining", end_reason="expired", survivable_s=None)
    for changes, sentence in ENDINGS:
        agent.become(**changes)
        expect(demo.locator("#outlookText")).to_have_text(f"{sentence} Ask the exam's staff how to go on.")
        expect(demo.locator("#outlook")).to_have_attribute("data-kind", "expired")
        expect(demo.locator("#outlookTitle")).to_have_text(
            "The session ended because the connection was away for too long"
        )
        expect(demo.locator("#countdownPlace")).to_be_hidden()


def test_the_last_evidence_of_a_stopped_session_is_told_until_it_is_delivered(demo: Page, agent: Any) -> None:
    agent.become(state="draining", end_reason="stopped", waiting_segments=2, drain=DrainStatus(10, 5))
    expect(demo.locator("#outlookTitle")).to_have_text("The last evidence is being delivered")
    expect(demo.locator("#drainText")).to_have_text("50 % delivered")
    agent.become(link=away(None), drain=None)
    expect(demo.locator("#outlookText")).to_contain_text("is delivered when the connection is back")
    agent.become(state="ended", link=LinkStatus(True), waiting_segments=0)
    expect(demo.locator("#outlook")).to_be_hidden()


DISKS = [
    (RoomStatus(10**9, 9000.0, "reduced"), "runs short, so the pictures are recorded at a lower quality."),
    (RoomStatus(10**8, 9000.0, "least"), "nearly full, so the pictures are recorded at the lowest quality."),
    (RoomStatus(0, 0.0, "least", True), "is full: the oldest video that waited had to be given up"),
    (RoomStatus(10**8, 200.0, "full"), "The disk of this computer takes evidence for 3 min more."),
]


def test_a_disk_that_runs_short_is_told_in_a_sentence(demo: Page, agent: Any) -> None:
    for room, sentence in DISKS:
        agent.become(room=room, survivable_s=min(300.0, room.lasts_s or 0.0))
        expect(demo.locator("#diskNotice")).to_contain_text(sentence)
        expect(demo.locator("#news")).to_contain_text(sentence)
        expect(demo.locator("#outlookTitle")).to_have_text("Room for evidence is short")
    agent.become(room=RoomStatus(10**11, 10**6, "full"), survivable_s=300.0)
    expect(demo.locator("#outlook")).to_be_hidden()


def test_an_outage_with_a_disk_that_runs_short_tells_both(demo: Page, agent: Any) -> None:
    agent.become(link=away(200.0), room=RoomStatus(10**8, 120.0, "reduced"), survivable_s=120.0)
    expect(demo.locator("#outlook")).to_have_attribute("data-kind", "offline")
    expect(demo.locator("#diskNotice")).to_have_attribute("data-level", "reduced")
    expect(demo.locator("#diskNotice")).to_contain_text("It takes evidence for 2 min more.")
    expect(demo.locator("#survivable")).to_have_text("2 min")


def test_a_paused_candidate_sees_the_countdown_as_well(demo: Page, agent: Any) -> None:
    agent.become(state="paused", paused=True, link=away(100.0))
    expect(demo.get_by_role("dialog")).to_be_visible()
    seen = """() => {
        const { x, y, width, height } = document.getElementById("countdown").getBoundingClientRect();
        return document.elementFromPoint(x + width / 2, y + height / 2).id;
    }"""
    assert demo.evaluate(seen) == "countdown"


def test_without_the_agent_nothing_is_claimed(demo: Page, agent: Any, until: Until) -> None:
    agent.become(link=away(100.0), waiting_segments=7)
    expect(demo.locator("#countdown")).to_be_visible()
    agent.drop()
    expect(demo.locator("#outlook")).to_be_hidden()
    expect(demo.locator("#waiting")).to_have_text("–")
    demo.clock.resume()
    expect(demo.locator("#countdown")).to_have_text("1:40")


def test_an_older_agent_that_tells_less_does_no_harm(demo: Page, agent: Any) -> None:
    for connection in agent.connections:
        connection.send(
            '{"jsonrpc":"2.0","method":"event","params":{"type":"status","agent":"a","state":"running","session_id":"s",'
            '"paused":false,"capturing":[],"test_sources":[],"link":{"online":true,"offline_s":0,"expires_in_s":null},'
            '"waiting_segments":5,"waiting_bytes":9,"running_s":1,"end_reason":"","auto_acknowledgement":false,"pending":[]}}'
        )
    expect(demo.locator("#waiting")).to_have_attribute("data-segments", "5")
    expect(demo.locator("#survivable")).to_have_text("–")
    expect(demo.locator("#outlook")).to_be_hidden()

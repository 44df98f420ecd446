"""The proctor's console against a service of the contract's types."""

import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Page, expect

from secureproctor.contract import console
from secureproctor.contract.report import ChatReport, CommandReport

Until = Callable[..., None]

FIRST = console.SessionSnapshot(
    session_id="s-1", user_id="user-1", user_name="Zoë <b>Å</b>", group_name="group-1", state="running", end_reason="",
    link="offline", heard_ms=1_700_000_000_000, started_ms=1_700_000_000_000, expiry_s=300, backlog_segments=4,
    streams={"screen": console.StreamState(7, 1_500_000, 1_700_000_000_000)},
    commands=[
        CommandReport("c-1", "pause", "acknowledged", 1, 2, 3, 4, 5, "page"),
        CommandReport("c-2", "resume", "refused", 6, reason="It was not paused."),
    ],
    chat=[ChatReport("candidate", "Hello?", 1_700_000_000_000)], access="a+c/s=",
)  # fmt: skip
SECOND = msgspec.structs.replace(
    FIRST,
    session_id="s-2",
    user_name="",
    user_id="user-2",
    state="ended",
    end_reason="stopped",
    link="online",
    pause_resume=False,
)


@pytest.fixture
def opened(page: Page, site: Any) -> Page:
    """The console with two sessions."""
    site.snapshots = [FIRST, SECOND]
    page.goto(f"{site.url}/console#key={site.key}")
    expect(page.locator("#sessions > *")).to_have_count(2)
    return page


def of(page: Page, selector: str, session: str = "s-1") -> Any:
    return page.locator(f"[data-session={session}] {selector}")


def test_the_key_comes_by_the_fragment_and_outlives_a_reload(opened: Page, site: Any) -> None:
    expect(opened).to_have_url(re.compile(r"^[^#]*$"))
    assert site.heard == [console.Hello(site.key)]
    opened.reload()
    expect(opened.locator("#sessions > *")).to_have_count(2)


def test_a_wrong_key_is_asked_for_again(page: Page, site: Any) -> None:
    site.snapshots = [FIRST]
    page.goto(f"{site.url}/console#key=wrong")
    expect(page.locator("#keyError")).to_contain_text("This is not the proctor's key.")
    page.fill("#key", site.key)
    page.click("#open")
    expect(page.locator("#sessions > *")).to_have_count(1)
    expect(page.locator("#gate")).to_be_hidden()


def test_without_a_key_it_asks_and_without_sessions_it_says_so(page: Page, site: Any) -> None:
    page.goto(f"{site.url}/console")
    expect(page.locator("#key")).to_be_focused()
    assert site.heard == []
    page.fill("#key", site.key)
    page.press("#key", "Enter")
    expect(page.locator("#empty")).to_be_visible()


def test_a_session_shows_state_link_backlog_streams_and_report(opened: Page, site: Any) -> None:
    expect(of(opened, "h2")).to_have_text("Zoë <b>Å</b>")
    expect(of(opened, "[data-part=state]")).to_have_text("Running")
    expect(of(opened, "[data-part=link]")).to_contain_text("offline since")
    expect(of(opened, "[data-part=facts]")).to_contain_text("4 segments")
    expect(of(opened, "[data-part=facts]")).to_contain_text("7 segments, 1.5 MB")
    expect(of(opened, "[data-part=chat]")).to_contain_text("Hello?")
    expect(of(opened, "[data-part=report]")).to_have_attribute("href", f"{site.url}/report/s-1?access=a%2Bc%2Fs%3D")
    expect(of(opened, "[data-part=state]", "s-2")).to_have_text("Ended: stopped")
    for action in ("pause", "resume", "end"):
        expect(of(opened, f"[data-action={action}]", "s-2")).to_be_disabled()


def test_an_agent_that_is_away_is_counted_down_to_the_end_of_its_session(opened: Page, site: Any) -> None:
    """From what the service said on: wall clocks need not agree."""
    link = of(opened, "[data-part=link]")
    opened.clock.install()
    opened.clock.pause_at(4_000_000_000)
    opened.reload()
    expect(link).to_have_text(re.compile(r"^offline since \d\d:\d\d:\d\d$"))
    site.tell(msgspec.structs.replace(FIRST, offline_s=15.0, expires_in_s=285.0))
    expect(link).to_have_text(re.compile(r"^offline since \d\d:\d\d:\d\d, ends in 4:45$"))
    opened.clock.run_for(2000)
    expect(link).to_have_text(re.compile(r", ends in 4:43$"))
    opened.clock.run_for(300_000)
    expect(link).to_have_text(re.compile(r", ends now$"))
    site.tell(msgspec.structs.replace(FIRST, link="online"))
    expect(link).to_have_text("online")
    site.tell(msgspec.structs.replace(FIRST, state="ended", end_reason="expired", offline_s=300.0))
    expect(link).to_have_text("offline")


def test_commands_show_how_far_they_came_and_why_not_further(opened: Page) -> None:
    rows = of(opened, "[data-command]")
    expect(rows).to_have_count(2)
    assert [(each.get_attribute("data-kind"), each.get_attribute("data-status")) for each in rows.all()] == [
        ("resume", "refused"), ("pause", "acknowledged"),
    ]  # fmt: skip
    expect(rows.nth(0)).to_contain_text("It was not paused.")
    expect(rows.nth(1)).to_contain_text("by page")
    expect(rows.nth(1).locator("td")).to_have_count(7)


def test_pause_and_chat_are_sent_and_end_asks_first(opened: Page, site: Any, until: Until) -> None:
    of(opened, "[data-input=reason]").fill("One moment, please.")
    of(opened, "[data-action=pause]").click()
    of(opened, "[data-action=end]").click()
    expect(of(opened, "[data-action=confirm-end]")).to_be_focused()
    of(opened, "[data-action=cancel-end]").click()
    of(opened, "[data-action=end]").click()
    of(opened, "[data-action=confirm-end]").click()
    of(opened, "[data-input=chat]").fill("Hello <i>Zoë</i>")
    of(opened, "[data-action=say]").click()
    expect(of(opened, "[data-input=chat]")).to_have_value("")
    until(lambda: len(site.heard) == 4, "all messages")
    assert site.heard[1:] == [
        console.Issue("s-1", "pause", "One moment, please.", "console-1"),
        console.Issue("s-1", "end", "", "console-2"),
        console.Say("s-1", "Hello <i>Zoë</i>"),
    ]


def test_a_refused_command_is_told_at_its_session(opened: Page) -> None:
    of(opened, "[data-action=resume]").click()
    expect(of(opened, "[data-part=answer]")).to_contain_text("not now")
    of(opened, "[data-action=pause]").click()
    expect(of(opened, "[data-part=answer]")).to_be_hidden()


def test_a_new_snapshot_leaves_a_half_typed_message_alone(opened: Page, site: Any) -> None:
    of(opened, "[data-input=chat]").fill("half a mess")
    site.tell(
        msgspec.structs.replace(
            FIRST, state="paused", link="online", chat=[*FIRST.chat, ChatReport("proctor", "Hi", 2)]
        )
    )
    expect(of(opened, "[data-part=state]")).to_have_text("Paused")
    expect(opened.locator("[data-session=s-1]")).to_have_attribute("data-link", "online")
    expect(of(opened, "[data-part=chat] li")).to_have_count(2)
    expect(of(opened, "[data-input=chat]")).to_have_value("half a mess")


def test_it_comes_back_when_the_service_does(opened: Page, site: Any) -> None:
    site.hang_up()
    expect(opened.locator("#connection")).to_have_attribute("data-connected", "false")
    expect(opened.locator("#connection")).to_have_attribute("data-connected", "true")
    expect(opened.locator("#sessions > *")).to_have_count(2)


def test_what_cannot_be_sent_is_not_lost(opened: Page, site: Any) -> None:
    of(opened, "[data-input=reason]").fill("Words")
    of(opened, "[data-input=chat]").fill("Message")
    opened.clock.install()
    opened.clock.pause_at(4_000_000_000)  # it does not come back during this test
    site.hang_up()
    expect(opened.locator("#connection")).to_have_attribute("data-connected", "false")
    of(opened, "[data-action=pause]").click()
    expect(of(opened, "[data-part=answer]")).to_contain_text("the command was not sent")
    of(opened, "[data-action=say]").click()
    expect(of(opened, "[data-input=reason]")).to_have_value("Words")
    expect(of(opened, "[data-input=chat]")).to_have_value("Message")
    assert len(site.heard) == 1

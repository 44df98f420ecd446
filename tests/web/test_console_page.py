"""The proctor's console against a service of the contract's types: log-in, one candidate's page, the desk, the accounts."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from secureproctor.contract import console, stills
from secureproctor.contract.channel import COMMANDS, FINAL, STATUS_ORDER
from secureproctor.contract.errors import Refusal
from secureproctor.contract.events import EVENTS
from secureproctor.contract.lockdown import RULES
from secureproctor.contract.report import ChatReport, IdentityReport
from tests.web.candidates import DETAIL, ENDED, FIRST, STARTED_MS, SUBMITTED, WAITING, changed, flags
from tests.web.conftest import PIXEL

Until = Callable[..., None]
WEB = Path(__file__).parents[2] / "service" / "web"


@pytest.fixture
def opened(page: Page, site: Any) -> Page:
    """The wall with three sessions."""
    site.snapshots = [FIRST, ENDED, WAITING]
    site.details = {"s-1": DETAIL, "s-3": SUBMITTED}
    for path in ("stills/0/1", "stills/0/2", "stills/0/8", "stills/0/9", "reference"):
        site.files[f"/v1/sessions/s/{path}"] = ("image/png", PIXEL)
    page.goto(f"{site.url}/console#key={site.key}")
    expect(page.locator("#wall article")).to_have_count(3)
    return page


def candidate(page: Page, session: str = "s-1") -> Page:
    page.locator(f"article[data-session={session}] [data-action=open]").click()
    expect(page.locator(f"#candidate[data-session={session}]")).to_be_visible()
    return page


def of(page: Page, selector: str) -> Locator:
    return page.locator(f"#candidate {selector}")


def said(site: Any) -> list[Any]:
    """What the console said beyond greeting, opening and reading."""
    quiet = (console.Hello, console.Open, console.Shut, console.Read)
    return [message for message in site.heard if not isinstance(message, quiet)]


# log-in


def test_the_key_comes_by_the_fragment_and_outlives_a_reload(opened: Page, site: Any) -> None:
    expect(opened).to_have_url(re.compile(r"/console#/$"))
    assert site.heard == [console.Hello(site.key)]
    opened.reload()
    expect(opened.locator("#wall article")).to_have_count(3)
    expect(opened.locator("#who")).to_have_attribute("data-role", "super")


def test_a_wrong_key_leads_to_the_log_in_and_says_why(page: Page, site: Any) -> None:
    page.goto(f"{site.url}/console#key=wrong")
    expect(page.locator("#loginError")).to_contain_text("This is not the proctor's key.")
    page.reload()
    expect(page.locator("#loginName")).to_be_focused()


def test_name_and_password_open_the_wall_and_a_log_out_closes_it(page: Page, site: Any) -> None:
    site.snapshots, site.role = [FIRST], "proctor"
    page.goto(f"{site.url}/console")
    expect(page.locator("#loginName")).to_be_focused()
    page.fill("#loginName", "ada")
    page.fill("#loginPassword", "right")
    page.press("#loginPassword", "Enter")
    expect(page.locator("#wall article")).to_have_count(1)
    expect(page.locator("#who")).to_have_text("ada · Proctor")
    expect(page.locator("#accountsOpen")).to_have_count(0)
    assert site.heard == [console.Hello(token="token-ada")]
    page.click("#logout")
    expect(page.locator("#login")).to_be_visible()
    page.reload()
    expect(page.locator("#login")).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('secureproctor.proctor')") is None


def test_a_wrong_password_is_told_and_nothing_is_opened(browser: Any, site: Any) -> None:
    context = browser.new_context()
    page = context.new_page()  # of its own: the browser itself tells of the 401 in its console
    page.goto(f"{site.url}/console")
    page.fill("#loginName", "ada")
    page.fill("#loginPassword", "wrong")
    page.click("#loginSubmit")
    expect(page.locator("#loginError")).to_have_text(
        "Name and password do not belong together. Try again, or ask a super proctor for a new password."
    )
    expect(page.locator("#loginPassword")).to_be_focused()
    assert site.heard == []
    context.close()


def test_a_log_in_that_ended_is_asked_for_again(opened: Page, site: Any) -> None:
    candidate(opened)
    site.tell(console.Failed(Refusal("login_needed").info))
    expect(opened.locator("#loginError")).to_have_text("The log-in is not valid any more. Log in again.")
    expect(opened.locator("#candidate")).to_have_count(0)


# one candidate


def test_the_page_tells_who_in_what_state_and_how_complete(opened: Page, site: Any) -> None:
    candidate(opened)
    expect(opened.locator("#candidateName")).to_have_text("Zoë <b>Å</b>")
    expect(of(opened, "[data-part=state]")).to_have_text("Running")
    expect(of(opened, "[data-part=link]")).to_have_text("online")
    expect(of(opened, "[data-part=backlog]")).to_have_text("4 segments wait (1.5 MB)")
    expect(of(opened, "[data-part=coverage]")).to_have_text("98.5 % covered")
    expect(of(opened, "[data-part=report]")).to_have_attribute("href", f"{site.url}/report/s-1?access=a%2Bc%2Fs%3D")
    site.tell(changed(FIRST, state="paused", quality="least", link="offline", heard_ms=STARTED_MS))
    expect(opened.locator("#candidate")).to_have_attribute("data-state", "paused")
    expect(opened.locator("#candidate")).to_have_attribute("data-link", "offline")
    expect(of(opened, "[data-part=quality]")).to_have_text("lowest quality")
    expect(of(opened, "[data-action=quality-least]")).to_have_attribute("aria-pressed", "true")


def test_an_agent_that_is_away_is_counted_down_to_the_end_of_its_session(opened: Page, site: Any) -> None:
    """From what the service said on: wall clocks need not agree."""
    candidate(opened)
    link = of(opened, "[data-part=link]")
    opened.clock.install()
    opened.clock.pause_at(4_000_000_000)
    opened.reload()
    expect(link).to_have_text("online")
    site.tell(changed(FIRST, link="offline", offline_s=15.0, expires_in_s=285.0))
    expect(link).to_have_text(re.compile(r"^offline since \d\d:\d\d:\d\d, ends in 4:45$"))
    opened.clock.run_for(2000)
    expect(link).to_have_text(re.compile(r", ends in 4:43$"))
    opened.clock.run_for(300_000)
    expect(link).to_have_text(re.compile(r", ends now$"))
    site.tell(FIRST)
    expect(link).to_have_text("online")
    site.tell(changed(FIRST, state="ended", link="offline", end_reason="expired", offline_s=300.0))
    expect(link).to_have_text("offline")
    expect(of(opened, "[data-part=state]")).to_have_text("Ended: expired")


def test_commands_show_how_far_they_came_and_why_not_further(opened: Page) -> None:
    candidate(opened)
    rows = of(opened, "[data-command]")
    expect(rows).to_have_count(4)
    assert [(each.get_attribute("data-kind"), each.get_attribute("data-status")) for each in rows.all()] == [
        ("quality", "expired"), ("end", "unacknowledged"), ("resume", "refused"), ("pause", "acknowledged"),
    ]  # fmt: skip
    expect(rows.nth(0)).to_contain_text("Quality: lowest")
    expect(rows.nth(0)).to_contain_text("It came too late.")
    expect(rows.nth(1)).to_contain_text("in effect, not acknowledged")
    expect(rows.nth(3)).to_contain_text("“One moment.”")
    steps = rows.nth(3).locator("ol li")
    assert [text.split()[0] for text in steps.all_text_contents()] == ["Issued", "Received", "In", "Acknowledged"]
    expect(steps.nth(0)).to_contain_text("by ada")
    expect(steps.nth(3)).to_contain_text("by page")


ORDERS = {
    "pause": ("pause", ""),
    "quality-full": ("quality", "full"),
    "quality-reduced": ("quality", "reduced"),
    "quality-least": ("quality", "least"),
    "snapshot-screen": ("snapshot", "screen"),
    "snapshot-webcam": ("snapshot", "webcam"),
}


def test_each_button_orders_its_command_and_words_go_with_the_next_one(opened: Page, site: Any, until: Until) -> None:
    candidate(opened)
    of(opened, "[data-input=reason]").fill("One moment, please.")
    for action in ORDERS:
        of(opened, f"[data-action={action}]").click()
    expect(of(opened, "[data-input=reason]")).to_have_value("")
    until(lambda: len(said(site)) == len(ORDERS), "all commands")
    assert said(site) == [
        console.Issue("s-1", kind, "One moment, please." if n == 1 else "", f"console-{n}", argument)  # type: ignore[arg-type] # known kinds
        for n, (kind, argument) in enumerate(ORDERS.values(), 1)
    ]
    assert all(argument in (COMMANDS[kind].arguments or ("",)) for kind, argument in ORDERS.values())  # type: ignore[index] # as above


def test_the_end_asks_first_and_the_focus_comes_back(opened: Page, site: Any, until: Until) -> None:
    candidate(opened)
    end = of(opened, "[data-action=end]")
    end.click()
    expect(opened.get_by_role("dialog")).to_contain_text("End the test of Zoë <b>Å</b>?")
    opened.keyboard.press("Escape")
    expect(opened.get_by_role("dialog")).to_have_count(0)
    expect(end).to_be_focused()
    end.click()
    of(opened, "[data-action=cancel]").click()
    assert said(site) == []
    of(opened, "[data-input=reason]").fill("The time is over.")
    end.click()
    expect(opened.get_by_role("dialog")).to_contain_text("“The time is over.”")
    of(opened, "[data-action=confirm]").click()
    until(lambda: said(site), "the end")
    assert said(site) == [console.Issue("s-1", "end", "The time is over.", "console-1")]


def test_what_is_not_possible_says_why_at_its_button(opened: Page, site: Any) -> None:
    candidate(opened, "s-3")
    expect(of(opened, "[data-action=pause]")).to_be_disabled()
    expect(of(opened, "[data-action=pause]")).to_have_attribute("title", "The session does not run.")
    site.tell(changed(WAITING, end_test=False))
    expect(of(opened, "[data-action=end]")).to_have_attribute("title", "End test was switched off at Init.")
    site.tell(changed(WAITING, state="ended", authorization_step="rejected"))
    for button in of(opened, ".orders button").all():
        expect(button).to_be_disabled()


def test_a_refused_command_is_told_at_its_session(opened: Page) -> None:
    candidate(opened)
    of(opened, "[data-action=resume]").click()
    expect(of(opened, "[data-part=answer]")).to_contain_text("not now")
    of(opened, "[data-action=pause]").click()
    expect(of(opened, "[data-part=answer]")).to_be_hidden()


def test_chat_shows_who_wrote_and_how_far_it_came(opened: Page, site: Any, until: Until) -> None:
    candidate(opened)
    lines = of(opened, "[data-part=chat] li")
    expect(lines).to_have_count(4)
    expect(lines.nth(0)).to_contain_text("Hello <i>there</i>?")
    marks = lines.evaluate_all("(all) => all.map(({dataset}) => [dataset.message, dataset.sender, dataset.mark])")
    assert marks == [
        ["m-1", "candidate", "read"], ["m-2", "proctor", "read"], ["m-3", "proctor", "delivered"],
        ["m-4", "proctor", "sent"],
    ]  # fmt: skip
    of(opened, "[data-input=chat]").fill("Hello <i>Zoë</i>")
    of(opened, "[data-action=say]").click()
    expect(of(opened, "[data-input=chat]")).to_have_value("")
    until(lambda: said(site), "the message")
    assert said(site) == [console.Say("s-1", "Hello <i>Zoë</i>", "console-1")]


def test_a_message_that_was_not_taken_stays_in_its_field(opened: Page, site: Any, until: Until) -> None:
    candidate(opened)
    field = of(opened, "[data-input=chat]")
    field.fill("refused")
    of(opened, "[data-action=say]").click()
    expect(of(opened, "[data-part=answer]")).to_contain_text("Too many messages")
    expect(field).to_have_value("refused")
    site.silent = True
    field.fill("Are you there?")
    of(opened, "[data-action=say]").click()
    until(lambda: len(said(site)) == 2, "the message")
    site.hang_up()
    expect(of(opened, "[data-part=answer]")).to_contain_text("before the service confirmed it")
    expect(field).to_have_value("Are you there?")


def told(text: str, message_id: str, **marks: int) -> console.SessionDetail:
    """The canned session with one more message of the candidate."""
    message = ChatReport("candidate", text, STARTED_MS, message_id, "", STARTED_MS, **marks)
    return console.SessionDetail(
        "s-1", DETAIL.commands, [*DETAIL.chat, message], DETAIL.events, DETAIL.stills, DETAIL.identity, DETAIL.settings
    )


def test_a_message_counts_as_read_when_it_was_seen(opened: Page, site: Any, until: Until) -> None:
    opened.set_viewport_size({"width": 400, "height": 300})  # the conversation lies far below
    candidate(opened)
    site.tell(told("Can you hear me?", "m-5"))
    expect(of(opened, "[data-part=chat] li")).to_have_count(5)
    assert not any(isinstance(message, console.Read) for message in site.heard)
    of(opened, "[data-part=chat]").scroll_into_view_if_needed()
    until(lambda: site.heard[-1] == console.Read("s-1", "m-5"), "the mark")
    site.tell(told("Can you hear me?", "m-5", read_ms=STARTED_MS))
    site.tell(told("And now?", "m-6"))
    until(lambda: site.heard[-1] == console.Read("s-1", "m-6"), "the next mark")


def test_what_happened_is_told_in_sentences_the_newest_first(opened: Page, site: Any) -> None:
    candidate(opened)
    rows = of(opened, "[data-part=timeline] li")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("The computer's clock was set 1 h back.")
    expect(rows.nth(1)).to_contain_text("The test was paused, by proctor.")
    site.tell(changed(FIRST, flags=flags(("AWAY_FROM_WINDOW", 5.5))))
    expect(rows.nth(1)).to_have_attribute("data-flag", "AWAY_FROM_WINDOW")
    expect(rows.nth(1)).to_contain_text("Away from window until 0:09, confidence 90 %")
    of(opened, "[data-action=flags-only]").click()
    expect(rows).to_have_count(1)


def test_a_new_snapshot_leaves_what_is_half_typed_alone(opened: Page, site: Any) -> None:
    candidate(opened)
    of(opened, "[data-input=chat]").fill("half a mess")
    of(opened, "[data-input=reason]").fill("half a reas")
    site.tell(changed(FIRST, state="paused"))
    site.tell(told("Hi", "m-7"))
    expect(of(opened, "[data-part=state]")).to_have_text("Paused")
    expect(of(opened, "[data-part=chat] li")).to_have_count(5)
    expect(of(opened, "[data-input=chat]")).to_have_value("half a mess")
    expect(of(opened, "[data-input=reason]")).to_have_value("half a reas")


def test_it_comes_back_when_the_service_does_and_opens_the_candidate_again(
    opened: Page, site: Any, until: Until
) -> None:
    candidate(opened)
    site.hang_up()
    expect(opened.locator("#connection")).to_have_attribute("data-connected", "false")
    expect(opened.locator("#connection")).to_have_attribute("data-connected", "true")
    until(lambda: [m for m in site.heard if isinstance(m, console.Open)] == [console.Open("s-1")] * 2, "both openings")


def test_what_cannot_be_sent_is_not_lost(opened: Page, site: Any) -> None:
    candidate(opened)
    of(opened, "[data-input=reason]").fill("Words")
    of(opened, "[data-input=chat]").fill("Message")
    opened.clock.install()
    opened.clock.pause_at(4_000_000_000)  # it does not come back during this test
    site.hang_up()
    expect(opened.locator("#connection")).to_have_attribute("data-connected", "false")
    of(opened, "[data-action=pause]").click()
    expect(of(opened, "[data-part=answer]")).to_contain_text("nothing was sent")
    of(opened, "[data-action=say]").click()
    expect(of(opened, "[data-input=reason]")).to_have_value("Words")
    expect(of(opened, "[data-input=chat]")).to_have_value("Message")
    assert said(site) == []


def test_a_session_that_is_gone_leaves_a_way_back(opened: Page, site: Any) -> None:
    candidate(opened)
    site.tell(console.SessionGone("s-1"))
    expect(opened.locator("main")).to_contain_text("There is no such session, or not for you.")
    opened.click("#back")
    expect(opened.locator("#wall article")).to_have_count(2)


def test_the_focus_is_on_whose_page_it_is_and_comes_back_to_the_card(opened: Page) -> None:
    opened.locator("article[data-session=s-1] [data-action=open]").focus()
    opened.keyboard.press("Enter")
    expect(opened.locator("#candidateName")).to_be_focused()
    expect(opened).to_have_title("Zoë <b>Å</b> · SecureProctor Console")
    opened.go_back()
    expect(opened.locator("article[data-session=s-1] [data-action=open]")).to_be_focused()
    opened.keyboard.press("Enter")
    expect(opened.locator("#candidateName")).to_be_focused()
    opened.keyboard.press("Shift+Tab")
    expect(opened.locator("#back")).to_be_focused()
    opened.keyboard.press("Enter")
    expect(opened.locator("article[data-session=s-1] [data-action=open]")).to_be_focused()


# the authorization desk


def test_the_desk_lays_photo_card_and_reference_side_by_side(opened: Page) -> None:
    candidate(opened, "s-3")
    expect(opened.locator("#candidate")).to_have_attribute("data-authorization", "submitted")
    desk = of(opened, "[data-part=desk]")
    expect(desk).to_contain_text("Waits for your decision")
    boxes = [desk.locator(f"img[data-still={each}]").bounding_box() for each in ("photo", "id_card", "reference")]
    assert all(boxes)
    assert len({round(box["y"]) for box in boxes if box}) == 1
    expect(desk.locator("figure").nth(0)).to_contain_text("Too dark")
    expect(desk.locator("figure").nth(2)).to_contain_text("Reference")


def test_a_picture_is_enlarged_by_a_key_and_the_arrows_go_to_the_others(opened: Page) -> None:
    candidate(opened, "s-3")
    opened.get_by_role("button", name=re.compile("Enlarge: Photo")).press("Enter")
    expect(opened.locator("#enlarged figcaption")).to_contain_text("Photo")
    opened.keyboard.press("ArrowRight")
    expect(opened.locator("#enlarged figcaption")).to_contain_text("ID card")
    opened.keyboard.press("ArrowLeft")
    opened.keyboard.press("ArrowLeft")
    expect(opened.locator("#enlarged figcaption")).to_contain_text("Reference, of the exam · 3 of 3")
    opened.keyboard.press("Escape")
    expect(opened.locator("#enlarged")).to_have_count(0)
    expect(opened.get_by_role("button", name=re.compile("Enlarge: Photo"))).to_be_focused()


def test_each_decision_is_ordered_and_a_rejection_asks_first(opened: Page, site: Any, until: Until) -> None:
    candidate(opened, "s-3")
    for action in ("resubmit-photo", "resubmit-id_card", "resubmit-both", "authorize"):
        of(opened, f"[data-action={action}]").click()
    of(opened, "[data-input=reason]").fill("It is another person.")
    of(opened, "[data-action=reject]").click()
    of(opened, "[data-action=confirm]").click()
    until(lambda: len(said(site)) == 5, "all decisions")
    assert [(each.kind, each.argument, each.text) for each in said(site)] == [
        ("resubmit", "photo", ""), ("resubmit", "id_card", ""), ("resubmit", "both", ""), ("authorize", "", ""),
        ("reject", "", "It is another person."),
    ]  # fmt: skip


def test_before_the_candidate_handed_in_only_a_rejection_is_possible(opened: Page, site: Any) -> None:
    candidate(opened, "s-3")
    site.tell(changed(WAITING, authorization_step="capture"))
    expect(of(opened, "[data-action=authorize]")).to_be_disabled()
    expect(of(opened, "[data-action=resubmit-both]")).to_be_disabled()
    expect(of(opened, "[data-action=reject]")).to_be_enabled()


def test_after_the_decision_the_desk_steps_back_and_keeps_what_was_decided(opened: Page, site: Any) -> None:
    candidate(opened, "s-3")
    decided = IdentityReport(
        "authorized", (), STARTED_MS, STARTED_MS, STARTED_MS, "ada", "Good luck.", SUBMITTED.identity.photo
    )
    site.tell(console.SessionDetail("s-3", [], [], [], [], decided, {"skipId": True}))
    site.tell(changed(WAITING, authorization_step="authorized", state="ready"))
    expect(of(opened, "[data-action=authorize]")).to_have_count(0)
    desk = of(opened, "[data-part=desk]")
    expect(desk).to_contain_text("by ada")
    desk.locator("summary").click()
    expect(desk.locator("img[data-still=photo]")).to_be_visible()
    expect(desk.locator("figure")).to_have_count(1)
    expect(desk).to_contain_text("“Good luck.”")
    expect(of(opened, "[data-input=reason]")).to_have_count(1)


def test_a_reference_that_could_not_be_fetched_says_why(opened: Page, site: Any) -> None:
    candidate(opened, "s-3")
    identity = IdentityReport("submitted", reference_error="The address is of an internal network.")
    site.tell(console.SessionDetail("s-3", [], [], [], [], identity, {}))
    expect(of(opened, "[data-part=desk]")).to_contain_text("The address is of an internal network.")
    expect(of(opened, "[data-part=desk]")).to_contain_text("Not taken yet")


def test_snapshots_are_shown_as_they_come(opened: Page, site: Any) -> None:
    candidate(opened)
    pictures = of(opened, "[data-part=stills] img")
    expect(pictures).to_have_count(2)
    expect(pictures.first).to_have_attribute("alt", re.compile(r"^Camera at \d\d:\d\d:\d\d$"))
    opened.get_by_role("button", name=re.compile("Enlarge: Screen")).click()
    expect(opened.locator("#enlarged img")).to_have_attribute("src", re.compile(r"/stills/0/8\?access=a$"))


# the accounts


def test_a_super_proctor_makes_changes_and_removes_accounts(opened: Page, site: Any, until: Until) -> None:
    site.accounts = {"ada": console.ProctorAccount("ada", "super")}
    opened.click("#accountsOpen")
    expect(opened.locator("#accounts [data-proctor]")).to_have_count(1)
    opened.fill("#accountName", "grace")
    opened.fill("#accountPassword", "long enough")
    opened.fill("#accountGroups", "Physics, Music ,")
    opened.click("#accountSave")
    row = opened.locator("[data-proctor=grace]")
    expect(row).to_contain_text("Physics, Music")
    expect(opened.locator("#accountName")).to_have_value("")
    row.locator("[data-action=edit]").click()
    expect(opened.locator("#accountGroups")).to_have_value("Physics, Music")
    opened.select_option("#accountRole", "super")
    opened.check("#accountDisabled")
    opened.click("#accountSave")
    expect(row).to_contain_text("disabled")
    assert [message for message in site.heard if isinstance(message, console.ProctorChange)] == [
        console.ProctorChange("proctor", "long enough", ("Physics", "Music")),
        console.ProctorChange("super", "", ("Physics", "Music"), disabled=True),
    ]
    row.locator("[data-action=remove]").click()
    row.locator("[data-action=confirm]").click()
    expect(row).to_have_count(0)
    assert list(site.accounts) == ["ada"]


def test_a_refused_change_of_an_account_says_why(browser: Any, site: Any) -> None:
    site.accounts = {"ada": console.ProctorAccount("ada", "super")}
    context = browser.new_context()
    page = context.new_page()  # of its own: the browser itself tells of the 409 in its console
    page.goto(f"{site.url}/console#key={site.key}")
    page.click("#accountsOpen")
    page.locator("[data-proctor=ada] [data-action=remove]").click()
    page.locator("[data-proctor=ada] [data-action=confirm]").click()
    expect(page.locator("#accountError")).to_contain_text("This is the last super proctor.")
    context.close()


# the tables


def test_the_console_knows_the_contracts_words() -> None:
    """A name that the contract does not have would never be seen; one that it has and nobody worded is shown as it is."""

    def named(file: str, table: str) -> set[str]:
        found = re.search(rf"const {table} =.*?\n}}\)?;", (WEB / file).read_text(), re.DOTALL)
        assert found
        return set(re.findall(r"^  (\w+): ", found.group(), re.MULTILINE))

    assert named("stills.js", "HINTS") == set(stills.HINTS)
    sentences = ("console-happened.js", "lockdown-events.js", "incidents.js")
    assert set().union(*(named(file, "SENTENCES") for file in sentences)) == set(EVENTS)
    assert named("states.js", "COMMANDS") == set(COMMANDS)
    assert named("states.js", "STATUSES") <= {*STATUS_ORDER, *FINAL, "issued"}
    arguments = {each for rule in COMMANDS.values() for each in rule.arguments}
    assert named("states.js", "ARGUMENTS") == arguments - set(RULES)  # which have their own names


PLACES = {"#/": "#wall", "#/session/s-1": "#candidate", "#/session/s-3": "[data-part=desk]", "#/accounts": "#accounts"}


def test_nothing_is_wider_than_a_narrow_screen(opened: Page) -> None:
    opened.set_viewport_size({"width": 400, "height": 800})
    for place, shown in PLACES.items():
        opened.evaluate("(hash) => (location.hash = hash)", place)
        expect(opened.locator(shown)).to_be_visible()
        assert opened.evaluate("document.documentElement.scrollWidth") <= 400, place


def test_everything_that_can_be_pressed_or_filled_has_a_name(opened: Page) -> None:
    for place, shown in PLACES.items():
        opened.evaluate("(hash) => (location.hash = hash)", place)
        expect(opened.locator(shown)).to_be_visible()
        controls = opened.locator("a[href], button, input, select, video, img[src], [tabindex='0']")
        assert controls.count() > 5
        for control in controls.all():
            expect(control).to_have_accessible_name(re.compile(r"\w"))

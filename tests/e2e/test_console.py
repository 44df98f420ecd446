"""Every action of the console, and its effect at the candidate's page."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright, expect

from tests.e2e.candidate import GROUP, Candidate
from tests.e2e.console import Console, registered
from tests.e2e.house import House, until
from tests.e2e.tabs import Tabs, tabs

PLAYS = "video => video.readyState >= 2 && video.currentTime > 0 && video.videoWidth > 0"


@pytest.fixture(scope="module")
def other(home: House) -> str:
    """A session of another group."""
    return registered(home, "chemistry-7", "Marie Curie")


@pytest.fixture(scope="module")
def candidate(browser: Tabs, other: str) -> Candidate:
    """Who is looked at: checked in, and asked for authorization."""
    made = browser.candidate(authorization=True)
    made.listen()
    made.field("autoAcknowledge").check()
    made.check_in()
    return made


@pytest.fixture(scope="module")
def office(home: House, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tabs]:
    """The proctors' browser: what lies behind another tab is not drawn, and takes its time."""
    with tabs(home, playwright, tmp_path_factory.mktemp("office")) as made:
        yield made


@pytest.fixture(scope="module")
def console(office: Tabs, home: House, candidate: Candidate) -> Console:
    """A super proctor at work."""
    return Console(office.tab(), home).open_by_link()


def test_the_wall_shows_who_is_there(console: Console, candidate: Candidate, other: str) -> None:
    expect(console.card(candidate.session)).to_have_attribute("data-link", "online")
    expect(console.card(candidate.session)).to_have_attribute("data-state", "awaiting_authorization")
    expect(console.card(candidate.session)).to_contain_text("Eileen Collins")
    expect(console.card(other)).to_have_attribute("data-link", "never")


def test_the_wall_is_filtered_by_text_and_by_group(console: Console, candidate: Candidate, other: str) -> None:
    expect(console.cards).to_have_count(2)
    console.field("filter").fill("curie")
    expect(console.cards).to_have_count(1)
    expect(console.card(other)).to_be_visible()
    console.field("filter").fill("")
    expect(console.cards).to_have_count(2)
    console.field("filterGroup").select_option(GROUP)
    expect(console.cards).to_have_count(1)
    expect(console.card(candidate.session)).to_be_visible()
    console.field("filterGroup").select_option("")
    expect(console.cards).to_have_count(2)


def test_the_wall_is_sorted(console: Console) -> None:
    """By each order it shows the same candidates."""
    orders = [option.get_attribute("value") for option in console.field("sort").locator("option").all()]
    assert len(orders) > 1
    for order in reversed(orders):
        console.field("sort").select_option(order)
        expect(console.cards).to_have_count(2)


def test_the_way_to_a_candidate_and_back(console: Console, candidate: Candidate) -> None:
    console.look_at(candidate.session)
    expect(console.page).to_have_url(re.compile(rf"#/session/{candidate.session}$"))
    console.field("back").click()
    expect(console.wall).to_be_visible()
    console.look_at(candidate.session)


def test_the_desk_shows_what_was_handed_in(console: Console, candidate: Candidate) -> None:
    candidate.desk_press("accept")
    for _ in ("photo", "id_card"):
        candidate.take_picture()
    candidate.desk_press("submit")
    expect(console.candidate).to_have_attribute("data-authorization", "submitted")
    for still in ("photo", "id_card"):
        picture = console.part("desk").locator(f"img[data-still={still}]")
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100


@pytest.mark.parametrize(
    ("what", "steps"), [("photo", ["photo"]), ("id_card", ["id_card"]), ("both", ["photo", "id_card"])]
)
def test_pictures_are_asked_for_again(console: Console, candidate: Candidate, what: str, steps: list[str]) -> None:
    console.press(f"resubmit-{what}", f"Once more: {what}")
    expect(candidate.desk.locator("[data-desk=words]")).to_contain_text(f"Once more: {what}")
    for step in steps:
        candidate.expect_step(step)
        candidate.take_picture()
    candidate.desk_press("submit")
    expect(console.candidate).to_have_attribute("data-authorization", "submitted")


def test_authorized_the_candidate_may_start(console: Console, candidate: Candidate) -> None:
    console.press("authorize")
    expect(console.candidate).to_have_attribute("data-authorization", "authorized")
    candidate.expect_state("ready")
    candidate.calls("start")
    expect(console.candidate).to_have_attribute("data-state", "running")


def test_the_wall_is_filtered_by_state(console: Console, candidate: Candidate) -> None:
    console.field("back").click()
    console.field("filterState").select_option("running")
    expect(console.cards).to_have_count(1)
    expect(console.card(candidate.session)).to_have_attribute("data-state", "running")
    console.field("filterState").select_option("")
    expect(console.cards).to_have_count(2)
    console.look_at(candidate.session)


@pytest.mark.parametrize("stream", ["screen", "webcam"])
def test_the_live_view_plays(console: Console, stream: str) -> None:
    video = f"#candidate video[data-live={stream}]"
    console.page.wait_for_function(f"() => ({PLAYS})(document.querySelector('{video}'))")


def test_the_sound_is_switched(console: Console) -> None:
    sound = console.candidate.locator("[data-action=sound]")
    expect(sound).to_have_attribute("aria-pressed", "false")
    sound.click()
    expect(sound).to_have_attribute("aria-pressed", "true")
    sound.click()
    expect(sound).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize(("kind", "state"), [("pause", "paused"), ("resume", "running")])
def test_the_test_is_paused_and_resumed(console: Console, candidate: Candidate, kind: str, state: str) -> None:
    console.press(kind, f"Because of {kind}")
    candidate.expect_state(state)
    expect(candidate.field("log")).to_contain_text(f"Because of {kind}")
    console.expect_command(kind, "acknowledged")
    expect(console.candidate).to_have_attribute("data-state", state)


def test_the_quality_is_set(console: Console, home: House) -> None:
    for level in ("least", "reduced", "full"):
        console.press(f"quality-{level}")
        until(lambda: home.status().quality, level.__eq__, f"the quality {level}")
    console.expect_command("quality", "acknowledged", 3)


@pytest.mark.parametrize("of", ["screen", "webcam"])
def test_a_snapshot_is_taken(console: Console, of: str) -> None:
    stills = console.part("stills").locator("img")
    before = stills.count()
    console.press(f"snapshot-{of}")
    expect(stills).to_have_count(before + 1)
    assert stills.nth(before).evaluate("image => image.decode().then(() => image.naturalWidth)") > 100


def test_the_conversation_goes_both_ways_with_its_marks(console: Console, candidate: Candidate) -> None:
    console.say("May I see your desk?")
    expect(candidate.message("May I see your desk?")).to_be_visible()
    expect(console.message("May I see your desk?")).to_have_attribute("data-mark", re.compile("delivered|read"))
    candidate.say("Here it is.")
    expect(console.message("Here it is.")).to_have_attribute("data-sender", "candidate")
    expect(candidate.message("Here it is.")).to_have_attribute("data-mark", "read")


def test_the_timeline_tells_what_happened(console: Console) -> None:
    expect(console.part("timeline")).to_contain_text(re.compile("pause", re.IGNORECASE))


def test_the_end_is_asked_for_first(console: Console, candidate: Candidate) -> None:
    console.press("end")
    console.answer("cancel")
    console.press("end", "The time is over.")
    expect(candidate.field("state")).to_have_attribute("data-state", "running")
    console.answer("confirm")
    candidate.expect_state("ended")
    console.expect_command("end", "acknowledged")
    expect(console.candidate).to_have_attribute("data-state", "ended")


def test_the_report_is_a_click_away(console: Console, candidate: Candidate) -> None:
    address = console.part("report").get_attribute("href") or ""
    page = console.page.context.new_page()
    page.goto(f"{console.home.service.url}{address}" if address.startswith("/") else address)
    page.locator("body[data-loaded]").wait_for(state="attached")
    assert candidate.session in page.url
    page.close()


def test_a_candidate_is_rejected_with_a_reason(console: Console, candidate: Candidate) -> None:
    rejected = candidate.somebody_else().open(authorization=True, skipIdAndPhoto=True)
    console.field("back").click()
    console.look_at(rejected.check_in())
    rejected.desk_press("accept")
    expect(console.candidate).to_have_attribute("data-authorization", "submitted")
    console.press("reject", "This is not you.")
    console.answer("confirm")
    rejected.expect_step("rejected")
    expect(rejected.desk).to_contain_text("This is not you.")
    rejected.expect_state("ended")


def test_a_super_proctor_makes_an_account_that_sees_its_group_only(
    console: Console, office: Tabs, home: House, other: str
) -> None:
    console.field("accountsOpen").click()
    for name, value in {"Name": "ada", "Password": "a long password", "Groups": "chemistry-7"}.items():
        console.field(f"account{name}").fill(value)
    console.field("accountRole").select_option("proctor")
    console.field("accountSave").click()
    expect(console.field("accounts").locator("[data-proctor=ada]")).to_be_visible()
    ada = Console(office.tab(), home).log_in("ada", "a long password")
    expect(ada.card(other)).to_be_visible()
    expect(ada.cards).to_have_count(1)
    expect(ada.field("accountsOpen")).to_be_hidden()
    expect(ada.wall).not_to_contain_text(GROUP)
    ada.page.close()


def test_a_wrong_password_opens_nothing(office: Tabs, home: House) -> None:
    stranger = Console(office.tab(), home).log_in("ada", "guessed")
    expect(stranger.field("loginError")).not_to_be_empty()
    expect(stranger.wall).to_be_hidden()
    stranger.page.close()

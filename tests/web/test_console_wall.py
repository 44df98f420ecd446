"""The wall of candidates: who is shown, in which order, and how little is drawn again."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, Request, expect

from secureproctor.contract import console
from tests.web.candidates import ENDED, FIRST, STARTED_MS, WAITING, changed, flags

FIFTY = [
    changed(FIRST, session_id=f"s-{n:02}", user_id=f"user-{n:02}", user_name=f"Name {n:02}", access=f"a{n}")
    for n in range(50)
]


def shown(page: Page, site: Any, snapshots: list[console.SessionSnapshot]) -> Page:
    site.snapshots = snapshots
    page.goto(f"{site.url}/console#key={site.key}")
    expect(page.locator("#wall article")).to_have_count(len(snapshots))
    return page


def card(page: Page, session: str) -> Locator:
    return page.locator(f"article[data-session={session}]")


def order(page: Page) -> list[str]:
    found: list[str] = page.locator("#wall article").evaluate_all("(all) => all.map((each) => each.dataset.session)")
    return found


def test_a_card_tells_what_a_proctor_looks_for(page: Page, site: Any) -> None:
    snapshot = changed(
        FIRST, unread=2, flags=flags(("LINK_LOST", 1), ("CAMERA_UNAVAILABLE", 61), ("AWAY_FROM_WINDOW", 75))
    )
    shown(page, site, [snapshot])
    it = card(page, "s-1")
    expect(it.get_by_role("heading")).to_have_text("Zoë <b>Å</b>")
    expect(it).to_have_attribute("data-state", "running")
    expect(it).to_have_attribute("data-link", "online")
    expect(it).to_have_attribute("data-authorization", "off")
    expect(it).to_contain_text("Physics · user-1")
    expect(it.locator("[data-part=coverage]")).to_have_text("98.5 % covered")
    expect(it.locator("[data-part=backlog]")).to_have_text("4 segments wait")
    expect(it.locator("[data-part=attention]")).to_have_text("2 unread messages · 3 new flags")
    expect(it.locator("[data-part=flags] li")).to_have_text(
        [re.compile("Away from window 1:15"), re.compile("Camera unavailable 1:01"), "1 more"]
    )


def test_who_needs_attention_comes_first_and_who_has_ended_last(page: Page, site: Any) -> None:
    offline = changed(FIRST, session_id="s-4", link="offline", offline_s=20.0, expires_in_s=280.0)
    wrote = changed(FIRST, session_id="s-5", unread=1)
    flagged = changed(FIRST, session_id="s-6", flags=flags(("LINK_LOST", 1)))
    shown(page, site, [ENDED, FIRST, flagged, offline, wrote, WAITING])
    assert order(page) == ["s-3", "s-5", "s-4", "s-6", "s-1", "s-2"]
    expect(page.locator("#count")).to_have_text("6 of 6 candidates, 4 need attention")


def test_the_order_changes_by_itself_but_not_under_a_proctors_hand(page: Page, site: Any) -> None:
    page.clock.install()
    shown(page, site, FIFTY[:3])
    card(page, "s-00").locator("a").focus()
    site.tell(changed(FIFTY[2], unread=1))
    expect(card(page, "s-02").locator("[data-part=attention]")).to_be_visible()
    page.clock.run_for(5000)
    assert order(page) == ["s-00", "s-01", "s-02"]
    page.locator("#filter").focus()
    page.clock.run_for(5000)
    assert order(page) == ["s-02", "s-00", "s-01"]


def test_flags_are_new_until_the_candidates_page_was_open(page: Page, site: Any) -> None:
    shown(page, site, [changed(FIRST, flags=flags(("LINK_LOST", 1)))])
    expect(card(page, "s-1").locator("[data-part=attention]")).to_have_text("1 new flag")
    card(page, "s-1").locator("a").click()
    page.click("#back")
    expect(card(page, "s-1").locator("[data-part=attention]")).to_have_count(0)
    page.reload()
    expect(card(page, "s-1").locator("[data-part=flags]")).to_be_visible()
    expect(card(page, "s-1").locator("[data-part=attention]")).to_have_count(0)
    site.tell(changed(FIRST, flags=flags(("LINK_LOST", 1), ("LINK_LOST", 9))))
    expect(card(page, "s-1").locator("[data-part=attention]")).to_have_text("1 new flag")


def test_filters_and_sorting_find_whom_one_looks_for_and_outlive_a_visit_elsewhere(page: Page, site: Any) -> None:
    shown(page, site, [FIRST, ENDED, WAITING])
    for text, found in (("ZOË", ["s-1"]), ("user-2", ["s-2"]), ("music", ["s-3", "s-2"]), ("nobody", [])):
        page.fill("#filter", text)
        expect(page.locator("#wall article")).to_have_count(len(found))
        assert order(page) == found
    expect(page.locator("#empty")).to_have_text("No candidate fits the filter.")
    page.fill("#filter", "")
    for state, found in (("running", ["s-1"]), ("ended", ["s-2"]), ("authorization", ["s-3"]), ("attention", ["s-3"])):
        page.select_option("#filterState", state)
        expect(page.locator("#wall article")).to_have_count(1)
        assert order(page) == found
    page.select_option("#filterState", "")
    page.select_option("#filterGroup", "Music")
    expect(page.locator("#wall article")).to_have_count(2)
    page.select_option("#sort", "name")
    assert order(page) == ["s-3", "s-2"]
    card(page, "s-3").locator("a").click()
    page.click("#back")
    expect(page.locator("#filterGroup")).to_have_value("Music")
    assert order(page) == ["s-3", "s-2"]


def test_a_filter_follows_what_changes(page: Page, site: Any) -> None:
    page.clock.install()
    shown(page, site, FIFTY[:3])
    page.select_option("#filterState", "running")
    site.tell(changed(FIFTY[1], state="paused"))
    expect(card(page, "s-01")).to_have_attribute("data-state", "paused")
    page.clock.run_for(5000)
    assert order(page) == ["s-00", "s-02"]


def test_only_the_card_whose_session_changed_is_drawn_again(page: Page, site: Any) -> None:
    shown(page, site, FIFTY)
    page.evaluate(
        """() => {
        window.touched = new Set();
        const look = (all) => all.forEach(({target, type, attributeName}) => {
          const card = (target.nodeType === 1 ? target : target.parentElement).closest("article");
          if (!["src", "data-place"].includes(attributeName)) window.touched.add(card?.dataset.session ?? "the wall");
        });
        new MutationObserver(look).observe(document.getElementById("wall"),
          {subtree: true, childList: true, attributes: true, characterData: true});
      }"""
    )
    for coverage in (97.0, 96.0):
        streams = {"screen": console.StreamState(8, 1, STARTED_MS, coverage, 0, 8)}
        site.tell(changed(FIFTY[7], streams=streams))
        site.tell(FIFTY[8])  # it says the same as before
        expect(card(page, "s-07").locator("[data-part=coverage]")).to_have_text(f"{coverage:.1f} % covered")
    assert page.evaluate("[...window.touched]") == ["s-07"]


def test_pictures_are_loaded_for_cards_in_sight_and_again_only_for_newer_records(page: Page, site: Any) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if "thumbnail.jpg" in request.url:
            asked.append(re.sub(r".*sessions/(.*)/media/(\w+)/.*at=(.*)", r"\1 \2 \3", request.url))

    page.on("request", note)
    page.set_viewport_size({"width": 600, "height": 400})
    shown(page, site, FIFTY)
    first = card(page, "s-00").locator("img[data-thumbnail=screen]")
    expect(first).to_have_attribute("data-place", "0-7")
    expect(first).to_have_attribute(
        "src", f"{site.url}/v1/sessions/s-00/media/screen/thumbnail.jpg?access=a0&w=320&at=0-7"
    )
    page.wait_for_function("() => document.querySelectorAll('img[data-place]').length >= 4")
    assert len(asked) == len(set(asked))
    assert not any(each.startswith("s-49") for each in asked)
    page.clock.install()
    site.tell(changed(FIFTY[0], streams={"screen": console.StreamState(8, 1, STARTED_MS, 97.0, 0, 8)}))
    expect(card(page, "s-00").locator("[data-part=coverage]")).to_have_text("97.0 % covered")
    page.clock.run_for(5000)
    expect(first).to_have_attribute("data-place", "0-8")
    assert asked.count("s-01 screen 0-7") == 1
    card(page, "s-49").scroll_into_view_if_needed()
    page.clock.run_for(3000)
    expect(card(page, "s-49").locator("img[data-thumbnail=webcam]")).to_have_attribute("data-place", "0-7")


def test_news_is_told_to_a_screen_reader_in_one_sentence(page: Page, site: Any) -> None:
    page.clock.install()
    shown(page, site, FIFTY)
    for n in range(3):
        site.tell(changed(FIFTY[n], unread=1))
    site.tell(changed(FIFTY[9], authorization=True, authorization_step="submitted"))
    expect(card(page, "s-09").locator("[data-part=attention]")).to_be_visible()
    expect(page.locator("#announce")).to_be_empty()
    page.clock.run_for(4500)
    expect(page.locator("#announce")).to_have_text("3 candidates: wrote a message. Name 09: waits for your decision.")


def test_nobody_is_said_to_be_there_until_somebody_is(page: Page, site: Any) -> None:
    shown(page, site, [])
    expect(page.locator("#empty")).to_have_text("No candidate has registered yet. They appear here by themselves.")
    site.tell(FIRST)
    expect(card(page, "s-1")).to_be_visible()
    expect(page.locator("#empty")).to_be_hidden()
    site.tell(console.SessionGone("s-1"))
    expect(page.locator("#empty")).to_be_visible()


POOR = """() => {
        const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
        const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
          .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
        const ground = (e) => { for (; e; e = e.parentElement) {
          const found = parse(getComputedStyle(e).backgroundColor); if (found.length < 4 || found[3] === 1) return found; }
          return [255, 255, 255]; };
        return [...document.querySelectorAll("body *")].filter((e) =>
          [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) && e.checkVisibility()).map((e) => {
            const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
            return [e.textContent.trim(), (a + 0.05) / (b + 0.05)];
          }).filter(([, ratio]) => ratio < 4.5);
      }"""
"""Texts that do not stand out from the nearest ground that is painted."""


def test_text_stands_out_in_both_schemes(page: Page, site: Any) -> None:
    """4.5 to 1 for text (WCAG 2.2 AA), against the nearest ground that is painted."""
    offline = changed(FIRST, session_id="s-4", link="offline", unread=1, flags=flags(("LINK_LOST", 1)))
    shown(page, site, [FIRST, ENDED, WAITING, offline])
    page.emulate_media(color_scheme="light")
    assert page.evaluate(POOR) == []
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(POOR) == []

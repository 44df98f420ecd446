"""The lockdown on the pages: what the candidate sees and can do, what the proctor sees and overrides, what the report tells."""

import re
from collections.abc import Callable
from typing import Any, Literal, get_args, get_type_hints

import msgspec
import pytest
from playwright.sync_api import Locator, Page, expect

from secureproctor.contract import console, lockdown, msb
from secureproctor.contract import page as contract
from secureproctor.contract import report as reports
from secureproctor.contract.errors import Refusal
from secureproctor.contract.events import EVENTS, FLAGS
from secureproctor.contract.lockdown import RULES, RuleStatus
from tests.web.candidates import FIRST, STARTED_MS, changed, flags

Until = Callable[..., None]
BROWSER = msb.BrowserIdentity(
    4711, "/opt/msb/<b>browser</b>", "MSB", "3.1", "Example Ltd", "signature", started_agent=True
)
PROBED = (
    RuleStatus("keys", "enforced", required=True),
    RuleStatus("focus", "observed", why="The desktop lets no program stay in front."),
    RuleStatus("screenshots", "impossible", why="This desktop offers no way."),
    RuleStatus("printing", "could_not_check", required=True, why="CUPS does not <b>answer</b>.", remedy="Start CUPS."),
    RuleStatus("displays", "observed", required=True, sightings=2),
)
HELD = tuple(
    msgspec.structs.replace(each, holds=each.standing in ("enforced", "observed"), overridden=each.rule == "printing")
    for each in PROBED
)
RUNNING: dict[str, Any] = {"state": "running", "session_id": "s", "link": contract.LinkStatus(True)}
LOCKED = contract.LockdownStatus("locked", HELD, 2, 1, (), ("orca",), BROWSER, quit_password=True)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
ANYDESK = contract.ProgramAsked("AnyDesk", "remote_control", 18.0)


# the words


def test_the_pages_have_words_for_all_that_the_contract_names(page: Page, site: Any) -> None:
    site.files["/blank"] = ("text/html", b"<!doctype html><link rel=icon href=/web/icon.svg>")
    page.goto(f"{site.url}/blank")
    said = page.evaluate(
        """async ([flags, rules]) => {
            const named = await import("/web/lockdown.js");
            const {TOLD, STANDING} = await import("/web/demo-lockdown.js");
            const {flagName, commandName, argumentName} = await import("/web/states.js");
            const {isSighting, SENTENCES} = await import("/web/lockdown-events.js");
            return {
                rules: named.RULES, standings: named.STANDINGS, phases: named.PHASES, proofs: named.PROOFS, TOLD, STANDING,
                flags: flags.map(flagName), override: rules.map((rule) => `${commandName("override")}: ${argumentName(rule)}`),
                events: Object.keys(SENTENCES), empty: Object.values(SENTENCES).map((tell) => tell({})),
            };
        }""",
        [list(FLAGS), list(RULES)],
    )
    assert list(said["rules"]) == list(RULES)  # in the same order
    for rule, text in RULES.items():
        mine = said["rules"][rule]
        assert (mine["name"], mine["meaning"], mine.get("observes", False)) == (text.name, text.meaning, text.observes)
    assert {each: words["meaning"] for each, words in said["standings"].items()} == lockdown.STANDINGS
    phases = {each: words["meaning"] for each, words in said["phases"].items()}
    assert phases == {each: re.sub("`(.*?)`", "“\\1”", meaning) for each, meaning in lockdown.PHASES.items()}
    assert set(said["TOLD"]) == set(lockdown.PHASES)
    assert set(said["STANDING"]) == set(lockdown.STANDINGS)
    assert set(said["proofs"]) == set(get_args(msb.Proof))
    assert len(set(said["flags"])) == len(FLAGS)
    assert all(re.fullmatch(r"[A-Z][a-z ]+", name) for name in said["flags"])
    assert said["override"] == [f"Override: {text.name}" for text in RULES.values()]
    assert {each for each in EVENTS if re.match("lockdown|rule|key|left_|program|browser|quit", each)} <= set(
        said["events"]
    )
    assert [each for each in said["empty"] if not re.fullmatch(r"[A-Z].*[^.]\.", each) or "undefined" in each] == []


def test_a_rule_stops_the_start_on_the_pages_as_in_the_contract(page: Page, site: Any) -> None:
    site.files["/blank"] = ("text/html", b"<!doctype html><link rel=icon href=/web/icon.svg>")
    page.goto(f"{site.url}/blank")
    every = [
        RuleStatus(rule, standing, required=required, overridden=overridden)
        for rule in RULES
        for standing in lockdown.STANDINGS
        for required in (True, False)
        for overridden in (True, False)
    ]
    stops = "async (all) => { const {stopsStart} = await import('/web/lockdown.js'); return all.map(stopsStart) }"
    assert page.evaluate(stops, msgspec.to_builtins(every)) == [each.stops_start for each in every]


# the candidate's page


@pytest.fixture
def demo(page: Page, site: Any, agent: Any) -> Page:
    """The demo page with its agent."""
    page.goto(f"{site.url}/demo?agent={agent.url}")
    expect(page.locator("#state")).to_have_text("Not registered")
    return page


def row(page: Page, rule: str) -> Locator:
    return page.locator(f"#rules tr[data-rule={rule}]")


def test_before_the_start_the_candidate_sees_what_will_be_locked_and_what_is_in_the_way(demo: Page, agent: Any) -> None:
    expect(demo.locator("#lockdown")).to_be_hidden()
    expect(demo.locator("#lock")).to_have_text("Not locked")
    agent.become(state="checked", session_id="s", lockdown=contract.LockdownStatus("probed", PROBED))
    expect(demo.locator("#lockdown")).to_have_attribute("data-phase", "probed")
    expect(demo.get_by_role("region", name="The test locks this computer")).to_be_visible()
    expect(demo.locator("#lockBar")).to_be_hidden()
    expect(demo.locator("#lockdownBlocked")).to_contain_text("cannot start yet because of: Printing.")
    told = demo.locator("#rules tbody tr").evaluate_all(
        "(rows) => rows.map(({dataset}) => [dataset.rule, dataset.standing, dataset.holds, dataset.required])"
    )
    assert told == [
        ["printing", "could_not_check", "false", "true"],  # what stops the start comes first
        ["keys", "enforced", "false", "true"], ["focus", "observed", "false", "false"],
        ["screenshots", "impossible", "false", "false"], ["displays", "observed", "false", "true"],
    ]  # fmt: skip
    expect(row(demo, "keys")).to_contain_text("Will be locked")
    expect(row(demo, "printing")).to_contain_text("CUPS does not <b>answer</b>.")
    expect(row(demo, "printing")).to_contain_text("Start CUPS.")
    expect(row(demo, "printing")).to_contain_text("required")
    agent.become(lockdown=contract.LockdownStatus("probed", HELD))
    expect(demo.locator("#lockdownBlocked")).to_be_hidden()
    expect(row(demo, "printing")).to_contain_text("the proctor lets it pass")


def test_a_locked_computer_says_why_until_when_and_how_to_get_out(demo: Page, agent: Any, until: Until) -> None:
    agent.become(**RUNNING, lockdown=LOCKED)
    expect(demo.locator("#lock")).to_have_text("Locked")
    expect(demo.locator("#lockBarText")).to_have_text("This computer is locked for the test, until it ends.")
    expect(demo.locator("#lockdownText")).to_contain_text("When the test ends, everything is put back at once.")
    expect(demo.locator("#lockNews")).to_contain_text("This computer is locked for the test")
    expect(row(demo, "keys")).to_have_attribute("data-holds", "true")
    expect(row(demo, "keys").locator(".standing")).to_have_text("Locked")
    expect(row(demo, "displays").locator(".standing")).to_have_text("On the record")
    expect(demo.locator("[data-fact=away]")).to_contain_text("2 times; 1 more is tolerated")
    expect(demo.locator("[data-fact=assistive]")).to_contain_text("orca: it keeps working")
    expect(demo.locator("[data-fact=browser]")).to_contain_text("MSB 3.1, signed by Example Ltd")
    expect(demo.locator("#waysOut")).to_be_visible()
    demo.evaluate("scrollTo(0, document.body.scrollHeight)")
    for way in ("#lockBarMore", "#askProctor", "#lockdownStop"):
        expect(demo.locator(way)).to_be_in_viewport()
    demo.click("#askProctor")
    expect(demo.locator("#chatText")).to_be_focused()
    demo.click("#lockdownStop")
    until(lambda: agent.named("stop") == [{}], "the stop")
    agent.become(state="ended", end_reason="stopped", lockdown=contract.LockdownStatus("released", PROBED))
    expect(demo.locator("#lockBar")).to_be_hidden()
    expect(demo.locator("#lockdownTitle")).to_have_text("The computer is yours again")
    expect(row(demo, "keys").locator(".standing")).to_have_text("Not locked now")


@pytest.mark.parametrize(
    ("phase", "told"),
    [("locked", "The computer stays locked while the test is paused."), ("lifted", "you have the computer back")],
)
def test_a_pause_says_whether_the_computer_is_given_back(demo: Page, agent: Any, phase: Any, told: str) -> None:
    agent.become(**RUNNING, lockdown=LOCKED)
    agent.become(state="paused", paused=True, lockdown=msgspec.structs.replace(LOCKED, phase=phase))
    expect(demo.locator("#pauseLock")).to_contain_text(told)
    expect(demo.locator("#pauseLayer #lockdown")).to_be_visible()
    expect(demo.locator("#quitPassword")).to_be_visible()
    expect(demo.locator("#chatText")).to_be_visible()
    agent.tell(contract.WarningEvent("left_window", "You left the exam window.", 3, 0))
    demo.click("#warnings button")  # the status bar is over the pause
    expect(demo.locator("#pauseTitle")).to_be_focused()
    agent.become(state="running", paused=False, lockdown=LOCKED)
    expect(demo.locator("#exam #lockdown")).to_be_visible()
    expect(demo.locator("#pauseLock")).to_be_hidden()


def test_a_secure_browser_that_is_gone_gives_the_computer_back(demo: Page, agent: Any) -> None:
    agent.become(**RUNNING, lockdown=msgspec.structs.replace(LOCKED, phase="lifted"))
    expect(demo.locator("#lockdownText")).to_contain_text("The secure browser is gone, so you have the computer back.")
    expect(demo.locator("#lockBar")).to_be_hidden()
    agent.become(lockdown=msgspec.structs.replace(LOCKED, phase="stuck"))
    expect(demo.locator("#lockdownText")).to_contain_text("secureproctor unlock")


def test_an_agent_that_is_away_leaves_no_lock_screen(demo: Page, agent: Any) -> None:
    agent.become(**RUNNING, lockdown=LOCKED)
    expect(demo.locator("#lockBar")).to_be_visible()
    agent.close()
    expect(demo.locator("#lock")).to_have_text("Not known")
    expect(demo.locator("#lockdownText")).to_contain_text("put back by itself")
    expect(demo.locator("#lockBar")).to_be_hidden()
    agent.open()
    expect(demo.locator("#lock")).to_have_text("Locked")


def test_warnings_are_read_out_at_once_and_stay_until_they_are_put_away(demo: Page, agent: Any) -> None:
    agent.become(**RUNNING, lockdown=LOCKED)
    demo.clock.install()
    demo.clock.pause_at(4_000_000_000)
    expect(demo.get_by_role("alert").filter(has_text="left")).to_have_count(0)
    agent.tell(contract.WarningEvent("left_window", "You left the exam <b>window</b>.", 3, 1))
    warning = demo.locator("#warnings li[data-warning=left_window]")
    expect(warning).to_contain_text("You left the exam <b>window</b>. 1 more tolerated.")
    expect(demo.get_by_role("alert").filter(has_text="You left the exam <b>window</b>. 1 more")).to_have_count(1)
    agent.tell(contract.WarningEvent("left_window", "You left the exam window again.", 4, 0))
    expect(warning).to_have_count(1)
    expect(warning).to_contain_text("No more is tolerated.")
    agent.tell(contract.WarningEvent("browser_gone", "The secure browser is gone.", left_s=50.0))
    gone = demo.locator("#warnings li[data-warning=browser_gone]")
    expect(gone.locator("[data-part=left] .number, .number")).to_have_text("0:50")
    demo.clock.run_for(5000)
    expect(gone.locator(".number")).to_have_attribute("data-seconds", "45")
    expect(gone).to_contain_text("until the test ends, if it does not come back")
    assert demo.locator("#warnings li").first.get_attribute("data-warning") == "browser_gone"  # the newest on top
    demo.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(gone).to_be_in_viewport()
    gone.get_by_role("button", name="Understood").press("Enter")
    expect(gone).to_have_count(0)
    expect(demo.locator("#alerts")).to_be_focused()
    warning.get_by_role("button", name="Understood").click()
    expect(demo.locator("#alerts")).to_be_hidden()
    expect(demo.locator("#log")).to_contain_text("You left the exam window again.")
    agent.tell(contract.WarningEvent("displays", "Two displays are in use."))
    expect(demo.locator("#warnings li")).to_have_count(1)
    agent.become(state="ended", end_reason="stopped", lockdown=contract.LockdownStatus("released"))
    expect(demo.locator("#alerts")).to_be_hidden()


def test_every_warning_says_what_its_time_is_for(page: Page, site: Any, demo: Page) -> None:
    follows = demo.evaluate("async () => (await import('/web/demo-warnings.js')).FOLLOWS")
    assert set(follows) == set(get_args(get_type_hints(contract.WarningEvent)["kind"]))


def test_a_program_to_close_is_named_with_its_countdown(demo: Page, agent: Any) -> None:
    demo.clock.install()
    demo.clock.pause_at(4_000_000_000)
    other = contract.ProgramAsked("<b>OBS</b>", "recording")
    agent.become(**RUNNING, lockdown=msgspec.structs.replace(LOCKED, asked=(ANYDESK, other)))
    anydesk = demo.locator("#asked li[data-program=AnyDesk]")
    expect(anydesk).to_contain_text("Please close AnyDesk (remote control): it is not allowed during the test.")
    expect(anydesk).to_contain_text("what is not saved in it may be lost")
    expect(anydesk.locator("[data-part=left]")).to_have_attribute("data-seconds", "18")
    expect(demo.locator("#asked li").nth(1)).to_contain_text("Please close <b>OBS</b>")
    expect(demo.locator("#asked li").nth(1).locator("[data-part=left]")).to_be_hidden()
    demo.clock.run_for(3000)
    expect(anydesk.locator("[data-part=left]")).to_have_text("0:15")
    agent.become(lockdown=LOCKED)
    expect(demo.locator("#asked li")).to_have_count(0)
    expect(demo.locator("#alerts")).to_be_hidden()


def test_the_quit_password_ends_the_test_and_a_wrong_one_says_what_to_do(demo: Page, agent: Any, until: Until) -> None:
    agent.become(**RUNNING, lockdown=msgspec.structs.replace(LOCKED, quit_password=False))
    expect(demo.locator("#waysOut")).to_be_visible()
    expect(demo.locator("#quitForm")).to_be_hidden()
    agent.become(lockdown=LOCKED)
    demo.click("#quitSubmit")
    expect(demo.locator("#quitPassword")).to_be_focused()
    agent.answers["quit"] = Refusal("quit_refused", wait_s=5)
    demo.fill("#quitPassword", "wrong")
    demo.press("#quitPassword", "Enter")
    expect(demo.locator("#quitFault")).to_have_text(
        "This is not the quit password. Ask the invigilator. The next try is possible in 5 s."
    )
    expect(demo.locator("#quitPassword")).to_have_value("")
    agent.answers["quit"] = contract.Status("agent", "ended", session_id="s", end_reason="quit")
    demo.fill("#quitPassword", "right")
    demo.click("#quitSubmit")
    expect(demo.locator("#quitForm")).to_be_hidden()
    assert agent.named("quit") == [contract.Quit("wrong"), contract.Quit("right")]


def test_an_attestation_is_shown_with_its_header(demo: Page, agent: Any) -> None:
    demo.click("#attest")
    expect(demo.locator("#attestation")).to_have_text("SecureProctor-Attestation: head.claims.signature")
    expect(demo.locator("#attestation")).to_have_attribute("data-expires", "1700000020000")


def test_who_reads_in_the_panel_is_not_disturbed_by_a_status_that_says_the_same(demo: Page, agent: Any) -> None:
    agent.become(**RUNNING, lockdown=LOCKED)
    expect(row(demo, "keys")).to_be_visible()
    demo.evaluate("() => { globalThis.before = document.querySelector('#rules table') }")
    agent.become(running_s=7.0, lockdown=msgspec.structs.replace(LOCKED, asked=(ANYDESK,)))
    expect(demo.locator("#asked li")).to_have_count(1)
    assert demo.evaluate("before === document.querySelector('#rules table')")


def test_the_locked_page_can_be_read_is_named_and_fits(
    demo: Page, agent: Any, faint: Callable[[str], list[Any]]
) -> None:
    """In both schemes, and at 200 % of zoom on a small laptop: then the status bar leaves room for the page."""
    agent.become(**RUNNING, lockdown=msgspec.structs.replace(LOCKED, asked=(ANYDESK,)))
    agent.tell(contract.WarningEvent("browser_gone", "The secure browser is gone.", left_s=50.0))
    expect(demo.locator("#warnings li")).to_have_count(1)
    expect(demo.locator("#asked li")).to_have_count(1)
    for scheme in SCHEMES:
        demo.emulate_media(color_scheme=scheme)
        assert faint("body") == []
    for control in demo.locator("#bar :is(button, a):visible, #lockdown :is(button, input, summary)").all():
        expect(control).to_have_accessible_name(re.compile(r"\w"))
    demo.set_viewport_size({"width": 640, "height": 400})
    assert demo.evaluate("document.documentElement.scrollWidth") <= 640
    assert demo.evaluate("document.getElementById('bar').offsetHeight") < 0.8 * 400
    demo.set_viewport_size({"width": 400, "height": 800})
    assert demo.evaluate("document.documentElement.scrollWidth") <= 400


# the proctor's console


SEEN = changed(FIRST, lockdown="locked", away=2, browser="signature", attested_s=3.0)
HINDERED = changed(FIRST, session_id="s-5", state="checked", lockdown="probed", stopping=1, browser="none")


def event(kind: str, at_s: float, **detail: Any) -> reports.EventReport:
    return reports.EventReport(kind, at_s, STARTED_MS + int(at_s * 1000), detail=detail)


EVENTS_SEEN = [
    event("rule_overridden", 1, rule="printing", by="ada", reason="No printer."),
    event("key_stopped", 2, keys="Alt+Tab", injected=True, times=3),
    event("left_window", 3, program="xterm", how="window"),
    event("returned_to_window", 9, away_s=6.2, times=2, left=1, by="agent"),
    event("program_forbidden", 10, program="anydesk", category="remote_control", by="signer"),
    event("displays", 11, count=2, active=2, mirrored=False, allowed=1, outputs="HDMI-1, eDP-1"),
]
TOLD = [
    "Displays: 2 in use of 2, 1 allowed: HDMI-1, eDP-1.",
    "A forbidden program runs: anydesk, remote control, known by its signer.",
    "The agent brought the exam window back after 6 s; left 2 times so far, 1 left of the tolerance.",
    "The candidate left the exam window for another window: xterm.",
    "Alt+Tab was stopped; a program pressed it. (3 times)",
    "ada let the exam go on without Printing: “No printer.”",
]
DETAIL = console.SessionDetail(
    "s-1", [reports.CommandReport("c-1", "override", "applied", STARTED_MS, argument="printing", text="No printer.")], [],
    EVENTS_SEEN, [], reports.IdentityReport(), {}, HELD, BROWSER,
)  # fmt: skip
HINDERED_DETAIL = console.SessionDetail("s-5", [], [], [], [], reports.IdentityReport(), {}, PROBED)


@pytest.fixture
def wall(page: Page, site: Any) -> Page:
    """The console with a locked candidate, and one whose computer cannot do what the exam requires."""
    site.snapshots = [SEEN, HINDERED]
    site.details = {"s-1": DETAIL, "s-5": HINDERED_DETAIL}
    page.goto(f"{site.url}/console#key={site.key}")
    expect(page.locator("#wall article")).to_have_count(2)
    return page


def opened(wall: Page, session: str) -> Locator:
    wall.locator(f"article[data-session={session}] [data-action=open]").click()
    rules = wall.locator("#candidate [data-part=rules]")
    expect(rules).to_be_visible()
    return rules


def test_a_card_tells_of_the_lockdown_at_a_glance(wall: Page, site: Any) -> None:
    card = wall.locator("article[data-session=s-1]")
    expect(card).to_have_attribute("data-lockdown", "locked")
    expect(card).to_have_attribute("data-away", "2")
    expect(card.locator("[data-part=lockdown]")).to_have_text("Locked")
    expect(card.locator("[data-part=away]")).to_have_text("2× away")
    expect(card.locator("[data-part=browser]")).to_have_text("Browser proven")
    expect(card.locator("[data-part=attested]")).to_have_count(0)
    hindered = wall.locator("article[data-session=s-5]")
    expect(hindered.locator("[data-part=attention]")).to_have_text("1 rule stops the start")
    expect(hindered.locator("[data-part=browser]")).to_have_text("Browser not proven")
    assert wall.locator("#wall article").first.get_attribute("data-session") == "s-5"
    site.tell(changed(FIRST, session_id="s-9"))
    expect(wall.locator("article[data-session=s-9] [data-part=lockdown]")).to_have_count(0)


def test_attestations_that_stay_away_are_counted_on(wall: Page, site: Any) -> None:
    mark = wall.locator("article[data-session=s-1] [data-part=attested]")
    wall.clock.install()
    wall.reload()
    expect(wall.locator("#wall article")).to_have_count(2)
    wall.clock.pause_at(4_000_000_000)
    site.tell(changed(SEEN, attested_s=31.0))
    expect(mark).to_have_text("Not attested for 31 s")
    wall.clock.run_for(4000)
    expect(mark).to_have_text("Not attested for 35 s")
    site.tell(changed(SEEN, attested_s=1.0))
    expect(mark).to_have_count(0)


def test_each_rule_stands_in_words_with_why_and_what_it_saw(wall: Page) -> None:
    rules = opened(wall, "s-1")
    expect(wall.locator("#candidate")).to_have_attribute("data-lockdown", "locked")
    told = rules.locator("tbody tr").evaluate_all(
        "(rows) => rows.map(({dataset}) => [dataset.rule, dataset.standing, dataset.holds, dataset.required])"
    )
    assert told == [
        ["keys", "enforced", "true", "true"], ["focus", "observed", "true", "false"],
        ["screenshots", "impossible", "false", "false"], ["printing", "could_not_check", "false", "true"],
        ["displays", "observed", "true", "true"],
    ]  # fmt: skip
    standings = [text.strip() for text in rules.locator(".standing").all_inner_texts()]
    assert standings == ["Enforced", "Observed", "Not possible here", "Could not check", "Observed"]
    expect(rules.locator("tr[data-rule=printing]")).to_contain_text("CUPS does not <b>answer</b>.")
    expect(rules.locator("tr[data-rule=printing]")).to_contain_text("Overridden by ada")
    expect(rules.locator("tr[data-rule=displays]")).to_contain_text("Seen or stopped 2 times")
    expect(rules.locator("[data-action=override]")).to_have_count(0)
    browser = rules.locator("[data-part=secure-browser]")
    expect(browser).to_have_attribute("data-proof", "signature")
    expect(browser).to_contain_text("MSB 3.1, signed by Example Ltd")
    expect(browser).to_contain_text("/opt/msb/<b>browser</b>")


def test_an_override_asks_first_and_needs_a_reason(wall: Page, site: Any, until: Until) -> None:
    rules = opened(wall, "s-5")
    override = rules.locator("[data-action=override]")
    expect(override).to_have_count(1)
    expect(override).to_have_attribute("data-rule", "printing")
    expect(override).to_have_accessible_name("Override … Printing")
    override.press("Enter")
    expect(wall.get_by_role("dialog")).to_contain_text("take the test without “Printing”?")
    rules.locator("[data-action=cancel]").click()
    expect(override).to_be_focused()
    override.click()
    rules.locator("[data-action=confirm]").click()  # without a reason
    rules.locator("[data-input=reason]").fill("  ")
    rules.locator("[data-action=confirm]").click()
    expect(rules.locator("[data-input=reason]")).to_be_focused()
    rules.locator("[data-input=reason]").fill("No printer here.")
    rules.locator("[data-input=reason]").press("Enter")
    orders: Callable[[], list[Any]] = lambda: [each for each in site.heard if isinstance(each, console.Issue)]  # noqa: E731 # it is polled
    until(orders, "the order")
    assert orders() == [console.Issue("s-5", "override", "No printer here.", "console-1", "printing")]
    expect(wall.get_by_role("dialog")).to_have_count(0)
    site.tell(changed(HINDERED, stopping=0))
    site.tell(console.SessionDetail("s-5", [], [], [], [], reports.IdentityReport(), {}, HELD))
    expect(override).to_have_count(0)
    expect(rules.locator("tr[data-rule=printing]")).to_have_attribute("data-overridden", "true")


def test_what_the_lockdown_saw_is_told_in_sentences(wall: Page, site: Any) -> None:
    opened(wall, "s-1")
    rows = wall.locator("[data-part=timeline] li")
    expect(rows).to_have_count(len(TOLD))
    for each, sentence in zip(rows.all(), TOLD, strict=True):
        expect(each.locator("span").nth(2)).to_have_text(sentence)
    expect(wall.locator("[data-command=c-1]")).to_contain_text("Override: Printing")
    expect(wall.locator("[data-command=c-1]")).to_contain_text("“No printer.”")
    site.tell(changed(SEEN, flags=flags(("INPUT_INJECTED", 2))))
    expect(wall.locator("[data-flag=INPUT_INJECTED]")).to_contain_text("Keys or clicks from a program")


def test_the_rules_can_be_read_and_fit_a_narrow_screen(wall: Page, faint: Callable[[str], list[Any]]) -> None:
    for scheme in SCHEMES:
        wall.emulate_media(color_scheme=scheme)
        assert faint("#wall") == []
    opened(wall, "s-5")
    for scheme in SCHEMES:
        wall.emulate_media(color_scheme=scheme)
        assert faint("#candidate [data-part=rules]") == []
    wall.set_viewport_size({"width": 400, "height": 800})
    assert wall.evaluate("document.documentElement.scrollWidth") <= 400


# the report


PATH = "/v1/sessions/session-1/report"
SETTINGS: dict[str, Any] = {
    "navigationControl": True,
    "msbKey": "k" * 3000,
    "lockdown": {"required": ["keys", "printing"], "browsingTolerance": 3},
}
REPORT = reports.Report(
    schema=reports.SCHEMA, session_id="session-1", user_id="u", group_name="g", user_name="Zoë", user_email="",
    state="ended", end_reason="stopped", registered_ms=STARTED_MS, started_ms=STARTED_MS, ended_ms=STARTED_MS + 20_000,
    running_s=20.0, expiry_s=300, settings=SETTINGS, not_enforced=(), verified=True, streams=(), chains=(), gaps=(),
    flags=(*flags(("LOCKDOWN_BROKEN", 4)),),
    events=(
        event("lockdown_applied", 0.5, enforced="keys,power", observed="focus"), *EVENTS_SEEN,
        event("lockdown_released", 19.0, why="the session ended"),
    ),
    commands=(), chat=(), credibility=reports.Credibility(90.0, "high"),
    lockdown=reports.LockdownReport("released", HELD, BROWSER, 18.5, 2, 6.2, 512, 12.0),
)  # fmt: skip


def reported(page: Page, site: Any, content: Any) -> Page:
    site.files[PATH] = ("application/json", msgspec.json.encode(content))
    page.goto(f"{site.url}/report/session-1?access=a")
    page.wait_for_selector("body[data-loaded]")
    return page


def test_the_report_tells_how_the_computer_was_locked(page: Page, site: Any) -> None:
    reported(page, site, REPORT)
    expect(page.locator("#lockdown")).to_have_attribute("data-phase", "released")
    expect(page.locator("#lockdownSummary")).to_have_text("Given back: The machine has been given back.")
    facts = {
        "locked": "0:18 of 0:20 running", "away": "2 times, 6 s altogether", "sightings": "2 times", "attested": "512 good",
        "missed": "12 s",
    }  # fmt: skip
    for name, value in facts.items():
        expect(page.locator(f"[data-fact={name}] dd")).to_have_text(value)
    expect(page.locator("#browser")).to_contain_text("Browser proven MSB 3.1, signed by Example Ltd")
    expect(page.locator("#browser")).to_contain_text("/opt/msb/<b>browser</b>")
    rows = page.locator("#rules tbody tr")
    assert rows.evaluate_all("(all) => all.map(({dataset}) => dataset.rule)") == [each.rule for each in HELD]
    expect(page.locator("#rules [data-rule=keys] td")).to_have_text(["System keys", "Enforced", "required", "–", "–"])
    expect(page.locator("#rules [data-rule=printing] td").last).to_have_text(
        "CUPS does not <b>answer</b>.Overridden by ada: “No printer.”"
    )
    expect(page.locator("#facts")).to_contain_text("LockdownGiven back")


def test_the_report_words_flags_events_and_settings_of_the_lockdown(page: Page, site: Any) -> None:
    reported(page, site, REPORT)
    expect(page.locator("#flags")).to_contain_text("Lockdown undone")
    page.click("#eventsDetails summary")
    details = page.locator("#events tbody tr td:last-child")
    expect(details.first).to_have_text("The computer was locked: 2 enforced, 1 observed.")
    assert details.all_inner_texts()[1:-1] == TOLD[::-1]
    expect(page.locator("#timeline > svg .locked title")).to_have_text("Locked 0:00 to 0:19")
    assert page.locator("#timeline > svg .sighting").count() == len(EVENTS_SEEN)
    settings = page.locator("#settings tbody tr")
    told = {each.locator("td").first.inner_text(): each.locator("td").nth(1).inner_text() for each in settings.all()}
    assert told["Required rules"] == "System keys, Printing"
    assert told["Browsing tolerance"] == "3"
    assert len(told["MSB Key"]) < 100


@pytest.mark.parametrize("schema", [2, 3])
def test_a_report_without_a_lockdown_has_no_such_section(page: Page, site: Any, schema: int) -> None:
    content = msgspec.to_builtins(
        msgspec.structs.replace(REPORT, lockdown=reports.LockdownReport(), events=(), flags=())
    )
    content["schema"] = schema
    content["settings"] = {"navigationControl": True, "msb": False, "recording": True}
    content["not_enforced"] = ["navigationControl"] if schema == 2 else []
    if schema == 2:
        del content["lockdown"]
    reported(page, site, content)
    expect(page.locator("#lockdown")).to_be_hidden()
    expect(page.locator("#facts")).to_contain_text("LockdownNo lockdown")
    expect(page.locator("#settings [data-not-enforced]")).to_have_count(int(schema == 2))
    expect(page.locator("#timeline > svg .locked")).to_have_count(0)


def test_the_reports_rules_can_be_read_and_fit(page: Page, site: Any, faint: Callable[[str], list[Any]]) -> None:
    reported(page, site, REPORT)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert faint("#lockdown") == []
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400

"""The browser of the exam: who it is, whether it is there, and what follows when it is gone."""

from typing import TYPE_CHECKING, Any

import pytest

from secureproctor.agent.session.exam_browser import RETURN_S
from secureproctor.agent.session.machine import State, Trigger
from secureproctor.contract.channel import LockdownChanged
from secureproctor.contract.errors import Refusal
from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.contract.page import BROWSER_SILENT_S, Attach, Attached, Beat, BeatAnswer, WarningEvent
from tests.agent.conftest import a_key

if TYPE_CHECKING:
    from tests.agent.conftest import Stage

MSB = "/opt/msb/browser"
BROWSER, OTHER, LATER = 100, 200, 300


async def attach(stage: "Stage", pid: int = BROWSER, path: str = MSB, window: int = 0) -> Attached:
    process = stage.facts.processes.get(pid) or stage.facts.add(pid, path)
    return await stage.browser.attach(Attach("Exam Browser", "1.0", window), process)


async def secure(stage: "Stage", **claims: Any) -> None:
    """A running exam in its secure browser."""
    await attach(stage)
    await stage.registered(a_key(**claims), msb=True)
    await stage.browser.registered()
    await stage.conductor.check_system()
    await stage.conductor.start()


async def gone(stage: "Stage", pid: int = BROWSER) -> None:
    stage.facts.kill(pid)
    await stage.browser.look()


def kinds(stage: "Stage") -> list[str]:
    return [
        each.removeprefix("event ") for each in stage.events if each.startswith(("event browser", "event lockdown"))
    ]


# who it is


async def test_the_secure_browser_is_who_the_system_says_and_learns_what_the_exam_allows(stage: "Stage") -> None:
    before = await attach(stage)
    assert (before.start_url, before.browser.proof, before.browser.path) == ("", "path", MSB)
    await stage.registered(a_key(start_url="https://exam.example/", allowed_urls=("https://cdn.example",)), msb=True)
    after = await attach(stage)
    assert (after.start_url, after.allowed_urls) == ("https://exam.example/", ("https://cdn.example",))
    assert stage.lockdown.browser == after.browser
    assert [each.browser for each in stage.channel.sent if isinstance(each, LockdownChanged)] == [after.browser]


async def test_start_needs_the_secure_browser(stage: "Stage") -> None:
    await stage.ready(a_key(), msb=True)
    with pytest.raises(Refusal, match="it has not introduced itself"):
        await stage.conductor.start()
    assert stage.conductor.state == "ready"
    await attach(stage)
    await stage.conductor.start()
    assert stage.conductor.state == "running"


async def test_start_refuses_another_program_and_says_why(stage: "Stage") -> None:
    await stage.ready(a_key(), msb=True)
    await attach(stage, path="/home/me/browser")
    with pytest.raises(Refusal, match="/home/me/browser is not among the browsers") as caught:
        await stage.conductor.start()
    assert caught.value.code == "browser_unproven"


async def test_the_keys_own_browsers_count_before_the_policys(stage: "Stage") -> None:
    stage.facts.add(BROWSER, "/opt/odd/thing", signer="Example Ltd")
    await attach(stage)
    await stage.ready(a_key(browsers=("signer:Example Ltd",)), msb=True)
    await stage.browser.registered()
    assert (stage.lockdown.browser and stage.lockdown.browser.proof, stage.lockdown.admitted) == ("signature", True)


async def test_without_the_note_of_its_key_a_secure_exam_does_not_start(stage: "Stage") -> None:
    """The agent died in between; nobody can say what the key demands."""
    await stage.ready(msb=True)
    await attach(stage)
    with pytest.raises(Refusal) as caught:
        await stage.conductor.start()
    assert caught.value.code == "msb_key_missing"


async def test_a_process_that_nobody_knows_is_no_browser(stage: "Stage") -> None:
    with pytest.raises(Refusal, match="does not tell"):
        await stage.browser.attach(Attach("Exam Browser"), None)
    with pytest.raises(Refusal, match="has not introduced itself"):
        await stage.browser.beat(Beat(1))


async def test_nobody_steps_into_the_place_of_the_browser_while_the_exam_goes_on(stage: "Stage") -> None:
    await secure(stage)
    with pytest.raises(Refusal, match="/tmp/mine is not among"):
        await attach(stage, OTHER, "/tmp/mine")
    assert stage.browser.presence.pid == BROWSER
    assert stage.lockdown.admitted


async def test_the_guard_is_told_its_window(stage: "Stage") -> None:
    await attach(stage, window=7)
    assert (stage.conductor.locking.exam.pid, stage.conductor.locking.exam.window) == (BROWSER, 7)
    await stage.ready(a_key(), msb=True)
    assert await stage.browser.beat(Beat(3, 9)) == BeatAnswer(3, "ready", "probed")
    assert stage.conductor.locking.exam.window == 9


# whether it is there


async def test_a_browser_that_hangs_is_told_as_silent_and_as_heard_again(stage: "Stage") -> None:
    await secure(stage)
    stage.now_s += BROWSER_SILENT_S
    await stage.browser.look()
    await stage.browser.look()
    await stage.browser.beat(Beat(1))
    await stage.browser.look()
    assert [each for each in kinds(stage) if each in {"browser_silent", "browser_heard"}] == [
        "browser_silent",
        "browser_heard",
    ]
    assert (stage.conductor.state, stage.guard.phase) == ("running", "locked")


async def test_when_it_is_gone_the_machine_is_given_back_at_once_and_the_session_waits(stage: "Stage") -> None:
    await secure(stage, wait_s=60)
    await gone(stage)
    assert (stage.conductor.state, stage.guard.phase) == ("running", "lifted")
    assert kinds(stage)[-2:] == ["browser_gone", "lockdown_lifted"]
    warned = [each for each in stage.told if isinstance(each, WarningEvent)]
    assert [(each.kind, each.left_s) for each in warned] == [("browser_gone", 60)]
    stage.now_s += 59
    await stage.browser.look()
    assert stage.conductor.state == "running"
    stage.now_s += 1
    await stage.browser.look()
    assert stage.session.end_reason == "browser gone"


async def test_it_returns_in_time_and_the_machine_is_locked_again(stage: "Stage") -> None:
    await secure(stage, wait_s=60)
    await gone(stage)
    stage.now_s += 30
    await attach(stage, LATER)
    assert (stage.conductor.state, stage.guard.phase, stage.lockdown.admitted) == ("running", "locked", True)
    stage.now_s += 300
    stage.browser.presence.beat(1)
    await stage.browser.look()
    assert stage.conductor.state == "running"
    assert stage.conductor.locking.exam.pid == LATER


async def test_another_program_is_no_return(stage: "Stage") -> None:
    await secure(stage, wait_s=60)
    await gone(stage)
    with pytest.raises(Refusal):
        await attach(stage, OTHER, "/tmp/mine")
    assert stage.guard.phase == "lifted"
    stage.now_s += 60
    await stage.browser.look()
    assert stage.conductor.state != "running"


@pytest.mark.parametrize("claims", [{"browser_gone": "end"}, {"wait_s": 0}])
async def test_the_session_ends_at_once_if_the_key_says_so(stage: "Stage", claims: dict[str, Any]) -> None:
    await secure(stage, **claims)
    await gone(stage)
    assert (stage.session.end_reason, stage.guard.phase) == ("browser gone", "released")


async def test_while_paused_too_the_browser_has_to_be_there(stage: "Stage") -> None:
    await secure(stage, wait_s=60)
    await stage.command("pause")
    await gone(stage)
    await stage.command("resume", "c-2")
    assert (stage.conductor.state, stage.guard.phase) == ("running", "lifted")
    await attach(stage, LATER)
    assert stage.guard.phase == "locked"


async def test_before_the_start_a_browser_that_goes_is_only_missed(stage: "Stage") -> None:
    await attach(stage)
    await stage.ready(a_key(browser_gone="end"), msb=True)
    await stage.browser.registered()
    await gone(stage)
    assert stage.conductor.state == "ready"
    assert stage.lockdown.browser is None
    with pytest.raises(Refusal):
        await stage.conductor.start()


# the page's own browser


async def test_without_a_secure_browser_the_pages_own_says_where_the_exam_is(stage: "Stage") -> None:
    await stage.ready(navigation_control=True)
    page = stage.facts.add(BROWSER, "/usr/bin/chromium")
    await stage.browser.seen(page)
    await stage.conductor.start()
    assert stage.guard.terms is not None
    assert stage.guard.terms.exam.pid == BROWSER
    await gone(stage)
    assert (stage.conductor.state, stage.guard.phase) == ("running", "lifted")
    assert "browser_gone" not in kinds(stage), "how long the session waits for a page is the pulse's business"
    await stage.browser.seen(stage.facts.add(LATER, "/usr/bin/chromium"))
    assert stage.guard.phase == "locked"


async def test_a_secure_exam_is_not_locked_for_any_page(stage: "Stage") -> None:
    await secure(stage)
    await gone(stage)
    await stage.browser.seen(stage.facts.add(OTHER, "/usr/bin/chromium"))
    assert stage.guard.phase == "lifted"


async def test_where_nobody_can_tell_the_process_the_page_itself_brings_the_lockdown_back(stage: "Stage") -> None:
    await stage.running(navigation_control=True)
    await stage.conductor.locking.lift(stage.session, "browser gone")
    await stage.browser.seen(None)
    assert stage.guard.phase == "locked"


async def test_a_browser_that_introduces_itself_again_is_on_the_record_once(stage: "Stage") -> None:
    await secure(stage)
    await attach(stage)
    await attach(stage)
    assert kinds(stage).count("browser_attached") == 1


async def test_of_an_exam_without_lockdown_nobody_asks_who_its_browser_is(stage: "Stage") -> None:
    await stage.running()
    await stage.browser.seen(stage.facts.add(OTHER, "/usr/bin/chromium"))
    assert not stage.browser.is_known


async def test_a_browser_that_crashed_has_not_left_the_exam(stage: "Stage") -> None:
    """Its window goes with it: another one is in front before anybody has noticed the death."""
    await secure(stage, lockdown=LockdownSettings(browsing_tolerance=0, beyond_tolerance="end"))
    stage.facts.kill(BROWSER)
    await stage.saw("left_window", program="mail", how="window")
    await stage.browser.look()
    assert (stage.lockdown.tolerance.times, stage.conductor.state) == (0, "running")


# another agent


async def test_a_session_that_was_left_behind_waits_for_its_browser_and_is_locked_when_it_is_here(
    stage: "Stage",
) -> None:
    await stage.registered(a_key(wait_s=0, browser_gone="end"), msb=True)
    stage.conductor.locking.take_over(stage.session, State.RUNNING)
    stage.conductor.state = State.RUNNING
    stage.browser.left_behind(stage.session)
    stage.now_s += RETURN_S - 1
    await stage.browser.look()
    await attach(stage)
    assert (stage.conductor.state, stage.guard.phase) == ("running", "locked")
    stage.now_s += RETURN_S
    await stage.browser.beat(Beat(1))
    await stage.browser.look()
    assert stage.conductor.state == "running"
    await stage.conductor.end(Trigger.STOP, "Stop")


async def test_a_session_whose_browser_died_with_the_agent_ends(stage: "Stage") -> None:
    await stage.running()  # for its capture
    stage.session.lockdown = None
    await stage.conductor.stop()
    await stage.registered(a_key(), msb=True)
    stage.conductor.state = State.RUNNING
    stage.conductor.locking.take_over(stage.session, State.RUNNING)
    stage.browser.left_behind(stage.session)
    stage.now_s += 60
    await stage.browser.look()
    assert stage.session.end_reason == "browser gone"

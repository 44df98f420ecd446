"""The lockdown of a session: when it is applied and given back, and what is said of it to record, proctor and page."""

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from secureproctor.agent.session.journal import WindowLeft, read
from secureproctor.agent.session.lockdown import BROWSER_GONE
from secureproctor.agent.session.machine import AT_ANY_TIME, ENDINGS, State, Trigger
from secureproctor.agent.session.status import view
from secureproctor.contract.channel import LockdownChanged, SessionKey
from secureproctor.contract.errors import Refusal
from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.contract.page import ErrorEvent, LockdownStatus, ProgramAsked, WarningEvent
from secureproctor.contract.streams import Stream
from secureproctor.lockdown.guard import LockFailed
from secureproctor.lockdown.rule import Exam, Sighting
from tests.agent.conftest import a_key

if TYPE_CHECKING:
    from tests.agent.conftest import Stage


def locked(**lockdown: Any) -> dict[str, Any]:
    return {"navigation_control": True, "lockdown": LockdownSettings(**lockdown)}


def status(stage: "Stage") -> LockdownStatus:
    return view(stage.conductor, "agent", 0, False).lockdown


def guard_events(stage: "Stage") -> list[str]:
    return [each for each in stage.events if each.startswith(("guard", "capture"))]


def details(stage: "Stage", kind: str) -> list[dict[str, Any]]:
    return [dict(event.detail) for event in stage.evidence() if event.kind == kind]


def warnings(stage: "Stage") -> list[WarningEvent]:
    return [event for event in stage.told if isinstance(event, WarningEvent)]


# applied and given back


async def test_an_exam_without_lockdown_makes_no_guard(stage: "Stage") -> None:
    await stage.running()
    await stage.command("pause")
    await stage.command("resume")
    await stage.conductor.stop()
    assert stage.guards == []
    assert status(stage) == LockdownStatus()
    assert not any(isinstance(each, SessionKey | LockdownChanged) for each in stage.channel.sent)


async def test_the_lockdown_comes_after_the_sources_and_goes_before_them(stage: "Stage") -> None:
    await stage.running(**locked())
    assert status(stage).phase == "locked"
    assert all(each.holds for each in status(stage).rules)
    await stage.conductor.stop()
    assert guard_events(stage)[:5] == [
        "guard probed", "capture opened", "guard lock", "guard unlock: stopped", "capture closed",
    ]  # fmt: skip
    assert stage.phases[:3] == ["probed", "locked", "released"]
    assert [each["why"] for each in details(stage, "lockdown_released")] == ["stopped"]


@pytest.mark.parametrize("ending", AT_ANY_TIME)
async def test_every_ending_gives_the_machine_back_at_once(stage: "Stage", ending: Trigger) -> None:
    stage.away = True
    await stage.running(**locked())
    await stage.conductor.end(ending, "End")
    assert (stage.guard.phase, status(stage).phase) == ("released", "released")
    assert stage.since(f"guard unlock: {ENDINGS[ending]}").index("capture closed") >= 0
    stage.uploader.come_back()
    await stage.conductor.delivered(5)


async def test_how_each_rule_stands_is_on_the_record_and_with_the_proctor(stage: "Stage") -> None:
    stage.standing = {"printing": "impossible", "displays": "observed"}
    await stage.running(**locked(required=("keys",), off=("power",)))
    told = [each for each in stage.channel.sent if isinstance(each, LockdownChanged)][-1]
    assert {each.rule: each.standing for each in told.rules}["printing"] == "impossible"
    await stage.conductor.stop()
    standings = {each["rule"]: each for each in details(stage, "rule_standing")}
    assert "power" not in standings
    assert (standings["keys"]["required"], standings["printing"]["required"]) == (True, False)
    assert len(details(stage, "rule_standing")) == len(standings), "each is told once"
    (applied,) = details(stage, "lockdown_applied")
    assert (applied["impossible"], applied["observed"]) == ("printing", "displays")


async def test_a_required_rule_that_cannot_be_enforced_stops_the_start_with_its_remedy(stage: "Stage") -> None:
    stage.standing = {"keys": "observed"}
    await stage.ready(**locked(required=("keys",)))
    with pytest.raises(Refusal) as caught:
        await stage.conductor.start()
    assert (caught.value.code, caught.value.remedy) == (
        "rules_not_enforceable",
        "Use another computer. Ask the exam's staff: a proctor can let it pass.",
    )
    assert stage.conductor.state == "ready"
    assert guard_events(stage)[-3:] == ["guard lock", "guard unlock: start failed", "capture closed"]
    assert status(stage).phase == "released"


async def test_a_lockdown_that_fails_leaves_everything_as_it_was_and_start_can_be_tried_again(stage: "Stage") -> None:
    await stage.ready(**locked())
    stage.lock_trouble.append(LockFailed("The window manager is gone."))
    with pytest.raises(Refusal, match=r"could not be applied: The window manager is gone\. ") as caught:
        await stage.conductor.start()
    assert caught.value.code == "lockdown_failed"
    assert stage.session.capturing == frozenset()
    await stage.conductor.start()
    assert (stage.conductor.state, stage.guard.phase) == ("running", "locked")


async def test_when_a_source_is_missing_nothing_is_locked(stage: "Stage") -> None:
    await stage.ready(**locked())
    stage.missing = {Stream.AUDIO: "busy"}
    with pytest.raises(Refusal, match="audio"):
        await stage.conductor.start()
    assert "guard lock" not in stage.events


async def test_a_session_that_was_only_checked_is_forgotten_by_the_guard(stage: "Stage", eventually: Any) -> None:
    """What a proctor let pass in one session is no permission for the next."""
    await stage.ready(**locked())
    await stage.command("override", argument="keys")
    await stage.ready(**locked())
    assert stage.guard.overridden == frozenset()
    await stage.conductor.end(Trigger.STOP, "Stop")
    await eventually(lambda: guard_events(stage)[-1].startswith("guard unlock"))


# while paused


@pytest.mark.parametrize("paused", [False, True])
async def test_the_candidate_has_the_machine_back_while_paused_if_the_exam_says_so(
    stage: "Stage", paused: bool
) -> None:
    await stage.running(**locked(while_paused="lifted"), initial_state="paused" if paused else "running")
    if not paused:
        await stage.command("pause")
    assert (stage.conductor.state, status(stage).phase) == ("paused", "lifted")
    await stage.command("resume", "c-2")
    assert (stage.conductor.state, status(stage).phase) == ("running", "locked")
    await stage.conductor.stop()
    assert [each["why"] for each in details(stage, "lockdown_lifted")] == ["paused"]
    assert len(details(stage, "lockdown_applied")) == 2


async def test_the_lockdown_is_kept_through_a_pause_otherwise(stage: "Stage") -> None:
    await stage.running(**locked())
    await stage.command("pause")
    assert (stage.conductor.state, stage.guard.phase) == ("paused", "locked")
    await stage.command("resume", "c-2")
    assert stage.events.count("guard lock") == 1


async def test_it_is_applied_again_only_when_no_reason_is_left(stage: "Stage") -> None:
    locking = stage.conductor.locking
    await stage.running(**locked(while_paused="lifted"))
    await stage.command("pause")
    await locking.lift(stage.session, BROWSER_GONE)
    await stage.command("resume", "c-2")
    phases = [status(stage).phase]
    await locking.relock(stage.session, BROWSER_GONE)
    phases.append(status(stage).phase)
    await stage.conductor.stop()
    await locking.relock(stage.session, BROWSER_GONE)
    assert [*phases, status(stage).phase] == ["lifted", "locked", "released"]


async def test_a_lockdown_that_cannot_be_applied_again_is_told_and_the_exam_goes_on(stage: "Stage") -> None:
    await stage.running(**locked(while_paused="lifted", required=("keys",)))
    await stage.command("pause")
    stage.standing["keys"] = "could_not_check"
    await stage.command("resume", "c-2")
    assert (stage.conductor.state, stage.guard.phase) == ("running", "lifted")
    assert [event.error.code for event in stage.told if isinstance(event, ErrorEvent)] == ["rules_not_enforceable"]
    await stage.command("override", "c-3", argument="keys")
    assert stage.guard.phase == "locked"
    await stage.conductor.stop()
    assert len(details(stage, "lockdown_failed")) == 1


async def test_a_rule_that_is_stuck_is_seen_by_the_proctor(stage: "Stage") -> None:
    await stage.running(**locked())
    stage.guard.stuck = ("power",)
    await stage.conductor.stop()
    assert stage.phases[-1] == "stuck"


# what it sees


async def test_leaving_the_window_is_counted_and_the_candidate_is_warned(stage: "Stage") -> None:
    await stage.running(**locked(browsing_tolerance=1))
    await stage.saw("left_window", program="mail", how="window")
    stage.now_s += 4
    await stage.saw("returned_to_window", away_s=4.0, by="candidate", counts=False)
    assert (status(stage).away, status(stage).tolerance_left) == (1, 0)
    assert warnings(stage) == [
        WarningEvent("left_window", "You left the exam window. You may do so 0 more times.", 1, 0)
    ]
    await stage.saw("left_window", program="mail", how="window")
    assert [each.kind for each in warnings(stage)] == ["left_window", "tolerance_exceeded"]
    await stage.conductor.stop()
    first, second = details(stage, "left_window")
    assert first == {"program": "mail", "how": "window", "times": 1, "left": 0}
    assert second["times"] == 2
    assert details(stage, "returned_to_window") == [{"away_s": 4.0, "times": 1, "left": 0, "by": "candidate"}]
    assert details(stage, "tolerance_exceeded") == [{"times": 2, "then": "record"}]
    assert [each.times for each in read(stage.journal.path) if isinstance(each, WindowLeft)] == [1, 2]


@pytest.mark.parametrize(
    ("then", "state", "reason"), [("pause", "paused", ""), ("end", "ended", "left the exam window too often")]
)
async def test_beyond_the_tolerance_the_exam_is_paused_or_ends(
    stage: "Stage", eventually: Any, then: str, state: str, reason: str
) -> None:
    await stage.running(**locked(browsing_tolerance=0, beyond_tolerance=then))
    await stage.saw("left_window", program="mail", how="window")
    await eventually(lambda: stage.conductor.state == state)
    assert stage.session.end_reason == reason


async def test_a_pause_beyond_the_tolerance_can_be_resumed_although_the_exam_has_no_pauses(
    stage: "Stage", eventually: Any
) -> None:
    await stage.running(**locked(browsing_tolerance=0, beyond_tolerance="pause"), pause_resume=False)
    await stage.saw("left_window", program="mail", how="window")
    await eventually(lambda: stage.conductor.state == "paused")
    await stage.command("resume")
    assert stage.conductor.state == "running"


async def test_the_page_and_the_lockdown_tell_of_one_departure(stage: "Stage") -> None:
    sightings = stage.conductor.locking.sightings
    await stage.running(**locked(browsing_tolerance=3))
    sightings.page_seen(stage.session, visible=False)
    await stage.saw("left_window", program="mail", how="window")
    await stage.saw("returned_to_window", away_s=1.0, by="agent", counts=False)
    sightings.page_seen(stage.session, visible=True)
    assert (status(stage).away, len(warnings(stage))) == (1, 1)
    await stage.conductor.stop()
    assert [(each["how"], each["times"]) for each in details(stage, "left_window")] == [("page", 1), ("window", 1)]
    assert len(details(stage, "returned_to_window")) == 1


async def test_leaving_does_not_count_while_paused_nor_without_a_lockdown(stage: "Stage") -> None:
    await stage.running(**locked(browsing_tolerance=0, beyond_tolerance="end"))
    await stage.command("pause")
    await stage.saw("left_window", program="mail", how="window")
    assert (status(stage).away, warnings(stage), stage.conductor.state) == (0, [], "paused")
    await stage.conductor.stop()
    await stage.running()
    stage.conductor.locking.sightings.page_seen(stage.session, visible=False)
    assert warnings(stage) == []


async def test_a_forbidden_program_is_asked_to_be_closed_until_it_is(stage: "Stage") -> None:
    await stage.running(**locked())
    await stage.saw("program_forbidden", "programs", program="anydesk", category="remote_control", pid=7, left_s=20.0)
    assert warnings(stage) == [WarningEvent("program", "Close anydesk: the exam does not allow it.", left_s=20.0)]
    stage.now_s += 5
    assert status(stage).asked == (ProgramAsked("anydesk", "remote_control", 15.0),)
    await stage.saw("program_closed", "programs", program="anydesk", how="candidate", counts=False)
    assert status(stage).asked == ()
    await stage.conductor.stop()
    assert [each["pid"] for each in details(stage, "program_forbidden")] == [7]


async def test_programs_that_are_only_observed_ask_nothing_of_the_candidate(stage: "Stage") -> None:
    await stage.running(**locked(programs="observe"))
    await stage.saw("program_forbidden", "programs", program="anydesk", category="remote_control", pid=7, left_s=None)
    assert (status(stage).asked, warnings(stage)) == ((), [])


async def test_too_many_displays_are_a_warning_and_assistive_technology_is_shown(stage: "Stage") -> None:
    await stage.running(**locked(displays=2))
    await stage.saw("displays", "displays", counts=False, count=2, allowed=2)
    assert warnings(stage) == []
    await stage.saw("displays", "displays", count=3, allowed=2)
    assert [each.kind for each in warnings(stage)] == ["displays"]
    await stage.saw("assistive_technology", "assistive", counts=False, program="orca", kind="screen_reader")
    assert status(stage).assistive == ("orca",)


async def test_everything_that_was_seen_is_on_the_record_as_it_came(stage: "Stage") -> None:
    await stage.running(**locked())
    await stage.saw("key_stopped", "keys", keys="Alt+Tab", injected=None)
    await stage.conductor.stop()
    assert details(stage, "key_stopped") == [{"keys": "Alt+Tab", "injected": None}]


async def test_a_flood_of_news_is_bounded(stage: "Stage") -> None:
    await stage.running(**locked())
    for number in range(3000):
        stage.guard.tell(Sighting("keys", "key_stopped", {"keys": f"F{number}"}))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await stage.conductor.stop()
    assert len(details(stage, "key_stopped")) == 1000


# the proctor


async def test_counts_are_told_at_most_once_a_second_and_the_newest_when_the_link_is_back(stage: "Stage") -> None:
    announcing = stage.conductor.locking.announcing
    await stage.running(**locked())
    before = len(stage.phases)
    for _ in range(5):
        await stage.saw("key_stopped", "keys", keys="Alt+Tab")
    assert len(stage.phases) == before
    stage.now_s += 1
    announcing.look()
    announcing.look()
    assert len(stage.phases) == before + 1
    stage.channel.ready = False
    await stage.saw("left_window", program="mail", how="window")
    stage.now_s += 60
    announcing.look()
    assert len(stage.phases) == before + 1
    stage.channel.ready = True
    announcing.look()
    last = stage.channel.sent[-1]
    assert isinstance(last, LockdownChanged)
    assert last.away == 1


async def test_an_override_lets_the_start_go_on_and_is_on_the_record(stage: "Stage") -> None:
    stage.standing = {"keys": "impossible"}
    await stage.ready(**locked(required=("keys",)))
    await stage.command("override", argument="keys", text="She needs it.")
    assert stage.statuses() == ["received", "applied", "acknowledged"]
    assert {each.rule: each.overridden for each in status(stage).rules}["keys"]
    await stage.conductor.check_system()
    assert {each.rule: each.overridden for each in status(stage).rules}["keys"]
    await stage.conductor.start()
    assert stage.conductor.state == "running"
    await stage.conductor.stop()
    assert details(stage, "rule_overridden") == [{"rule": "keys", "by": "Ada", "reason": "She needs it."}]


@pytest.mark.parametrize("settings", [{}, {"authorization": True}])
async def test_without_a_lockdown_there_is_nothing_to_override(stage: "Stage", settings: dict[str, Any]) -> None:
    await stage.ready(**settings)
    await stage.command("override", argument="keys")
    assert stage.statuses() == ["received", "refused"]
    assert "Navigation Control" in stage.reason()


async def test_after_the_end_an_override_is_not_possible(stage: "Stage") -> None:
    stage.away = True
    await stage.running(**locked())
    await stage.conductor.end(Trigger.STOP, "Stop")
    await stage.command("override", argument="keys")
    assert stage.statuses() == ["received", "failed"]
    stage.uploader.come_back()
    await stage.conductor.delivered(5)


async def test_the_agents_key_is_told_at_registration(stage: "Stage") -> None:
    await stage.registered(**locked())
    (key,) = [each for each in stage.channel.sent if isinstance(each, SessionKey)]
    assert key.x == stage.session.attestations.attesting.x  # type: ignore[union-attr]  # a locked session has them


# where the exam is


async def test_the_guard_is_told_where_the_exam_is_and_that_it_moved(stage: "Stage") -> None:
    locking = stage.conductor.locking
    await locking.moved(Exam(7))
    await stage.running(**locked())
    assert stage.guard.terms is not None
    assert stage.guard.terms.exam == Exam(7)
    await locking.moved(Exam(7))
    await locking.moved(Exam(7, 99))
    assert [each for each in stage.events if "moved" in each] == ["guard moved to 7/99"]


async def test_init_and_key_are_joined_to_the_strictest(stage: "Stage") -> None:
    key = a_key(lockdown=LockdownSettings(required=("focus",), browsing_tolerance=2))
    await stage.registered(key, **locked(required=("keys",), browsing_tolerance=5))
    assert (stage.lockdown.settings.required, stage.lockdown.settings.browsing_tolerance) == (("keys", "focus"), 2)


async def test_this_computers_policy_goes_with_the_terms(stage: "Stage") -> None:
    stage.conductor.locking.allowed, stage.conductor.locking.observe_only = ("vpn",), True
    await stage.ready(**locked())
    assert stage.guard.terms is not None
    assert (stage.guard.terms.allowed, stage.guard.terms.observe_only) == (("vpn",), True)


# another agent


@pytest.mark.parametrize(
    ("state", "reasons"),
    [(State.RUNNING, {"browser gone"}), (State.PAUSED, {"browser gone", "paused"}), (State.READY, set())],
)
async def test_an_agent_that_came_back_locks_when_the_exams_browser_is_back(
    stage: "Stage", state: State, reasons: set[str]
) -> None:
    await stage.registered(**locked(while_paused="lifted"))
    stage.channel.sent.clear()
    stage.conductor.locking.take_over(stage.session, state)
    assert stage.lockdown.lifted == reasons
    assert [type(each) for each in stage.channel.sent] == [SessionKey]


async def test_closing_ends_the_guard_and_twice_is_harmless(stage: "Stage") -> None:
    await stage.running(**locked())
    await stage.conductor.locking.close()
    await stage.conductor.locking.close()
    assert stage.events.count("guard closed") == 1
    await stage.conductor.stop()


async def test_a_lock_that_hangs_is_given_up_and_start_is_refused(
    stage: "Stage", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secureproctor.agent.session.locking.PATIENCE_S", 0.05)
    await stage.ready(**locked())
    stage.guard.hangs = threading.Event()
    with pytest.raises(Refusal, match="it took longer than"):
        await stage.conductor.start()
    stage.guard.hangs.set()
    assert stage.conductor.state == "ready"
    assert "guard unlock: it did not answer" in stage.events

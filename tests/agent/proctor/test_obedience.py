"""What the proctor sends, carried out on the real conductor: each command once, each step told and in the journal."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from secureproctor.agent.clock import wall_ms
from secureproctor.agent.proctor import obedience as obeying
from secureproctor.agent.proctor.course import Course
from secureproctor.agent.proctor.protocol import Misread
from secureproctor.agent.session.journal import CommandMoved, read
from secureproctor.agent.session.machine import Trigger
from secureproctor.agent.session.status import view
from secureproctor.contract.channel import Command, CommandUpdate, ProctorError, ServiceEnded, Unreadable
from secureproctor.contract.errors import Refusal
from secureproctor.contract.page import ErrorEvent, RequestEvent

if TYPE_CHECKING:
    from tests.agent.conftest import Stage


def pending(stage: "Stage") -> tuple[str, ...]:
    return tuple(f"{each.kind}:{each.id}" for each in view(stage.conductor, "agent", 0, False).pending)


def asked(stage: "Stage") -> list[tuple[str, str, str, bool]]:
    """What the page was asked to acknowledge."""
    events = (event for event in stage.told if isinstance(event, RequestEvent))
    return [(event.kind, event.id, event.text, event.acknowledged) for event in events]


async def test_a_pause_and_a_resume_take_effect_and_wait_for_the_page(stage: "Stage") -> None:
    await stage.running()
    await stage.command("pause", "c-1")
    assert stage.conductor.state == "paused"
    await stage.command("resume", "c-2")
    assert stage.conductor.state == "running"
    assert stage.statuses("c-1") == stage.statuses("c-2") == ["received", "applied"]
    assert pending(stage) == ("pause:c-1", "resume:c-2")
    assert asked(stage) == [("pause", "c-1", "please", False), ("resume", "c-2", "please", False)]


async def test_each_step_is_in_the_journal_before_it_is_told(stage: "Stage") -> None:
    await stage.running()
    await stage.command("pause")
    stage.obedience.acknowledge("pause")
    steps = [each for each in stage.since("told running") if not each.startswith("event")]
    assert steps == [
        "journal received", "told c-1 received",
        "journal paused", "told paused",
        "journal applied", "told c-1 applied",
        "journal acknowledged", "told c-1 acknowledged",
    ]  # fmt: skip


async def test_the_course_of_a_command_is_on_the_record(stage: "Stage") -> None:
    await stage.running()
    await stage.command("pause")
    await stage.conductor.stop()
    course = [event.detail for event in stage.evidence() if event.kind == "command"]
    assert course == [{"id": "c-1", "command": "pause", "status": status} for status in ("received", "applied")]


async def test_an_end_by_the_proctor_ends_the_session_and_can_be_acknowledged_afterwards(
    stage: "Stage", eventually: Any
) -> None:
    await stage.running()
    await stage.command("end")
    await stage.conductor.delivered(5)
    assert (stage.conductor.state, stage.session.end_reason) == ("ended", "ended by proctor")
    assert not stage.session.closed
    stage.obedience.acknowledge("end")
    assert stage.statuses() == ["received", "applied", "acknowledged"]
    await eventually(lambda: stage.session.closed)


@pytest.mark.parametrize("kind", ["pause", "resume", "end", "authorize", "reject"])
async def test_a_command_that_the_exam_switched_off_is_refused_in_words(stage: "Stage", kind: Any) -> None:
    await stage.running(pause_resume=False, end_test=False)
    await stage.command(kind)
    assert stage.statuses() == ["received", "refused"]
    assert stage.channel.sent[-2].reason in {
        "The exam switched 'Pause/Resume test on' off.", "The exam switched 'End test on' off.",
        "The exam switched 'Authorization On' off.",
    }  # fmt: skip
    assert stage.conductor.state == "running"
    assert stage.told == []


async def test_a_command_past_its_lifetime_is_expired_and_not_obeyed(stage: "Stage") -> None:
    await stage.running()
    await stage.command("pause", age_s=61, lifetime_s=60)
    assert stage.statuses() == ["received", "expired"]
    assert stage.conductor.state == "running"


async def test_a_lifetime_is_counted_on_the_services_clock(stage: "Stage") -> None:
    """The candidate's clock is an hour off; Init told by how much."""
    await stage.running()
    stage.session.skew_ms = -3_600_000
    await stage.command("pause", age_s=30, lifetime_s=60)
    assert stage.statuses() == ["received", "applied"]


async def test_a_command_that_comes_twice_takes_effect_once(stage: "Stage") -> None:
    await stage.running()
    await stage.command("pause", "c-1")
    await stage.command("resume", "c-2")
    await stage.command("pause", "c-1")
    assert stage.conductor.state == "running"
    assert stage.statuses("c-1") == ["received", "applied"]
    assert len(stage.told) == 2


async def test_a_command_that_is_not_possible_now_fails_with_the_reason(stage: "Stage") -> None:
    await stage.running()
    await stage.command("resume")
    assert stage.statuses() == ["received", "failed"]
    failed = [each for each in stage.channel.sent if isinstance(each, CommandUpdate)][-1]
    assert failed.reason == "Resume is not possible while the session is running."


async def test_a_command_for_a_session_that_was_replaced_fails(stage: "Stage") -> None:
    stage.away = True
    await stage.running()
    await stage.conductor.end(Trigger.STOP, "Stop")
    old = stage.session
    await stage.running()
    await stage.take(Command("c-1", "end", 2**45), old)
    assert stage.conductor.state == "running"
    assert [each.status for each in old.channel.sent if isinstance(each, CommandUpdate)] == ["received", "failed"]  # type: ignore[attr-defined]  # the fake's


# acknowledging


async def test_the_agent_acknowledges_by_itself_when_told_to(stage: "Stage") -> None:
    await stage.running()
    stage.obedience.switch(automatic=True)
    await stage.command("pause")
    assert stage.statuses() == ["received", "applied", "acknowledged"]
    acknowledged = [each for each in stage.channel.sent if isinstance(each, CommandUpdate)][-1]
    assert acknowledged.by == "agent"
    assert asked(stage) == [("pause", "c-1", "please", True)]
    assert pending(stage) == ()


async def test_the_page_acknowledges_and_is_named(stage: "Stage") -> None:
    await stage.running()
    await stage.command("pause")
    stage.obedience.acknowledge("pause", "c-1")
    moved = [entry for entry in read(stage.journal.path) if isinstance(entry, CommandMoved)]
    assert [(entry.status, entry.by) for entry in moved] == [
        ("received", ""),
        ("applied", ""),
        ("acknowledged", "page"),
    ]


async def test_acknowledging_without_an_id_means_all_that_came_before(stage: "Stage") -> None:
    await stage.running()
    for kind, command_id in (("pause", "c-1"), ("resume", "c-2"), ("pause", "c-3")):
        await stage.command(kind, command_id)
    stage.obedience.acknowledge("pause")
    assert pending(stage) == ("resume:c-2",)


async def test_acknowledging_with_an_id_means_that_one(stage: "Stage") -> None:
    await stage.running()
    for kind, command_id in (("pause", "c-1"), ("resume", "c-2"), ("pause", "c-3")):
        await stage.command(kind, command_id)
    stage.obedience.acknowledge("pause", "c-1")
    assert pending(stage) == ("resume:c-2", "pause:c-3")


@pytest.mark.parametrize(("kind", "command_id"), [("pause", "c-9"), ("resume", ""), ("end", ""), ("end", "c-1")])
async def test_what_was_not_requested_cannot_be_acknowledged(stage: "Stage", kind: Any, command_id: str) -> None:
    await stage.running()
    await stage.command("pause", "c-1")
    with pytest.raises(Refusal) as caught:
        stage.obedience.acknowledge(kind, command_id)
    assert caught.value.code == "nothing_to_acknowledge"
    assert pending(stage) == ("pause:c-1",)


async def test_acknowledging_twice_is_refused(stage: "Stage") -> None:
    await stage.running()
    await stage.command("pause")
    stage.obedience.acknowledge("pause")
    with pytest.raises(Refusal, match="no pause request"):
        stage.obedience.acknowledge("pause")
    assert stage.statuses().count("acknowledged") == 1


async def test_without_a_session_there_is_nothing_to_acknowledge(stage: "Stage") -> None:
    with pytest.raises(Refusal) as caught:
        stage.obedience.acknowledge("pause")
    assert caught.value.code == "nothing_to_acknowledge"
    stage.obedience.acknowledging.look(0)


# errors, the service's own ending, what cannot be read


async def test_an_error_of_the_proctors_side_comes_to_the_page(stage: "Stage") -> None:
    await stage.registered()
    await stage.take(ProctorError("no_proctor", "Nobody watches.", "Wait."))
    (event,) = stage.told
    assert isinstance(event, ErrorEvent)
    assert (event.error.code, event.error.message, event.error.remedy) == ("no_proctor", "Nobody watches.", "Wait.")


@pytest.mark.parametrize(("reason", "ended"), [("expired", "expired"), ("removed", "ended by proctor")])
async def test_the_service_can_end_the_session_by_its_own_clock(stage: "Stage", reason: str, ended: str) -> None:
    await stage.running()
    await stage.take(ServiceEnded(reason))
    assert stage.session.end_reason == ended
    await stage.take(ServiceEnded(reason))
    assert stage.session.end_reason == ended
    assert stage.events.count("journal endordered") == 1


async def test_an_ending_that_comes_second_breaks_nothing(stage: "Stage") -> None:
    """Both wait for the same lock; the second one finds an ended session."""
    await stage.running()
    async with stage.conductor._lock:
        stop = asyncio.create_task(stage.conductor.stop())
        await asyncio.sleep(0)
        ended = asyncio.create_task(stage.take(ServiceEnded("expired")))
        await asyncio.sleep(0)
    await stop
    await ended
    assert stage.session.end_reason == "stopped"


async def test_what_cannot_be_read_is_told_and_on_the_record(stage: "Stage") -> None:
    await stage.running()
    await stage.take(Misread("chat", "no text"))
    await stage.take(Misread("command", "no time", "c-7", "pause"))
    await stage.take(Misread("command", "no time", "c-7", "pause"))
    assert Unreadable("chat", "no text") in stage.channel.sent
    assert stage.statuses("c-7") == ["received", "refused"]
    assert stage.reason("c-7") == "The agent cannot read the command: no time."
    assert stage.events.count("event message_unreadable") == 3


async def test_a_service_that_sends_nonsense_without_end_fills_no_disk(
    stage: "Stage", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(obeying, "MOST_UNREADABLE", 3)
    monkeypatch.setattr(obeying, "MOST_COMMANDS", 3)
    await stage.running()
    for number in range(10):
        await stage.take(Misread("command", "nonsense", f"c-{number}", "pause"))
        await stage.command("explode", f"d-{number}")
    assert stage.events.count("event message_unreadable") == 3
    assert stage.events.count("journal received") == len(stage.session.commands) == 3
    assert stage.statuses("d-9") == ["refused"]
    assert stage.reason("d-9") == "There were 3 commands in this session."


# an agent that died, and the next one


def left(stage: "Stage", course: Course) -> None:
    """As a new agent finds it."""
    stage.session.commands[course.id] = course
    stage.session.unfinished = [course] if course.status == "received" else []


async def test_a_command_that_was_only_received_is_carried_out_by_the_next_agent(stage: "Stage") -> None:
    await stage.running()
    left(stage, Course("c-1", "pause", Command("c-1", "pause", wall_ms(), 300), "received"))
    await stage.obedience.go_on(stage.session)
    assert (stage.conductor.state, stage.statuses()) == ("paused", ["applied"])


async def test_a_command_whose_effect_is_there_is_not_carried_out_again(stage: "Stage") -> None:
    await stage.running()
    left(stage, Course("c-1", "pause", Command("c-1", "pause", wall_ms(), 300), "received", done=True))
    await stage.obedience.go_on(stage.session)
    assert (stage.conductor.state, stage.statuses()) == ("running", ["applied"])


async def test_a_command_that_outlived_its_time_while_the_agent_was_away_is_expired(stage: "Stage") -> None:
    await stage.running()
    left(stage, Course("c-1", "pause", Command("c-1", "pause", wall_ms() - 301_000, 300), "received"))
    await stage.obedience.go_on(stage.session)
    assert (stage.conductor.state, stage.statuses()) == ("running", ["expired"])


@pytest.mark.parametrize("begun", [True, False], ids=["a picture that was begun", "of an agent of before"])
async def test_what_cannot_be_finished_is_said_to_have_failed(stage: "Stage", begun: bool) -> None:
    await stage.running()
    whole = Command("c-1", "snapshot", wall_ms(), 60, argument="screen") if begun else None
    left(stage, Course("c-1", "snapshot" if begun else "pause", whole, "received", begun=begun))
    await stage.obedience.go_on(stage.session)
    assert stage.statuses() == ["failed"]
    assert "restarted" in stage.reason()
    assert stage.captures[-1].stills == []


async def test_the_last_word_on_a_command_is_told_again(stage: "Stage") -> None:
    """The agent may have died between noting and telling it; the service takes it once."""
    await stage.running()
    stage.obedience.tell_again(stage.session, CommandMoved("c-1", "pause", "applied", 5))
    assert stage.statuses() == ["applied"]


async def test_what_needs_no_page_is_acknowledged_by_the_next_agent(stage: "Stage") -> None:
    await stage.running()
    left(stage, Course("c-1", "quality", None, "applied"))
    left(stage, Course("c-2", "pause", None, "applied"))
    await stage.obedience.go_on(stage.session)
    assert (stage.statuses("c-1"), stage.statuses("c-2")) == (["acknowledged"], [])


async def test_an_end_that_the_service_ordered_is_made_by_the_next_agent(stage: "Stage") -> None:
    await stage.running()
    stage.session.end_ordered = "expired"
    await stage.obedience.go_on(stage.session)
    assert stage.session.end_reason == "expired"


async def test_what_comes_while_the_agent_catches_up_has_its_turn_afterwards(stage: "Stage", eventually: Any) -> None:
    await stage.running()
    stage.session.caught_up.clear()
    left(stage, Course("c-1", "pause", Command("c-1", "pause", wall_ms(), 300), "received"))
    resumed = asyncio.create_task(stage.command("resume", "c-2"))
    await eventually(lambda: stage.statuses("c-2") == ["received"])
    assert stage.conductor.state == "running"
    await stage.obedience.go_on(stage.session)
    await resumed
    assert (stage.conductor.state, stage.statuses("c-2")) == ("running", ["received", "applied"])
    assert stage.statuses("c-1") == ["applied"]

"""What the proctor sends, carried out on the real conductor: each command once, each step told and in the journal."""

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from secureproctor.agent.proctor.commands import COMMANDS
from secureproctor.agent.session.journal import CommandMoved, read
from secureproctor.agent.session.machine import Trigger
from secureproctor.agent.session.status import view
from secureproctor.contract import channel
from secureproctor.contract.channel import Chat, CommandUpdate, ProctorError, ServiceEnded
from secureproctor.contract.errors import Refusal
from secureproctor.contract.page import ChatEvent, ErrorEvent, RequestEvent

if TYPE_CHECKING:
    from tests.agent.conftest import Stage


def pending(stage: "Stage") -> tuple[str, ...]:
    return view(stage.conductor, "agent", 0, False).pending


def test_every_command_of_the_contract_has_a_row() -> None:
    assert set(COMMANDS) == set(channel.COMMANDS)


async def test_a_pause_and_a_resume_take_effect_and_wait_for_the_page(stage: "Stage") -> None:
    await stage.running()
    await stage.command("pause", "c-1")
    assert stage.conductor.state == "paused"
    await stage.command("resume", "c-2")
    assert stage.conductor.state == "running"
    assert stage.statuses("c-1") == stage.statuses("c-2") == ["received", "applied"]
    assert pending(stage) == ("pause:c-1", "resume:c-2")
    assert stage.told == [RequestEvent("pause", "c-1", "please"), RequestEvent("resume", "c-2", "please")]


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


@pytest.mark.parametrize("kind", ["pause", "resume", "end"])
async def test_a_command_that_the_exam_switched_off_is_refused_in_words(stage: "Stage", kind: Any) -> None:
    await stage.running(pause_resume=False, end_test=False)
    await stage.command(kind)
    assert stage.statuses() == ["received", "refused"]
    assert stage.channel.sent[-2].reason in {
        "The exam switched 'Pause/Resume test on' off.", "The exam switched 'End test on' off.",
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
    await stage.obedience.obey(old, channel.Command("c-1", "end", 2**45))
    assert stage.conductor.state == "running"
    assert [each.status for each in old.channel.sent if isinstance(each, CommandUpdate)] == ["received", "failed"]  # type: ignore[attr-defined]  # the fake's


# acknowledging


async def test_the_agent_acknowledges_by_itself_when_told_to(stage: "Stage") -> None:
    await stage.running()
    stage.obedience.automatic = True
    await stage.command("pause")
    assert stage.statuses() == ["received", "applied", "acknowledged"]
    acknowledged = [each for each in stage.channel.sent if isinstance(each, CommandUpdate)][-1]
    assert acknowledged.by == "agent"
    assert stage.told == [RequestEvent("pause", "c-1", "please", acknowledged=True)]
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
        await stage.command(kind, command_id)  # type: ignore[arg-type]  # literals in a tuple
    stage.obedience.acknowledge("pause")
    assert pending(stage) == ("resume:c-2",)


async def test_acknowledging_with_an_id_means_that_one(stage: "Stage") -> None:
    await stage.running()
    for kind, command_id in (("pause", "c-1"), ("resume", "c-2"), ("pause", "c-3")):
        await stage.command(kind, command_id)  # type: ignore[arg-type]  # literals in a tuple
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


async def test_without_a_session_there_is_nothing_to_acknowledge_and_nobody_to_talk_to(stage: "Stage") -> None:
    with pytest.raises(Refusal) as caught:
        stage.obedience.acknowledge("pause")
    assert caught.value.code == "nothing_to_acknowledge"
    with pytest.raises(Refusal) as caught:
        stage.obedience.say("hello")
    assert caught.value.code == "not_now"


# chat, errors, the service's own ending


async def test_chat_goes_both_ways(stage: "Stage") -> None:
    await stage.registered()
    await stage.obedience.obey(stage.session, Chat("m-1", "proctor", "Please look up.", 5))
    assert stage.told == [ChatEvent("m-1", "Please look up.", 5)]
    chat_id = stage.obedience.say("Sorry!")
    said = stage.channel.sent[-1]
    assert (said.id, said.sender, said.text) == (chat_id, "candidate", "Sorry!")


async def test_an_error_of_the_proctors_side_comes_to_the_page(stage: "Stage") -> None:
    await stage.registered()
    await stage.obedience.obey(stage.session, ProctorError("no_proctor", "Nobody watches.", "Wait."))
    (event,) = stage.told
    assert isinstance(event, ErrorEvent)
    assert (event.error.code, event.error.message, event.error.remedy) == ("no_proctor", "Nobody watches.", "Wait.")


@pytest.mark.parametrize(("reason", "ended"), [("expired", "expired"), ("removed", "ended by proctor")])
async def test_the_service_can_end_the_session_by_its_own_clock(stage: "Stage", reason: str, ended: str) -> None:
    await stage.running()
    await stage.obedience.obey(stage.session, ServiceEnded(reason))
    assert stage.session.end_reason == ended
    await stage.obedience.obey(stage.session, ServiceEnded(reason))
    assert stage.session.end_reason == ended


async def test_an_ending_that_comes_second_breaks_nothing(stage: "Stage") -> None:
    """Both wait for the same lock; the second one finds an ended session."""
    await stage.running()
    async with stage.conductor._lock:
        stop = asyncio.create_task(stage.conductor.stop())
        await asyncio.sleep(0)
        ended = asyncio.create_task(stage.obedience.obey(stage.session, ServiceEnded("expired")))
        await asyncio.sleep(0)
    await stop
    await ended
    assert stage.session.end_reason == "stopped"

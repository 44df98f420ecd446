"""Acknowledgement: asked, reminded, and told to the proctor when it does not come. Time is the test's own."""

from typing import TYPE_CHECKING, Any

import pytest

from secureproctor.agent.clock import boot_us
from secureproctor.agent.proctor.course import Course
from secureproctor.agent.proctor.reminders import Due, due, left_s
from secureproctor.agent.session.machine import Trigger
from secureproctor.agent.session.status import view
from secureproctor.contract.channel import ACKNOWLEDGE_WITHIN_S, REMIND_EVERY_S
from secureproctor.contract.page import PendingRequest, RequestEvent

if TYPE_CHECKING:
    from tests.agent.conftest import Stage

SECOND = 1_000_000


def waiting(status: Any = "applied", reminders: int = 0) -> Course:
    return Course("c-1", "pause", None, status, applied_us=5 * SECOND, reminders=reminders)


# the clock


@pytest.mark.parametrize(
    ("after_s", "reminders", "status", "asks"),
    [
        (0, 0, "applied", Due()),
        (REMIND_EVERY_S - 0.001, 0, "applied", Due()),
        (REMIND_EVERY_S, 0, "applied", Due(1)),
        (REMIND_EVERY_S, 1, "applied", Due()),
        (2 * REMIND_EVERY_S, 1, "applied", Due(2)),
        (ACKNOWLEDGE_WITHIN_S - 0.001, 2, "applied", Due()),
        (ACKNOWLEDGE_WITHIN_S, 2, "applied", Due(3, report=True)),
        (ACKNOWLEDGE_WITHIN_S, 3, "unacknowledged", Due()),
        (3600, 3, "unacknowledged", Due(360)),
        (3600, 0, "acknowledged", Due()),
        (3600, 0, "received", Due()),
        (-5, 0, "applied", Due()),
    ],
)
def test_what_is_due_follows_from_how_long_it_waits(after_s: float, reminders: int, status: Any, asks: Due) -> None:
    assert due(waiting(status, reminders), 5 * SECOND + int(after_s * SECOND)) == asks


def test_what_is_left_turns_negative_once_the_proctor_was_told() -> None:
    assert [left_s(waiting(), (5 + after) * SECOND) for after in (0, 10, 30, 45)] == [30.0, 20.0, 0.0, -15.0]


# the play


class Later:
    """Looks as the pulse does, so many seconds after the request took effect."""

    def __init__(self, stage: "Stage", command_id: str = "c-1") -> None:
        self.stage, self.course = stage, stage.session.commands[command_id]

    def look(self, seconds: float) -> None:
        self.stage.obedience.acknowledging.look(self.course.applied_us + int(seconds * SECOND))


def asked(stage: "Stage") -> list[tuple[int, float]]:
    return [(event.reminder, event.left_s) for event in stage.told if isinstance(event, RequestEvent)]


async def test_a_page_that_does_not_answer_is_reminded_and_the_proctor_is_told_once(stage: "Stage") -> None:
    await stage.running()
    await stage.command("pause")
    later = Later(stage)
    for second in range(46):
        later.look(second)
    assert asked(stage) == [(0, 30.0), (1, 20.0), (2, 10.0), (3, 0.0), (4, -10.0)]
    assert stage.statuses() == ["received", "applied", "unacknowledged"]
    assert stage.events.count("event acknowledgement_missing") == 1
    assert stage.conductor.state == "paused"


async def test_a_late_acknowledgement_still_counts(stage: "Stage") -> None:
    await stage.running()
    await stage.command("pause")
    Later(stage).look(31)
    stage.obedience.acknowledge("pause")
    assert stage.statuses() == ["received", "applied", "unacknowledged", "acknowledged"]
    before = len(asked(stage))
    Later(stage).look(100)
    assert len(asked(stage)) == before


async def test_what_was_missed_is_asked_once(stage: "Stage") -> None:
    """A computer that slept for an hour."""
    await stage.running()
    await stage.command("pause")
    for _ in range(3):
        Later(stage).look(3600)
    assert [reminder for reminder, _ in asked(stage)] == [0, 360]


async def test_what_waits_is_in_the_status_with_its_time(stage: "Stage") -> None:
    await stage.running()
    await stage.command("pause")
    at_us = stage.session.commands["c-1"].applied_us + 12 * SECOND
    assert view(stage.conductor, "agent", at_us, False).pending == (PendingRequest("pause", "c-1", "please", 18.0),)


async def test_switching_it_on_acknowledges_what_waits(stage: "Stage") -> None:
    await stage.running()
    await stage.command("pause", "c-1")
    Later(stage).look(31)
    await stage.command("resume", "c-2")
    stage.obedience.switch(automatic=True)
    assert stage.statuses("c-1")[-1] == stage.statuses("c-2")[-1] == "acknowledged"
    stage.obedience.switch(automatic=False)
    await stage.command("pause", "c-3")
    assert stage.statuses("c-3") == ["received", "applied"]


async def test_the_end_of_a_session_that_was_replaced_is_still_reported(stage: "Stage") -> None:
    stage.away = True
    await stage.running()
    await stage.command("end")
    old = stage.session
    await stage.registered()
    told = len(stage.told)
    stage.obedience.acknowledging.look(boot_us() + 31 * SECOND)
    assert old.commands["c-1"].status == "unacknowledged"
    assert len(stage.told) == told, "the page of the new session has no part in it"


async def test_only_requests_to_the_page_wait_for_it(stage: "Stage") -> None:
    await stage.running()
    await stage.command("quality", argument="reduced")
    assert stage.statuses() == ["received", "applied", "acknowledged"]
    assert view(stage.conductor, "agent", boot_us(), False).pending == ()
    assert asked(stage) == []


async def test_a_session_that_ended_waits_for_the_acknowledgement_until_it_is_reported(
    stage: "Stage", eventually: Any
) -> None:
    await stage.running()
    await stage.command("end")
    await stage.conductor.delivered(5)
    assert stage.session.owes_answers
    Later(stage).look(31)
    await eventually(lambda: stage.session.closed)
    assert stage.statuses() == ["received", "applied", "unacknowledged"]


async def test_without_a_request_there_is_nothing_to_look_after(stage: "Stage") -> None:
    await stage.running()
    stage.obedience.acknowledging.look(boot_us() + 3600 * SECOND)
    await stage.conductor.end(Trigger.STOP, "Stop")
    assert asked(stage) == []

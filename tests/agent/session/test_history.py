"""What a journal says to the agent that takes its session over."""

import pytest

from secureproctor.agent.session.history import replay
from secureproctor.agent.session.journal import (
    AcknowledgementSwitched,
    CommandMoved,
    Entry,
    Registered,
    Started,
    StateEntered,
)
from secureproctor.agent.session.machine import State
from secureproctor.agent.session.session import Request
from secureproctor.contract.http import InitData, ProctoringSettings

DATA = InitData("token", "0f-id", 300, ProctoringSettings(), "a2V5", (), (), 1, 3600, "user", "group")
BEGUN: list[Entry] = [
    Registered(DATA, "http://127.0.0.1:1", 1),
    StateEntered("registered", 1),
    StateEntered("ready", 2),
    Started(5_000_000, 3, "boot"),
    StateEntered("starting", 3, 10),
    StateEntered("running", 4, 400_000),
]


@pytest.mark.parametrize(
    ("last", "resumed"),
    [
        ("registered", State.REGISTERED),
        ("ready", State.READY),
        ("starting", State.READY),
        ("running", State.RUNNING),
        ("paused", State.PAUSED),
        ("ending", State.ENDING),
        ("draining", State.DRAINING),
        ("ended", State.DRAINING),
    ],
)
def test_a_session_is_taken_up_where_it_was_left(last: str, resumed: State) -> None:
    history = replay([BEGUN[0], StateEntered(last, 5, 7)])
    assert history is not None
    assert history.resumed_state is resumed


def test_the_running_time_begins_once_however_often_the_agent_came_back() -> None:
    again = [StateEntered("paused", 6, 9_000_000), StateEntered("running", 7, 12_000_000)]
    history = replay([*BEGUN, *again])
    assert history is not None
    assert (history.running_since_us, history.over, history.started) == (400_000, False, BEGUN[3])


def test_the_first_ending_is_the_end() -> None:
    history = replay([*BEGUN, StateEntered("ending", 8, 60, "stopped"), StateEntered("draining", 9, 61, "expired")])
    assert history is not None
    assert (history.over, history.ended_us, history.over_ms, history.end_reason) == (True, 60, 8, "stopped")


def test_a_request_that_took_effect_waits_for_its_acknowledgement_still() -> None:
    moved = [CommandMoved(each, "pause", status, 5) for each in ("a", "b") for status in ("received", "applied")]
    history = replay([*BEGUN, *moved, CommandMoved("a", "pause", "acknowledged", 6), AcknowledgementSwitched(True)])
    assert history is not None
    assert history.requests == [Request("a", "pause", True), Request("b", "pause", False)]
    assert history.commands == {"a": ["received", "applied", "acknowledged"], "b": ["received", "applied"]}
    assert history.automatic


@pytest.mark.parametrize("entries", [[], [StateEntered("running", 1)]])
def test_a_journal_without_a_registration_tells_no_history(entries: list[Entry]) -> None:
    assert replay(entries) is None

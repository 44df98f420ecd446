"""The session's table: every pair of state and trigger, and what holds on every way through it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.agent.session.machine import (
    ENDINGS,
    LIVE,
    OVER,
    TRANSITIONS,
    Effect,
    NotNow,
    State,
    Trigger,
    diagram,
    next_transition,
)

# The table as a person would draw it: state → the triggers that are legal there and where they lead.
LEGAL: dict[str, dict[str, str]] = {
    "idle": {"register": "registered"},
    "registered": {
        "register": "registered",
        "checks passed": "ready",
        "checks passed, unauthorized": "awaiting_authorization",
        "checks failed": "registered",
    },
    "awaiting_authorization": {
        "register": "registered",
        "checks passed, unauthorized": "awaiting_authorization",
        "checks failed": "registered",
        "authorize": "ready",
        "reject": "draining",
    },
    "ready": {
        "register": "registered",
        "checks passed": "ready",
        "checks passed, unauthorized": "awaiting_authorization",
        "checks failed": "registered",
        "start": "starting",
    },
    "starting": {"started": "running", "started paused": "paused", "start failed": "ready"},
    "running": {"pause": "paused"},
    "paused": {"resume": "running"},
    "ending": {"sealed": "draining"},
    "draining": {"drained": "ended", "register": "registered"},
    "ended": {"register": "registered"},
}
ENDS_IN: dict[str, str] = {
    "registered": "draining",
    "awaiting_authorization": "draining",
    "ready": "draining",
    "starting": "ending",
    "running": "ending",
    "paused": "ending",
}
ENDING_TRIGGERS = ("stop", "end by proctor", "expire", "page gone", "shut down", "quit by password", "left too often")
TRIGGERS = st.lists(st.sampled_from(Trigger), max_size=40)


def leads_to(state: State, trigger: Trigger) -> str | None:
    if trigger in ENDING_TRIGGERS:
        return ENDS_IN.get(state)
    return LEGAL[state].get(trigger)


@pytest.mark.parametrize(("state", "trigger"), list(itertools.product(State, Trigger)), ids=str)
def test_every_pair_of_state_and_trigger_is_legal_or_refused(state: State, trigger: Trigger) -> None:
    wanted = leads_to(state, trigger)
    if wanted is not None:
        assert next_transition(state, trigger).to == wanted
        return
    with pytest.raises(NotNow, match=f"{trigger} is not possible while the session is {state}") as caught:
        next_transition(state, trigger)
    assert (caught.value.state, caught.value.trigger) == (state, trigger)


def test_every_ending_has_a_reason_of_its_own() -> None:
    assert set(ENDINGS) == {*ENDING_TRIGGERS, "reject"}
    assert len(set(ENDINGS.values())) == len(ENDINGS)


def reachable_from(state: State, among: frozenset[Trigger] = frozenset(Trigger)) -> set[State]:
    found, fresh = {state}, [state]
    while fresh:
        here = fresh.pop()
        for (at, trigger), transition in TRANSITIONS.items():
            if at is here and trigger in among and transition.to not in found:
                found.add(transition.to)
                fresh.append(transition.to)
    return found


def test_every_state_is_reached() -> None:
    assert reachable_from(State.IDLE) == set(State)


WAYS_TO_END = [
    *itertools.product(map(State, ENDS_IN), map(Trigger, ENDING_TRIGGERS)),
    (State.AWAITING_AUTHORIZATION, Trigger.REJECT),
]


@pytest.mark.parametrize(("state", "ending"), WAYS_TO_END, ids=str)
def test_every_ending_comes_to_ended_by_itself(state: State, ending: Trigger) -> None:
    """What follows an ending are the agent's own steps; nobody has to ask for them."""
    own_steps = frozenset({Trigger.SEALED, Trigger.DRAINED})
    assert State.ENDED in reachable_from(next_transition(state, ending).to, own_steps)


@pytest.mark.parametrize("state", sorted(OVER))
def test_an_ended_session_is_not_ended_again(state: State) -> None:
    for ending in ENDINGS:
        with pytest.raises(NotNow):
            next_transition(state, ending)


def test_the_ending_gives_the_machine_back_first_and_seals_before_it_delivers() -> None:
    for (state, trigger), transition in TRANSITIONS.items():
        if trigger in ENDINGS and state in {State.STARTING, *LIVE}:
            assert transition.effects == (Effect.UNLOCK, Effect.CLOSE_SOURCES, Effect.SEAL_LAST)
        elif trigger in ENDINGS and state is State.AWAITING_AUTHORIZATION:
            assert transition.effects == (Effect.CLOSE_PREVIEW, Effect.SEAL_LAST, Effect.DRAIN)
        elif trigger in ENDINGS:
            assert transition.effects == (Effect.SEAL_LAST, Effect.DRAIN)
    assert next_transition(State.ENDING, Trigger.SEALED).effects == (Effect.DRAIN,)


@given(TRIGGERS)
def test_on_no_way_are_sources_open_outside_of_the_exam(triggers: list[Trigger]) -> None:
    """The devices are closed in every state but starting, running and paused, and never opened twice."""
    state, opened = State.IDLE, False
    for trigger in triggers:
        try:
            transition = next_transition(state, trigger)
        except NotNow:
            continue
        state = transition.to
        for effect in transition.effects:
            if effect is Effect.OPEN_SOURCES:
                assert not opened
                opened = True
            if effect is Effect.CLOSE_SOURCES:
                assert opened
                opened = False
        assert opened == (state in {State.STARTING, *LIVE})


@given(TRIGGERS)
def test_on_no_way_is_the_machine_locked_outside_of_the_exam(triggers: list[Trigger]) -> None:
    """It is locked after the sources are open, given back by every way out, and lifted only while paused."""
    state, locked, opened = State.IDLE, False, False
    for trigger in triggers:
        try:
            transition = next_transition(state, trigger)
        except NotNow:
            continue
        state = transition.to
        for effect in transition.effects:
            opened = effect is Effect.OPEN_SOURCES or (opened and effect is not Effect.CLOSE_SOURCES)
            if effect in {Effect.LOCK, Effect.RELOCK}:
                assert opened
                assert not locked
                locked = True
            if effect is Effect.LIFT:
                assert locked
            if effect in {Effect.UNLOCK, Effect.LIFT}:
                assert opened
                locked = False
        assert locked == (state in {State.STARTING, State.RUNNING})


@given(TRIGGERS)
def test_evidence_is_held_exactly_while_paused(triggers: list[Trigger]) -> None:
    state, held = State.IDLE, False
    for trigger in triggers:
        try:
            transition = next_transition(state, trigger)
        except NotNow:
            continue
        state = transition.to
        if Effect.HOLD_EVIDENCE in transition.effects:
            assert not held
            held = True
        if Effect.RELEASE_EVIDENCE in transition.effects or Effect.CLOSE_SOURCES in transition.effects:
            held = False
        assert held == (state is State.PAUSED)


def test_every_way_out_of_the_desk_closes_the_preview() -> None:
    for (state, _), transition in TRANSITIONS.items():
        leaves = state is State.AWAITING_AUTHORIZATION and transition.to is not state
        assert (Effect.CLOSE_PREVIEW in transition.effects) == leaves


def test_nobody_comes_from_the_desk_to_the_exam_but_by_authorization() -> None:
    """Nor by another check, as long as the conductor says that nobody authorized the candidate."""
    others = frozenset(Trigger) - {Trigger.AUTHORIZE, Trigger.CHECKS_PASSED}
    assert not reachable_from(State.AWAITING_AUTHORIZATION, others) & {State.READY, State.STARTING, *LIVE}


def test_the_diagram_shows_every_transition_once() -> None:
    lines = diagram().splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> idle"]
    assert len(lines) == 2 + len(TRANSITIONS)
    assert "    ready --> starting: start / open sources, lock" in lines

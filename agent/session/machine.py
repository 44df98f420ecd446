"""The session as a table: which trigger is possible in which state, where it leads, and which effects it asks for.

Pure: nothing here performs an effect, reads a clock or knows a device. A trigger that is not in the table raises `NotNow`
and changes nothing. The diagram in docs/architecture.md is generated from TRANSITIONS.

Whether a candidate is authorized is not asked here: checks that passed have two triggers, and the conductor knows which.

The link to the service is not a state: a session runs, pauses and ends in the same way while offline (agent/proctor/channel.py
watches it). Capturing goes on through a pause unless the exam's settings say otherwise.

The lockdown comes last at the start, so that it hides nobody's question for a permission, and goes first at the end: the
machine is given back before anything else is done. Whether the exam has one is the conductor's business, as above.
"""

import enum
from dataclasses import dataclass


class State(enum.StrEnum):
    """Where a session is."""

    IDLE = "idle"
    REGISTERED = "registered"
    AWAITING_AUTHORIZATION = "awaiting_authorization"
    READY = "ready"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    ENDING = "ending"
    DRAINING = "draining"
    ENDED = "ended"


class Trigger(enum.StrEnum):
    """What happens to a session."""

    REGISTER = "register"
    CHECKS_PASSED = "checks passed"
    CHECKS_PASSED_UNAUTHORIZED = "checks passed, unauthorized"
    CHECKS_FAILED = "checks failed"
    AUTHORIZE = "authorize"
    REJECT = "reject"
    START = "start"
    STARTED = "started"
    STARTED_PAUSED = "started paused"
    START_FAILED = "start failed"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    END = "end by proctor"
    EXPIRE = "expire"
    PAGE_GONE = "page gone"
    SHUT_DOWN = "shut down"
    QUIT = "quit by password"
    LEFT_TOO_OFTEN = "left too often"
    SEALED = "sealed"
    DRAINED = "drained"


class Effect(enum.StrEnum):
    """What the conductor is to do when a transition is taken, in the order of the transition."""

    OPEN_SOURCES = "open sources"
    CLOSE_SOURCES = "close sources"
    HOLD_EVIDENCE = "hold evidence"
    RELEASE_EVIDENCE = "release evidence"
    SEAL_LAST = "seal the last segments"
    DRAIN = "drain"
    CLOSE_PREVIEW = "close preview"
    LOCK = "lock"
    UNLOCK = "unlock"
    LIFT = "lift the lockdown"
    RELOCK = "lock again"


S, T, E = State, Trigger, Effect
ENDINGS: dict[Trigger, str] = {
    T.STOP: "stopped",
    T.END: "ended by proctor",
    T.EXPIRE: "expired",
    T.PAGE_GONE: "browser gone",
    T.SHUT_DOWN: "agent shut down",
    T.QUIT: "quit by password",
    T.LEFT_TOO_OFTEN: "left the exam window too often",
    T.REJECT: "rejected by proctor",
}
"""Triggers that end a session, with the end reason that goes on the record."""
AT_ANY_TIME = tuple(ending for ending in ENDINGS if ending is not T.REJECT)
"""Those that may come in every state of a session. A candidate is rejected before the start, or not at all."""


@dataclass(frozen=True, slots=True)
class Transition:
    """Where a trigger leads, and what is to be done on the way."""

    to: State
    effects: tuple[Effect, ...] = ()


class NotNow(Exception):
    """The trigger is not possible in this state. Nothing changed."""

    def __init__(self, state: State, trigger: Trigger) -> None:
        self.state, self.trigger = state, trigger
        super().__init__(f"{trigger} is not possible while the session is {state}")


END = Transition(S.ENDING, (E.UNLOCK, E.CLOSE_SOURCES, E.SEAL_LAST))
CANCEL = Transition(S.DRAINING, (E.SEAL_LAST, E.DRAIN))
CANCEL_AT_DESK = Transition(S.DRAINING, (E.CLOSE_PREVIEW, E.SEAL_LAST, E.DRAIN))

TRANSITIONS: dict[tuple[State, Trigger], Transition] = {
    (S.IDLE, T.REGISTER): Transition(S.REGISTERED),
    (S.REGISTERED, T.CHECKS_PASSED): Transition(S.READY),
    (S.REGISTERED, T.CHECKS_PASSED_UNAUTHORIZED): Transition(S.AWAITING_AUTHORIZATION),
    (S.REGISTERED, T.CHECKS_FAILED): Transition(S.REGISTERED),
    (S.AWAITING_AUTHORIZATION, T.CHECKS_PASSED_UNAUTHORIZED): Transition(S.AWAITING_AUTHORIZATION),
    (S.AWAITING_AUTHORIZATION, T.CHECKS_FAILED): Transition(S.REGISTERED, (E.CLOSE_PREVIEW,)),
    (S.AWAITING_AUTHORIZATION, T.AUTHORIZE): Transition(S.READY, (E.CLOSE_PREVIEW,)),
    (S.AWAITING_AUTHORIZATION, T.REJECT): CANCEL_AT_DESK,
    (S.READY, T.CHECKS_PASSED): Transition(S.READY),
    # an agent of before authorization left it ready
    (S.READY, T.CHECKS_PASSED_UNAUTHORIZED): Transition(S.AWAITING_AUTHORIZATION),
    (S.READY, T.CHECKS_FAILED): Transition(S.REGISTERED),
    (S.READY, T.START): Transition(S.STARTING, (E.OPEN_SOURCES, E.LOCK)),
    (S.STARTING, T.STARTED): Transition(S.RUNNING),
    (S.STARTING, T.STARTED_PAUSED): Transition(S.PAUSED, (E.LIFT, E.HOLD_EVIDENCE)),
    (S.STARTING, T.START_FAILED): Transition(S.READY, (E.UNLOCK, E.CLOSE_SOURCES)),
    (S.RUNNING, T.PAUSE): Transition(S.PAUSED, (E.LIFT, E.HOLD_EVIDENCE)),
    (S.PAUSED, T.RESUME): Transition(S.RUNNING, (E.RELEASE_EVIDENCE, E.RELOCK)),
    **{(state, ending): END for state in (S.STARTING, S.RUNNING, S.PAUSED) for ending in AT_ANY_TIME},
    **{(state, ending): CANCEL for state in (S.REGISTERED, S.READY) for ending in AT_ANY_TIME},
    **{(S.AWAITING_AUTHORIZATION, ending): CANCEL_AT_DESK for ending in AT_ANY_TIME},
    (S.ENDING, T.SEALED): Transition(S.DRAINING, (E.DRAIN,)),
    (S.DRAINING, T.DRAINED): Transition(S.ENDED),
    # a new exam need not wait until the evidence of the one before has been delivered
    (S.DRAINING, T.REGISTER): Transition(S.REGISTERED),
    (S.ENDED, T.REGISTER): Transition(S.REGISTERED),
    # an exam page that was left before its start may register anew
    (S.REGISTERED, T.REGISTER): Transition(S.REGISTERED),
    (S.AWAITING_AUTHORIZATION, T.REGISTER): Transition(S.REGISTERED, (E.CLOSE_PREVIEW,)),
    (S.READY, T.REGISTER): Transition(S.REGISTERED),
}
LIVE = frozenset({S.RUNNING, S.PAUSED})
"""States in which the exam goes on and evidence is captured."""
OVER = frozenset({S.ENDING, S.DRAINING, S.ENDED})


def next_transition(state: State, trigger: Trigger) -> Transition:
    """The transition that the trigger takes; raises NotNow."""
    transition = TRANSITIONS.get((state, trigger))
    if transition is None:
        raise NotNow(state, trigger)
    return transition


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> idle"]
    for (state, trigger), transition in TRANSITIONS.items():
        effects = f" / {', '.join(transition.effects)}" if transition.effects else ""
        lines.append(f"    {state} --> {transition.to}: {trigger}{effects}")
    return "\n".join(lines)

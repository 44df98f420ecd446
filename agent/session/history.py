"""What a journal says of its session: the state in which a new agent takes it over. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from secureproctor.agent.delivery.room import Level
from secureproctor.agent.proctor.conversation import Conversation
from secureproctor.agent.proctor.course import Course
from secureproctor.agent.session.authorization import Authorization, authorization_for
from secureproctor.agent.session.journal import (
    AcknowledgementSwitched,
    After,
    AuthorizationMoved,
    ChatMarked,
    ChatTaken,
    CommandMoved,
    EndOrdered,
    Entry,
    KeyVerified,
    QualityAsked,
    QuitTried,
    Registered,
    RuleOverridden,
    SnapshotBegun,
    Started,
    StateEntered,
    WindowLeft,
)
from secureproctor.agent.session.machine import LIVE, OVER, State
from secureproctor.contract.channel import AuthorizationStep

NEXT: dict[State, State] = {
    State.STARTING: State.READY,  # the page's call of Start died with the agent; nothing had begun for anybody
    State.ENDING: State.ENDING,
    State.ENDED: State.DRAINING,  # it is still here: something was not delivered
}
"""Where a new agent takes a session up, when not in the state that it was left in."""


@dataclass(slots=True)
class History:
    """A session as its journal tells. Times in microseconds of the session clock, `over_ms` in wall time."""

    registered: Registered
    started: Started | None = None
    state: State = State.REGISTERED
    running_since_us: int | None = None
    ended_us: int | None = None
    over_ms: int | None = None
    end_reason: str = ""
    automatic: bool = False
    authorization: Authorization | None = None
    steps: list[tuple[AuthorizationMoved, AuthorizationStep]] = field(default_factory=list)
    """The steps of authorization, each with the step before: what is on the record only once the session has begun."""
    quality: Level = "full"
    commands: dict[str, Course] = field(default_factory=dict)
    last_moved: CommandMoved | None = None
    """The last word on any command: the only one of which the agent may have died before the channel had it."""
    conversation: Conversation = field(default_factory=Conversation)
    end_ordered: str = ""
    key: KeyVerified | None = None
    overrides: list[RuleOverridden] = field(default_factory=list)
    leaves: int = 0
    """How often the candidate had left the exam window."""
    quit_tries: int = 0

    @property
    def resumed_state(self) -> State:
        """Where a new agent takes the session up."""
        return NEXT.get(self.state, self.state)

    @property
    def over(self) -> bool:
        """Whether the session has ended; only its evidence may still be on its way."""
        return self.state in OVER


def replay(entries: Iterable[Entry]) -> History | None:
    """The history that the entries tell; None when they do not begin with a registration."""
    history: History | None = None
    for entry in entries:
        if isinstance(entry, Registered):
            history = History(entry, authorization=authorization_for(entry.data.settings))
        elif history is None:
            return None
        else:
            _add(history, entry)
    return history


def _add(history: History, entry: After) -> None:
    match entry:
        case Started():
            history.started = entry
        case StateEntered():
            _enter(history, entry)
        case CommandMoved():
            _move(history, entry)
        case AcknowledgementSwitched():
            history.automatic = entry.enabled
        case AuthorizationMoved():
            if history.authorization is not None:
                history.steps.append((entry, history.authorization.step))
                history.authorization.apply(entry)
            _did(history, entry.command)
        case QualityAsked():
            history.quality = entry.level
            _did(history, entry.command)
        case SnapshotBegun():
            if entry.command in history.commands:
                history.commands[entry.command].begun = True
        case ChatTaken():
            history.conversation.add(entry.chat, entry.at_ms)
        case ChatMarked():
            history.conversation.mark(entry.id, entry.mark, entry.at_ms)
        case EndOrdered():
            history.end_ordered = entry.reason
        case KeyVerified():
            history.key = entry
        case RuleOverridden():
            history.overrides.append(entry)
            _did(history, entry.command)
        case WindowLeft():
            history.leaves = entry.times
        case QuitTried():
            history.quit_tries += 1
        case _:
            assert_never(entry)


def _enter(history: History, entry: StateEntered) -> None:
    history.state = State(entry.state)
    _did(history, entry.command)
    if history.state in LIVE and history.running_since_us is None:
        history.running_since_us = entry.at_us
    if history.state in OVER and history.over_ms is None:
        history.ended_us, history.over_ms = entry.at_us, entry.at_ms
        history.end_reason = entry.reason


def _did(history: History, command: str) -> None:
    if command in history.commands:
        history.commands[command].done = True


def _move(history: History, entry: CommandMoved) -> None:
    course = history.commands.setdefault(entry.id, Course(entry.id, entry.kind))
    course.whole = entry.whole or course.whole
    course.status = entry.status
    if entry.status == "applied":
        course.applied_ms = entry.at_ms
    history.last_moved = entry

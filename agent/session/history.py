"""What a journal says of its session: the state in which a new agent takes it over. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from secureproctor.agent.session.journal import (
    AcknowledgementSwitched,
    CommandMoved,
    Entry,
    Registered,
    Started,
    StateEntered,
)
from secureproctor.agent.session.machine import LIVE, OVER, State
from secureproctor.agent.session.session import Request

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
    commands: dict[str, list[str]] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

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
            history = History(entry)
        elif history is None:
            return None
        else:
            _add(history, entry)
    return history


def _add(history: History, entry: Started | StateEntered | CommandMoved | AcknowledgementSwitched) -> None:
    match entry:
        case Started():
            history.started = entry
        case StateEntered():
            _enter(history, entry)
        case CommandMoved():
            _move(history, entry)
        case AcknowledgementSwitched():
            history.automatic = entry.enabled


def _enter(history: History, entry: StateEntered) -> None:
    history.state = State(entry.state)
    if history.state in LIVE and history.running_since_us is None:
        history.running_since_us = entry.at_us
    if history.state in OVER and history.over_ms is None:
        history.ended_us, history.over_ms = entry.at_us, entry.at_ms
        history.end_reason = entry.reason


def _move(history: History, entry: CommandMoved) -> None:
    history.commands.setdefault(entry.id, []).append(entry.status)
    if entry.status == "applied":
        history.requests.append(Request(entry.id, entry.kind))
    if entry.status == "acknowledged":
        history.requests = [
            Request(each.id, each.kind, each.acknowledged or each.id == entry.id) for each in history.requests
        ]

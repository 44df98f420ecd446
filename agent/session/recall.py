"""What a session takes over of its history, when a new agent goes on with it."""

from secureproctor.agent.clock import SessionClock, boot_id, boot_us, wall_ms
from secureproctor.agent.session.authorization import events_of
from secureproctor.agent.session.history import History
from secureproctor.agent.session.journal import Started
from secureproctor.agent.session.lockdown import event_of, lockdown_of
from secureproctor.agent.session.session import Pending, Session


def recall(session: Session, history: History) -> None:
    """The session is where its journal left it. `session.unfinished` is what the proctor ordered and nobody finished."""
    session.running_since_us, session.ended_us = history.running_since_us, history.ended_us
    session.over_ms, session.end_reason = history.over_ms, history.end_reason
    session.end_ordered = history.end_ordered
    session.authorization, session.conversation = history.authorization, history.conversation
    session.quality = session.captured_in = history.quality
    session.commands = history.commands
    session.lockdown = lockdown_of(session.data.settings, history)
    session.unfinished = [course for course in history.commands.values() if course.status == "received"]
    for course in session.commands.values():
        course.applied_us = _boot_us(course.applied_ms)
    if history.started is not None:
        session.clock = SessionClock(_origin_us(history.started))
    else:
        _record_again(session, history)


def _record_again(session: Session, history: History) -> None:
    """Events wait in memory until the session begins: those that must not be missing are made again from the journal."""
    for what in (*((history.key,) if history.key else ()), *history.overrides):
        kind, detail = event_of(what)
        session.record(Pending(kind, _boot_us(what.at_ms), what.at_ms, "", None, detail))
    for entry, before in history.steps:
        for kind, detail in events_of(entry, before, session.terms):
            session.record(Pending(kind, _boot_us(entry.at_ms), entry.at_ms, "", None, detail))


def _origin_us(started: Started) -> int:
    """The session clock's zero on this boot's clock."""
    if started.boot == boot_id() and started.origin_us <= boot_us():
        return started.origin_us
    return _boot_us(started.at_ms)


def _boot_us(at_ms: int) -> int:
    """A time of the wall clock on this boot's clock; never in the future, where a clock that was set may have it."""
    return boot_us() - max(0, wall_ms() - at_ms) * 1000

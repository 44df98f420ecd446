"""A command's next step: into the journal first, then to the proctor, then on the record."""

from secureproctor.agent.clock import boot_us, wall_ms
from secureproctor.agent.proctor.course import Course
from secureproctor.agent.session.journal import CommandMoved
from secureproctor.agent.session.recording import record_in
from secureproctor.agent.session.session import Session
from secureproctor.contract.channel import Command, CommandStatus, CommandUpdate


def moved(session: Session, course: Course, status: CommandStatus, *, by: str = "", reason: str = "") -> None:
    """A command came to a status."""
    now_ms, whole = wall_ms(), course.whole if status == "received" else None
    course.status = status
    if status == "applied":
        course.applied_ms, course.applied_us = now_ms, boot_us()
    session.note(CommandMoved(course.id, course.kind, status, now_ms, by, reason, whole))
    tell(session, CommandMoved(course.id, course.kind, status, now_ms, by, reason))
    record_in(session, "command", detail={"id": course.id, "command": course.kind, "status": status})


def tell(session: Session, step: CommandMoved) -> None:
    """Tell the proctor of a step; a second time is harmless."""
    at_us = session.session_us(boot_us())
    session.channel.send(CommandUpdate(step.id, step.status, step.at_ms, at_us, step.by, step.reason))


def begun(session: Session, command_id: str, kind: str, whole: Command | None = None) -> Course:
    """A command of which nothing was heard before."""
    course = session.commands[command_id] = Course(command_id, kind, whole)
    moved(session, course, "received")
    return course

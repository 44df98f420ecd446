"""The proctor's commands: for each, what it does, and the setting of Init that allows it.

A new command is a row in contract/channel.py and a row here. A deed leaves its effect in the journal together with the
command's id (journal.py), so that it is done at most once. It raises Refusal when it is not possible now.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, cast

from secureproctor.agent.clock import wall_ms
from secureproctor.agent.delivery.room import Level
from secureproctor.agent.proctor.course import RULES
from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.journal import RuleOverridden
from secureproctor.agent.session.machine import Trigger
from secureproctor.agent.session.session import Session
from secureproctor.contract.channel import Command, CommandKind, CommandStatus
from secureproctor.contract.errors import Refusal
from secureproctor.contract.http import SETTINGS, ProctoringSettings
from secureproctor.contract.lockdown import RuleId

Deed = Callable[[Conductor, Session, Command], Awaitable[None]]
Allowed = Callable[[ProctoringSettings], bool]


async def _pause(conductor: Conductor, session: Session, command: Command) -> None:
    await conductor.pull(Trigger.PAUSE, _by(command), command.id)


async def _resume(conductor: Conductor, session: Session, command: Command) -> None:
    await conductor.pull(Trigger.RESUME, _by(command), command.id)


async def _end(conductor: Conductor, session: Session, command: Command) -> None:
    await conductor.end(Trigger.END, "End", command.id)


async def _authorize(conductor: Conductor, session: Session, command: Command) -> None:
    await conductor.decide("authorized", command.text, _by(command), command.id)


async def _reject(conductor: Conductor, session: Session, command: Command) -> None:
    await conductor.decide("rejected", command.text, _by(command), command.id)


async def _resubmit(conductor: Conductor, session: Session, command: Command) -> None:
    conductor.ask_again(command.argument, command.text, _by(command), command.id)


async def _quality(conductor: Conductor, session: Session, command: Command) -> None:
    conductor.requalify(cast(Level, command.argument), command.id)


async def _snapshot(conductor: Conductor, session: Session, command: Command) -> None:
    of = cast(Literal["screen", "webcam"], command.argument)
    await conductor.capturing.snapshot(session, of, command.id)


async def _override(conductor: Conductor, session: Session, command: Command) -> None:
    rule = cast(RuleId, command.argument)
    await conductor.override(RuleOverridden(rule, wall_ms(), _by(command), command.text, command.id))


def _by(command: Command) -> str:
    return command.by or "proctor"


@dataclass(frozen=True, slots=True)
class Row:
    """What a command does, and what Init had to allow. `aside`: it may take seconds, and others need not wait for it."""

    deed: Deed
    setting: str = ""
    allowed: Allowed = lambda settings: True
    aside: bool = False


COMMANDS: dict[CommandKind, Row] = {
    "pause": Row(_pause, "pauseResume", lambda settings: settings.pause_resume),
    # an exam that was paused because its window was left too often is resumed by a proctor, or by nobody
    "resume": Row(_resume, "pauseResume", lambda settings: settings.pause_resume or settings.locked),
    "end": Row(_end, "endTest", lambda settings: settings.end_test),
    "authorize": Row(_authorize, "authorization", lambda settings: settings.authorization),
    "reject": Row(_reject, "authorization", lambda settings: settings.authorization),
    "resubmit": Row(_resubmit, "authorization", lambda settings: settings.authorization),
    "quality": Row(_quality),
    "snapshot": Row(_snapshot, aside=True),
    "override": Row(_override, "navigationControl", lambda settings: settings.locked),
}
ROWS: dict[str, Row] = {str(kind): row for kind, row in COMMANDS.items()}


def objection(command: Command, settings: ProctoringSettings, service_now_ms: int) -> tuple[CommandStatus, str] | None:
    """Why a command is not obeyed in this session, as a sentence for the proctor; None when it is."""
    row = ROWS.get(command.kind)
    if row is None:
        return "refused", f"This agent does not know the command {command.kind!r}."
    choices = RULES[command.kind].arguments
    if command.argument not in (choices or ("",)):
        known = f"one of {', '.join(choices)}" if choices else "none"
        return "refused", f"The command {command.kind} has the argument {command.argument!r}; it takes {known}."
    if is_past(command, service_now_ms):
        return "expired", "It came after its lifetime."
    if not row.allowed(settings):
        return "refused", f"The exam switched {SETTINGS[row.setting][0]!r} off."
    return None


def is_past(command: Command, service_now_ms: int) -> bool:
    """Whether a command has outlived its lifetime, by the service's clock as far as the agent knows it."""
    return service_now_ms - command.issued_ms > command.lifetime_s * 1000


async def carry_out(conductor: Conductor, session: Session, command: Command) -> None:
    """Do what a command orders. Raises Refusal when it is not possible now."""
    if conductor.session is not session:
        raise Refusal("session_unknown")
    await ROWS[command.kind].deed(conductor, session, command)

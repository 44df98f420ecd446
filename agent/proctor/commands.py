"""The proctor's commands: for each, the setting that allows it and the trigger that it pulls.

A new command is a literal in contract/channel.py and a row here.
"""

from collections.abc import Callable
from dataclasses import dataclass

from secureproctor.agent.session.machine import Trigger
from secureproctor.contract.channel import Command, CommandKind
from secureproctor.contract.http import SETTINGS, ProctoringSettings


@dataclass(frozen=True, slots=True)
class Row:
    """What a command does, and what Init had to allow."""

    trigger: Trigger
    setting: str
    allowed: Callable[[ProctoringSettings], bool]


COMMANDS: dict[CommandKind, Row] = {
    "pause": Row(Trigger.PAUSE, "pauseResume", lambda settings: settings.pause_resume),
    "resume": Row(Trigger.RESUME, "pauseResume", lambda settings: settings.pause_resume),
    "end": Row(Trigger.END, "endTest", lambda settings: settings.end_test),
}


def refusal(command: Command, settings: ProctoringSettings) -> str:
    """Why a command is not obeyed in this session, as a sentence for the proctor; empty when it is."""
    row = COMMANDS[command.kind]
    if row.allowed(settings):
        return ""
    return f"The exam switched {SETTINGS[row.setting][0]!r} off."


def is_past(command: Command, service_now_ms: int) -> bool:
    """Whether a command has outlived its lifetime, by the service's clock as far as the agent knows it."""
    return service_now_ms - command.issued_ms > command.lifetime_s * 1000

"""Which commands a session takes, as far as the service can know: told to the proctor at once, in a sentence. Pure.

The agent judges again, by what it knows better.
"""

from dataclasses import dataclass

from secureproctor.contract.channel import COMMANDS, CommandKind
from secureproctor.contract.console import Issue
from secureproctor.contract.errors import Refusal
from secureproctor.service.session import OVER, Session


@dataclass(frozen=True, slots=True)
class Need:
    """What of Init's settings has to be on for a command, its name, and the steps of authorization that the command fits."""

    setting: str
    name: str
    steps: frozenset[str] = frozenset()


_DECIDABLE = frozenset({"submitted"})
NEEDS: dict[CommandKind, Need] = {
    "pause": Need("pause_resume", "Pause/Resume"),
    "resume": Need("pause_resume", "Pause/Resume"),
    "end": Need("end_test", "End test"),
    "authorize": Need("authorization", "Authorization", _DECIDABLE),
    "resubmit": Need("authorization", "Authorization", _DECIDABLE),
    "reject": Need("authorization", "Authorization", _DECIDABLE | {"consent", "capture"}),
    "override": Need("locked", "the lockdown"),
}


def check(session: Session, issue: Issue) -> None:
    """Raise Refusal command_refused or field_invalid when the command cannot be meant."""
    _check_argument(issue)
    why = _why_not(session, issue)
    if why:
        raise Refusal("command_refused", kind=issue.kind, why=why)


def _check_argument(issue: Issue) -> None:
    known = COMMANDS[issue.kind].arguments
    if known and issue.argument not in known:
        raise Refusal("field_invalid", field="argument", why=f"it is one of {', '.join(known)}")
    if not known and issue.argument:
        raise Refusal("field_invalid", field="argument", why=f"{issue.kind} takes none")
    if issue.kind == "override" and not issue.text.strip():
        raise Refusal("field_invalid", field="text", why="whoever overrides a rule says why")


def _why_not(session: Session, issue: Issue) -> str:
    need = NEEDS.get(issue.kind)
    if need and not getattr(session.settings, need.setting):
        return f"{need.name} was switched off at Init"
    if session.state in OVER:
        return "the session has ended" if session.state == "ended" else "the session is ending"
    if need and need.steps and session.step not in need.steps:
        return _waits_for(session.step)
    skipped = issue.kind == "resubmit" and _skipped(session, issue.argument)
    if skipped:
        return f"{skipped} was left out at Init"
    if issue.kind == "snapshot" and issue.argument == "screen" and not session.settings.screen_capture:
        return "Screen Capture was switched off at Init"
    return ""


def _waits_for(step: str) -> str:
    return {
        "authorized": "the candidate is authorized already",
        "rejected": "the candidate was rejected already",
    }.get(step, "the candidate does not wait for authorization yet")


def _skipped(session: Session, argument: str) -> str:
    settings = session.settings
    if settings.skip_id_and_photo:
        return "photo and ID card"
    return "the ID card" if settings.skip_id and argument != "photo" else ""

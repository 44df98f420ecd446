"""Init's settings as reports and consoles show them: one flat table of names and values. Pure."""

import msgspec

from secureproctor.contract.http import ProctoringSettings

NONE = "none"


def flat(settings: ProctoringSettings) -> dict[str, str | bool]:
    """Each setting by its name on the wire; those of the lockdown as `lockdown.<name>`, where the exam has one."""
    shown = msgspec.to_builtins(settings)
    of_lockdown = shown.pop("lockdown")
    if settings.locked:
        shown |= {f"lockdown.{name}": _text(value) for name, value in of_lockdown.items()}
    return dict(shown)


def _text(value: object) -> str:
    match value:
        case list() | tuple():
            return ", ".join(map(str, value)) or NONE
        case None:
            return NONE
        case float():
            return f"{value:g}"
    return str(value)

"""Reading Init's body: what is missing or wrong, field by field, in sentences. Pure."""

import re

import msgspec

from secureproctor.contract.errors import Refusal
from secureproctor.contract.http import MANDATORY, InitBody, ProctoringSettings
from secureproctor.contract.lockdown import RULES, LockdownSettings
from secureproctor.service import msb_key

_MISSING = re.compile(r"Object missing required field `(?P<name>\w+)`")
_AT = re.compile(r" - at `\$\.?(?P<path>.*)`$")
_WORDS = {
    "`bool`": "true or false",
    "`str`": "text",
    "`int`": "a whole number",
    "`object`": "a JSON object",
    "`array`": "a list",
    "`null`": "nothing",
    "`float`": "a number",
}


def read_init(body: bytes) -> InitBody:
    """The body of Init. Raises Refusal body_malformed, field_missing or field_invalid."""
    try:
        init = msgspec.json.decode(body, type=InitBody)
    except msgspec.ValidationError as error:
        raise field_refusal(str(error)) from None
    except (ValueError, RecursionError) as error:
        raise Refusal("body_malformed", why=str(error)) from None
    _check_mandatory(init)
    _check_settings(init.proctoring_settings)
    return msgspec.structs.replace(init, proctoring_settings=_implied(init.proctoring_settings))


def field_refusal(complaint: str) -> Refusal:
    """A refusal that names the field, from msgspec's words for what does not fit."""
    at = _AT.search(complaint)
    path = at["path"] if at else ""
    why = complaint[: at.start()] if at else complaint
    missing = _MISSING.match(why)
    if missing:
        return Refusal("field_missing", field=".".join(filter(None, (path, missing["name"]))))
    for technical, plain in _WORDS.items():
        why = why.replace(technical, plain)
    why = why[:1].lower() + why[1:]
    return Refusal("field_invalid", field=path, why=why) if path else Refusal("body_malformed", why=why)


def _implied(settings: ProctoringSettings) -> ProctoringSettings:
    """Whoever leaves out ID card and photo leaves out the ID card: no reader need look at both."""
    return msgspec.structs.replace(settings, skip_id=settings.skip_id or settings.skip_id_and_photo)


def _check_mandatory(init: InitBody) -> None:
    given = msgspec.to_builtins(init)
    for name in MANDATORY:
        if not given[name].strip():
            raise Refusal("field_missing", field=name)


def _check_settings(settings: ProctoringSettings) -> None:
    if settings.msb and not settings.msb_key.strip():
        raise Refusal("field_missing", field=msb_key.FIELD)
    if settings.msb:
        msb_key.check_shape(settings.msb_key)
    if settings.initial_state == "paused" and not settings.pause_resume:
        why = "a session that begins paused needs Pause/Resume, or nobody could resume it"
        raise Refusal("field_invalid", field="proctoringSettings.initialState", why=why)
    if settings.candidate_photo_url and not settings.candidate_photo_url.startswith(("https://", "http://")):
        why = "it is not a web address"
        raise Refusal("field_invalid", field="proctoringSettings.candidatePhotoUrl", why=why)
    _check_lockdown(settings.lockdown)


def _check_lockdown(lockdown: LockdownSettings) -> None:
    """It may be given although nothing is locked; it has no effect then."""
    both = [RULES[rule].name for rule in RULES if rule in lockdown.required and rule in lockdown.off]
    if both:
        raise _lockdown_refusal("off", f"it names what is required: {', '.join(both)}")
    forbidden = {name.casefold().strip() for name in lockdown.forbidden_programs}
    for field, names in (("allowedPrograms", lockdown.allowed_programs), ("forbiddenPrograms", forbidden)):
        if not all(name.strip() for name in names):
            raise _lockdown_refusal(field, "the name of a program is empty")
    allowed = [name for name in lockdown.allowed_programs if name.casefold().strip() in forbidden]
    if allowed:
        raise _lockdown_refusal("allowedPrograms", f"it names what is forbidden: {', '.join(allowed)}")


def _lockdown_refusal(field: str, why: str) -> Refusal:
    return Refusal("field_invalid", field=f"proctoringSettings.lockdown.{field}", why=why)

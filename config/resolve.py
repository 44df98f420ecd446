"""Which value holds: the strongest origin that sets it and is allowed to. Each value keeps its origin.

An origin that may not set a setting is refused, not ignored: an admin who writes `test_camera` into a policy, or a user
who puts the service's address into their own file, is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from secureproctor.config.settings import FIELDS, Origin, Settings


class ConfigError(ValueError):
    """A setting is unknown, of the wrong type, or not for this origin. `remedy` says what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        self.code, self.message, self.remedy = "config_invalid", message, remedy
        super().__init__(f"{message} {remedy}")


@dataclass(frozen=True, slots=True)
class Resolved:
    """The settings, and for each by name where its value came from."""

    settings: Settings
    origins: Mapping[str, Origin]


def resolve(layers: Mapping[Origin, Mapping[str, object]]) -> Resolved:
    """Lay the layers over each other, weakest origin first. Raises ConfigError."""
    values: dict[str, Any] = {}
    origins = dict.fromkeys(FIELDS, Origin.DEFAULT)
    for origin in Origin:
        for name, value in layers.get(origin, {}).items():
            values[name] = _checked(name, value, origin)
            origins[name] = origin
    settings = Settings(**values)
    if settings.test_camera and not settings.allow_test_sources:
        raise ConfigError("A policy forbids test sources.", "Start the agent without --test-camera.")
    return Resolved(settings, origins)


def _checked(name: str, value: object, origin: Origin) -> object:
    field = FIELDS.get(name)
    if field is None:
        raise ConfigError(f"There is no setting {name!r} ({origin}).", "Correct its name; the documentation lists all.")
    if origin not in field.metadata["by"]:
        allowed = ", ".join(sorted(field.metadata["by"] - {Origin.DEFAULT}))
        raise ConfigError(f"The setting {name!r} cannot be set by the {origin}.", f"Set it by: {allowed}.")
    try:
        # text from the environment or the command line becomes a number or a truth value here
        return msgspec.convert(value, field.type, strict=not isinstance(value, str))
    except msgspec.ValidationError as error:
        raise ConfigError(f"The setting {name!r} ({origin}) is not valid: {error}.", "Correct its value.") from None

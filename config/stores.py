"""Where settings are kept: a policy file for IT, a file of the user, the environment. Reading one decides nothing.

Files are TOML. The Windows registry and the macOS preference domain are not read in this version.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from secureproctor.config.resolve import ConfigError
from secureproctor.config.settings import FIELDS

PREFIX = "SECUREPROCTOR_"


def read_file(path: Path) -> dict[str, object]:
    """The settings in a TOML file; none when there is no such file. Raises ConfigError when it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"The file {path} cannot be read: {error}.", "Correct the file, or remove it.") from None


def read_environment(environment: Mapping[str, str] = os.environ) -> dict[str, object]:
    """The settings in SECUREPROCTOR_<NAME> variables; lists are separated by commas. Other such names are no settings."""
    found = {name: environment[PREFIX + name.upper()] for name in FIELDS if PREFIX + name.upper() in environment}
    return {name: listed(name, text) for name, text in found.items()}


def listed(name: str, text: str) -> object:
    """A text as a list where the setting is one."""
    if isinstance(FIELDS[name].default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text

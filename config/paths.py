"""Where the agent keeps its files on each OS. Nothing is created here."""

import sys
from pathlib import Path

import platformdirs

from secureproctor.config.settings import Settings

NAME = "secureproctor"


def policy_file() -> Path:
    """The managed policy; writable by administrators only."""
    return (
        Path(platformdirs.site_config_dir(NAME, appauthor=False)) / "policy.toml"
        if sys.platform != "linux"
        else LINUX_POLICY
    )


LINUX_POLICY = Path("/etc/secureproctor/policy.toml")


def user_file() -> Path:
    """The user's own settings."""
    return Path(platformdirs.user_config_dir(NAME, appauthor=False)) / "settings.toml"


def state_dir(settings: Settings) -> Path:
    """The folder of spool and journals."""
    return Path(settings.state_dir or platformdirs.user_data_dir(NAME, appauthor=False))


def runtime_dir(settings: Settings) -> Path:
    """The folder of the pairing token: for this user, on this machine, until it is switched off."""
    return Path(settings.runtime_dir or platformdirs.user_runtime_dir(NAME, appauthor=False))

"""Which place this machine is. What is looked at is passed in, so the choice is a table; a system's rules are imported only
when its place is opened."""

import functools
import importlib
import os
import sys
from collections.abc import Callable, Mapping
from typing import Literal, cast

from secureproctor.lockdown.rule import OpenPlace, Place

Kind = Literal["x11", "wayland", "console"]


class NoPlace(OSError):
    """There are no rules for this system."""


def linux_kind(environ: Mapping[str, str]) -> Kind:
    """What a Linux session shows its windows by. A Wayland session has a DISPLAY, too, for programs that speak X only: it
    sees those alone, and says nothing about the others."""
    if environ.get("WAYLAND_DISPLAY") or environ.get("XDG_SESSION_TYPE") == "wayland":
        return "wayland"
    return "x11" if environ.get("DISPLAY") else "console"


def place_for(platform: str = sys.platform, environ: Mapping[str, str] = os.environ) -> OpenPlace:
    """What opens the place of this machine; for a system without rules that raises NoPlace, when it is opened."""
    match platform:
        case "linux":
            return functools.partial(_open, "linux", kind=linux_kind(environ))
        case "win32":
            return functools.partial(_open, "windows")
        case "darwin":
            return functools.partial(_open, "macos")
        case _:
            return functools.partial(_none, platform)


def _open(system: str, **how: str) -> Place:
    module = importlib.import_module(f"secureproctor.lockdown.{system}.place")
    return cast(Callable[..., Place], module.open_place)(**how)


def _none(platform: str) -> Place:
    raise NoPlace(f"there are no lockdown rules for {platform}")

"""How the modules `api_*` reach macOS: frameworks by PyObjC, C libraries by ctypes, loaded when something is constructed.

So those modules import and type-check on every system, and without PyObjC. Not yet run on a Mac.
"""

import ctypes
import importlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

TOOL_S = 5.0
"""How long one of macOS's own tools may take; what takes longer is not known."""


if sys.platform == "darwin":

    def framework(name: str) -> Any:
        """A framework (`Quartz`, `AppKit`), as PyObjC gives it. Raises OSError without PyObjC."""
        try:
            return importlib.import_module(name)
        except ImportError as error:
            raise OSError(f"{name} is missing: install the agent with PyObjC") from error

else:

    def framework(name: str) -> Any:
        """macOS only."""
        raise OSError(f"{name} is a part of macOS")


def function(path: str, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    """A function of a C library, declared. Raises OSError and AttributeError where there is no such thing."""
    declared: Any = getattr(ctypes.CDLL(path, use_errno=True), name)
    declared.restype, declared.argtypes = result, arguments
    called: Callable[..., Any] = declared
    return called


def output(*command: str) -> bytes | None:
    """What a tool prints; None when it cannot be run, fails, or takes too long."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=TOOL_S, stdin=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout

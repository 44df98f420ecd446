"""How the modules `api_*` reach Windows: libraries are loaded when something is constructed, never by an import.

So those modules import and type-check on every system, and only this one asks which system it is.
"""

import ctypes
import sys
from collections.abc import Callable
from ctypes import wintypes
from typing import Any

HANDLE = ctypes.c_size_t
"""A handle as a plain number, 0 for none: `c_void_p` would give None for 0."""


if sys.platform == "win32":
    import winreg as _winreg

    winreg: Any = _winreg

    def _load(name: str) -> Any:
        return ctypes.WinDLL(name, use_last_error=True)

    def callback(result: Any, *arguments: Any) -> Callable[..., Any]:
        """The type of a function that Windows calls. What is made of it must be kept as long as Windows may call."""
        return ctypes.WINFUNCTYPE(result, *arguments)

    def failure(what: str, code: int | None = None) -> OSError:
        """The last error of this thread, or this one, as an exception. PermissionError for ERROR_ACCESS_DENIED."""
        error = ctypes.WinError(ctypes.get_last_error() if code is None else code)
        error.filename = what
        return error

else:
    winreg: Any = None

    def _load(name: str) -> Any:
        raise OSError(f"{name} is a part of Windows")

    def callback(result: Any, *arguments: Any) -> Callable[..., Any]:
        """Windows only."""
        raise OSError("only Windows calls back in this way")

    def failure(what: str, code: int | None = None) -> OSError:
        """Windows only."""
        return OSError(f"{what} is a part of Windows")


class Library:
    """A library of Windows. Raises OSError elsewhere."""

    def __init__(self, name: str) -> None:
        self._library = _load(name)

    def __call__(self, name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
        """One of its functions, declared. Raises AttributeError when this Windows does not have it."""
        function: Any = getattr(self._library, name)
        function.restype, function.argtypes = result, arguments
        declared: Callable[..., Any] = function
        return declared


class Point(ctypes.Structure):
    """POINT."""

    _fields_ = (("x", wintypes.LONG), ("y", wintypes.LONG))


class Message(ctypes.Structure):
    """MSG."""

    _fields_ = (
        ("window", HANDLE),
        ("message", wintypes.UINT),
        ("wparam", ctypes.c_size_t),
        ("lparam", ctypes.c_ssize_t),
        ("time", wintypes.DWORD),
        ("point", Point),
    )


class KeyboardInput(ctypes.Structure):
    """KEYBDINPUT."""

    _fields_ = (
        ("key", wintypes.WORD),
        ("scan", wintypes.WORD),
        ("flags", wintypes.DWORD),
        ("time", wintypes.DWORD),
        ("extra", ctypes.c_size_t),
    )


class MouseInput(ctypes.Structure):
    """MOUSEINPUT."""

    _fields_ = (
        ("dx", wintypes.LONG),
        ("dy", wintypes.LONG),
        ("data", wintypes.DWORD),
        ("flags", wintypes.DWORD),
        ("time", wintypes.DWORD),
        ("extra", ctypes.c_size_t),
    )


class _AnyInput(ctypes.Union):
    _fields_ = (("keyboard", KeyboardInput), ("mouse", MouseInput))


class Input(ctypes.Structure):
    """INPUT: `type` is 0 for the mouse and 1 for the keyboard."""

    _anonymous_ = ("input",)
    _fields_ = (("type", wintypes.DWORD), ("input", _AnyInput))

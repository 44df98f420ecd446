"""The low-level hooks, in a thread of their own.

Windows calls a low-level hook in the thread that set it, while that thread waits for messages, and holds the key back from
every program until it has answered. Setting up a signature's chain in the guard's thread must never be felt by somebody who
writes: so this thread does nothing but answer. Source: LowLevelKeyboardProc, LowLevelMouseProc (winuser.h).
"""

import ctypes
import threading
from collections.abc import Callable
from ctypes import wintypes
from typing import Any

from secureproctor.lockdown.windows import calls
from secureproctor.lockdown.windows.api import Stroke
from secureproctor.lockdown.windows.keys import NOTHING

WH_KEYBOARD_LL, WH_MOUSE_LL = 13, 14
LLKHF_INJECTED, LLKHF_LOWER_IL_INJECTED = 0x10, 0x02
LLMHF_INJECTED, LLMHF_LOWER_IL_INJECTED = 0x01, 0x02
KEY_UP, WM_KEYDOWN, WM_SYSKEYDOWN, WM_QUIT = 0x02, 0x0100, 0x0104, 0x0012
KEYBOARD = 1
START_S = 5.0


class _Key(ctypes.Structure):
    """KBDLLHOOKSTRUCT."""

    _fields_ = (
        ("key", wintypes.DWORD),
        ("scan", wintypes.DWORD),
        ("flags", wintypes.DWORD),
        ("time", wintypes.DWORD),
        ("extra", ctypes.c_size_t),
    )


class _Mouse(ctypes.Structure):
    """MSLLHOOKSTRUCT."""

    _fields_ = (
        ("point", calls.Point),
        ("data", wintypes.DWORD),
        ("flags", wintypes.DWORD),
        ("time", wintypes.DWORD),
        ("extra", ctypes.c_size_t),
    )


class LowLevelHooks:
    """Hooks of api.py. `mark` is the number by which this agent knows its own input."""

    def __init__(self, mark: int) -> None:
        user, kernel = calls.Library("user32"), calls.Library("kernel32")
        self._mark = mark
        self._procedure = calls.callback(ctypes.c_ssize_t, ctypes.c_int, ctypes.c_size_t, ctypes.c_ssize_t)
        self._set = user("SetWindowsHookExW", calls.HANDLE, ctypes.c_int, self._procedure, calls.HANDLE, wintypes.DWORD)
        self._unset = user("UnhookWindowsHookEx", wintypes.BOOL, calls.HANDLE)
        self._next = user(
            "CallNextHookEx", ctypes.c_ssize_t, calls.HANDLE, ctypes.c_int, ctypes.c_size_t, ctypes.c_ssize_t
        )
        self._get = user(
            "GetMessageW",
            ctypes.c_int,
            ctypes.POINTER(calls.Message),
            calls.HANDLE,
            wintypes.UINT,
            wintypes.UINT,
        )
        self._peek = user(
            "PeekMessageW",
            wintypes.BOOL,
            ctypes.POINTER(calls.Message),
            calls.HANDLE,
            wintypes.UINT,
            wintypes.UINT,
            wintypes.UINT,
        )
        self._post = user(
            "PostThreadMessageW",
            wintypes.BOOL,
            wintypes.DWORD,
            wintypes.UINT,
            ctypes.c_size_t,
            ctypes.c_ssize_t,
        )
        self._send = user("SendInput", wintypes.UINT, wintypes.UINT, ctypes.POINTER(calls.Input), ctypes.c_int)
        self._state = user("GetAsyncKeyState", ctypes.c_short, ctypes.c_int)
        self._module = kernel("GetModuleHandleW", calls.HANDLE, wintypes.LPCWSTR)
        self._thread_id = kernel("GetCurrentThreadId", wintypes.DWORD)
        self._thread: threading.Thread | None = None
        self._identifier = 0
        self._failure: OSError | None = None

    def open(self, key: Callable[[Stroke], bool], pointer: Callable[[], None], seen: Callable[[], None]) -> None:
        """Hook. Raises OSError."""
        self.close()
        begun = threading.Event()
        self._failure = None
        procedures = self._key_procedure(key, seen), self._pointer_procedure(pointer)
        self._thread = threading.Thread(target=self._run, args=(procedures, begun), name="hooks", daemon=True)
        self._thread.start()
        if not begun.wait(START_S):
            raise OSError("Windows did not answer when the keyboard was to be watched.")
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Unhook."""
        if self._thread is not None and self._identifier:
            self._post(self._identifier, WM_QUIT, 0, 0)
            self._thread.join()
        self._thread, self._identifier = None, 0

    def mark(self) -> bool:
        """Let go a key that is not pressed and means nothing."""
        return self._type((NOTHING, KEY_UP))

    def press(self, keys: tuple[int, ...]) -> None:
        """Down in this order, up in the other."""
        self._type(*((key, 0) for key in keys), *((key, KEY_UP) for key in reversed(keys)))

    def is_down(self, key: int) -> bool:
        """The highest bit of GetAsyncKeyState."""
        return bool(self._state(key) < 0)

    def _type(self, *events: tuple[int, int]) -> bool:
        inputs = (calls.Input * len(events))()
        for each, (key, flags) in zip(inputs, events, strict=True):
            each.type = KEYBOARD
            each.keyboard = calls.KeyboardInput(key=key, flags=flags, extra=self._mark)
        return bool(self._send(len(inputs), inputs, ctypes.sizeof(calls.Input)) == len(inputs))

    def _run(self, procedures: tuple[Any, Any], begun: threading.Event) -> None:
        message = calls.Message()
        self._peek(ctypes.byref(message), 0, 0, 0, 0)  # makes the queue to which `close` posts
        hooks = []
        try:
            for kind, procedure in zip((WH_KEYBOARD_LL, WH_MOUSE_LL), procedures, strict=True):
                hook = self._set(kind, procedure, self._module(None), 0)
                if not hook:
                    self._failure = calls.failure("SetWindowsHookEx")
                    return
                hooks.append(hook)
            self._identifier = self._thread_id()
            begun.set()
            while self._get(ctypes.byref(message), 0, 0, 0) > 0:
                pass
        finally:
            for hook in hooks:
                self._unset(hook)
            begun.set()

    def _key_procedure(self, key: Callable[[Stroke], bool], seen: Callable[[], None]) -> Any:
        injected = LLKHF_INJECTED | LLKHF_LOWER_IL_INJECTED

        def procedure(code: int, message: int, address: int) -> int:
            if code == 0 and (event := _Key.from_address(address)).extra != self._mark:
                down = message in (WM_KEYDOWN, WM_SYSKEYDOWN)
                if key(Stroke(event.key, down, event.scan, bool(event.flags & injected), event.time)):
                    return 1
            elif code == 0 and event.key == NOTHING:
                seen()
                return 1
            return int(self._next(0, code, message, address))

        return self._procedure(procedure)

    def _pointer_procedure(self, pointer: Callable[[], None]) -> Any:
        injected = LLMHF_INJECTED | LLMHF_LOWER_IL_INJECTED

        def procedure(code: int, message: int, address: int) -> int:
            if code == 0:
                event = _Mouse.from_address(address)
                if event.flags & injected and event.extra != self._mark:
                    pointer()
            return int(self._next(0, code, message, address))

        return self._procedure(procedure)

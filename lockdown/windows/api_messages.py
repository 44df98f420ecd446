"""What the system tells the guard's thread: window events, the clipboard, displays, the session; and a way to wake it.

All of it comes through the message queue of the thread that constructed this, which must be the one that waits. The callbacks
only write down what came, so that nothing is ever done inside of one. Source: SetWinEventHook, AddClipboardFormatListener,
WTSRegisterSessionNotification, MsgWaitForMultipleObjectsEx.
"""

import ctypes
from ctypes import wintypes
from typing import Literal

from secureproctor.lockdown.windows import calls
from secureproctor.lockdown.windows.api import Notice

EVENT_SYSTEM_FOREGROUND, EVENT_SYSTEM_MINIMIZESTART, EVENT_OBJECT_SHOW = 0x0003, 0x0016, 0x8002
WINEVENT_OUTOFCONTEXT = 0
WM_DISPLAYCHANGE, WM_WTSSESSION_CHANGE, WM_CLIPBOARDUPDATE = 0x007E, 0x02B1, 0x031D
QS_ALLINPUT, MWMO_INPUTAVAILABLE, PM_REMOVE, WS_POPUP = 0x04FF, 0x0004, 0x0001, 0x80000000
CLASS = "SecureProctorLockdown"

EVENTS: dict[int, Literal["foreground", "minimized", "shown"]] = {
    EVENT_SYSTEM_FOREGROUND: "foreground",
    EVENT_SYSTEM_MINIMIZESTART: "minimized",
    EVENT_OBJECT_SHOW: "shown",
}
MESSAGES: dict[int, Literal["clipboard", "displays", "session"]] = {
    WM_CLIPBOARDUPDATE: "clipboard",
    WM_DISPLAYCHANGE: "displays",
    WM_WTSSESSION_CHANGE: "session",
}


class _Class(ctypes.Structure):
    """WNDCLASSW, with the procedure as an address."""

    _fields_ = (
        ("style", wintypes.UINT),
        ("procedure", ctypes.c_void_p),
        ("class_extra", ctypes.c_int),
        ("window_extra", ctypes.c_int),
        ("instance", calls.HANDLE),
        ("icon", calls.HANDLE),
        ("cursor", calls.HANDLE),
        ("background", calls.HANDLE),
        ("menu", wintypes.LPCWSTR),
        ("name", wintypes.LPCWSTR),
    )


class ThreadMessages:
    """Messages of api.py. Its window is hidden, and not message-only: those get no WM_DISPLAYCHANGE, which is broadcast."""

    def __init__(self) -> None:
        self._came: list[Notice] = []
        self._declare()
        self._event = self._create_event(None, False, False, None)
        self._window_procedure = self._window_type(self._on_message)
        self._event_procedure = self._event_type(self._on_event)
        self._instance = self._module(None)
        self._window = self._make_window()
        self._hooks = [
            self._hook(event, event, 0, self._event_procedure, 0, 0, WINEVENT_OUTOFCONTEXT) for event in EVENTS
        ]
        self._listen(self._window)
        self._register_session(self._window, 0)

    def wait(self, timeout_s: float) -> tuple[Notice, ...]:
        """MsgWaitForMultipleObjectsEx, then every message that is there."""
        milliseconds = max(0, int(timeout_s * 1000 + 0.5))
        event = calls.HANDLE(self._event)
        self._wait(1, ctypes.byref(event), milliseconds, QS_ALLINPUT, MWMO_INPUTAVAILABLE)
        message = calls.Message()
        while self._peek(ctypes.byref(message), 0, 0, 0, PM_REMOVE):
            self._dispatch(ctypes.byref(message))
        came, self._came = self._came, []
        return tuple(came)

    def wake(self) -> None:
        """SetEvent."""
        self._set_event(self._event)

    def close(self) -> None:
        """Give everything back. The event stays: another thread may be about to set it."""
        if not self._window:
            return
        for hook in self._hooks:
            self._unhook(hook)
        self._unregister_session(self._window)
        self._unlisten(self._window)
        self._destroy(self._window)
        self._unregister(CLASS, self._instance)
        self._window = 0

    def _make_window(self) -> int:
        address = ctypes.cast(self._window_procedure, ctypes.c_void_p).value
        self._class = _Class(procedure=address, instance=self._instance, name=CLASS)
        self._register(ctypes.byref(self._class))
        window = self._create(0, CLASS, None, WS_POPUP, 0, 0, 0, 0, 0, 0, self._instance, None)
        if not window:
            raise calls.failure("CreateWindowEx")
        return int(window)

    def _on_message(self, window: int, message: int, wparam: int, lparam: int) -> int:
        kind = MESSAGES.get(message)
        if kind is not None:
            self._came.append(Notice(kind, code=wparam & 0xFFFF))
        return int(self._default(window, message, wparam, lparam))

    def _on_event(self, _: int, event: int, window: int, thing: int, child: int, thread: int, time: int) -> None:
        if window and thing == 0 and child == 0:  # OBJID_WINDOW itself, not a part of it
            self._came.append(Notice(EVENTS[event], window))

    def _declare(self) -> None:
        user, kernel, session = (calls.Library(name) for name in ("user32", "kernel32", "wtsapi32"))
        window, truth, word, number = calls.HANDLE, wintypes.BOOL, wintypes.DWORD, ctypes.c_int
        text, unsigned, signed = wintypes.LPCWSTR, ctypes.c_size_t, ctypes.c_ssize_t
        self._window_type = calls.callback(signed, window, wintypes.UINT, unsigned, signed)
        self._event_type = calls.callback(None, calls.HANDLE, word, window, wintypes.LONG, wintypes.LONG, word, word)
        self._create_event = kernel("CreateEventW", calls.HANDLE, ctypes.c_void_p, truth, truth, text)
        self._set_event = kernel("SetEvent", truth, calls.HANDLE)
        self._module = kernel("GetModuleHandleW", calls.HANDLE, text)
        self._register = user("RegisterClassW", wintypes.WORD, ctypes.POINTER(_Class))
        self._unregister = user("UnregisterClassW", truth, text, calls.HANDLE)
        self._create = user(
            "CreateWindowExW",
            window,
            word,
            text,
            text,
            word,
            *(number,) * 4,
            window,
            calls.HANDLE,
            calls.HANDLE,
            ctypes.c_void_p,
        )
        self._destroy = user("DestroyWindow", truth, window)
        self._default = user("DefWindowProcW", signed, window, wintypes.UINT, unsigned, signed)
        self._hook = user("SetWinEventHook", calls.HANDLE, word, word, calls.HANDLE, self._event_type, word, word, word)
        self._unhook = user("UnhookWinEvent", truth, calls.HANDLE)
        self._listen = user("AddClipboardFormatListener", truth, window)
        self._unlisten = user("RemoveClipboardFormatListener", truth, window)
        self._register_session = session("WTSRegisterSessionNotification", truth, window, word)
        self._unregister_session = session("WTSUnRegisterSessionNotification", truth, window)
        pointer = ctypes.POINTER(calls.Message)
        self._wait = user("MsgWaitForMultipleObjectsEx", word, word, ctypes.POINTER(calls.HANDLE), word, word, word)
        self._peek = user("PeekMessageW", truth, pointer, window, wintypes.UINT, wintypes.UINT, wintypes.UINT)
        self._dispatch = user("DispatchMessageW", signed, pointer)

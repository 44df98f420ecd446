"""The session of the user and its clipboard, by user32, kernel32 and wtsapi32."""

import ctypes
import os
from ctypes import wintypes

from secureproctor.lockdown.windows import calls
from secureproctor.lockdown.windows.api import Windows

SM_REMOTESESSION, SM_REMOTECONTROL, SPI_GETSCREENREADER = 0x1000, 0x2001, 0x0046
WTS_CURRENT_SESSION, WTS_CLIENT_PROTOCOL_TYPE = 0xFFFFFFFF, 16
ES_CONTINUOUS, ES_SYSTEM_REQUIRED, ES_DISPLAY_REQUIRED = 0x80000000, 0x01, 0x02


class UserSession:
    """Session of api.py."""

    def __init__(self) -> None:
        user, kernel, terminal = (calls.Library(name) for name in ("user32", "kernel32", "wtsapi32"))
        word, truth, words = wintypes.DWORD, wintypes.BOOL, ctypes.POINTER(wintypes.DWORD)
        self._metric = user("GetSystemMetrics", ctypes.c_int, ctypes.c_int)
        self._parameter = user(
            "SystemParametersInfoW", truth, wintypes.UINT, wintypes.UINT, ctypes.POINTER(wintypes.BOOL), wintypes.UINT
        )
        self._session = kernel("ProcessIdToSessionId", truth, word, words)
        self._awake = kernel("SetThreadExecutionState", word, word)
        self._query = terminal(
            "WTSQuerySessionInformationW",
            truth,
            calls.HANDLE,
            word,
            ctypes.c_int,
            ctypes.POINTER(ctypes.POINTER(wintypes.USHORT)),
            words,
        )
        self._free = terminal("WTSFreeMemory", None, ctypes.c_void_p)

    def is_remote(self) -> bool:
        """SM_REMOTESESSION."""
        return bool(self._metric(SM_REMOTESESSION))

    def is_controlled(self) -> bool:
        """SM_REMOTECONTROL."""
        return bool(self._metric(SM_REMOTECONTROL))

    def protocol(self) -> int | None:
        """WTSClientProtocolType."""
        answer, size = ctypes.POINTER(wintypes.USHORT)(), wintypes.DWORD()
        question = 0, WTS_CURRENT_SESSION, WTS_CLIENT_PROTOCOL_TYPE
        if not self._query(*question, ctypes.byref(answer), ctypes.byref(size)) or not answer:
            return None
        try:
            return int(answer[0]) if size.value >= ctypes.sizeof(wintypes.USHORT) else None
        finally:
            self._free(answer)

    def number(self) -> int | None:
        """ProcessIdToSessionId."""
        session = wintypes.DWORD()
        return session.value if self._session(os.getpid(), ctypes.byref(session)) else None

    def keep_awake(self, on: bool) -> bool:
        """SetThreadExecutionState; it ends with the thread."""
        wanted = ES_CONTINUOUS | ES_SYSTEM_REQUIRED | ES_DISPLAY_REQUIRED if on else ES_CONTINUOUS
        return bool(self._awake(wanted))

    def has_screen_reader(self) -> bool:
        """SPI_GETSCREENREADER."""
        runs = wintypes.BOOL()
        return bool(self._parameter(SPI_GETSCREENREADER, 0, ctypes.byref(runs), 0)) and bool(runs)


class SystemClipboard:
    """Clipboard of api.py."""

    def __init__(self, windows: Windows) -> None:
        user = calls.Library("user32")
        truth = wintypes.BOOL
        self._windows = windows
        self._count = user("CountClipboardFormats", ctypes.c_int)
        self._owner = user("GetClipboardOwner", calls.HANDLE)
        self._open = user("OpenClipboard", truth, calls.HANDLE)
        self._empty = user("EmptyClipboard", truth)
        self._close = user("CloseClipboard", truth)

    def is_empty(self) -> bool:
        """No format is there."""
        return bool(self._count() == 0)

    def owner(self) -> int:
        """The process of GetClipboardOwner."""
        return self._windows.owner(self._owner())

    def empty(self) -> bool:
        """Opened without a window, so that nobody owns what is then empty."""
        if not self._open(0):
            return False
        try:
            return bool(self._empty())
        finally:
            self._close()

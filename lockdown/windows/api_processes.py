"""The processes of this machine, by kernel32 and ntdll.

To describe a process takes the right PROCESS_QUERY_LIMITED_INFORMATION, which the system's own refuse to a plain user: for
those, the list of toolhelp has name and parent.
"""

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import wintypes
from dataclasses import replace

from secureproctor.lockdown.readings import Running
from secureproctor.lockdown.windows import calls
from secureproctor.lockdown.windows.api import Windows

PROCESS_TERMINATE, PROCESS_QUERY_LIMITED_INFORMATION, SYNCHRONIZE = 0x0001, 0x1000, 0x100000
TH32CS_SNAPPROCESS, ERROR_INVALID_PARAMETER, STILL_ACTIVE = 0x00000002, 87, 259
INVALID_HANDLE = ctypes.c_size_t(-1).value
WM_CLOSE, WAIT_MS = 0x0010, 500
TICKS_PER_S = 10_000_000
PATH_LENGTH = 32768


class _Entry(ctypes.Structure):
    """PROCESSENTRY32W."""

    _fields_ = (
        ("size", wintypes.DWORD),
        ("usage", wintypes.DWORD),
        ("pid", wintypes.DWORD),
        ("heap", ctypes.c_size_t),
        ("module", wintypes.DWORD),
        ("threads", wintypes.DWORD),
        ("parent", wintypes.DWORD),
        ("priority", wintypes.LONG),
        ("flags", wintypes.DWORD),
        ("name", wintypes.WCHAR * 260),
    )


class _Basic(ctypes.Structure):
    """PROCESS_BASIC_INFORMATION."""

    _fields_ = tuple((name, ctypes.c_size_t) for name in ("status", "peb", "affinity", "priority", "pid", "parent"))


class AllProcesses:
    """SystemProcesses of api.py. `made_by` gives original name and signer of a program's file."""

    def __init__(self, windows: Windows, made_by: Callable[[str], tuple[str, str]]) -> None:
        kernel, native, user = (calls.Library(name) for name in ("kernel32", "ntdll", "user32"))
        word, truth, handle = wintypes.DWORD, wintypes.BOOL, calls.HANDLE
        words, times = ctypes.POINTER(word), ctypes.POINTER(ctypes.c_uint64)
        self._windows = windows
        self._made_by = made_by
        self._enumerate = kernel("K32EnumProcesses", truth, words, word, words)
        self._open = kernel("OpenProcess", handle, word, truth, word)
        self._close = kernel("CloseHandle", truth, handle)
        self._image = kernel("QueryFullProcessImageNameW", truth, handle, word, wintypes.LPWSTR, words)
        self._times = kernel("GetProcessTimes", truth, handle, times, times, times, times)
        self._exit = kernel("GetExitCodeProcess", truth, handle, words)
        self._session = kernel("ProcessIdToSessionId", truth, word, words)
        self._terminate = kernel("TerminateProcess", truth, handle, wintypes.UINT)
        self._wait = kernel("WaitForSingleObject", word, handle, word)
        self._snapshot = kernel("CreateToolhelp32Snapshot", handle, word, word)
        self._first = kernel("Process32FirstW", truth, handle, ctypes.POINTER(_Entry))
        self._next = kernel("Process32NextW", truth, handle, ctypes.POINTER(_Entry))
        self._query = native(
            "NtQueryInformationProcess", wintypes.LONG, handle, ctypes.c_int, ctypes.POINTER(_Basic), word, words
        )
        self._post = user("PostMessageW", truth, handle, wintypes.UINT, ctypes.c_size_t, ctypes.c_ssize_t)
        self._own_session = self._session_of(os.getpid())

    def pids(self) -> frozenset[int]:
        """EnumProcesses, with room for more than it filled."""
        room = 1024
        while True:
            found, filled = (wintypes.DWORD * room)(), wintypes.DWORD()
            if not self._enumerate(found, ctypes.sizeof(found), ctypes.byref(filled)):
                raise calls.failure("EnumProcesses")
            count = filled.value // ctypes.sizeof(wintypes.DWORD)
            if count < room:
                return frozenset(found[:count]) - {0}
            room *= 2

    def describe(self, pid: int) -> Running | None:
        """With what its makers say of it."""
        running = self.glance(pid)
        if running is None or not running.path:
            return running
        original_name, signer = self._made_by(running.path)
        return replace(running, original_name=original_name, signer=signer)

    def glance(self, pid: int) -> Running | None:
        """None when no such process runs. `started` is seconds since 1601, as Windows counts."""
        with self._opened(pid, PROCESS_QUERY_LIMITED_INFORMATION) as process:
            if not process:
                return self._listed(pid)
            if self._has_ended(process):
                return None
            path = self._path(process)
            return Running(
                pid=pid,
                name=path.rpartition("\\")[2],
                path=path,
                parent=self._parent(process),
                started=self._started(process),
                own=self._is_own(pid),
            )

    def has_window(self, pid: int) -> bool | None:
        """Whether a visible top-level window is its own."""
        return any(self._windows.owner(window) == pid for window in self._windows.all())

    def ask_to_close(self, pid: int) -> bool:
        """WM_CLOSE to each of its windows; posted, since a program may ask its user first."""
        own = [window for window in self._windows.all() if self._windows.owner(window) == pid]
        return sum(bool(self._post(window, WM_CLOSE, 0, 0)) for window in own) > 0

    def close(self, pid: int) -> bool:
        """TerminateProcess."""
        with self._opened(pid, PROCESS_TERMINATE | SYNCHRONIZE) as process:
            if not process:
                return pid not in self.pids()
            self._terminate(process, 1)
            return bool(self._wait(process, WAIT_MS) == 0)

    @contextmanager
    def _opened(self, pid: int, right: int) -> Iterator[int]:
        process = self._open(right, False, pid)
        try:
            yield process
        finally:
            if process:
                self._close(process)

    def _has_ended(self, process: int) -> bool:
        """A process whose handle somebody holds can be opened after its end."""
        code = wintypes.DWORD()
        return bool(self._exit(process, ctypes.byref(code))) and code.value != STILL_ACTIVE

    def _path(self, process: int) -> str:
        text, length = ctypes.create_unicode_buffer(PATH_LENGTH), wintypes.DWORD(PATH_LENGTH)
        return text.value if self._image(process, 0, text, ctypes.byref(length)) else ""

    def _parent(self, process: int) -> int:
        basic = _Basic()
        size = wintypes.DWORD()
        self._query(process, 0, ctypes.byref(basic), ctypes.sizeof(basic), ctypes.byref(size))
        return int(basic.parent)

    def _started(self, process: int) -> float:
        times = [ctypes.c_uint64() for _ in range(4)]
        self._times(process, *(ctypes.byref(time) for time in times))
        return times[0].value / TICKS_PER_S

    def _session_of(self, pid: int) -> int | None:
        session = wintypes.DWORD()
        return session.value if self._session(pid, ctypes.byref(session)) else None

    def _is_own(self, pid: int) -> bool:
        """In the same session: whose token it has, Windows does not tell of programs with more rights."""
        return self._own_session is not None and self._session_of(pid) == self._own_session

    def _listed(self, pid: int) -> Running | None:
        snapshot = self._snapshot(TH32CS_SNAPPROCESS, 0)
        if snapshot == INVALID_HANDLE:
            return None
        try:
            entry = _Entry(size=ctypes.sizeof(_Entry))
            more = self._first(snapshot, ctypes.byref(entry))
            while more:
                if entry.pid == pid:
                    return Running(pid, entry.name, parent=entry.parent, own=self._is_own(pid))
                more = self._next(snapshot, ctypes.byref(entry))
            return None
        finally:
            self._close(snapshot)

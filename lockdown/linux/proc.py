"""Processes by /proc (proc(5)): who runs, what it is, and how it is ended.

What a process runs is the file behind /proc/PID/exe, not what it calls itself. Two kinds are named by their arguments: scripts
(the file is the interpreter) and Windows programs under Wine; the interpreter stands as the original name then, and `path`
stays the file that runs. Where the file cannot be read (other users, sandboxes), the first argument or the kernel's short
name (15 characters) stands for it.

A process's number may be another one's a moment later, so signals go through a pidfd, opened before its start time is
compared (pidfd_open(2), Linux 5.3).
"""

import os
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from secureproctor.lockdown.readings import Running

PROC = Path("/proc")
KERNEL_THREAD = 0x00200000
"""PF_KTHREAD in the flags of /proc/PID/stat (linux/sched.h)."""
TERM_S = 1.0
"""A process that is ended has so long before it is killed."""
LIST_S = 1.0
"""The list is read this often even if the kernel's last process number says that nothing was started."""
DELETED = " (deleted)"
WINE = re.compile(r"wine(64)?(-preloader)?")
INTERPRETER = re.compile(
    r"python[\d.]*|perl[\d.]*|ruby[\d.]*|node(js)?|electron\d*|java|mono(-sgen)?|gjs(-console)?|lua[\d.]*|(ba|da|z|k|fi)?sh"
)
NO_SCRIPT = frozenset({"-c", "-e", "-E"})
"""What follows is a program's text, not its file."""


@dataclass(frozen=True, slots=True)
class Stat:
    """The fields of /proc/PID/stat that are needed; `started` in clock ticks since boot."""

    name: str
    state: str
    parent: int
    flags: int
    started: float


def _read(file: str) -> bytes:
    """The beginning of a file of /proc: for the long ones (arguments) it is enough. Several times as fast as by Path, and
    this is done all the time. Raises OSError."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        return os.read(descriptor, 8192)
    finally:
        os.close(descriptor)


def read_stat(pid: int, proc: Path = PROC) -> Stat | None:
    """None when the process is gone, or is dead and only not yet collected by its parent."""
    try:
        text = _read(f"{proc}/{pid}/stat").decode(errors="replace")
    except OSError:
        return None
    name, rest = text[text.index("(") + 1 :].rsplit(")", 1)  # the name may have brackets and spaces of its own
    fields = rest.split()
    state = fields[0]
    return None if state in "ZXx" else Stat(name, state, int(fields[1]), int(fields[6]), float(fields[19]))


def describe(pid: int, proc: Path = PROC) -> Running | None:
    """One process; None when it is gone."""
    stat = read_stat(pid, proc)
    if stat is None:
        return None
    if stat.flags & KERNEL_THREAD:
        return Running(pid, stat.name, parent=stat.parent, started=stat.started, own=False)
    path = _path(pid, proc)
    name, original = _names(stat.name, path, lambda: _arguments(pid, proc))
    return Running(pid, name, path, original, "", stat.parent, stat.started, _is_own(pid, proc))


def _path(pid: int, proc: Path) -> str:
    try:
        return os.readlink(f"{proc}/{pid}/exe").removesuffix(DELETED)
    except OSError:
        return ""


def _arguments(pid: int, proc: Path) -> list[str]:
    try:
        return _read(f"{proc}/{pid}/cmdline").decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def _names(short: str, path: str, arguments: Callable[[], list[str]]) -> tuple[str, str]:
    """Name and original name. The arguments are only read where they are needed: most processes are ordinary."""
    if not path:
        first = next(iter(arguments()), "").rpartition("/")[2]
        return (first if first.startswith(short) else short), ""
    name = path.rpartition("/")[2]
    if WINE.fullmatch(name):
        program = PureWindowsPath(next(iter(arguments()), "")).name
        return (program, name) if program.lower().endswith(".exe") else (name, "")
    if INTERPRETER.fullmatch(name) and (script := script_of(arguments())):
        return script, name
    return name, ""


def script_of(arguments: list[str]) -> str:
    """The file name of what an interpreter runs; empty where that is no file. A module (`-m`) is named by its first part."""
    rest = iter(arguments[1:])
    for argument in rest:
        if argument in NO_SCRIPT:
            return ""
        if argument == "-m":
            return next(rest, "").partition(".")[0]
        if not argument.startswith("-"):
            return PurePosixPath(argument).name
    return ""


def _is_own(pid: int, proc: Path) -> bool:
    """By the folder's owner, or by the real user where the kernel hides a protected process behind root."""
    user = _user()
    try:
        if os.stat(f"{proc}/{pid}").st_uid == user:
            return True
        return f"\nUid:\t{user}\t" in _read(f"{proc}/{pid}/status").decode(errors="replace")
    except OSError:
        return False


if sys.platform == "linux":

    def _user() -> int:
        return os.getuid()

    def _send(pid: int, number: signal.Signals, started: float, proc: Path) -> bool:
        """Whether it could be sent to this very process."""
        try:
            process = os.pidfd_open(pid)
        except OSError:
            return False
        try:
            now = read_stat(pid, proc)
            if now is None or now.started != started:
                return False
            signal.pidfd_send_signal(process, number)
        except OSError:
            return False
        finally:
            os.close(process)
        return True

    TERMINATE, KILL = signal.SIGTERM, signal.SIGKILL
else:

    def _user() -> int:
        return -1

    def _send(pid: int, number: signal.Signals, started: float, proc: Path) -> bool:
        return False

    TERMINATE = KILL = signal.SIGTERM


def _nobody_can_tell(_pid: int) -> bool | None:
    return None


def _has_no_windows(_pid: int) -> bool:
    return False


class LinuxProcesses:
    """The processes of this machine. Windows are the desktop's to tell: `has_window`, and `close_windows`, which asks all
    windows of a process to close and says whether there were any."""

    def __init__(
        self,
        has_window: Callable[[int], bool | None] = _nobody_can_tell,
        close_windows: Callable[[int], bool] = _has_no_windows,
        clock: Callable[[], float] = time.monotonic,
        proc: Path = PROC,
    ) -> None:
        self._has_window = has_window
        self._close_windows = close_windows
        self._clock = clock
        self._proc = proc
        self._pids: frozenset[int] = frozenset()
        self._last = b""
        self._listed = float("-inf")
        self._ending: dict[int, tuple[float, float]] = {}

    def pids(self) -> frozenset[int]:
        """All of them; the very same set as before while nothing was started, for LIST_S at most."""
        now, last = self._clock(), self._last_number()
        if not last or last != self._last or now - self._listed >= LIST_S:
            self._last, self._listed = last, now
            pids = frozenset(int(name) for name in os.listdir(self._proc) if name.isdecimal())
            self._pids = self._pids if pids == self._pids else pids
        return self._pids

    def describe(self, pid: int) -> Running | None:
        """One of them; None when it is gone."""
        return describe(pid, self._proc)

    def has_window(self, pid: int) -> bool | None:
        """As the desktop says."""
        return self._has_window(pid)

    def ask_to_close(self, pid: int) -> bool:
        """By its windows, as a person would; one without windows is told to terminate, as at the end of a session."""
        if self._close_windows(pid):
            return True
        running = self.describe(pid)
        return running is not None and _send(pid, TERMINATE, running.started, self._proc)

    def close(self, pid: int) -> bool:
        """End it: the first call tells it to terminate, one that comes TERM_S later kills it. Never blocks, so it is to be
        called until it is True; a process of another user stays."""
        running = self.describe(pid)
        if running is None:
            self._ending.pop(pid, None)
            return True
        started, since = self._ending.setdefault(pid, (running.started, self._clock()))
        if started != running.started:
            self._ending[pid] = (running.started, self._clock())
        late = started == running.started and self._clock() - since >= TERM_S
        _send(pid, KILL if late else TERMINATE, running.started, self._proc)
        return self.describe(pid) is None

    def _last_number(self) -> bytes:
        """The process number that was given out last (proc_loadavg(5)); empty where a container makes these figures up."""
        try:
            last = _read(f"{self._proc}/loadavg").split()[-1]
        except (OSError, IndexError):
            return b""
        return b"" if last == b"0" else last

"""The processes of this machine by libproc, without any right: of other users' there is less. Not yet run on a Mac."""

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator

from secureproctor.lockdown.macos import proc_info
from secureproctor.lockdown.macos.frameworks import function
from secureproctor.lockdown.macos.proc_info import Process, Socket
from secureproctor.lockdown.readings import Running

LIBPROC = "/usr/lib/libproc.dylib"
PATH_LENGTH = 4 * 1024
"""PROC_PIDPATHINFO_MAXSIZE."""
MOST_FILES = 4096
SIGKILL = 9


class SystemProcesses:
    """Processes of readings.py. `made_by` gives a program's bundle identifier and signer, `asked` asks an application to quit,
    `shows` says whether a process has a window on the screen."""

    def __init__(
        self,
        made_by: Callable[[str], tuple[str, str]],
        asked: Callable[[int], bool],
        shows: Callable[[int], bool | None],
    ) -> None:
        number, pointer = ctypes.c_int, ctypes.c_void_p
        self._list = function(LIBPROC, "proc_listallpids", number, pointer, number)
        self._info = function(LIBPROC, "proc_pidinfo", number, number, number, ctypes.c_uint64, pointer, number)
        self._file = function(LIBPROC, "proc_pidfdinfo", number, number, number, number, pointer, number)
        self._path = function(LIBPROC, "proc_pidpath", number, number, pointer, ctypes.c_uint32)
        self._made_by, self._asked, self._shows = made_by, asked, shows
        own = self._process(os.getpid())
        self._user = own.user if own is not None else -1

    def pids(self) -> frozenset[int]:
        """proc_listallpids, with room for more than it filled."""
        room = 2048
        while True:
            found = (ctypes.c_int * room)()
            count = int(self._list(found, ctypes.sizeof(found)))
            if count < room:
                return frozenset(found[: max(0, count)]) - {0}
            room *= 2

    def describe(self, pid: int) -> Running | None:
        """None when no such process runs."""
        process = self._process(pid)
        if process is None:
            return None
        path = self.path(pid)
        bundle, signer = self._made_by(path) if path else ("", "")
        return Running(
            pid=pid,
            name=path.rpartition("/")[2] or process.name,
            path=path,
            original_name=bundle,
            signer=signer,
            parent=process.parent,
            started=process.started,
            own=process.user == self._user,
        )

    def has_window(self, pid: int) -> bool | None:
        """One on the screen."""
        return self._shows(pid)

    def ask_to_close(self, pid: int) -> bool:
        """As from its menu: it may ask its user first."""
        return self._asked(pid)

    def close(self, pid: int) -> bool:
        """SIGKILL."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, SIGKILL)
        return self._process(pid) is None

    def path(self, pid: int) -> str:
        """Of its program; empty where nobody tells."""
        text = ctypes.create_string_buffer(PATH_LENGTH)
        length = int(self._path(pid, text, PATH_LENGTH))
        return os.fsdecode(text.raw[:length]) if length > 0 else ""

    def peer(self, port: int, peer_port: int) -> int | None:
        """The process that has the connection from `peer_port` to our `port`, among those of this user."""
        wanted = Socket(peer_port, port)
        return next((pid for pid in self.pids() if wanted in self._sockets(pid)), None)

    def _process(self, pid: int) -> Process | None:
        whole = proc_info.process_of(self._record(pid, proc_info.BSD_INFO, proc_info.BSD_INFO_SIZE))
        if whole is not None:
            return whole
        return proc_info.other_process_of(self._record(pid, proc_info.SHORT_INFO, proc_info.SHORT_INFO_SIZE))

    def _record(self, pid: int, flavour: int, size: int) -> bytes:
        record = ctypes.create_string_buffer(size)
        return record.raw[: max(0, int(self._info(pid, flavour, 0, record, size)))]

    def _sockets(self, pid: int) -> Iterator[Socket]:
        files = self._record(pid, proc_info.LIST_FILES, MOST_FILES * proc_info.FILE_SIZE)
        for file in proc_info.sockets_in(files):
            record = ctypes.create_string_buffer(proc_info.SOCKET_ROOM)
            length = int(self._file(pid, file, proc_info.SOCKET_INFO, record, proc_info.SOCKET_ROOM))
            socket = proc_info.socket_of(record.raw[: max(0, length)])
            if socket is not None:
                yield socket

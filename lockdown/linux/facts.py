"""What Linux knows of a process that says it is the secure browser: its parents, its connection, and who may change its file.

By /proc, without rights: the process behind a loopback connection is found for processes of the same user only.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from secureproctor.lockdown.linux.proc import PROC, describe, read_stat
from secureproctor.lockdown.linux.sockets import owner, sockets
from secureproctor.lockdown.readings import Running

DEPTH = 64
LINKS = 40
"""As many symbolic links the kernel follows (path_resolution(7))."""
ADMIN = 0


class LinuxFacts:
    """ProcessFacts for Linux."""

    def __init__(self, proc: Path = PROC) -> None:
        self._proc = proc

    def describe(self, pid: int) -> Running | None:
        """As in Processes."""
        return describe(pid, self._proc)

    def ancestors(self, pid: int) -> tuple[Running, ...]:
        """Its parent, the parent of that, and so on."""
        return tuple(self._above(pid))

    def peer(self, port: int, peer_port: int) -> int | None:
        """The process at the other end: its socket's local port is `peer_port`, and its remote one is `port`."""
        try:
            ends = ((each, each.port == peer_port and each.peer_port == port) for each in sockets(self._proc))
            inode = next((each.inode for each, is_it in ends if is_it and each.from_here), None)
        except OSError:
            return None
        return None if inode is None else owner(inode, self._proc)

    def only_admin_writes(self, path: str) -> bool | None:
        """Whether nobody but root can change or replace it, all its folders, and the links on the way.

        An access control list needs no look of its own: where there is one, the group's write bit is its mask (acl(5)), so a
        clear bit means that no entry gives the right. A set bit counts as writable, also for the group of root.
        """
        try:
            return all(map(_only_root_writes, _way(path)))
        except (OSError, ValueError):
            return None

    def is_alive(self, pid: int, started: float) -> bool:
        """Whether this very process still runs."""
        now = read_stat(pid, self._proc)
        return now is not None and now.started == started

    def _above(self, pid: int) -> Iterator[Running]:
        process = describe(pid, self._proc)
        for _ in range(DEPTH):
            process = describe(process.parent, self._proc) if process is not None and process.parent else None
            if process is None:
                return
            yield process


def open_facts() -> LinuxFacts:
    """Those of this machine."""
    return LinuxFacts()


def _way(path: str) -> Iterator[str]:
    """Every file that has a say in what `path` is: folders, links, and where these lead. Raises OSError, ValueError."""
    waiting, seen = list(reversed(PurePosixPath(path).parts)), 0
    if not path.startswith("/"):
        raise ValueError("not an absolute path")
    at = PurePosixPath("/")
    while waiting:
        part = waiting.pop()
        at = PurePosixPath("/") if part == "/" else at.parent if part == ".." else at / part
        yield str(at)
        if os.path.islink(at):
            seen += 1
            if seen > LINKS:
                raise ValueError("too many links")
            waiting.extend(reversed(PurePosixPath(os.readlink(at)).parts))
            at = at.parent


def _only_root_writes(path: str) -> bool:
    """A link's own bits say nothing; its folder's and its owner's do."""
    status = os.lstat(path)
    writable = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not stat.S_ISLNK(status.st_mode)
    return status.st_uid == ADMIN and not writable

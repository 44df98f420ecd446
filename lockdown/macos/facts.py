"""What macOS knows of a process that says it is the secure browser (ProcessFacts of readings.py). Not yet run on a Mac."""

import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath

from secureproctor.lockdown.macos import system
from secureproctor.lockdown.readings import Processes, Running

DEPTH = 64
ADMIN, ADMINISTRATORS = 0, frozenset({0, 80})
"""The user root; the groups wheel and admin, whose members are the administrators of a Mac."""


class MacosFacts:
    """Over `processes`; `peer` finds a connection's owner, `signer` is that of the running code, checked, and `has_list` says
    whether a file has an access control list. `open_facts` takes those of this machine."""

    def __init__(
        self,
        processes: Processes,
        peer: Callable[[int, int], int | None],
        signer: Callable[[int], str],
        has_list: Callable[[str], bool],
    ) -> None:
        self._processes, self._peer, self._signer, self._has_list = processes, peer, signer, has_list

    def describe(self, pid: int) -> Running | None:
        """As in Processes, with a signer that was checked: the one of its file could be claimed by anybody."""
        running = self._processes.describe(pid)
        return None if running is None else replace(running, signer=self._signer(pid))

    def ancestors(self, pid: int) -> tuple[Running, ...]:
        """Its parent, the parent of that, and so on; launchd is every orphan's."""
        found: list[Running] = []
        child = self._processes.describe(pid)
        while child is not None and child.parent and len(found) < DEPTH:
            child = self._processes.describe(child.parent)
            if child is not None:
                found.append(child)
        return tuple(found)

    def peer(self, port: int, peer_port: int) -> int | None:
        """For processes of this user."""
        return self._peer(port, peer_port)

    def only_admin_writes(self, path: str) -> bool | None:
        """Whether root owns it and all its folders, and only administrators may write. A list gives rights that the mode does
        not show, so with one nobody can tell. What is dragged into Applications belongs to who has dragged it."""
        if not path.startswith("/") or os.path.realpath(path) != path:
            return None
        way = (path, *map(str, PurePosixPath(path).parents))
        try:
            judged = [_only_admins(os.lstat(each)) for each in way]
            return None if any(map(self._has_list, way)) else all(judged)
        except OSError:
            return None

    def is_alive(self, pid: int, started: float) -> bool:
        """Whether it runs, and is not a later one with the same number."""
        running = self._processes.describe(pid)
        return running is not None and running.started == started


def open_facts() -> MacosFacts:
    """Those of this machine. Raises OSError elsewhere, and without PyObjC."""
    return MacosFacts(*system.fact_parts())


def _only_admins(status: os.stat_result) -> bool:
    by_group = status.st_mode & stat.S_IWGRP and status.st_gid not in ADMINISTRATORS
    return status.st_uid == ADMIN and not by_group and not status.st_mode & stat.S_IWOTH

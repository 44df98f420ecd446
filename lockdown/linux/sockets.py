"""TCP connections of this machine by /proc/net/tcp and tcp6 (proc_net(5)), and whose they are.

Whose a socket is can be seen for processes of the same user; for others it takes rights.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ESTABLISHED, LISTENING = "01", "0A"
LOOPBACKS = frozenset({"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"})
"""127.0.0.1, the same within IPv6, and ::1, as the kernel writes them on little-endian machines."""


@dataclass(frozen=True, slots=True)
class Socket:
    """One line. `from_here`: both ends are loopback addresses."""

    port: int
    peer_port: int
    from_here: bool
    state: str
    inode: str


def sockets(proc: Path) -> Iterator[Socket]:
    """All of them. Raises OSError when there is no table at all."""
    yield from map(_socket, (proc / "net" / "tcp").read_text().splitlines()[1:])
    try:
        lines = (proc / "net" / "tcp6").read_text().splitlines()[1:]
    except OSError:  # IPv6 is switched off
        return
    yield from map(_socket, lines)


def owner(inode: str, proc: Path) -> int | None:
    """The process that has it open; None when nobody can tell."""
    socket = f"socket:[{inode}]"
    pids = (int(name) for name in os.listdir(proc) if name.isdecimal())
    return next((pid for pid in pids if socket in _files(pid, proc)), None)


def _socket(line: str) -> Socket:
    fields = line.split()
    (address, port), (peer, peer_port) = (end.split(":") for end in fields[1:3])
    return Socket(int(port, 16), int(peer_port, 16), {address, peer} <= LOOPBACKS, fields[3], fields[9])


def _files(pid: int, proc: Path) -> Iterator[str]:
    """What a process has open; nothing where that is not for us to see, or it ends meanwhile."""
    try:
        with os.scandir(proc / str(pid) / "fd") as entries:
            for entry in entries:
                yield os.readlink(entry)
    except OSError:
        return

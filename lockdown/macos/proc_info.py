"""Records of the kernel about processes and sockets, by their bytes. Pure.

Source: <sys/proc_info.h> of XNU, whose records have kept their layout since Mac OS X 10.5; little-endian on all Macs of today.
"""

import struct
from dataclasses import dataclass

BSD_INFO, BSD_INFO_SIZE = 3, 136
"""PROC_PIDTBSDINFO and the size of struct proc_bsdinfo."""
SHORT_INFO, SHORT_INFO_SIZE = 13, 64
"""PROC_PIDT_SHORTBSDINFO and the size of struct proc_bsdshortinfo, which the kernel gives of other users' processes, too."""
LIST_FILES, FILE_SIZE, IS_SOCKET = 1, 8, 2
"""PROC_PIDLISTFDS, the size of struct proc_fdinfo, PROX_FDTYPE_SOCKET."""
SOCKET_INFO, SOCKET_ROOM = 3, 1024
"""PROC_PIDFDSOCKETINFO, and more room than struct socket_fdinfo takes."""
ZOMBIE = 5
"""SZOMB."""
_KIND, _PROTOCOL = 24 + 232, 24 + 240
"""soi_kind and soi_proto in struct socket_fdinfo, whose struct proc_fileinfo has 24 bytes."""
_VERSION, _FOREIGN, _LOCAL, _STATE = _PROTOCOL + 24, _PROTOCOL + 32, _PROTOCOL + 48, _PROTOCOL + 80
"""insi_vflag, insi_faddr, insi_laddr (each 16 bytes) and tcpsi_state."""
_TCP, _IPV4, _ESTABLISHED = 2, 1, 4
"""SOCKINFO_TCP, INI_IPV4, TSI_S_ESTABLISHED."""
LOOPBACKS = (bytes([127, 0, 0, 1]), bytes(15) + b"\1", bytes(10) + bytes([255, 255, 127, 0, 0, 1]))
"""127.0.0.1, ::1, and the one within the other."""


@dataclass(frozen=True, slots=True)
class Process:
    """What the kernel says of one. `started` is seconds since 1970, 0 for those of other users."""

    pid: int
    parent: int
    user: int
    name: str
    started: float = 0.0


@dataclass(frozen=True, slots=True)
class Socket:
    """An established TCP connection, both ends of which are on this computer's loopback."""

    port: int
    peer_port: int


def process_of(record: bytes) -> Process | None:
    """A struct proc_bsdinfo; None for a process that has ended, or a record of another size."""
    if len(record) != BSD_INFO_SIZE:
        return None
    status, pid, parent, user = struct.unpack_from("<4xI4xIII", record)
    seconds, microseconds = struct.unpack_from("<QQ", record, 120)
    name = _text(record[64:96]) or _text(record[48:64])
    return None if status == ZOMBIE else Process(pid, parent, user, name, seconds + microseconds / 1e6)


def other_process_of(record: bytes) -> Process | None:
    """A struct proc_bsdshortinfo."""
    if len(record) != SHORT_INFO_SIZE:
        return None
    pid, parent, status = struct.unpack_from("<II4xI", record)
    (user,) = struct.unpack_from("<I", record, 36)
    return None if status == ZOMBIE else Process(pid, parent, user, _text(record[16:32]))


def sockets_in(records: bytes) -> tuple[int, ...]:
    """The file descriptors that are sockets, of a list of struct proc_fdinfo."""
    whole = len(records) // FILE_SIZE * FILE_SIZE
    return tuple(file for file, kind in struct.iter_unpack("<iI", records[:whole]) if kind == IS_SOCKET)


def socket_of(record: bytes) -> Socket | None:
    """A struct socket_fdinfo; None for what is no such connection. Ports are in network order, in fields of four bytes."""
    if len(record) < _STATE + 4:
        return None
    (kind,), (state,) = struct.unpack_from("<i", record, _KIND), struct.unpack_from("<i", record, _STATE)
    ends = {_address(record, at) for at in (_FOREIGN, _LOCAL)} if kind == _TCP else set()
    if state != _ESTABLISHED or not ends or not ends <= set(LOOPBACKS):
        return None
    peer_port, port = struct.unpack_from(">H2xH", record, _PROTOCOL)
    return Socket(port, peer_port)


def _address(record: bytes, at: int) -> bytes:
    """An in6_addr, or an in4in6_addr, whose last four bytes count."""
    return record[at + 12 : at + 16] if record[_VERSION] & _IPV4 else record[at : at + 16]


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode(errors="replace")

"""New programs by event: the kernel's process connector (linux/cn_proc.h), where it lets us listen.

It takes the initial namespaces, and before Linux 6.6 the right CAP_NET_ADMIN; since then anybody may listen. Whether it speaks
is not guessed from any of that: it acknowledges the request, or it is not used, and the list of processes is polled. All
listeners hear each other's acknowledgements, so ours is known by a number.

Afterwards only `exec` is asked for. A kernel that cannot filter (before 6.6) ignores that second request, and one that can
filters the acknowledgement away, so it has to be the second. Without it, forks and ends come, too, and are passed over.
"""

import os
import secrets
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator
from functools import partial

HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, sequence number, port."""
MESSAGE = struct.Struct("=IIIIHH")
"""struct cn_msg: index, value, sequence number, acknowledgement, length, flags."""
EVENT = struct.Struct("=IIQII")
"""struct proc_event: what, processor, time; then, of `exec`, thread and process, and of an acknowledgement, its error."""
EVENT_AT = HEADER.size + MESSAGE.size
NETLINK_CONNECTOR = 11
PROCESSES = 1
"""CN_IDX_PROC and CN_VAL_PROC."""
LISTEN = 1
ACKNOWLEDGED = 0
EXEC = 2
NLMSG_DONE = 3
ACK_S = 0.25
BUFFER = 64 * 1024
AT_ONCE = 256
"""So many messages are read in one call: a build of software may send them without end."""


class NotTold(Exception):
    """The kernel does not tell. The text is a sentence."""


class ProcessConnector:
    """Announcements of the programs that begin. Raises NotTold where the kernel does not tell."""

    def __init__(self) -> None:
        self._socket = _opened()
        try:
            token = secrets.randbits(31)
            self._socket.sendall(request(token=token))
            self._await_acknowledgement(token)
            self._socket.sendall(request(EXEC))
        except OSError as error:
            self._socket.close()
            raise NotTold(f"The kernel does not tell of new programs ({error.strerror or error}).") from error

    def fileno(self) -> int:
        """Readable when a program began."""
        return self._socket.fileno()

    def read(self) -> frozenset[int] | None:
        """The processes that began a program; None when the kernel had to drop some."""
        try:
            return frozenset(pid for what, _, pid in self._events() if what == EXEC)
        except OSError:  # ENOBUFS: more came than the socket holds
            return None

    def close(self) -> None:
        """Listen no more; twice is harmless."""
        self._socket.close()

    def _events(self) -> Iterator[tuple[int, int, int]]:
        for datagram in self._datagrams():
            yield from parsed(datagram)

    def _datagrams(self) -> Iterator[bytes]:
        for _ in range(AT_ONCE):
            try:
                yield self._socket.recv(BUFFER)
            except BlockingIOError:
                return

    def _await_acknowledgement(self, token: int) -> None:
        """Events, and others' acknowledgements, may come before it. Raises OSError."""
        until = time.monotonic() + ACK_S
        while select.select([self._socket], [], [], max(0.0, until - time.monotonic()))[0]:
            for datagram in filter(partial(answers, token), self._datagrams()):
                for _, error, _ in parsed(datagram):
                    if error:
                        raise OSError(error, os.strerror(error))
                    return
        raise TimeoutError("no answer")


def answers(token: int, datagram: bytes) -> bool:
    """Whether this acknowledges the request that had the token."""
    if len(datagram) < EVENT_AT + EVENT.size or EVENT.unpack_from(datagram, EVENT_AT)[0] != ACKNOWLEDGED:
        return False
    return bool(MESSAGE.unpack_from(datagram, HEADER.size)[3] == token + 1)


def request(only: int | None = None, token: int = 0) -> bytes:
    """Ask for all events, or for one kind. The acknowledgement has the next number after the token."""
    wish = struct.pack("=I", LISTEN) if only is None else struct.pack("=II", LISTEN, only)
    message = MESSAGE.pack(PROCESSES, PROCESSES, 0, token, len(wish), 0) + wish
    return HEADER.pack(HEADER.size + len(message), NLMSG_DONE, 0, 0, 0) + message


def parsed(datagram: bytes) -> Iterator[tuple[int, int, int]]:
    """What happened, and the two numbers that say to whom. What is too short is passed over."""
    while len(datagram) >= EVENT_AT + EVENT.size:
        length = max(HEADER.unpack_from(datagram)[0], HEADER.size)
        what, _, _, first, second = EVENT.unpack_from(datagram, EVENT_AT)
        yield what, first, second
        datagram = datagram[(length + 3) & ~3 :]


def _opened() -> socket.socket:
    if sys.platform == "linux":
        try:
            listening = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, NETLINK_CONNECTOR)
        except OSError as error:
            raise NotTold(f"The kernel has no process connector ({error.strerror}).") from error
        listening.setblocking(False)
        try:
            listening.bind((0, PROCESSES))
        except OSError as error:
            listening.close()
            raise NotTold(f"The kernel does not tell of new programs ({error.strerror}).") from error
        return listening
    raise NotTold("Only Linux has a process connector.")

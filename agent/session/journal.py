"""What happened in a session, durable before it is acted on: one file of checked lines per session.

Each line is the CRC-32 of the rest in 8 hexadecimal digits, a space, and an entry as JSON. A line is written whole and
synchronised before `write` returns. Reading stops at the first line that does not check: a torn tail is cut, never guessed.
"""

import errno
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from secureproctor.contract.http import InitData


class Registered(msgspec.Struct, frozen=True, tag="registered"):
    """A session was registered: what Init answered, and which service it was. The file is the user's own (0600)."""

    data: InitData
    service_url: str
    at_ms: int


class Started(msgspec.Struct, frozen=True, tag="started"):
    """Start was called. `origin_us` is the boot clock then: where the session clock is 0."""

    origin_us: int
    at_ms: int
    boot: str = ""


class StateEntered(msgspec.Struct, frozen=True, tag="state"):
    """The session entered a state. `at_us` is session time, None before Start."""

    state: str
    at_ms: int
    at_us: int | None = None
    reason: str = ""


class CommandMoved(msgspec.Struct, frozen=True, tag="command"):
    """A proctor command came to a status. The last entry of an id is its outcome."""

    id: str
    kind: str
    status: str
    at_ms: int
    by: str = ""
    reason: str = ""


class AcknowledgementSwitched(msgspec.Struct, frozen=True, tag="automatic"):
    """The page switched Enable Auto Acknowledgement."""

    enabled: bool


Entry = Registered | Started | StateEntered | CommandMoved | AcknowledgementSwitched


class Journal:
    """An open journal file. Use it as a context manager, or close it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self._cut_torn_tail()
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)

    def write(self, entry: Entry) -> None:
        """Append an entry; it is on the disk when this returns. Raises OSError; then nothing of it stays."""
        line = _line(entry)
        if (taken := os.write(self._file, line)) < len(line):  # a disk that fills up takes a part, without an error
            os.ftruncate(self._file, os.fstat(self._file).st_size - taken)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(self._file)

    def close(self) -> None:
        """Close the file; twice is harmless."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _cut_torn_tail(self) -> None:
        if not self.path.exists():
            return
        whole = sum(len(_line(entry)) for entry in read(self.path))
        if whole < self.path.stat().st_size:
            os.truncate(self.path, whole)


def read(path: Path) -> Iterator[Entry]:
    """The entries of a journal, up to the first line that does not check."""
    for line in path.read_bytes().splitlines(keepends=True):
        text = line[9:].rstrip(b"\n")
        if not line.endswith(b"\n") or line[:8] != b"%08x" % zlib.crc32(text):
            return
        yield msgspec.json.decode(text, type=Entry)


def _line(entry: Entry) -> bytes:
    text = msgspec.json.encode(entry)
    return b"%08x %b\n" % (zlib.crc32(text), text)

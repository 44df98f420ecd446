"""Where sealed records wait for the service: one file a record, in one folder a session.

Invariants:
- A record is in the spool from `append` until `acknowledge`, and nothing else removes it but `purge` of a whole session
  past its retention time.
- A file that has its final name is whole: it was written under another name, synchronised, and renamed.
- The name says stream, epoch and seq, so that the folder alone is the index; nothing has to be rebuilt after a crash.
- A disk that takes nothing more does not end the session: the record is kept in memory, up to MEMORY_LIMIT bytes, and
  delivered from there. `trouble` says so for as long as it lasts.

Everything in it is sealed for the service (contract/record.py); the agent itself cannot open it again.
"""

import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from secureproctor.agent.delivery.sealer import Sealed
from secureproctor.agent.durable import save
from secureproctor.contract.record import RecordKind
from secureproctor.contract.streams import Stream

log = logging.getLogger(__name__)

SUFFIX = ".record"
UNFINISHED = ".part"
MEMORY_LIMIT = 64 * 1024 * 1024

Key = tuple[Stream, int, int]


class SpoolFull(OSError):
    """Neither the disk nor the memory takes the record."""


@dataclass(slots=True)
class Spool:
    """The spool of one session. `append` may run in one other thread than everything else."""

    folder: Path
    sizes: dict[Key, int] = field(default_factory=dict)
    memory: dict[Key, bytes] = field(default_factory=dict)
    trouble: str = ""

    def open(self) -> "Spool":
        """Make the folder, remove what was never finished, and find what waits. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in self.folder.iterdir():
            if path.suffix == UNFINISHED:
                path.unlink(missing_ok=True)
            elif (key := _key(path)) is not None:
                self.sizes[key] = path.stat().st_size
        return self

    def append(self, sealed: Sealed) -> None:
        """Take a record. It is durable when this returns, unless `trouble` says otherwise. Raises SpoolFull."""
        key = sealed.header.key
        try:
            self._write(self._path(key), sealed.data)
            self.trouble = ""
        except OSError as error:
            self.trouble = error.strerror or str(error)
            bulky = sealed.header.kind is RecordKind.MEDIA  # without its init record an epoch is worth nothing
            if bulky and sum(map(len, self.memory.values())) + len(sealed.data) > MEMORY_LIMIT:
                raise SpoolFull(self.trouble) from error
            self.memory[key] = sealed.data
        self.sizes[key] = len(sealed.data)

    def oldest(self, stream: Stream) -> Iterator[Key]:
        """What waits of a stream, oldest first."""
        # list(dict) is one step for the interpreter, so that an append in the other thread cannot come between
        return iter(sorted(key for key in list(self.sizes) if key[0] is stream))

    def read(self, key: Key) -> bytes:
        """A record's bytes. Raises OSError when the file is gone or unreadable."""
        held = self.memory.get(key)
        return self._path(key).read_bytes() if held is None else held

    def acknowledge(self, key: Key) -> None:
        """The service has it; twice is harmless. A file that cannot be removed is offered again by the next agent."""
        self.memory.pop(key, None)
        self.sizes.pop(key, None)
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as error:
            log.warning("a delivered record cannot be removed: %s", error.strerror)

    @property
    def waiting(self) -> tuple[int, int]:
        """Records and bytes that wait."""
        sizes = list(self.sizes.values())
        return len(sizes), sum(sizes)

    def purge(self) -> None:
        """Remove the whole session's folder."""
        self.sizes.clear()
        self.memory.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, key: Key) -> Path:
        stream, epoch, seq = key
        return self.folder / f"{stream}-{epoch:06d}-{seq:010d}{SUFFIX}"

    def _write(self, path: Path, data: bytes) -> None:
        save(path, data)


def _key(path: Path) -> Key | None:
    try:
        stream, epoch, seq = path.name.removesuffix(SUFFIX).split("-")
        return Stream(stream), int(epoch), int(seq)
    except ValueError:  # somebody else's file
        return None

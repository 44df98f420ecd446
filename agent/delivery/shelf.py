"""The files of a spool: how each is named, and how it comes, is read, goes. What is done when, spool.py decides.

    screen-000002-0000000017.record           a record that waits: stream, epoch, seq
    screen-000002-0000000017.record.part      one that was being written; of no worth after a crash
    screen-000002-0000000003.HASH.dropped     one that was given up: its header, and in the name the hash of what it was
    aside/screen-000001-0000000009.record     one that the service refuses for good

The name alone is the index. Names are compared as they are written: what only resembles one is somebody else's file and is
left alone, and so is everything that is no regular file. The folder is the candidate's, so that nothing in it is trusted:
no link is followed, no pipe waited for, and of no file more is read than a record can have.

A record is given up without asking for space, which is just what there is none of: the file is renamed, its hash in the new
name, and then cut off behind its header. A crash between the two leaves it with its body until it is told (`dropped`).
"""

import contextlib
import errno
import os
import re
import shutil
import stat
from array import array
from dataclasses import dataclass, field
from pathlib import Path

from secureproctor.agent.delivery.examine import HEAD_BYTES, head_length, peek
from secureproctor.agent.delivery.runs import Sizes
from secureproctor.agent.delivery.waiting import Key, place
from secureproctor.agent.durable import save
from secureproctor.contract.record import MAX_BODY, OVERHEAD, Header, record_hash
from secureproctor.contract.streams import Stream

UNFINISHED = ".part"
ASIDE = "aside"
LONGEST = HEAD_BYTES + MAX_BODY + OVERHEAD

_STREAMS = {stream.value: stream for stream in Stream}
_STEM = rf"({'|'.join(Stream)})-(\d{{6}}|[1-9]\d{{6,8}})-(\d{{10}}|[1-9]\d{{10,18}})"
_RECORD = re.compile(_STEM + r"\.record", re.ASCII)
_DROPPED = re.compile(_STEM + r"\.([0-9a-f]{64})\.dropped", re.ASCII)
_SAFELY: int = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)  # the first two are unknown to Windows, which has no pipes in folders; the third is known to it alone


class Gone(FileNotFoundError):
    """The file of a record is not there."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A record that was given up: its header, and the hash by which the next one of its stream names it."""

    header: Header
    hash: bytes


@dataclass(slots=True)
class Found:
    """What lies in the folder. `strangers` counts the entries that are none of a spool's."""

    seqs: dict[tuple[Stream, int], "array[int]"] = field(default_factory=dict)
    sizes: dict[Stream, Sizes] = field(default_factory=lambda: {stream: Sizes() for stream in Stream})
    dropped: dict[Key, bytes] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    aside: int = 0
    strangers: int = 0

    def record(self, key: Key, size: int) -> None:
        """A record of that size."""
        stream, epoch, seq = key
        self.seqs.setdefault((stream, epoch), array("Q")).append(seq)
        self.sizes[stream].put(place(epoch, seq), size)


@dataclass(frozen=True, slots=True)
class Shelf:
    """One session's folder of records. Every method raises OSError as the disk does."""

    folder: Path

    def open(self) -> Found:
        """Make the folder, remove what was never finished, and find the rest."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self._found()
        for name in found.unfinished:
            with contextlib.suppress(OSError):  # a folder that cannot be written can still be delivered from
                (self.folder / name).unlink()
        return found

    def write(self, key: Key, data: bytes) -> None:
        """Durable, and whole, when this returns; nothing of it is there when it raises. A vanished folder is made again."""
        try:
            save(self.path(key), data)
        except FileNotFoundError:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            save(self.path(key), data)

    def read(self, key: Key) -> bytes:
        """A record's bytes, one more than LONGEST of a file that cannot be one. Raises Gone, OSError."""
        return self._read(self.path(key), LONGEST + 1)

    def head(self, key: Key) -> Header:
        """A record's header. Raises Gone, OSError, RecordError."""
        return peek(self._read(self.path(key), HEAD_BYTES))

    def remove(self, key: Key) -> None:
        """Gone when this returns, though a power cut may bring it back; twice is harmless."""
        self.path(key).unlink(missing_ok=True)

    def set_aside(self, key: Key) -> None:
        """Keep a record where it is not offered again; beside what was set aside under its name before. Raises Gone."""
        self.path(key).replace(self._free_aside(key))

    def write_aside(self, key: Key, data: bytes) -> None:
        """As `set_aside`, for a record that never was on the disk."""
        save(self._free_aside(key), data)

    def give_up(self, key: Key, data: bytes) -> Dropped:
        """Give a record up, whose bytes these are; its header and hash stay until `forget`."""
        dropped = Dropped(peek(data), record_hash(data))
        grave = self._grave(key, dropped.hash)
        self.path(key).replace(grave)
        os.truncate(grave, head_length(data))
        return dropped

    def dropped(self, key: Key, digest: bytes) -> Dropped:
        """One that was given up. Raises Gone, OSError, RecordError."""
        grave = self._grave(key, digest)
        head = self._read(grave, HEAD_BYTES)
        dropped = Dropped(peek(head), digest)
        os.truncate(grave, head_length(head))
        return dropped

    def forget(self, key: Key, digest: bytes) -> None:
        """Remove what is left of one that was given up."""
        self._grave(key, digest).unlink(missing_ok=True)

    def purge(self) -> None:
        """Remove the folder and all that is in it, as far as that is possible."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, key: Key) -> Path:
        """Where a record lies."""
        return self.folder / f"{_stem(key)}.record"

    def _grave(self, key: Key, digest: bytes) -> Path:
        return self.folder / f"{_stem(key)}.{digest.hex()}.dropped"

    def _free_aside(self, key: Key) -> Path:
        aside = self.folder / ASIDE
        aside.mkdir(mode=0o700, parents=True, exist_ok=True)
        path, again = aside / f"{_stem(key)}.record", 0
        while path.exists():
            again += 1
            path = aside / f"{_stem(key)}.record.{again}"
        return path

    def _read(self, path: Path, limit: int) -> bytes:
        try:
            descriptor = os.open(path, _SAFELY)
        except FileNotFoundError as error:
            raise Gone(error.errno, error.strerror) from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "it is not a regular file")
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(limit)
        finally:
            os.close(descriptor)

    def _found(self) -> Found:
        found = Found()
        with os.scandir(self.folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # somebody removed it between two steps
                    _classify(entry, found)
        with contextlib.suppress(OSError):  # there is none
            found.aside = sum(_RECORD.match(name) is not None for name in os.listdir(self.folder / ASIDE))
        return found


def _classify(entry: os.DirEntry[str], found: Found) -> None:
    if (match := _RECORD.fullmatch(entry.name)) and entry.is_file(follow_symlinks=False):
        found.record(_key(match), min(entry.stat(follow_symlinks=False).st_size, LONGEST))
    elif match := _DROPPED.fullmatch(entry.name):
        found.dropped[_key(match)] = bytes.fromhex(match[4])
    elif entry.name.endswith(UNFINISHED) and _RECORD.fullmatch(entry.name.removesuffix(UNFINISHED)):
        found.unfinished.append(entry.name)
    elif entry.name != ASIDE:
        found.strangers += 1


def _key(match: re.Match[str]) -> Key:
    return _STREAMS[match[1]], int(match[2]), int(match[3])


def _stem(key: Key) -> str:
    stream, epoch, seq = key
    return f"{stream}-{epoch:06d}-{seq:010d}"

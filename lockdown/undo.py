"""The before-images of the rules that are applied: on the disk before anything is changed, until it has been put back.

    <rule>.json      {"crc32": "...", "kept": {schema, order, rule, place, pid, boot, wall_ms, image}}
    aside/           files that could not be read: kept, told, and in nobody's way
    holder           who is answerable now (holding.py)

A file is written beside its place, synchronised, renamed, and the folder synchronised: it is there whole, or not at all. What
was there before an exam is never overwritten by what is there during one: a rule that still has an image keeps the older.
Only the holder of the folder writes here. Files are for this user only (0600 in a folder of 0700).
"""

import contextlib
import functools
import logging
import os
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.rule import Image

log = logging.getLogger(__name__)

SCHEMA = 1
ASIDE = "aside"


class StillKept(OSError):
    """The rule has a before-image that is not restored yet; another one would make it forget what was there."""


class Kept(msgspec.Struct, frozen=True):
    """What a file says. `order` counts up within a folder; `boot` names the time since the system was started, if it tells."""

    schema: int
    order: int
    rule: RuleId
    place: str
    pid: int
    boot: str
    wall_ms: int
    image: Image


class _File(msgspec.Struct, frozen=True):
    crc32: str
    kept: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Left:
    """A rule that is not restored yet: its before-image, the place (Place.name) and process that applied it, and when."""

    rule: RuleId
    image: Image
    place: str
    pid: int
    wall_ms: int
    order: int = 0
    boot: str = ""


@dataclass(frozen=True, slots=True)
class Undo:
    """The before-images of a folder. `place` is written into those that are kept."""

    folder: Path
    place: str = ""
    wall: Callable[[], float] = time.time

    def keep(self, rule: RuleId, image: Image) -> None:
        """Make a before-image durable. Raises StillKept, and OSError when the disk does not take it."""
        path = self._path(rule)
        if path.exists():
            raise StillKept(f"{rule} has not been restored yet")
        order = max((each.order for each in self.left()), default=0) + 1
        wall_ms = round(self.wall() * 1000)
        _save(path, _encoded(Kept(SCHEMA, order, rule, self.place, os.getpid(), boot_id(), wall_ms, image)))

    def left(self) -> tuple[Left, ...]:
        """What is not restored yet, oldest first. A file that cannot be read is put aside on the way."""
        found = sorted(filter(None, map(self._read, self.files())), key=lambda kept: kept.order)
        return tuple(Left(k.rule, k.image, k.place, k.pid, k.wall_ms, k.order, k.boot) for k in found)

    def forget(self, rule: RuleId) -> None:
        """The rule has been restored. Without an image, nothing happens. Raises OSError."""
        path = self._path(rule)
        if path.exists():
            path.unlink()
            _sync_folder(self.folder)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to restore; asks for the names only."""
        return not self.files()

    @property
    def aside(self) -> tuple[Path, ...]:
        """The files that could not be understood."""
        return tuple(sorted((self.folder / ASIDE).glob("*")))

    def _path(self, rule: RuleId) -> Path:
        return self.folder / f"{rule}.json"

    def files(self) -> list[Path]:
        """The files of what is not restored yet, readable or not."""
        return sorted(self.folder.glob("*.json"))

    def _read(self, path: Path) -> Kept | None:
        """None: damaged, and put aside; or the disk does not give it now, and it stays where it is."""
        try:
            kept = _decoded(path.read_bytes(), path.stem)
            if kept is None:
                self._put_aside(path)
        except OSError as error:
            log.error("%s cannot be read now, and stays: %s", path, error)
            return None
        return kept

    def _put_aside(self, path: Path) -> None:
        """Out of the way, so that the rule can be used again; never over another one."""
        (self.folder / ASIDE).mkdir(mode=0o700, exist_ok=True)
        number = len(self.aside)
        while (to := self.folder / ASIDE / f"{path.stem}-{number}.json").exists():
            number += 1
        path.rename(to)
        log.error("a before-image cannot be understood; it is kept as %s", to)


def _encoded(kept: Kept) -> bytes:
    body = msgspec.json.encode(kept)
    return msgspec.json.encode(_File(f"{zlib.crc32(body):08x}", msgspec.Raw(body)))


def _decoded(data: bytes, rule: str) -> Kept | None:
    """What the file of a rule says; None when it is damaged, or of a later version."""
    try:
        file = msgspec.json.decode(data, type=_File)
        kept = msgspec.json.decode(file.kept, type=Kept)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    whole = f"{zlib.crc32(file.kept):08x}" == file.crc32
    return kept if whole and kept.schema == SCHEMA and kept.rule == rule else None


def _save(path: Path, data: bytes) -> None:
    part = path.with_suffix(".part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    except OSError:
        for written in (part, path):  # what is not durable is not kept: nothing has been changed yet
            with contextlib.suppress(OSError):
                written.unlink(missing_ok=True)
        raise


if sys.platform == "win32":

    def _sync_folder(folder: Path) -> None:
        """NTFS journals a rename; a folder cannot be opened for synchronising."""

else:

    def _sync_folder(folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@functools.cache
def boot_id() -> str:
    """What this boot has and no other one; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""

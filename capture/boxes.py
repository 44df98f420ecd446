"""The few boxes of fragmented MP4 (ISO/IEC 14496-12) that have to be understood to cut a stream into segments. Pure.

libavformat numbers the samples of a file from its own first sample, and it tells nobody when a fragment ends. So the byte
stream is split here at box boundaries, the times of a fragment are read from the fragment itself (they cannot disagree
with what a player sees), and its tfdt is moved onto the session clock.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_CONTAINERS = frozenset({b"moof", b"traf"})
_INIT_ENDS = b"moov"
_FRAGMENT_ENDS = b"mdat"

# flags of tfhd (8.8.7) and trun (8.8.8)
_BASE_OFFSET, _DESCRIPTION, _DEFAULT_DURATION = 0x01, 0x02, 0x08
_DATA_OFFSET, _FIRST_FLAGS, _DURATION, _SIZE, _FLAGS, _COMPOSITION = 0x001, 0x004, 0x100, 0x200, 0x400, 0x800


class BoxSplitter:
    """Takes a byte stream in pieces of any size; gives back whole runs of boxes: ftyp+moov, then each moof+mdat."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._run = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The runs that `data` completes, in order."""
        self._pending += data
        while (size := self._whole_box()) > 0:
            kind = bytes(self._pending[4:8])
            self._run += self._pending[:size]
            del self._pending[:size]
            if kind in (_INIT_ENDS, _FRAGMENT_ENDS):
                run = bytes(self._run)
                self._run.clear()
                yield run

    def _whole_box(self) -> int:
        """The size of the first pending box, or 0 while it is incomplete."""
        if len(self._pending) < 8:
            return 0
        size: int = struct.unpack_from(">I", self._pending)[0]
        if size == 1:  # 64-bit size follows the type
            if len(self._pending) < 16:
                return 0
            size = struct.unpack_from(">Q", self._pending, 8)[0]
        if size < 8:  # 0 means "to the end of the file", which a stream in pieces cannot honour
            raise ValueError(f"box of size {size}")
        return size if len(self._pending) >= size else 0


@dataclass(frozen=True, slots=True)
class Timing:
    """When a fragment plays, in ticks of its track: decode time of its first sample, length, number of samples."""

    base: int
    duration: int
    samples: int


def walk(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(type, offset of the content, offset of the end) of each box; goes into moof and traf."""
    offset = 0
    stop = len(data)
    while offset < stop:
        size, kind = struct.unpack_from(">I4s", data, offset)
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", data, offset + 8)[0], 16
        yield kind, offset + head, offset + size
        offset += head if kind in _CONTAINERS else size


def timing(fragment: bytes) -> Timing:
    """Reads tfdt and trun of a fragment that holds one track."""
    base = duration = samples = default = 0
    for kind, start, _ in walk(fragment):
        if kind == b"tfhd":
            default = _default_duration(fragment, start)
        elif kind == b"tfdt":
            base = _read_tfdt(fragment, start)
        elif kind == b"trun":
            count, length = _read_trun(fragment, start, default)
            samples += count
            duration += length
    return Timing(base, duration, samples)


def shifted(fragment: bytes, ticks: int) -> bytes:
    """The same fragment, its samples `ticks` later. libavformat always writes version 1 of tfdt (64 bits)."""
    moved = bytearray(fragment)
    for kind, start, _ in walk(fragment):
        if kind == b"tfdt":
            if fragment[start] != 1:
                raise ValueError("a 32-bit tfdt cannot hold session time")
            struct.pack_into(">Q", moved, start + 4, _read_tfdt(fragment, start) + ticks)
    return bytes(moved)


def _read_tfdt(data: bytes, start: int) -> int:
    form = ">Q" if data[start] == 1 else ">I"
    value: int = struct.unpack_from(form, data, start + 4)[0]
    return value


def _default_duration(data: bytes, start: int) -> int:
    flags: int = struct.unpack_from(">I", data, start)[0] & 0xFFFFFF
    if not flags & _DEFAULT_DURATION:
        return 0
    offset = start + 8 + 8 * bool(flags & _BASE_OFFSET) + 4 * bool(flags & _DESCRIPTION)
    value: int = struct.unpack_from(">I", data, offset)[0]
    return value


def _read_trun(data: bytes, start: int, default: int) -> tuple[int, int]:
    """(number of samples, their length in ticks)."""
    word, count = struct.unpack_from(">II", data, start)
    flags = word & 0xFFFFFF
    if not flags & _DURATION:
        return count, count * default
    first = start + 8 + 4 * bool(flags & _DATA_OFFSET) + 4 * bool(flags & _FIRST_FLAGS)
    stride = 4 * sum(bool(flags & field) for field in (_DURATION, _SIZE, _FLAGS, _COMPOSITION))
    return count, sum(struct.unpack_from(">I", data, first + i * stride)[0] for i in range(count))

"""Which records wait, in which order, and how many bytes they have: the spool's index, in memory. Pure.

A stream's records are ordered by epoch and seq. Both make one number, the epoch above and the seq in the 64 bits below, so
that what waits of a stream is one set of runs over all of its epochs, and the next record is found without a search.
"""

import threading
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from secureproctor.agent.delivery.runs import Runs, Sizes
from secureproctor.contract.streams import Stream

Key = tuple[Stream, int, int]
"""What names a record within its session: stream, epoch, seq."""

SEQ_BITS = 64


def place(epoch: int, seq: int) -> int:
    """Where a record stands in its stream, as one number."""
    return epoch << SEQ_BITS | seq


@dataclass(slots=True)
class _Line:
    """What waits of one stream."""

    runs: Runs = field(default_factory=Runs)
    sizes: Sizes = field(default_factory=Sizes)


@dataclass(slots=True)
class Waiting:
    """The keys that wait. Every method may be called from any thread; none does any input or output."""

    _lines: dict[Stream, _Line] = field(default_factory=lambda: {stream: _Line() for stream in Stream})
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __contains__(self, key: Key) -> bool:
        stream, epoch, seq = key
        with self._lock:
            return place(epoch, seq) in self._lines[stream].runs

    def put(self, key: Key, size: int) -> None:
        """It waits from now on."""
        stream, epoch, seq = key
        with self._lock:
            self._lines[stream].runs.add(place(epoch, seq))
            self._lines[stream].sizes.put(place(epoch, seq), size)

    def take(self, key: Key) -> int | None:
        """It waits no longer; how many bytes it has, None when it did not wait."""
        stream, epoch, seq = key
        with self._lock:
            size = self._lines[stream].sizes.take(place(epoch, seq))
            return size if self._lines[stream].runs.discard(place(epoch, seq)) else None

    def from_(self, stream: Stream, epoch: int = 0, seq: int = 0) -> Iterator[Key]:
        """What waits from that place on, oldest first. Lazy: it follows what comes and goes between two steps."""
        at = place(epoch, seq)
        while (found := self._from(stream, at)) is not None:
            yield stream, found >> SEQ_BITS, found & (1 << SEQ_BITS) - 1
            at = found + 1

    def totals(self) -> tuple[int, int]:
        """Records and bytes."""
        with self._lock:
            lines = self._lines.values()
            return sum(len(line.runs) for line in lines), sum(line.sizes.total for line in lines)

    def found(self, seqs: Mapping[tuple[Stream, int], "array[int]"], sizes: Mapping[Stream, Sizes]) -> None:
        """Begin with what is on the disk: the seqs of each stream's epoch in any order, and the sizes by place."""
        with self._lock:
            for stream in Stream:
                epochs = sorted(epoch for of, epoch in seqs if of is stream)
                runs = Runs.of(place(epoch, seq) for epoch in epochs for seq in sorted(seqs[stream, epoch]))
                self._lines[stream] = _Line(runs, sizes.get(stream, Sizes()))

    def clear(self) -> None:
        """Nothing waits."""
        self.found({}, {})

    def _from(self, stream: Stream, at: int) -> int | None:
        with self._lock:
            return self._lines[stream].runs.from_(at)

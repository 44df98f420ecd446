"""Numbers that come nearly without holes, kept as runs: memory goes by the holes, not by how many there are. Pure.

What waits of a stream is such a set: records are numbered one after the other, and leave in nearly the same order. A night
of backlog is one run; a live lane that sends the newest first, or records that were set aside, make a few more.

`Sizes` holds what cannot be told by two ends: four bytes a number, in pages that go when they are empty.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

PAGE_BITS = 8
_PAGE = 1 << PAGE_BITS
LARGEST = 0xFFFF_FFFF
"""The largest size that is told exactly; a record has at most 32 MiB."""


@dataclass(slots=True)
class Runs:
    """A set of whole numbers. Each call costs O(log runs), but for a run that begins or ends: that moves a list's tail."""

    _firsts: list[int] = field(default_factory=list)
    _lasts: list[int] = field(default_factory=list)
    _count: int = 0

    @classmethod
    def of(cls, ascending: Iterable[int]) -> "Runs":
        """The set of numbers that come in ascending order, without repetition."""
        runs = cls()
        for number in ascending:
            runs._append(number)
        return runs

    def __len__(self) -> int:
        return self._count

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number)
        return at > 0 and number <= self._lasts[at - 1]

    def __iter__(self) -> Iterator[int]:
        for first, last in zip(self._firsts, self._lasts, strict=True):
            yield from range(first, last + 1)

    @property
    def holes(self) -> int:
        """How many runs there are: what the set costs."""
        return len(self._firsts)

    def from_(self, number: int) -> int | None:
        """The least member that is not less than `number`."""
        at = bisect_right(self._firsts, number)
        if at and number <= self._lasts[at - 1]:
            return number
        return self._firsts[at] if at < len(self._firsts) else None

    def add(self, number: int) -> bool:
        """Take a number in; False when it was in."""
        if number in self:
            return False
        at = bisect_right(self._firsts, number)
        ends = at > 0 and self._lasts[at - 1] == number - 1
        begins = at < len(self._firsts) and self._firsts[at] == number + 1
        match ends, begins:
            case True, True:
                del self._firsts[at]
                del self._lasts[at - 1]
            case True, False:
                self._lasts[at - 1] = number
            case False, True:
                self._firsts[at] = number
            case _:
                self._firsts.insert(at, number)
                self._lasts.insert(at, number)
        self._count += 1
        return True

    def discard(self, number: int) -> bool:
        """Take a number out; False when it was not in."""
        if number not in self:
            return False
        at = bisect_right(self._firsts, number) - 1
        match self._firsts[at] == number, self._lasts[at] == number:
            case True, True:
                del self._firsts[at], self._lasts[at]
            case True, False:
                self._firsts[at] = number + 1
            case False, True:
                self._lasts[at] = number - 1
            case _:
                self._firsts.insert(at + 1, number + 1)
                self._lasts.insert(at, number - 1)
        self._count -= 1
        return True

    def _append(self, number: int) -> None:
        if self._lasts and self._lasts[-1] == number - 1:
            self._lasts[-1] = number
        else:
            self._firsts.append(number)
            self._lasts.append(number)
        self._count += 1


@dataclass(slots=True)
class Sizes:
    """A size for each of some numbers, and their total; larger ones than LARGEST count as LARGEST."""

    total: int = 0
    _pages: "dict[int, array[int]]" = field(default_factory=dict)

    def put(self, number: int, size: int) -> None:
        """Set the size of a number."""
        page = self._pages.get(number >> PAGE_BITS)
        if page is None:
            page = self._pages[number >> PAGE_BITS] = array("I", bytes(4 * _PAGE))
        at, size = number % _PAGE, min(size, LARGEST)
        self.total += size - page[at]
        page[at] = size

    def take(self, number: int) -> int:
        """Remove a number's size and return it; 0 where there is none."""
        page = self._pages.get(number >> PAGE_BITS)
        if page is None:
            return 0
        at = number % _PAGE
        size, page[at] = page[at], 0
        self.total -= size
        if not any(page):
            del self._pages[number >> PAGE_BITS]
        return size

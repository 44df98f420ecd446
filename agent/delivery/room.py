"""How much the spool may still take, and what gives way when that runs short. Pure but for asking the disk.

Room is what is left of the quota, or of the disk above the floor, whichever is less. The floor is the space that the
computer itself needs, and the session's journal; of a small disk only a share of it is kept, or nothing would be left.

Quality gives way first, by the table RUNGS: a rung is stepped on when the room would not last its time at the present rate
of writing, or is less than its share of all that the spool could have. It is left when twice as much is there, judged by
the rate of the *better* quality as last measured; otherwise a lower rate alone would make the room look long enough again.

When there is no room at all, the spool gives evidence up (spool.py), and here is counted how much that has to be: never
more than it takes in. A disk that others fill below the floor costs evidence at the rate at which it is made, not at once.
"""

import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from secureproctor.agent.clock import boot_us

Level = Literal["full", "reduced", "least"]

GIB = 1024**3
QUOTA_BYTES = 16 * GIB
FLOOR_BYTES = GIB
FLOOR_SHARE = 1 / 20
"""The most that the floor takes of a disk."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A quality, and when it is stepped down to: the room lasts less than that many seconds, or is less than that share."""

    level: Level
    lasts_s: float
    share: float


RUNGS: tuple[Rung, ...] = (Rung("reduced", 15 * 60, 0.10), Rung("least", 5 * 60, 0.03))
"""From better to worse, below "full"."""
EASE = 2.0
"""How much more of both it takes to step up again."""
REFUSED_US = 60_000_000
"""For so long after the disk refused a record, what it says about its free space is not believed."""


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write. Raises OSError."""
    return shutil.disk_usage(folder).free


def total_bytes(folder: Path) -> int:
    """The size of the disk. Raises OSError."""
    return shutil.disk_usage(folder).total


@dataclass(slots=True)
class Rate:
    """Bytes a second, over about the last minute: each byte fades with its age."""

    fades_s: float = 60.0
    least_age_s: float = 10.0
    """A rate measured for a shorter time is none yet."""
    _faded: float = 0.0
    _since_us: int | None = None
    _at_us: int = 0

    def add(self, size: int, now_us: int) -> None:
        """That many bytes were written now. The first only starts the clock: over what time they were made is not known."""
        if self._since_us is None:
            self._since_us = self._at_us = now_us
            return
        self._faded = self._faded_at(now_us) + size
        self._at_us = max(self._at_us, now_us)

    def per_s(self, now_us: int) -> float | None:
        """The rate; None while it is not known."""
        age_s = 0.0 if self._since_us is None else (now_us - self._since_us) / 1e6
        if age_s < self.least_age_s:
            return None
        # the weight of all the seconds that were measured: fades_s in the long run, less at the beginning
        return self._faded_at(now_us) / (self.fades_s * -math.expm1(-age_s / self.fades_s))

    def _faded_at(self, now_us: int) -> float:
        return self._faded * math.exp(-max(0, now_us - self._at_us) / 1e6 / self.fades_s)


@dataclass(slots=True)
class Room:
    """The room of one spool. `free` and `total` ask the disk; `clock` gives microseconds and is never set back."""

    quota_bytes: int = QUOTA_BYTES
    floor_bytes: int = FLOOR_BYTES
    free: Callable[[Path], int] = free_bytes
    total: Callable[[Path], int] = total_bytes
    clock: Callable[[], int] = boot_us
    rungs: tuple[Rung, ...] = RUNGS
    dropping: bool = False
    """Evidence is being given up, or was until just now."""
    rate: Rate = field(default_factory=Rate)
    _at: int = 0
    _rates: dict[int, float] = field(default_factory=dict)
    _credit: int = 0
    _refused_us: int | None = None

    @property
    def level(self) -> Level:
        """The quality to capture with."""
        return self.rungs[self._at - 1].level if self._at else "full"

    def usable(self, folder: Path, spooled: int) -> int:
        """Bytes that may still be written; negative when others have taken what is to be kept free."""
        left = self.quota_bytes - spooled
        try:
            floor = min(self.floor_bytes, int(self.total(folder) * FLOOR_SHARE))
            return min(left, self.free(folder) - floor)
        except OSError:  # the folder vanished: writing will tell
            return left

    def lacking(self, size: int, usable: int) -> int:
        """Bytes to give up before a record of that size is written; not more than it takes, and has not been paid for."""
        return max(0, min(size - usable, size - self._credit))

    def took(self, size: int, lacked: bool) -> None:
        """A record was written, for which something had to give way or not."""
        self.rate.add(size, self.clock())
        self._credit = max(0, self._credit - size) if lacked else 0

    def gave_up(self, size: int) -> None:
        """Evidence of that size was given up, or 0: none was left to give up, and a new record was refused."""
        self._credit += size
        self.dropping = True
        self.refused()

    def refused(self) -> None:
        """The disk took a record no more, whatever it says about its free space."""
        self._refused_us = self.clock()

    def status(self, usable: int) -> tuple[int, float | None]:
        """Bytes usable, and for how many seconds they last at the present rate; None when that is not known."""
        usable = 0 if self._is_refused() else max(0, usable)
        rate = self.rate.per_s(self.clock())
        return usable, usable / rate if rate is not None and rate >= 1 else None

    def judge(self, usable: int, spooled: int) -> None:
        """Step down or up."""
        now = self.rate.per_s(self.clock())
        if now is not None:
            self._rates[self._at] = now
        usable, _ = self.status(usable)
        share = usable / (usable + spooled) if usable else 0.0
        self._at = max((at for at in range(1, len(self.rungs) + 1) if self._holds(at, usable, share)), default=0)
        self.dropping = self.dropping and self._at == len(self.rungs)

    def _holds(self, at: int, usable: int, share: float) -> bool:
        """Whether a rung is to be stood on: easily stepped on only from above it."""
        rung, ease = self.rungs[at - 1], EASE if self._at >= at else 1.0
        rate = self._rates.get(self._at, 0.0)
        if self._at >= at:
            rate = max([rate, *(self._rates.get(better, 0.0) for better in range(at))])
        return usable < rung.lasts_s * ease * rate or share < rung.share * ease

    def _is_refused(self) -> bool:
        return self._refused_us is not None and self.clock() - self._refused_us < REFUSED_US

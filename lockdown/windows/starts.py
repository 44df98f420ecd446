"""What programs were started, for the census: Windows tells a plain user of none, so the list is compared, and windows betray.

The kernel makes the list with all threads of all processes, which takes a millisecond: it is read about three times a second
and not more often. A program that shows a window is known at once. A process never becomes another program on Windows, but in
its first moments it may have no path yet: it is announced twice.
"""

import time
from collections.abc import Callable

from secureproctor.lockdown.readings import Processes
from secureproctor.lockdown.rules.census import Census
from secureproctor.lockdown.windows.api import Notice, Windows

EVERY_S = 0.35
STALE_S = 3.0
"""A list that old is of a time when nobody listened."""


class Starts:
    """Announcements, and the census that hears them. It is `Watching`, and takes notices."""

    def __init__(self, processes: Processes, windows: Windows, clock: Callable[[], float] = time.monotonic) -> None:
        self._processes, self._windows, self._clock = processes, windows, clock
        self._known: frozenset[int] = frozenset()
        self._new: frozenset[int] = frozenset()
        self._again: frozenset[int] = frozenset()
        self._looked_at = float("-inf")
        self.census = Census(processes, clock, self)

    def read(self) -> frozenset[int] | None:
        """What began since the last call."""
        new, self._new = self._new, frozenset()
        return new

    def fileno(self) -> int:
        """None."""
        return -1

    @property
    def period_s(self) -> float | None:
        """While somebody listens to the census."""
        return None if self.census.period_s is None else EVERY_S

    def react(self) -> None:
        """Compare the list with the last one."""
        pids, now = self._processes.pids(), self._clock()
        begins = now - self._looked_at > STALE_S
        come = frozenset[int]() if begins else pids - self._known
        self._new |= self._again | come
        self._known, self._again, self._looked_at = pids, come, now
        if begins or self._new:
            self.census.react()

    def notice(self, notice: Notice) -> None:
        """A window is shown, perhaps of a new program."""
        if notice.kind != "shown" or self.period_s is None or self._clock() - self._looked_at > STALE_S:
            return
        pid = self._windows.owner(notice.window)
        if pid and pid not in self._known:
            self._known, self._new, self._again = self._known | {pid}, self._new | {pid}, self._again | {pid}
            self.census.react()

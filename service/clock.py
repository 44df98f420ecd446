"""The service's two clocks, passed in wherever time matters: one that cannot be set back, one that people read."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

if sys.platform == "linux":

    def boot_s() -> float:
        """Seconds since the machine was started, time asleep included."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:

    def boot_s() -> float:
        """Seconds of a clock that cannot be set back.

        Not yet run on Windows and macOS. Windows: the performance counter, which counts sleep. macOS: Python's monotonic
        clock stands still during sleep, so an expiry comes late by the time that the service's machine was asleep.
        """
        return time.monotonic()


@dataclass(frozen=True, slots=True)
class Clock:
    """`boot` and `wall` in seconds; expiry is measured by the first only."""

    boot: Callable[[], float] = boot_s
    wall: Callable[[], float] = time.time

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return int(self.wall() * 1000)

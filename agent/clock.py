"""The agent's clocks: one that cannot be set back and counts sleep, the session clock on top of it, and the wall clock."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Microseconds = Callable[[], int]

if sys.platform == "linux":

    def boot_us() -> int:
        """Microseconds since the machine was started, time asleep included."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000

else:

    def boot_us() -> int:
        """Microseconds of a clock that cannot be set back.

        Not yet run on Windows and macOS. Windows: the performance counter, which counts sleep. macOS: Python's monotonic
        clock stands still during sleep, so an expiry can come late by the time asleep.
        """
        return time.monotonic_ns() // 1000


def boot_id() -> str:
    """What names this boot: the boot clock's values of two agents compare only under one name.

    Empty on Windows and macOS, where a new boot shows by a boot clock that went back.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def wall_ms() -> int:
    """Milliseconds since 1970, as the machine's owner has set the clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class SessionClock:
    """Microseconds since the origin: the one clock of a session's three streams and its events."""

    origin_us: int
    source: Microseconds = boot_us

    def __call__(self) -> int:
        """Microseconds since the origin, negative before it."""
        return self.source() - self.origin_us

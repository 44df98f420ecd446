"""The service's two clocks, passed in wherever time matters: one that cannot be set back, one that people read."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """`monotonic` and `wall` in seconds; expiry is measured by the first only."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return int(self.wall() * 1000)

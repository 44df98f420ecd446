"""How often something may be done: so many times at once, then so many a second.

Whoever fights with another program over the same thing must not burn the machine: the focus, a clipboard.
"""

import time
from collections.abc import Callable


class Pace:
    """A bucket of `burst` tries that fills again by `per_s` a second."""

    def __init__(self, burst: int, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst, self._per_s, self._clock = burst, per_s, clock
        self._left, self._at = float(burst), clock()

    def take(self) -> bool:
        """Whether it may be done now; it is counted as done then."""
        now = self._clock()
        self._left, self._at = min(self._burst, self._left + (now - self._at) * self._per_s), now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    @property
    def wait_s(self) -> float:
        """How long until it may be done."""
        return max(0.0, (1 - self._left) / self._per_s - (self._clock() - self._at))

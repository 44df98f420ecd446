"""When to try again: exponential back-off with full jitter, and the service's own Retry-After. Pure.

Full jitter, because a hall of candidates loses and regains its network in the same second.
"""

from collections.abc import Callable
from dataclasses import dataclass

FIRST_S = 0.5
LONGEST_S = 15.0


@dataclass(slots=True)
class Backoff:
    """Counts the failures in a row. `random` gives a number in [0, 1)."""

    random: Callable[[], float]
    failures: int = 0

    def succeeded(self) -> None:
        """Begin anew."""
        self.failures = 0

    def failed(self, retry_after_s: float | None = None) -> float:
        """Seconds to wait before the next attempt: never less than the service asked for."""
        self.failures += 1
        ceiling = min(LONGEST_S, FIRST_S * 2.0 ** min(self.failures - 1, 16))
        wait = ceiling * (0.5 + 0.5 * self.random())
        return wait if retry_after_s is None else retry_after_s + wait

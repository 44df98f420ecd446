"""When to try again: exponential back-off with full jitter, what the service asked for, and a quiet resumption. Pure.

A hall of candidates loses and regains its network in the same second. So every wait is drawn from its whole range, only
one request asks whether the way is open again, and a backlog begins to move at a moment of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

FIRST_S = 0.5
LONGEST_S = 15.0
SHORTEST_S = 0.05
"""Full jitter begins at nothing; two attempts in the same breath would tell nothing new."""
RESUME_SPREAD_S = 5.0
"""Backlogs that were held up by the same outage begin to move within this time of each other."""


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
        wait = max(SHORTEST_S, ceiling * self.random())
        return wait if retry_after_s is None else retry_after_s + wait


@dataclass(slots=True)
class Pace:
    """Whether requests may begin, for all that go to one service; times in seconds of any one clock.

    After a failure one request at a time goes as a probe. A request that began before the failure tells nothing about
    the time after it: eight that die with the link are one failure.
    """

    backoff: Backoff
    random: Callable[[], float]
    _asked_until: float = -inf
    """What the service asked for holds whatever else is heard."""
    _retry_at: float = -inf
    _backlog_at: float = -inf
    _failed_at: float = -inf
    _away_since: float | None = None
    _probing: bool = False

    def wait_s(self, now: float) -> float:
        """Seconds until a request may begin; 0 when it may now, infinite while a probe is on its way."""
        return inf if self._probing else max(0.0, self._asked_until - now, self._retry_at - now)

    def backlog_wait_s(self, now: float) -> float:
        """The same for a request that nobody watches live."""
        return max(self.wait_s(now), self._backlog_at - now)

    def began(self) -> None:
        """A request begins."""
        self._probing = self._away_since is not None

    def failed(self, began: float, now: float, retry_after_s: float | None = None) -> None:
        """A request that began at `began` was not answered, or not with what it wanted."""
        if retry_after_s is not None:
            self._asked_until = max(self._asked_until, now + retry_after_s)
        if began < self._failed_at:
            return
        self._probing, self._failed_at = False, now
        self._away_since = now if self._away_since is None else self._away_since
        self._retry_at = now + self.backoff.failed(retry_after_s)

    def succeeded(self, now: float) -> None:
        """A request got through, or something else did: the way is open."""
        if self._away_since is not None:
            # a hiccup holds a backlog up for no longer than it lasted
            self._backlog_at = now + self.random() * min(RESUME_SPREAD_S, now - self._away_since)
        self.backoff.succeeded()
        self._away_since, self._retry_at, self._probing = None, -inf, False

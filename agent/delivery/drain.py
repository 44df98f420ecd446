"""How fast evidence goes, and what the candidate is told of a backlog that moves. Pure: the time comes with each call."""

from collections import deque
from dataclasses import dataclass, field
from math import inf

from secureproctor.contract.page import DrainStatus

SHOWN_WINDOW_S = 10.0
"""Long enough that the figure which the candidate sees stands still, short enough that it is true."""


@dataclass(slots=True)
class Meter:
    """Bytes per second over the last `window_s` seconds, or since the first of them began to flow."""

    window_s: float
    _passed: deque[tuple[float, int]] = field(default_factory=deque)
    _sum: int = 0
    _since: float = -inf

    def add(self, began: float, now: float, size: int) -> None:
        """So many bytes have arrived, on their way since `began`."""
        self._forget(now)
        if not self._passed:
            self._since = began
        self._passed.append((now, size))
        self._sum += size

    def rate(self, now: float) -> float:
        """Bytes per second; 0 when nothing arrived within the window."""
        self._forget(now)
        passed_s = min(self.window_s, now - self._since)
        return self._sum / passed_s if self._passed and passed_s > 0 else 0.0

    def _forget(self, now: float) -> None:
        while self._passed and self._passed[0][0] <= now - self.window_s:
            self._sum -= self._passed.popleft()[1]


@dataclass(slots=True)
class Drain:
    """One backlog after another, from when each begins to move until only live records wait."""

    _meter: Meter = field(default_factory=lambda: Meter(SHOWN_WINDOW_S))
    _total: int = 0

    def delivered(self, began: float, now: float, size: int) -> None:
        """A record of the backlog has arrived."""
        self._meter.add(began, now, size)

    def status(self, now: float, left: int) -> DrainStatus | None:
        """What the candidate is told when `left` bytes of a backlog wait; None when there is none."""
        rate = self._meter.rate(now)
        if not left:
            self._total = 0
            return None
        # while nothing moves the backlog only grows, and the drain has not begun
        self._total = max(self._total, left) if rate else left
        return DrainStatus(self._total, left, rate, left / rate if rate else None)

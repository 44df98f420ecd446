"""At what pace messages are taken from a service that may send without end. A token bucket; the time comes with each call."""

from dataclasses import dataclass

PER_SECOND = 20.0
BURST = 200


@dataclass(slots=True)
class Pace:
    """A burst may come at once, for it is what an outage held up; what is more comes at the rate. Times in seconds."""

    per_second: float = PER_SECOND
    burst: float = BURST
    _tokens: float = BURST
    _at: float | None = None

    def wait_s(self, now: float) -> float:
        """A message came: for how long nothing more is to be read."""
        passed = 0.0 if self._at is None else max(0.0, now - self._at)
        self._tokens = min(self.burst, self._tokens + passed * self.per_second) - 1
        self._at = now
        return max(0.0, -self._tokens / self.per_second)

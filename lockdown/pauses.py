"""When to try again what failed: at growing pauses, so that nothing is fought over a hundred times a second. Pure."""

from dataclasses import dataclass


@dataclass(slots=True)
class Pauses:
    """1 s after the first failure, then twice as long each time. Times are seconds of any one clock."""

    longest_s: float = 8.0
    first_s: float = 1.0
    failures: int = 0
    due: float = 0.0

    def failed(self, now: float) -> None:
        """It failed now; `is_due` says when to try again."""
        self.failures += 1
        self.due = now + min(self.longest_s, self.first_s * 2.0 ** min(self.failures - 1, 16))

    def is_due(self, now: float) -> bool:
        """Whether to try now."""
        return now >= self.due

    def went_well(self, now: float) -> None:
        """It went well, and is forgiven once it has done so for the longest pause."""
        if self.failures and now >= self.due + self.longest_s:
            self.failures = 0

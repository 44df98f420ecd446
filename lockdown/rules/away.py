"""Whether the candidate is away from the exam window, told once for each time that they leave it and come back.

What is in front is the system's to say (X11, Windows, macOS); that a leave is told once, and how long it was, is the same
everywhere. How many of them the exam tolerates is the agent's to count.
"""

import time
from collections.abc import Callable

from secureproctor.lockdown.rule import Report, Sighting


class Away:
    """One leave at a time: a second program that comes in front meanwhile is the same leave."""

    def __init__(self, report: Report, clock: Callable[[], float] = time.monotonic) -> None:
        self._report = report
        self._clock = clock
        self._since: float | None = None
        self._leaves = 0

    @property
    def is_away(self) -> bool:
        """Whether something else is in front now."""
        return self._since is not None

    def left(self, program: str, how: str) -> None:
        """Something else is in front: `program` by its file name, `how` as in `left_window`. Repeated calls do nothing."""
        if self._since is not None:
            return
        self._since = self._clock()
        self._leaves += 1
        self._tell("left_window", {"program": program, "how": how}, counts=True)

    def returned(self, by: str) -> None:
        """The exam window is in front again, `by` the `candidate` or the `agent`. Without a leave it does nothing."""
        if self._since is None:
            return
        away_s = round(self._clock() - self._since, 3)
        self._since = None
        self._tell("returned_to_window", {"away_s": away_s, "by": by}, counts=False)

    def _tell(self, kind: str, detail: dict[str, str | int | float | bool | None], counts: bool) -> None:
        # each leave is about itself: the tolerance counts them, so that two of them within seconds must not be told as one
        self._report(Sighting("focus", kind, detail, about=str(self._leaves), counts=counts))

"""What the rule `hidden_windows` does where a system tells of windows to whom asks.

It looks every two seconds, since a window may hide itself later, and tells of each sign of a window once.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.readings import Running
from secureproctor.lockdown.rule import Image, Report, Sighting, Terms
from secureproctor.lockdown.rules.observing import Observing

LOOK_S = 2.0


class HiddenWindows(Observing, ABC):
    """A system's own rule says which windows there are and what of each is a sign. It is `Watching`."""

    id: RuleId = "hidden_windows"

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: set[tuple[int, str]] = set()
        self._next = 0.0

    def apply(self, terms: Terms, report: Report) -> None:
        """Look at all windows."""
        super().apply(terms, report)
        self._told.clear()
        self._next = 0.0
        self.react()

    def restore(self, image: Image) -> None:
        """Look no more."""
        self._told.clear()
        super().restore(image)

    def fileno(self) -> int:
        """None: there is no event for it."""
        return -1

    @property
    def period_s(self) -> float | None:
        """While it is applied."""
        return None if self._report is None else LOOK_S

    def react(self) -> None:
        """Look at all windows, when it is time."""
        if self._report is not None and self._clock() >= self._next:
            self._next = self._clock() + LOOK_S
            self.look_around()

    @abstractmethod
    def look_around(self) -> None:
        """Look at all windows, and say `seen` of every sign."""

    def seen(self, window: int, how: str, counts: bool, stranger: Callable[[], Running | None]) -> None:
        """A sign of a window; `stranger` is the program that it belongs to, unless that one may do so."""
        if (window, how) in self._told:
            return
        self._told.add((window, how))
        running = stranger()
        if running is not None and self._report is not None:
            about = f"{running.name} {how}"
            detail = {"program": running.name, "how": how}
            self._report(Sighting(self.id, "window_hidden", {**detail}, about=about, counts=counts))

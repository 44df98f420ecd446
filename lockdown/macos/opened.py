"""The rule `windows` on macOS: new programs as everywhere, and new windows by looking at the list of them once a second.

macOS tells of other programs' windows by event only through the accessibility of each single program, which is asked of none.
"""

import time
from collections.abc import Callable

from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.macos.api import Screen, Window
from secureproctor.lockdown.rule import Image, Report, Terms
from secureproctor.lockdown.rules.census import Census
from secureproctor.lockdown.rules.newcomers import WindowsRule

LOOK_S = 1.0
SMALLEST = 50 * 50
"""Points; what is smaller is a tip or an icon."""


class OpenedRule(WindowsRule):
    """Looks at the list besides what WindowsRule does."""

    def __init__(
        self, census: Census, names: Catalogue, screen: Screen, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(census, names, clock)
        self._screen = screen
        self._shown: frozenset[int] = frozenset()
        self._next = 0.0

    def apply(self, terms: Terms, report: Report) -> None:
        """What is shown already is not new."""
        if self._report is None:
            self._shown = frozenset(window.number for window in self._screen.windows())
        super().apply(terms, report)

    def restore(self, image: Image) -> None:
        """Look no more."""
        self._shown = frozenset()
        super().restore(image)

    @property
    def period_s(self) -> float | None:
        """While it is applied."""
        return super().period_s or (LOOK_S if self._report is not None else None)

    def react(self) -> None:
        """Look for new windows, when it is time."""
        super().react()
        if self._report is None or self._clock() < self._next:
            return
        self._next = self._clock() + LOOK_S
        windows = self._screen.windows()
        for window in windows:
            if window.number not in self._shown and _is_worth_telling(window):
                self._appeared(window)
        self._shown = frozenset(window.number for window in windows)

    def _appeared(self, window: Window) -> None:
        running = self._census.describe(window.pid)
        if running is not None and not self._kin.is_own(running) and not self._names.is_system(running):
            self.opened(running.name, topmost=window.layer > 0)


def _is_worth_telling(window: Window) -> bool:
    return window.alpha > 0 and window.rect.width * window.rect.height >= SMALLEST

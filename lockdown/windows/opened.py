"""The rule `windows` on Windows: new programs as everywhere, and new windows by the event that Windows sends of
each, and by a look once a second."""

import time
from collections.abc import Callable

from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.rule import Report, Terms
from secureproctor.lockdown.rules.census import Census
from secureproctor.lockdown.rules.newcomers import WindowsRule
from secureproctor.lockdown.windows.api import Notice, SystemProcesses, Windows

WS_EX_TOPMOST, WS_EX_NOACTIVATE = 0x00000008, 0x08000000
SMALLEST = 50 * 50
"""Pixels; what is smaller is a tip or an icon."""


class OpenedRule(WindowsRule):
    """Takes notices besides what WindowsRule does."""

    def __init__(
        self,
        census: Census,
        names: Catalogue,
        windows: Windows,
        processes: SystemProcesses,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(census, names, clock)
        self._windows, self._processes = windows, processes
        self._seen: frozenset[int] = frozenset()

    def apply(self, terms: Terms, report: Report) -> None:
        """Begin to look."""
        super().apply(terms, report)
        self._seen = frozenset(self._windows.all())

    def verify(self) -> bool:
        """Look for windows whose event was lost."""
        if self._report is not None:
            now = frozenset(self._windows.all())
            for window in now - self._seen:
                self._look_at(window)
            self._seen = now
        return super().verify()

    def notice(self, notice: Notice) -> None:
        """A window is shown."""
        if notice.kind == "shown" and self._report is not None and notice.window not in self._seen:
            self._look_at(notice.window)

    def _look_at(self, window: int) -> None:
        if not self._is_worth_telling(window):
            return
        self._seen |= {window}
        running = self._processes.glance(self._windows.owner(window))
        if running is not None and not self._kin.is_own(running):
            self.opened(running.name, bool(self._windows.dress(window).extended & WS_EX_TOPMOST))

    def _is_worth_telling(self, window: int) -> bool:
        if not self._windows.is_top(window) or self._windows.dress(window).extended & WS_EX_NOACTIVATE:
            return False
        left, top, right, bottom = self._windows.rect(window)
        return (right - left) * (bottom - top) >= SMALLEST

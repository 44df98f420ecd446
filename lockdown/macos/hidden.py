"""The rule `hidden_windows`: windows of other programs that exclude themselves from capture, or lie over all others.

The window server tells of every window whether it lets itself be shared (kCGWindowSharingState), to whomever asks and without
any right. Since macOS 15 the newer way of capturing is said to see such windows all the same; that a program asks to be left
out is worth knowing in either case. Players of protected films and password managers do it, too, which is the proctor's to
judge. Floating windows count as an observation only: many helpers have one.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial

from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.macos.api import Screen, Window
from secureproctor.lockdown.readings import Running
from secureproctor.lockdown.rule import Probed, Report, Terms
from secureproctor.lockdown.rules.census import Census
from secureproctor.lockdown.rules.hidden import HiddenWindows
from secureproctor.lockdown.rules.kin import Kin

SMALLEST = 100 * 100
"""Points; what is smaller is a pointer's shadow or a badge."""
FLOATING = 3
"""kCGFloatingWindowLevel, as CGWindowLevelForKey gives it: from here on a window stays over ordinary ones."""
EXCLUDED, OVERLAY = "excluded from capture", "over all others"


class HiddenWindowsRule(HiddenWindows):
    """By the window server's list."""

    def __init__(
        self, screen: Screen, census: Census, names: Catalogue, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(clock)
        self._screen, self._census, self._names = screen, census, names
        self._kin = Kin(census.describe)

    def probe(self, terms: Terms) -> Probed:
        """The window server always shows something to somebody who has a session with a screen."""
        if not self._screen.windows():
            return Probed("could_not_check", "macOS does not tell which windows there are.")
        return Probed("observed")

    def apply(self, terms: Terms, report: Report) -> None:
        """Look at all windows."""
        self._kin = Kin(self._census.describe, terms.exam.pid)
        super().apply(terms, report)

    def look_around(self) -> None:
        """Look at all windows."""
        for window in self._screen.windows():
            for how, counts in _signs(window):
                self.seen(window.number, how, counts, partial(self._stranger, window.pid))

    def _stranger(self, pid: int) -> Running | None:
        running = self._census.describe(pid)
        if running is None or self._kin.is_own(running) or self._names.is_system(running):
            return None
        return None if self._names.assistive(running) is not None else running


def _signs(window: Window) -> Iterator[tuple[str, bool]]:
    if window.alpha <= 0 or window.rect.width * window.rect.height < SMALLEST:
        return
    if not window.shared:
        yield EXCLUDED, True
    if window.layer >= FLOATING:
        yield OVERLAY, False

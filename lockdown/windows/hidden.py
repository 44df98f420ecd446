"""The rule `hidden_windows`: windows of other programs that capture does not see, or that lie over all others like glass.

Windows tells of every window whether it excludes itself from capture (GetWindowDisplayAffinity), to whomever asks. That is what
overlays do that show answers to the candidate and not to the proctor; so do some players of protected films and password
managers, which is the proctor's to judge. An overlay that lets clicks pass is also what drivers of graphics cards show, and
counts as an observation only.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial

from secureproctor.lockdown.readings import Running
from secureproctor.lockdown.rule import Probed, Report, Terms
from secureproctor.lockdown.rules.hidden import HiddenWindows
from secureproctor.lockdown.rules.kin import Kin
from secureproctor.lockdown.windows import exam_window
from secureproctor.lockdown.windows.api import Notice, SystemProcesses, Windows
from secureproctor.lockdown.windows.helpers import Helpers

WDA_MONITOR, WDA_EXCLUDEFROMCAPTURE = 0x01, 0x11
WS_EX_TOPMOST, WS_EX_TRANSPARENT, WS_EX_LAYERED = 0x00000008, 0x00000020, 0x00080000
GLASS = WS_EX_TOPMOST | WS_EX_TRANSPARENT | WS_EX_LAYERED
SMALLEST = 100 * 100
"""Pixels; what is smaller is a pointer's shadow or a badge."""
EXCLUDED = {WDA_MONITOR: "black in capture", WDA_EXCLUDEFROMCAPTURE: "excluded from capture"}
OVERLAY = "overlay that lets clicks pass"


class HiddenWindowsRule(HiddenWindows):
    """Looks when a window is shown, too."""

    def __init__(
        self,
        windows: Windows,
        processes: SystemProcesses,
        helpers: Helpers,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clock)
        self._windows, self._processes, self._helpers = windows, processes, helpers
        self._kin = Kin(processes.glance)

    def probe(self, terms: Terms) -> Probed:
        """Whether Windows tells."""
        windows = self._windows.all()
        if windows and all(self._windows.affinity(window) is None for window in windows):
            return Probed("could_not_check", "Windows does not tell which windows exclude themselves from capture.")
        return Probed("observed")

    def apply(self, terms: Terms, report: Report) -> None:
        """Look at all windows."""
        self._kin = Kin(self._processes.glance, exam_window.find(self._windows, terms.exam).pid)
        super().apply(terms, report)

    def notice(self, notice: Notice) -> None:
        """A window is shown."""
        if notice.kind == "shown" and self._report is not None and self._windows.is_top(notice.window):
            self._look(notice.window)

    def look_around(self) -> None:
        """Look at all windows."""
        for window in self._windows.all():
            self._look(window)

    def _look(self, window: int) -> None:
        for how, counts in self._signs(window):
            self.seen(window, how, counts, partial(self._stranger, window))

    def _signs(self, window: int) -> Iterator[tuple[str, bool]]:
        affinity = self._windows.affinity(window)
        if affinity:
            yield EXCLUDED.get(affinity, EXCLUDED[WDA_EXCLUDEFROMCAPTURE]), True
        if self._windows.dress(window).extended & GLASS == GLASS:
            left, top, right, bottom = self._windows.rect(window)
            if (right - left) * (bottom - top) >= SMALLEST:
                yield OVERLAY, False

    def _stranger(self, window: int) -> Running | None:
        pid = self._windows.owner(window)
        running = self._processes.glance(pid) if pid else None
        if running is None or self._kin.is_own(running) or self._helpers.is_one(running):
            return None
        return running

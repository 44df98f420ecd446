"""The rule `hidden_windows`: windows of other programs that exclude themselves from capture, or lie over all others.

The window server tells of every window whether it lets itself be shared (kCGWindowSharingState), to whomever asks and without
any right. Since macOS 15 the newer way of capturing is said to see such windows all the same; that a program asks to be left
out is worth knowing in either case. Players of protected films and password managers do it, too, which is the proctor's to
judge. Floating windows count as an observation only: many helpers have one.
"""

import time
from collections.abc import Callable, Iterator

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.macos.api import Screen, Window
from secureproctor.lockdown.rule import Image, Probed, Report, Sighting, Terms
from secureproctor.lockdown.rules.census import Census
from secureproctor.lockdown.rules.kin import Kin
from secureproctor.lockdown.rules.observing import Observing

LOOK_S = 2.0
SMALLEST = 100 * 100
"""Points; what is smaller is a pointer's shadow or a badge."""
FLOATING = 3
"""kCGFloatingWindowLevel, as CGWindowLevelForKey gives it: from here on a window stays over ordinary ones."""
EXCLUDED, OVERLAY = "excluded from capture", "over all others"


class HiddenWindowsRule(Observing):
    """Looks every two seconds: a window may hide itself later. It is `Watching`."""

    id: RuleId = "hidden_windows"

    def __init__(
        self, screen: Screen, census: Census, names: Catalogue, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._screen, self._census, self._names, self._clock = screen, census, names, clock
        self._kin = Kin(census.describe)
        self._told: set[tuple[int, str]] = set()
        self._next = 0.0

    def probe(self, terms: Terms) -> Probed:
        """The window server always shows something to somebody who has a session with a screen."""
        if not self._screen.windows():
            return Probed("could_not_check", "macOS does not tell which windows there are.")
        return Probed("observed")

    def apply(self, terms: Terms, report: Report) -> None:
        """Look at all windows."""
        super().apply(terms, report)
        self._kin = Kin(self._census.describe, terms.exam.pid)
        self._told.clear()
        self._next = 0.0
        self.react()

    def restore(self, image: Image) -> None:
        """Look no more."""
        self._told.clear()
        super().restore(image)

    def fileno(self) -> int:
        """None: macOS does not tell by event."""
        return -1

    @property
    def period_s(self) -> float | None:
        """While it is applied."""
        return None if self._report is None else LOOK_S

    def react(self) -> None:
        """Look at all windows, when it is time."""
        if self._report is None or self._clock() < self._next:
            return
        self._next = self._clock() + LOOK_S
        for window in self._screen.windows():
            for how, counts in _signs(window):
                if (window.number, how) not in self._told:
                    self._told.add((window.number, how))
                    self._tell(window.pid, how, counts)

    def _tell(self, pid: int, how: str, counts: bool) -> None:
        running = self._census.describe(pid)
        if running is None or self._report is None or self._kin.is_own(running):
            return
        if self._names.is_system(running) or self._names.assistive(running) is not None:
            return
        detail = {"program": running.name, "how": how}
        self._report(Sighting(self.id, "window_hidden", {**detail}, about=f"{running.name} {how}", counts=counts))


def _signs(window: Window) -> Iterator[tuple[str, bool]]:
    if window.alpha <= 0 or window.rect.width * window.rect.height < SMALLEST:
        return
    if not window.shared:
        yield EXCLUDED, True
    if window.layer >= FLOATING:
        yield OVERLAY, False

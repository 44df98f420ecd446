"""The rule `focus`: the exam's window is full screen and its application in front; leaving it is told and undone.

Since macOS 14 an application comes in front by request only (cooperative activation), and nobody may do it for another. What
is left is the way of assistive technology (AXFrontmost, AXRaise), and to hide who is in front instead, whose place the one
before then takes. If neither helps for a while, the rule says that it does not hold. The menu bar's own windows (Control
Centre, notifications) take no keyboard from the exam, and are no leave; Spotlight does, and is one.

Full screen is asked of the main window (AXFullScreen) unless it covers its display already, as browsers do in kiosk mode. It
outlives the agent, and is the before-image. Not yet run on a Mac.
"""

import time
from collections.abc import Callable

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.macos.api import Apps, Screen, Session
from secureproctor.lockdown.macos.company import Company, exam_process
from secureproctor.lockdown.macos.rights import GRANT, missing
from secureproctor.lockdown.rule import ApplyFailed, Image, Probed, Report, RestoreFailed, Sighting, Terms
from secureproctor.lockdown.rules.away import Away
from secureproctor.lockdown.rules.census import Census

LOOK_S = 0.15
"""macOS tells of the exam's own application by event; it is looked besides, since events get lost."""
AGAIN_S = 0.1
PERSISTS_AFTER = 4
"""So many attempts in a row, and who is in front is hidden."""
HOLDS_S = 5.0
"""Away for so long, in spite of all attempts, and the rule does not hold."""


class FocusRule:
    """It is `Watching`."""

    id: RuleId = "focus"

    def __init__(
        self,
        apps: Apps,
        screen: Screen,
        session: Session,
        census: Census,
        names: Catalogue,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._apps, self._screen, self._session = apps, screen, session
        self._census, self._names, self._clock = census, names, clock
        self._pid = 0
        self._company = Company(census, names, 0)
        self._away: Away | None = None
        self._report: Report | None = None
        self._fills = self._enforces = False
        self._attempts, self._left_at = 0, 0.0

    def probe(self, terms: Terms) -> Probed:
        """Without a process, nothing can be said; without the right, leaving can only be seen."""
        pid = self._process(terms)
        if not pid or self._census.processes.describe(pid) is None:
            return Probed(
                "could_not_check", "The exam's window was not found.", "Open the exam, and bring it in front."
            )
        why = missing(self._session.rights())
        return Probed("observed", f"{why} Leaving is seen, and not undone.", GRANT) if why else Probed("enforced")

    def before(self, terms: Terms) -> Image:
        """Whether the window was full screen, if that will be changed."""
        pid = self._process(terms)
        running = self._census.processes.describe(pid) if pid else None
        may = running is not None and self._may(terms)
        self._fills = may and self._apps.full_screen(pid) is False and not self._covers(pid)
        if running is None or not self._fills:
            return {}
        return {"pid": pid, "started": running.started, "full_screen": False}

    def apply(self, terms: Terms, report: Report) -> None:
        """Fill the display, and come in front. Also again, over what is applied."""
        pid = self._process(terms)
        if not pid or self._census.processes.describe(pid) is None:
            raise ApplyFailed("The exam's window was not found.")
        if self._away is None or pid != self._pid:
            self._away = Away(report, self._clock)
        self._pid, self._report, self._enforces = pid, report, self._may(terms)
        self._company = Company.of(terms, pid, self._census, self._names)
        self._apps.watch(pid, self._judge)
        self._left_at = self._clock()
        self._fill(tell=False)
        self._judge()

    def verify(self) -> bool:
        """Whether the exam is there, and in front but for a while; it is put right on the way."""
        if self._report is None or self._away is None or self._census.processes.describe(self._pid) is None:
            return False
        self._judge()
        if not self._away.is_away:
            self._fill(tell=True)
        return not self._enforces or not self._away.is_away or self._clock() - self._left_at < HOLDS_S

    def restore(self, image: Image) -> None:
        """Leave full screen, if it is still so, in the same process."""
        self._apps.unwatch()
        self._report, self._away, self._pid = None, None, 0
        pid = image.get("pid")
        running = self._census.processes.describe(pid) if isinstance(pid, int) else None
        if not isinstance(pid, int) or running is None or running.started != image.get("started"):
            return
        if self._apps.full_screen(pid) and not self._apps.set_full_screen(pid, on=False):
            raise RestoreFailed("The exam's window does not leave full screen now.")

    def fileno(self) -> int:
        """None: macOS tells through the run loop."""
        return -1

    @property
    def period_s(self) -> float | None:
        """While it is applied."""
        if self._away is None:
            return None
        return AGAIN_S if self._away.is_away else LOOK_S

    def react(self) -> None:
        """Look what is in front; the exam's browser is asked of itself only by `verify` and by event, which costs it less."""
        self._judge(asks=False)

    def _may(self, terms: Terms) -> bool:
        return not terms.observe_only and not missing(self._session.rights())

    def _process(self, terms: Terms) -> int:
        """The one that is applied stays the exam's, whatever is in front."""
        if self._pid and not terms.exam.pid and not terms.exam.window:
            return self._pid
        return exam_process(terms.exam, self._screen, self._apps)

    def _covers(self, pid: int) -> bool:
        displays = self._screen.displays() or ()
        own = [window.rect for window in self._screen.windows() if window.pid == pid]
        return any(rect.covers(display.rect) for rect in own for display in displays if display.active)

    def _fill(self, tell: bool) -> None:
        """Only what the before-image knows of is changed."""
        if not self._fills or self._apps.full_screen(self._pid) is not False or self._covers(self._pid):
            return
        if self._apps.set_full_screen(self._pid, on=True) and tell and self._report is not None:
            self._report(Sighting(self.id, "window_restored", {}, counts=False))

    def _judge(self, asks: bool = True) -> None:
        if self._away is None:
            return
        front = self._apps.front()
        stranger = self._company.stranger(front)
        asks = asks or stranger is not None or self._away.is_away
        hidden = asks and self._apps.is_away(self._pid)
        if hidden or stranger is not None:
            if not self._away.is_away:
                self._left_at = self._clock()
            self._away.left(stranger or "", "minimized" if hidden else "window")
            self._bring_back(front if stranger is not None else 0, hidden)
        elif front:
            self._away.returned("agent" if self._attempts else "candidate")
            self._attempts = 0

    def _bring_back(self, front: int, hidden: bool) -> None:
        """Over the lock screen nothing comes in front, and nothing should."""
        if not self._enforces or self._session.is_locked():
            return
        self._attempts += 1
        if hidden:
            self._apps.show(self._pid)
        self._apps.activate(self._pid)
        if front and self._attempts % PERSISTS_AFTER == 0:
            self._apps.hide(front)

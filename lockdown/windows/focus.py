"""The rule `focus`: the exam's window is in front, without a frame, over all of its display; leaving it is told and undone.

Windows tells by event when another window comes in front or one is minimized; about once a second it is looked at besides.
Whoever calls SetForegroundWindow is refused unless they had the last input, so each attempt makes some that means nothing; a
window that comes in front again and again is minimized at last. A window of the system that is more trusted than the agent
(a question of user account control) stays, and the candidate is away until it is gone.
"""

import time
from collections.abc import Callable

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.readings import Running
from secureproctor.lockdown.rule import ApplyFailed, Exam, Image, Probed, Report, Sighting, Terms
from secureproctor.lockdown.rules.away import Away
from secureproctor.lockdown.rules.kin import Kin
from secureproctor.lockdown.windows import exam_window
from secureproctor.lockdown.windows.api import Notice, SystemProcesses, Windows
from secureproctor.lockdown.windows.exam_window import ExamWindow
from secureproctor.lockdown.windows.helpers import Helpers

AGAIN_S = 0.05
UNEASY_S = 0.3
"""After an event it is looked at again for so long: the event may come before what it tells of."""
ELSEWHERE = {2: "another user's session", 4: "another user's session", 7: "the lock screen"}
"""WM_WTSSESSION_CHANGE: WTS_CONSOLE_DISCONNECT, WTS_REMOTE_DISCONNECT, WTS_SESSION_LOCK (wtsapi32.h)."""
PERSISTS_AFTER = 6
"""So many attempts in a row, and what is in front is minimized."""


class FocusRule:
    """It is `Watching`: while something else is in front, it tries again."""

    id: RuleId = "focus"

    def __init__(
        self,
        windows: Windows,
        processes: SystemProcesses,
        helpers: Helpers,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._windows, self._processes, self._helpers, self._clock = windows, processes, helpers, clock
        self._exam = ExamWindow(windows)
        self._report: Report | None = None
        self._away: Away | None = None
        self._company = _Company(processes, helpers, Exam(), ())
        self._attempts = 0
        self._uneasy_until = 0.0

    def probe(self, terms: Terms) -> Probed:
        """Without a window, nothing can be said."""
        if exam_window.find(self._windows, terms.exam).is_there:
            return Probed("enforced")
        return Probed("could_not_check", "The exam's window was not found.", "Open the exam, and bring it in front.")

    def before(self, terms: Terms) -> Image:
        """Where the window is and what it looks like."""
        exam = exam_window.find(self._windows, terms.exam)
        return exam.image() if exam.is_there else {}

    def apply(self, terms: Terms, report: Report) -> None:
        """Fill the display, and come in front."""
        exam = self._exam if self._exam.is_there else exam_window.find(self._windows, terms.exam)
        if not exam.is_there:
            raise ApplyFailed("The exam's window was not found.")
        if self._windows.is_hung(exam.window):
            raise ApplyFailed("The exam's window does not answer.")
        self._exam = exam
        self._company = _Company(
            self._processes, self._helpers, Exam(exam.pid), (*terms.allowed, *terms.settings.allowed_programs)
        )
        if self._report is None:
            self._away = Away(report, self._clock)
        self._report = report
        self._fill(tell=False)
        self._judge()

    def verify(self) -> bool:
        """Whether the window is there; it is put right on the way."""
        if self._report is None or not self._exam.is_there:
            return False
        if not self._windows.is_hung(self._exam.window):
            self._fill(tell=True)
            self._judge()
        return True

    def restore(self, image: Image) -> None:
        """Give the window its frame and its place again."""
        self._report, self._away, self._exam = None, None, ExamWindow(self._windows)
        exam_window.give_back(self._windows, image)

    def notice(self, notice: Notice) -> None:
        """Another window is in front, one was minimized, or the session was locked or left."""
        if self._away is None or not self._exam.is_there:
            return
        if notice.kind == "session" and notice.code in ELSEWHERE:
            self._away.left(ELSEWHERE[notice.code], "window")
        elif notice.kind in ("foreground", "minimized", "session"):
            self._uneasy_until = self._clock() + UNEASY_S
            self._judge()

    def fileno(self) -> int:
        """None: Windows tells by message."""
        return -1

    @property
    def period_s(self) -> float | None:
        """While the candidate is away, or may be."""
        if self._away is None:
            return None
        return AGAIN_S if self._away.is_away or self._clock() < self._uneasy_until else None

    def react(self) -> None:
        """Try again."""
        if self._exam.is_there and not self._windows.is_hung(self._exam.window):
            self._judge()

    def _fill(self, tell: bool) -> None:
        if self._exam.fills or self._windows.is_minimized(self._exam.window):
            return
        self._exam.fill()
        if tell and self._report is not None:
            self._report(Sighting(self.id, "window_restored", {}, counts=False))

    def _judge(self) -> None:
        if self._away is None:
            return
        front, minimized = self._windows.foreground(), self._windows.is_minimized(self._exam.window)
        stranger = self._company.stranger(self._windows.owner(front)) if front else None
        if minimized:
            self._away.left(stranger or "", "minimized")
            self._windows.restore(self._exam.window)
            self._attempts += 1
        if stranger is not None:
            self._away.left(stranger, "window")
            self._bring_back(front)
        elif front and not minimized:
            self._come_back()

    def _bring_back(self, front: int) -> None:
        self._attempts += 1
        if self._windows.activate(self._exam.window):
            self._come_back()
        elif self._attempts % PERSISTS_AFTER == 0:
            self._windows.minimize(front)

    def _come_back(self) -> None:
        by, self._attempts = "agent" if self._attempts else "candidate", 0
        if self._away is not None:
            self._away.returned(by)


class _Company:
    """The programs in whose windows the candidate is not away: the exam's, the agent's, allowed and assistive ones."""

    def __init__(self, processes: SystemProcesses, helpers: Helpers, exam: Exam, allowed: tuple[str, ...]) -> None:
        self._processes, self._helpers = processes, helpers
        self._kin = Kin(processes.glance, exam.pid)
        self._exam = exam.pid
        self._allowed = frozenset(map(_plain, allowed))

    def stranger(self, pid: int) -> str | None:
        """The program's name, if it is none of them; None if it is, or is gone."""
        running = None if pid in (0, self._exam) else self._processes.glance(pid)
        if running is None or self._belongs(running):
            return None
        return running.name or "a program of the system"

    def _belongs(self, running: Running) -> bool:
        return self._kin.is_own(running) or _plain(running.name) in self._allowed or self._helpers.is_one(running)


def _plain(name: str) -> str:
    return name.casefold().removesuffix(".exe")

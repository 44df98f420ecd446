"""The rule `clipboard`: it is empty at the start and at the end, and meanwhile only the exam itself fills it.

Windows says by message that it was filled, and who owns it. What is in it is never read. Its history, which is shown by Win+V
and goes to other devices, is switched off.
"""

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.rule import Image, Probed, Report, Sighting, Terms
from secureproctor.lockdown.rules.kin import Kin
from secureproctor.lockdown.windows import exam_window
from secureproctor.lockdown.windows.api import Clipboard, Notice, Registry, SystemProcesses, Windows
from secureproctor.lockdown.windows.policies import TABLE
from secureproctor.lockdown.windows.registry import RegistryPolicy

AGAIN_S = 0.1
"""Another program may hold the clipboard open for a moment."""


class ClipboardRule:
    """It is `Watching`: what could not be emptied is tried again."""

    id: RuleId = "clipboard"

    def __init__(self, clipboard: Clipboard, windows: Windows, processes: SystemProcesses, registry: Registry) -> None:
        self._clipboard, self._windows, self._processes = clipboard, windows, processes
        self._history = RegistryPolicy(registry, TABLE[self.id])
        self._kin = Kin(processes.glance)
        self._report: Report | None = None
        self._due = ""

    def probe(self, terms: Terms) -> Probed:
        """What another program has filled is emptied before anybody can use it, as far as a person is concerned."""
        return Probed("enforced")

    def before(self, terms: Terms) -> Image:
        """Whether there was a history. What was in the clipboard is not kept."""
        return self._history.before()

    def apply(self, terms: Terms, report: Report) -> None:
        """Empty it."""
        self._history.apply()
        self._kin = Kin(self._processes.glance, exam_window.find(self._windows, terms.exam).pid)
        first, self._report = self._report is None, report
        if first:
            self._empty("start")

    def verify(self) -> bool:
        """Look, besides the messages."""
        if self._report is None:
            return False
        self._look()
        return self._history.holds()

    def restore(self, image: Image) -> None:
        """Nothing is carried out, and the history is as it was."""
        if self._report is not None:
            self._empty("end")
        self._report, self._due = None, ""
        self._history.restore(image)

    def notice(self, notice: Notice) -> None:
        """It was filled, or emptied."""
        if notice.kind == "clipboard" and self._report is not None:
            self._look()

    def fileno(self) -> int:
        """None: Windows tells by message."""
        return -1

    @property
    def period_s(self) -> float | None:
        """While it could not be emptied."""
        return AGAIN_S if self._due else None

    def react(self) -> None:
        """Try again."""
        if self._due:
            self._empty(self._due)

    def _look(self) -> None:
        if self._clipboard.is_empty():
            self._due = ""
        elif not self._is_own(self._clipboard.owner()):
            self._empty("outside")

    def _is_own(self, pid: int) -> bool:
        running = self._processes.glance(pid) if pid else None
        return running is not None and self._kin.is_own(running)

    def _empty(self, why: str) -> None:
        if self._clipboard.is_empty():
            self._due = ""
            return
        running = self._processes.glance(self._clipboard.owner())
        if not self._clipboard.empty():
            self._due = why
            return
        self._due = ""
        if self._report is not None:
            program = running.name if running is not None else ""
            detail = {"program": program, "why": why}
            self._report(Sighting(self.id, "clipboard_emptied", {**detail}, about=program, counts=why == "outside"))

"""The rule `clipboard`: it is empty at the start and at the end, and what is put in from outside is taken out.

macOS does not say who filled the pasteboard, only that it was filled (changeCount), and whether it came from another device.
So what was in front counts: what came while the exam was in front all the time is taken for the exam's own. A program in the
background can fill it then, and pass for the exam; therefore the rule never says more than `observed`. What is in it is never
read.
"""

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.macos.api import Apps, Clipboard, Screen
from secureproctor.lockdown.macos.company import Company, exam_process
from secureproctor.lockdown.rule import Image, Probed, Report, Sighting, Terms
from secureproctor.lockdown.rules.census import Census

LOOK_S = 0.25
WHY = (
    "It is emptied when it was filled outside of the exam; macOS does not tell who fills it, so a program in the background can"
    " pass for the exam."
)
REMEDY = "Use a secure browser that keeps a clipboard of its own, or let the exam go on without this rule."
BY_POLICY = "By this computer's policy nothing is enforced, so the clipboard is left alone."


class ClipboardRule:
    """It is `Watching`."""

    id: RuleId = "clipboard"

    def __init__(self, clipboard: Clipboard, apps: Apps, screen: Screen, census: Census, names: Catalogue) -> None:
        self._clipboard, self._apps, self._screen = clipboard, apps, screen
        self._census, self._names = census, names
        self._company = Company(census, names, 0)
        self._report: Report | None = None
        self._count = 0
        self._was_exam = False

    def probe(self, terms: Terms) -> Probed:
        """Never more than observed."""
        if terms.observe_only:
            return Probed("impossible", BY_POLICY)
        return Probed("observed", WHY, REMEDY)

    def before(self, terms: Terms) -> Image:
        """What was in the clipboard is not kept."""
        return {}

    def apply(self, terms: Terms, report: Report) -> None:
        """Empty it, the first time."""
        pid = exam_process(terms.exam, self._screen, self._apps)
        self._company = Company(self._census, self._names, pid)
        first, self._report = self._report is None, report
        if first:
            self._empty("start", "")
        self._was_exam, self._count = self._is_exam(self._apps.front()), self._clipboard.count()

    def verify(self) -> bool:
        """Look, on the way."""
        self.react()
        return self._report is not None

    def restore(self, image: Image) -> None:
        """Nothing is carried out."""
        if self._report is not None:
            self._empty("end", "")
        self._report = None

    def fileno(self) -> int:
        """None: macOS does not tell."""
        return -1

    @property
    def period_s(self) -> float | None:
        """While it is applied."""
        return LOOK_S if self._report is not None else None

    def react(self) -> None:
        """Look whether it was filled, and what is in front."""
        if self._report is None:
            return
        front = self._apps.front()
        was_exam, self._was_exam = self._was_exam, self._is_exam(front)
        count = self._clipboard.count()
        if count != self._count:
            self._count = count
            if not (was_exam and self._was_exam) or self._clipboard.is_remote():
                self._empty("outside", self._company.stranger(front) or "")
                self._count = self._clipboard.count()

    def _is_exam(self, front: int) -> bool:
        return front != 0 and self._company.is_exam(front)

    def _empty(self, why: str, program: str) -> None:
        """`program` is what was in front, which may have filled it."""
        if self._clipboard.is_empty():
            return
        self._clipboard.empty()
        if self._report is not None:
            detail = {"program": program, "why": why}
            self._report(Sighting(self.id, "clipboard_emptied", {**detail}, about=program, counts=why == "outside"))

"""Which process is the exam's, and in whose windows the candidate is not away: the exam's, the agent's, allowed and assistive
programs. Told by the process, never by a title."""

from collections.abc import Iterable

from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.macos.api import Apps, Screen
from secureproctor.lockdown.rule import Exam, Terms
from secureproctor.lockdown.rules.census import Census
from secureproctor.lockdown.rules.kin import Kin


def exam_process(exam: Exam, screen: Screen, apps: Apps) -> int:
    """The exam's process: as it is named, else the owner of its window, else what is in front; 0: nobody knows.

    macOS does not let one process name another one's window for good, so it is the process's main window that counts.
    """
    if exam.pid:
        return exam.pid
    if exam.window:
        return next((each.pid for each in screen.windows() if each.number == exam.window), 0)
    return apps.front()


class Company:
    """For one exam."""

    def __init__(self, census: Census, names: Catalogue, pid: int, allowed: Iterable[str] = ()) -> None:
        self._census, self._names, self._pid = census, names, pid
        self._kin = Kin(census.describe, pid)
        self._allowed = frozenset(map(_plain, allowed))

    @classmethod
    def of(cls, terms: Terms, pid: int, census: Census, names: Catalogue) -> "Company":
        """With what the exam and IT allow."""
        return cls(census, names, pid, (*terms.allowed, *terms.settings.allowed_programs))

    def is_exam(self, pid: int) -> bool:
        """Whether it is the exam's browser, or the agent."""
        running = self._census.describe(pid) if pid else None
        return running is not None and self._kin.is_own(running)

    def stranger(self, pid: int) -> str | None:
        """The program's name, if it is none of them; None if it is, or is gone."""
        running = None if pid in (0, self._pid) else self._census.describe(pid)
        if running is None or self._kin.is_own(running) or self._names.assistive(running) is not None:
            return None
        return None if _plain(running.name) in self._allowed else running.name or "a program of the system"


def _plain(name: str) -> str:
    return name.casefold().removesuffix(".app")

"""Whose a window is: the exam's, assistive technology's, or somebody else's. Told by the process, never by a title."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.linux import ewmh
from secureproctor.lockdown.linux.x11 import X11
from secureproctor.lockdown.readings import Running
from secureproctor.lockdown.rule import Exam
from secureproctor.lockdown.rules.kin import Kin

Whose = Literal["exam", "assistive", "portal", "other"]
Describe = Callable[[int], Running | None]
_PORTAL = "xdg-desktop-portal"
"""Its processes show the file dialogs of sandboxed browsers, as windows that belong to the browser's."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Of a window. `program` is its file's name; empty where nobody can tell."""

    whose: Whose
    program: str = ""


class Owners:
    """Looks processes up. `begin` says which exam it is; `agent` is this process by default."""

    def __init__(self, describe: Describe, names: Catalogue, agent: int = 0) -> None:
        self._describe = describe
        self._names = names
        self._agent = agent
        self._kin = Kin(describe, 0, agent)

    def begin(self, x: X11, exam: Exam) -> None:
        """From now on, the exam is this one."""
        self._kin = Kin(self._describe, exam.pid or (x.pid(exam.window) if exam.window else 0), self._agent)

    def of(self, x: X11, window: int) -> Owner:
        """The owner of a window."""
        pid = x.pid(window)
        running = self._describe(pid) if pid else None
        if running is None:
            return Owner("other")
        return Owner(self._of(running), running.name)

    def _of(self, running: Running) -> Whose:
        if self._kin.is_own(running):
            return "exam"
        if self._names.assistive(running) is not None:
            return "assistive"
        return "portal" if running.name.startswith(_PORTAL) and self._names.came_with(running) else "other"


def exam_window(x: X11, exam: Exam) -> int:
    """The exam's window as Exam says: the one that is named, else the process's active or largest one, else the active one; 0:
    there is none."""
    if exam.window:
        return exam.window if ewmh.exists(x, exam.window) else 0
    front = ewmh.active(x)
    if not exam.pid or (front and x.pid(front) == exam.pid):
        return front
    own = [each for each in ewmh.clients(x) if x.pid(each) == exam.pid]
    return max(own, key=lambda each: ewmh.area(x, each), default=0)

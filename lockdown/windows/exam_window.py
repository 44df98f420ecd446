"""Which window is the exam's, and what it is made to look like: without a frame, over all of its display, above all others."""

from dataclasses import dataclass
from typing import cast

from secureproctor.lockdown.rule import Exam, Image, RestoreFailed
from secureproctor.lockdown.windows.api import Dress, Placement, Rect, Windows

WS_FRAME = 0x00C00000 | 0x00040000 | 0x00080000 | 0x00020000 | 0x00010000
"""WS_CAPTION, WS_THICKFRAME, WS_SYSMENU, WS_MINIMIZEBOX, WS_MAXIMIZEBOX."""
WS_EX_EDGES = 0x00000001 | 0x00000100 | 0x00000200 | 0x00020000
"""WS_EX_DLGMODALFRAME, _WINDOWEDGE, _CLIENTEDGE, _STATICEDGE."""
WS_EX_TOPMOST = 0x00000008
SW_SHOWNORMAL = 1
Entry = dict[str, str | int | None]


@dataclass(frozen=True, slots=True)
class ExamWindow:
    """A window and the process that it belongs to; `window` 0: there is none."""

    windows: Windows
    window: int = 0
    pid: int = 0

    @property
    def is_there(self) -> bool:
        """Whether it is still that process's window."""
        return self.window != 0 and self.windows.owner(self.window) == self.pid != 0

    @property
    def fills(self) -> bool:
        """Whether it is above all others and covers its display."""
        covers = self.windows.rect(self.window).covers(self.windows.screen(self.window))
        return covers and bool(self.windows.dress(self.window).extended & WS_EX_TOPMOST)

    def fill(self) -> None:
        """Make it so. One that covers its display already, as browsers do with F11, keeps its styles."""
        screen = self.windows.screen(self.window)
        if not self.windows.rect(self.window).covers(screen):
            self.windows.wear(self.window, bare(self.windows.dress(self.window)))
        self.windows.move(self.window, screen, topmost=True)

    def image(self) -> Image:
        """How it is, for `give_back`."""
        dress, placement = self.windows.dress(self.window), self.windows.placement(self.window)
        frame: Entry = {**dress._asdict(), "show": placement.show, **placement.normal._asdict()}
        at: Entry = {**self.windows.rect(self.window)._asdict()}
        return {"window": self.window, "pid": self.pid, "was": frame, "at": at}


def find(windows: Windows, exam: Exam) -> ExamWindow:
    """As `Exam` says it: its window; else the active one of its process, else its largest; without a process, the active."""
    if exam.window:
        return ExamWindow(windows, exam.window, windows.owner(exam.window))
    front = windows.foreground()
    if exam.pid in (0, windows.owner(front) if front else -1):
        return ExamWindow(windows, front, windows.owner(front)) if front else ExamWindow(windows)
    own = [window for window in windows.all() if windows.owner(window) == exam.pid]
    largest = max(own, key=lambda window: _area(windows.rect(window)), default=0)
    return ExamWindow(windows, largest, exam.pid)


def bare(dress: Dress) -> Dress:
    """The same without a frame."""
    return Dress(dress.style & ~WS_FRAME, dress.extended & ~WS_EX_EDGES)


def give_back(windows: Windows, image: Image) -> None:
    """Put a window back as `image` says, if it is still there and nobody else has changed it. Raises RestoreFailed."""
    frame, at = image.get("was"), image.get("at")
    if not isinstance(frame, dict) or not isinstance(at, dict):
        return
    window = ExamWindow(windows, cast(int, image["window"]), cast(int, image["pid"]))
    if not window.is_there:
        return
    if windows.is_hung(window.window):
        raise RestoreFailed("The exam's window does not answer now.")
    _undress(window, cast(dict[str, int], frame), _rect(cast(dict[str, int], at)))


def _undress(exam: ExamWindow, entry: dict[str, int], at: Rect) -> None:
    windows, window = exam.windows, exam.window
    was = Dress(entry["style"], entry["extended"])
    now = windows.dress(window)
    above = bool(now.extended & WS_EX_TOPMOST)
    if not above and now != _untopped(bare(was)):
        return  # somebody has put it right already
    if _untopped(now) == _untopped(bare(was)) and bare(was) != was:
        windows.wear(window, was)
    windows.put(window, Placement(entry["show"], _rect(entry)))
    to = at if entry["show"] == SW_SHOWNORMAL else windows.rect(window)
    windows.move(window, to, topmost=bool(was.extended & WS_EX_TOPMOST))


def _rect(entry: dict[str, int]) -> Rect:
    return Rect(*(entry[side] for side in Rect._fields))


def _untopped(dress: Dress) -> Dress:
    return Dress(dress.style, dress.extended & ~WS_EX_TOPMOST)


def _area(rect: Rect) -> int:
    return (rect.right - rect.left) * (rect.bottom - rect.top)

"""Windows and displays by Quartz: CGWindowListCopyWindowInfo, which tells everything but titles to everybody, and
CGDirectDisplay. NSScreen is not used: it belongs to the main thread. Not yet run on a Mac.
"""

from collections.abc import Mapping
from typing import Any

from secureproctor.lockdown.macos.api import Panel, Rect, Window
from secureproctor.lockdown.macos.frameworks import framework

ON_SCREEN, NO_DESKTOP = 1 << 0, 1 << 4
"""kCGWindowListOptionOnScreenOnly, kCGWindowListExcludeDesktopElements."""
MOST_DISPLAYS = 32


class QuartzScreen:
    """Screen of api.py."""

    def __init__(self) -> None:
        self._quartz = framework("Quartz")

    def windows(self) -> tuple[Window, ...]:
        """None when this process has no session with a window server."""
        found = self._quartz.CGWindowListCopyWindowInfo(ON_SCREEN | NO_DESKTOP, 0)
        return tuple(window_of(each) for each in found or ())

    def displays(self) -> tuple[Panel, ...] | None:
        """CGGetOnlineDisplayList."""
        error, numbers, _count = self._quartz.CGGetOnlineDisplayList(MOST_DISPLAYS, None, None)
        return None if error else tuple(self._panel(number) for number in numbers)

    def _panel(self, number: int) -> Panel:
        quartz = self._quartz
        return Panel(
            number=number,
            active=bool(quartz.CGDisplayIsActive(number)),
            asleep=bool(quartz.CGDisplayIsAsleep(number)),
            mirrors=int(quartz.CGDisplayMirrorsDisplay(number)),
            internal=bool(quartz.CGDisplayIsBuiltin(number)),
            vendor=int(quartz.CGDisplayVendorNumber(number)),
            model=int(quartz.CGDisplayModelNumber(number)),
            width=int(quartz.CGDisplayPixelsWide(number)),
            height=int(quartz.CGDisplayPixelsHigh(number)),
            rect=_rect(quartz.CGDisplayBounds(number)),
        )


def window_of(info: Mapping[str, Any]) -> Window:
    """A window's dictionary (CGWindow.h, "Window list option keys"). Its title is not looked at."""
    bounds = info["kCGWindowBounds"]
    return Window(
        number=int(info["kCGWindowNumber"]),
        pid=int(info["kCGWindowOwnerPID"]),
        layer=int(info.get("kCGWindowLayer", 0)),
        alpha=float(info.get("kCGWindowAlpha", 1.0)),
        shared=int(info.get("kCGWindowSharingState", 1)) != 0,
        rect=Rect(*(float(bounds[side]) for side in ("X", "Y", "Width", "Height"))),
    )


def _rect(rect: Any) -> Rect:
    return Rect(rect.origin.x, rect.origin.y, rect.size.width, rect.size.height)

"""The rule `hidden_windows` on X11: windows of other programs that lie over the exam's.

X11 knows no window that captures cannot see: what is on the screen is in the picture. What can be hidden is hidden from a
person's eyes (nearly transparent) or from their hands (clicks go through), and lies on top. A plain window on top is told when
it comes during the exam; panels, docks and popups that were there before are none of the exam's business. The window manager's
own windows (switchers, edges) and those of the compositor are passed over, and so is assistive technology.

Looked for after windows were mapped, moved or restacked, at most twice a second.
"""

import time
from collections.abc import Callable
from typing import Any, Literal

from Xlib import X, error
from Xlib.ext import shape

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.linux import ewmh
from secureproctor.lockdown.linux.whose import Owners, exam_window
from secureproctor.lockdown.linux.x11 import X11
from secureproctor.lockdown.rule import Image, Probed, Report, Sighting, Terms

How = Literal["click_through", "transparent", "overlay"]
LOOK_S = 0.5
SMALL = 32 * 32
FAINT = 0.25
"""A window with less opacity is not meant to be seen."""
_OPAQUE = 0xFFFFFFFF
_PASSING = ("NOTIFICATION", "TOOLTIP", "DND", "POPUP_MENU", "DROPDOWN_MENU", "COMBO", "MENU", "SPLASH")
_PASSING_TYPES = tuple(f"_NET_WM_WINDOW_TYPE_{each}" for each in _PASSING)
"""Kinds that come and go by themselves; plain ones are no overlay."""
_EVENTS = (X.MapNotify, X.ConfigureNotify, X.CirculateNotify, X.ReparentNotify)
_COMPOSITOR = "_NET_WM_CM_S0"


class HiddenWindowsRule:
    """Tells each such window once."""

    id: RuleId = "hidden_windows"

    def __init__(self, owners: Owners, clock: Callable[[], float] = time.monotonic) -> None:
        self._owners = owners
        self._clock = clock
        self._search: _Search | None = None

    def probe(self, x: X11, terms: Terms) -> Probed:
        """It is there to observe."""
        return Probed("observed")

    def before(self, x: X11, terms: Terms) -> Image:
        """Nothing is changed."""
        return {}

    def apply(self, x: X11, terms: Terms, report: Report) -> None:
        """Look, and listen."""
        self.let_go()
        self._owners.begin(x, terms.exam)
        self._search = _Search(x, terms, report, self._owners, self._clock)
        for kind in _EVENTS:
            x.on(self.id, kind, self._search.changed)
        x.select(self.id, x.root.id, X.SubstructureNotifyMask)
        self._search.look()

    def verify(self) -> bool:
        """Whether somebody listens."""
        return self._search is not None

    def let_go(self) -> None:
        """Listen no more."""
        search, self._search = self._search, None
        if search is not None:
            search.x.forget(self.id)

    def put_back(self, x: X11, image: Image) -> None:
        """Nothing."""

    def fileno(self) -> int:
        """None: its events come by the connection."""
        return -1

    @property
    def period_s(self) -> float | None:
        """When it is to look again."""
        return None if self._search is None else self._search.due_s

    def react(self) -> None:
        """Look."""
        if self._search is not None:
            self._search.look()


class _Search:
    """Among the windows over the exam's."""

    def __init__(self, x: X11, terms: Terms, report: Report, owners: Owners, clock: Callable[[], float]) -> None:
        self.x, self._exam, self._report, self._owners, self._clock = x, terms.exam, report, owners, clock
        self._has_shape = x.has(shape.extname)
        self._desktop = self._pids_of_desktop()
        self._told: set[tuple[int, How]] = set()
        self._stale, self._looked = False, float("-inf")
        self._before = frozenset(self._above())

    def _pids_of_desktop(self) -> frozenset[int]:
        """The window manager and the compositor."""
        windows = self.x.numbers(self.x.root.id, ewmh.MANAGER)
        compositor = self.x.display.get_selection_owner(self.x.atom(_COMPOSITOR))
        own = (*windows, *(() if isinstance(compositor, int) else (int(compositor.id),)))
        return frozenset(pid for window in own if (pid := self.x.pid(window)))

    def changed(self, _event: Any) -> None:
        self._stale = True

    @property
    def due_s(self) -> float | None:
        return max(0.0, self._looked + LOOK_S - self._clock()) if self._stale else None

    def look(self) -> None:
        self._stale, self._looked = False, self._clock()
        for window in self._above():
            how = self._how(window)
            if how is not None and (window, how) not in self._told:
                self._told.add((window, how))
                self._tell(window, how)

    def _above(self) -> tuple[int, ...]:
        """The shown windows over the exam's, as managed ones where they are; all others when the exam has no window."""
        tops = ewmh.children(self.x, self.x.root.id)
        own = ewmh.top_of(self.x, exam_window(self.x, self._exam))
        over = tops[tops.index(own) + 1 :] if own in tops else tops
        return tuple(ewmh.client_in(self.x, top) for top in over if ewmh.is_shown(self.x, top))

    def _how(self, window: int) -> How | None:
        """How a window is hidden; None: it is not, or is nobody's concern."""
        if ewmh.area(self.x, window) < SMALL or ewmh.is_input_only(self.x, window) or not self._is_foreign(window):
            return None
        if self._has_shape and self._is_click_through(window):
            return "click_through"
        opacity = self.x.numbers(window, "_NET_WM_WINDOW_OPACITY")
        if opacity and opacity[0] < FAINT * _OPAQUE:
            return "transparent"
        return "overlay" if self._is_overlay(window) else None

    def _is_foreign(self, window: int) -> bool:
        pid = self.x.pid(window)
        return pid not in self._desktop and self._owners.of(self.x, window).whose == "other"

    def _is_click_through(self, window: int) -> bool:
        try:
            return not self.x.window(window).shape_get_rectangles(shape.SK.Input).rectangles
        except error.XError:
            return False

    def _is_overlay(self, window: int) -> bool:
        """Over the exam by its own will: unmanaged, or always on top. An ordinary window is the focus rule's."""
        if window in self._before or ewmh.is_type(self.x, window, *_PASSING_TYPES):
            return False
        return ewmh.has_state(self.x, window, ewmh.ABOVE) or ewmh.is_unmanaged(self.x, window)

    def _tell(self, window: int, how: How) -> None:
        program = self._owners.of(self.x, window).program
        detail = {"program": program, "how": how}
        self._report(Sighting(HiddenWindowsRule.id, "window_hidden", {**detail}, about=f"{program} {how}"))

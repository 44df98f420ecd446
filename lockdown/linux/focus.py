"""The rule `focus` on X11: the exam window is full screen, above all others, and has the keyboard; a leave is undone.

Every change of what is active, of the desktop and of the window's state is an event; the thread looks once for all that came
together. Not a leave: dialogs of the exam's process (files, permissions, menus: windows that say that they belong to another or
are of a kind of their own), the same of the desktop's portals, and assistive technology. A leave: everything else, also a
second ordinary window of the browser, since the exam is not in it.

Who takes the focus again and again is answered a few times a second: the fight is on the record, and burns nobody's battery.
Without a window manager there is no full screen; then the window is raised and given the keyboard, and is only watched over.
"""

import time
from collections.abc import Callable
from typing import Any

from Xlib import X, error

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.linux import ewmh
from secureproctor.lockdown.linux.pace import Pace
from secureproctor.lockdown.linux.whose import Owner, Owners, exam_window
from secureproctor.lockdown.linux.x11 import X11
from secureproctor.lockdown.rule import Image, Probed, Report, RestoreFailed, Sighting, Terms
from secureproctor.lockdown.rules.away import Away

BURST, PER_S = 10, 8.0
"""Tries to take the focus back: at once, and each second after that."""
LOOK_S = 0.02
"""Two looks are so far apart at least."""
OBEYS_S = 1.0
"""A window manager that works has done what it was asked by then."""
_FULLSCREEN, _ABOVE, _WINDOW, _PID = "fullscreen", "above", "window", "pid"
_STATES = {_FULLSCREEN: ewmh.FULLSCREEN, _ABOVE: ewmh.ABOVE}
_NO_MANAGER = "No window manager answers: the exam window cannot be made full screen."


class FocusRule:
    """Keeps one window in front."""

    id: RuleId = "focus"

    def __init__(self, owners: Owners, clock: Callable[[], float] = time.monotonic) -> None:
        self._owners = owners
        self._clock = clock
        self._recorded = 0
        self._watch: Watch | None = None

    def probe(self, x: X11, terms: Terms) -> Probed:
        """`enforced` where a window manager does what it is asked."""
        if not ewmh.has_manager(x):
            return Probed("observed", _NO_MANAGER, "Start a desktop, or a window manager.")
        if not ewmh.supports(x, ewmh.ACTIVE, ewmh.STATE, *_STATES.values()):
            return Probed("observed", "This window manager keeps no window full screen.", "Use another desktop.")
        return Probed("enforced")

    def before(self, x: X11, terms: Terms) -> Image:
        """How the window is now."""
        window = exam_window(x, terms.exam)
        self._recorded = window if ewmh.has_manager(x) and not terms.observe_only else 0
        if not self._recorded:
            return {}
        states = {key: ewmh.has_state(x, window, name) for key, name in _STATES.items()}
        return {_WINDOW: window, _PID: x.pid(window), **states}

    def apply(self, x: X11, terms: Terms, report: Report) -> None:
        """Bring it to the front and keep it there. Also again, over what is applied: a leave goes on as the same."""
        was = self._watch
        self.let_go()
        away = was.away if was is not None and was.report == report else Away(report, self._clock)
        self._owners.begin(x, terms.exam)
        self._watch = Watch(x, terms, report, away, self._owners, self._recorded, self._clock)
        self._watch.begin()
        _obeyed(x, self._watch.is_right)

    def verify(self) -> bool:
        """Whether there is a window that is watched over; looks, on the way."""
        return self._watch is not None and self._watch.holds()

    def let_go(self) -> None:
        """Watch no more."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.x.forget(self.id)

    def put_back(self, x: X11, image: Image) -> None:
        """Take what was added from the window's state, if it is still the same window."""
        window = int(str(image[_WINDOW]))
        if not ewmh.exists(x, window) or x.pid(window) != image[_PID]:
            return
        added = [name for key, name in _STATES.items() if not image[key] and ewmh.has_state(x, window, name)]
        for name in added:
            ewmh.set_state(x, window, name, on=False)
        done = _obeyed(x, lambda: not any(ewmh.has_state(x, window, name) for name in added))
        if not done and ewmh.has_manager(x):
            raise RestoreFailed("The window manager does not give the exam window its old size back.")

    def fileno(self) -> int:
        """None: its events come by the connection."""
        return -1

    @property
    def period_s(self) -> float | None:
        """When the watch is to look."""
        return None if self._watch is None else self._watch.due_s

    def react(self) -> None:
        """Look what is in front."""
        if self._watch is not None:
            self._watch.look()


class Watch:
    """Over the exam's window, from apply to restore. `recorded` is the window whose state is in the before-image, and may be
    changed."""

    def __init__(
        self,
        x: X11,
        terms: Terms,
        report: Report,
        away: Away,
        owners: Owners,
        recorded: int,
        clock: Callable[[], float],
    ) -> None:
        self.x, self.report, self.away = x, report, away
        self._exam, self._enforce = terms.exam, not terms.observe_only
        self._owners, self._recorded, self._clock = owners, recorded, clock
        self._window = recorded or exam_window(x, terms.exam)
        self._pace = Pace(BURST, PER_S, clock)
        self._telling = frozenset(map(x.atom, _TELLING))
        self._stale, self._looked = True, float("-inf")
        self._asked = self._mending = self._between = False

    def begin(self) -> None:
        """Listen, and bring the window to the front."""
        for kind in (X.PropertyNotify, X.FocusIn, X.FocusOut, X.MapNotify, X.UnmapNotify, X.DestroyNotify):
            self.x.on(FocusRule.id, kind, self._changed)
        self._listen()
        if self._enforce:
            self._take()

    def _listen(self) -> None:
        managed = ewmh.has_manager(self.x)
        self.x.select(FocusRule.id, self.x.root.id, X.PropertyChangeMask | (0 if managed else X.SubstructureNotifyMask))
        if self._window:
            of_it = X.PropertyChangeMask | X.FocusChangeMask | X.StructureNotifyMask
            self.x.select(FocusRule.id, self._window, of_it)

    def _changed(self, event: Any) -> None:
        self._stale = self._stale or event.type != X.PropertyNotify or event.atom in self._telling

    @property
    def due_s(self) -> float | None:
        """At once when something changed, but not too often; when it may be tried again while away."""
        if self._stale:
            return max(0.0, self._looked + LOOK_S - self._clock())
        return max(LOOK_S, self._pace.wait_s) if self.away.is_away and self._enforce else None

    def holds(self) -> bool:
        """Whether the window is there, and is as it should be, or about to be."""
        self.look()
        return ewmh.exists(self.x, self._window) and (self._mending or self.is_right())

    def is_right(self) -> bool:
        """Whether the window is full screen and above the others, as far as that is ours to change, and there is one."""
        if self._window != self._recorded or not self._enforce:
            return True
        wanted = {self.x.atom(name) for name in _STATES.values()}
        return wanted <= ewmh.states(self.x, self._window) or not ewmh.exists(self.x, self._window)

    def look(self) -> None:
        """What is in front, and what follows from it."""
        self._stale, self._looked = False, self._clock()
        if not ewmh.exists(self.x, self._window):
            self._find_again()
        front, between = self._front(), self._between
        self._between = front == 0
        stranger = None if front in (0, self._window) else self._stranger(front)
        if stranger is not None or (front == 0 and self._is_hidden()):
            minimized = ewmh.has_state(self.x, self._window, ewmh.HIDDEN)
            self.away.left(stranger.program if stranger else "", "minimized" if minimized else "window")
            self._return()
        elif front == self._window != 0:
            self.away.returned("agent" if self._asked else "candidate")
            self._asked = False
            self._mend()
        elif front == 0 and between:
            self._return()
        elif front == 0:
            self._stale = True  # one window has lost the front and the next has not got it yet: look who it is

    def _is_hidden(self) -> bool:
        """Whether the window is an icon, or another desktop is shown than its own."""
        own, shown = ewmh.desktop(self.x, self._window), ewmh.desktop_now(self.x)
        elsewhere = None not in (own, shown) and own not in (shown, ewmh.ALL_DESKTOPS)
        return elsewhere or ewmh.has_state(self.x, self._window, ewmh.HIDDEN)

    def _stranger(self, window: int) -> Owner | None:
        """The owner of a window by which the exam is left; None: it is not left by this one."""
        owner = self._owners.of(self.x, window)
        if owner.whose == "assistive" or (owner.whose != "other" and ewmh.is_dialog(self.x, window)):
            return None
        return owner

    def _front(self) -> int:
        if ewmh.has_manager(self.x):
            return ewmh.active(self.x)
        focus = self.x.display.get_input_focus().focus
        return 0 if isinstance(focus, int) else ewmh.top_of(self.x, int(focus.id), self._window)

    def _find_again(self) -> None:
        """The browser may have made another window. Its state is nobody's to change: there is no before-image of it."""
        window = exam_window(self.x, self._exam) if self._exam.pid and not self._exam.window else 0
        if window:
            self._window = window
            self._listen()

    def _return(self) -> None:
        if self._enforce and self._window and self._pace.take():
            self._asked = True
            self._take()

    def _mend(self) -> None:
        """In front, but smaller, or no longer above the others."""
        if self.is_right():
            self._mending = False
        elif self._pace.take():
            if not self._mending:
                self.report(Sighting(FocusRule.id, "window_restored", {}, counts=False))
            self._mending = True
            self._take()

    def _take(self) -> None:
        """Ask for everything at once: the desktop, the front, the state."""
        if not ewmh.has_manager(self.x):
            _raise(self.x, self._window)
            return
        own = ewmh.desktop(self.x, self._window)
        if own is not None:
            ewmh.go_to_desktop(self.x, own)
        if self._window == self._recorded != 0:
            ewmh.set_state(self.x, self._window, *_STATES.values())
        ewmh.activate(self.x, self._window)
        self.x.display.flush()


def _obeyed(x: X11, done: Callable[[], bool]) -> bool:
    """Whether the window manager has done it: it does what it is asked when it comes to it."""
    until = time.monotonic() + OBEYS_S
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
        x.sync()
    return True


_TELLING = (ewmh.ACTIVE, ewmh.DESKTOP_NOW, ewmh.STACKING, ewmh.STATE, ewmh.MANAGER)
"""The properties whose change may mean that something else is in front."""


def _raise(x: X11, window: int) -> None:
    """As much as one client can do without a window manager."""
    try:
        target = x.window(window)
        target.map()
        target.configure(stack_mode=X.Above)
        target.set_input_focus(X.RevertToPointerRoot, X.CurrentTime)
        x.sync()
    except error.XError:
        pass  # it has just gone

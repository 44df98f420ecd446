"""Other programs' windows on X11: which process shows one, how its windows are asked to close, and new ones as they come.

New windows come by event: the managed ones when their manager lists them, the unmanaged ones (menus, popups, overlays) when
they are mapped. What was there before is not new.
"""

from typing import Any

from Xlib import X

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.linux import ewmh
from secureproctor.lockdown.linux.server import Server
from secureproctor.lockdown.linux.whose import Owners
from secureproctor.lockdown.linux.x11 import X11
from secureproctor.lockdown.rule import Image, Probed, Report, Terms
from secureproctor.lockdown.rules.newcomers import WindowsRule

SMALL = 32 * 32
"""Unmanaged windows with less of an area are nobody's to look at: cursors, drop targets, helpers."""


class Shown:
    """The windows of processes, as LinuxProcesses asks for them. `all_windows`: the server has all of them; that of a Wayland
    session has those of programs that speak X."""

    def __init__(self, server: Server, *, all_windows: bool) -> None:
        self._server = server
        self._all_windows = all_windows
        self._pids: dict[int, int] = {}

    def has_window(self, pid: int) -> bool | None:
        """Whether a process shows a window; None when nobody can tell."""
        x = self._server.now
        if x is None or not ewmh.has_manager(x):
            return None
        return bool(self._windows_of(x, pid)) or (False if self._all_windows else None)

    def close(self, pid: int) -> bool:
        """Ask all windows of a process to close; whether there were any."""
        x = self._server.now
        if x is None:
            return False
        # asked again: its number may be another program's by now
        windows = [window for window in self._windows_of(x, pid) if x.pid(window) == pid]
        for window in windows:
            ewmh.ask_to_close(x, window)
        x.display.flush()
        return bool(windows)

    def _windows_of(self, x: X11, pid: int) -> tuple[int, ...]:
        """Asked for every new process: whose a window is, which does not change, is looked up once."""
        self._pids = {window: self._pids.get(window) or x.pid(window) for window in ewmh.clients(x)}
        return tuple(window for window, owner in self._pids.items() if owner == pid)


class NewWindows:
    """The rule `windows`, to which the X server tells new windows."""

    id: RuleId = "windows"

    def __init__(self, rule: WindowsRule, owners: Owners) -> None:
        self._rule = rule
        self._owners = owners
        self._x: X11 | None = None
        self._known: dict[int, int] = {}
        """The windows that are listed, and whose they are."""

    def probe(self, x: X11, terms: Terms) -> Probed:
        """As the rule."""
        return self._rule.probe(terms)

    def before(self, x: X11, terms: Terms) -> Image:
        """Nothing is changed."""
        return {}

    def apply(self, x: X11, terms: Terms, report: Report) -> None:
        """Listen."""
        self.let_go()
        self._x = x
        self._owners.begin(x, terms.exam)
        self._rule.apply(terms, report)
        self._known = _listed_now(x)
        x.on(self.id, X.PropertyNotify, self._listed)
        x.on(self.id, X.MapNotify, self._mapped)
        x.select(self.id, x.root.id, X.PropertyChangeMask | X.SubstructureNotifyMask)

    def verify(self) -> bool:
        """As the rule."""
        return self._x is not None and self._rule.verify()

    def let_go(self) -> None:
        """Listen no more."""
        x, self._x = self._x, None
        self._rule.restore({})
        if x is not None:
            x.forget(self.id)

    def put_back(self, x: X11, image: Image) -> None:
        """Nothing."""

    def _listed(self, event: Any) -> None:
        x = self._x
        if x is None or event.atom != x.atom(ewmh.CLIENTS) or event.window.id != x.root.id:
            return
        now = _listed_now(x)
        for window in [each for each, pid in now.items() if self._known.get(each) != pid]:
            self._tell(x, window, topmost=ewmh.has_state(x, window, ewmh.ABOVE))
        self._known = now

    def _mapped(self, event: Any) -> None:
        """Frames of the window manager are not override-redirect; the windows in them are listed."""
        x = self._x
        if x is not None and event.override and ewmh.area(x, event.window.id) >= SMALL:
            self._tell(x, event.window.id, topmost=True)

    def _tell(self, x: X11, window: int, *, topmost: bool) -> None:
        owner = self._owners.of(x, window)
        if owner.whose == "other":
            self._rule.opened(owner.program, topmost)


def _listed_now(x: X11) -> dict[int, int]:
    """With their processes: the server gives the number of a window that was closed to the next program's."""
    return {window: x.pid(window) for window in ewmh.clients(x)}

"""A candidate's desktop that can be looked at: a real X server with openbox, which may be killed and comes back as a new one.

A *snapshot* is everything that a lockdown changes or holds, read from outside by a client of its own, and by the usual tools
besides: what one of the two does not show, the other does.
"""

import configparser
import hashlib
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from Xlib import X

from secureproctor.benchmarks.assault import gnome_environment
from secureproctor.demo.xserver import xserver
from secureproctor.lockdown.linux import ewmh, grabs
from secureproctor.lockdown.linux.clipboard import SELECTIONS
from secureproctor.lockdown.linux.key_board import KeyBoard
from secureproctor.lockdown.linux.x11 import X11, connect
from secureproctor.lockdown.linux.xkb import open_xkb

MARK = "LOCKDOWN_CHAOS"
"""A variable that everything carries that a round starts, and what is started by that."""
SETTINGS = "org/gnome/desktop/lockdown"
Snapshot = dict[str, object]


class Desktop:
    """Start it with `begin`, end it with `end`. `environment` is for programs on it; gsettings has a file of its own there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**gnome_environment(folder), MARK: str(folder)}
        self.x_pid = 0
        self._life = ExitStack()

    def begin(self) -> None:
        """A new X server, as after a login."""
        without_mark = {key: value for key, value in self.environment.items() if key != MARK}
        pids = self._life.enter_context(xserver(without_mark, self.folder, 800, 600))
        self.environment |= {key: without_mark[key] for key in ("DISPLAY", "XAUTHORITY")}
        self.x_pid = pids["Xvfb"]
        self.x: X11 = connect(self.environment["DISPLAY"], self.environment["XAUTHORITY"])
        self._life.callback(self.x.close)
        while ewmh.desktop_now(self.x) is None:  # the window manager is there before it has said everything
            self.x.sync()

    def kill(self) -> None:
        """The X server's sudden death."""
        os.kill(self.x_pid, signal.SIGKILL)

    def end(self) -> None:
        """It, and its window manager."""
        self._life.close()

    def begin_again(self) -> None:
        """The next X server, most often at the same display."""
        self.end()
        self.begin()

    def window_of(self, pid: int) -> int:
        """The window of a process, once it is managed; 0 before."""
        return next((each for each in ewmh.clients(self.x) if self.x.pid(each) == pid), 0)

    def snapshot(self, window: int = 0) -> Snapshot:
        """Everything, by name; `window` is the exam's, 0 for none."""
        self.x.sync()
        found = {name: read(self) for name, read in READINGS.items()}
        return found | ({"exam window": _window(self.x, window)} if window else {})

    def run(self, *command: str) -> str:
        """What a tool prints."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout


def changed(before: Snapshot, now: Snapshot) -> str:
    """What is not as it was, for people; empty: all is."""
    keys = [key for key in before if before[key] != now.get(key)]
    return "; ".join(f"{key}: {str(before[key])[:200]} → {str(now.get(key))[:200]}" for key in keys)


def _window(x: X11, window: int) -> object:
    """Its states, desktop, size, place and frame. Which window is active is nobody's to put back."""
    size, place = x.window(window).get_geometry(), x.root.translate_coords(window, 0, 0)
    states = sorted(x.display.get_atom_name(each) for each in ewmh.states(x, window) - {x.atom(_FOCUSED)})
    frame = x.numbers(window, "_NET_FRAME_EXTENTS")
    return states, ewmh.desktop(x, window), (size.width, size.height), (place.x, place.y), frame


_FOCUSED = "_NET_WM_STATE_FOCUSED"


def _shown(desktop: Desktop) -> object:
    return ewmh.desktop_now(desktop.x)


def _server_keys(desktop: Desktop) -> object:
    xkb = open_xkb(desktop.x)
    assert xkb is not None
    return _hash(b"".join(row.keys + row.action for row in xkb.interpretations()))


def _layout(desktop: Desktop) -> object:
    display = desktop.x.display
    return _hash(repr((display.get_keyboard_mapping(8, 248), display.get_modifier_mapping())).encode())


def _held_combinations(desktop: Desktop) -> object:
    """Those that another client cannot have now."""
    wanted = KeyBoard.read(desktop.x)
    refused = grabs.take(desktop.x, wanted.wanted)
    grabs.release(desktop.x)
    desktop.x.sync()
    return wanted.names(refused), len(refused)


def _keyboard_and_pointer(desktop: Desktop) -> object:
    """Whether somebody has grabbed the whole of one of them."""
    root, mode = desktop.x.root, X.GrabModeAsync
    got = (
        root.grab_keyboard(False, mode, mode, X.CurrentTime),
        root.grab_pointer(False, 0, mode, mode, 0, 0, X.CurrentTime),
    )
    desktop.x.display.ungrab_keyboard(X.CurrentTime)
    desktop.x.display.ungrab_pointer(X.CurrentTime)
    desktop.x.sync()
    return got


def _selections(desktop: Desktop) -> object:
    owners = (desktop.x.display.get_selection_owner(desktop.x.atom(name)) for name in SELECTIONS)
    return tuple(owner if isinstance(owner, int) else int(owner.id) for owner in owners)


def _screen_saver(desktop: Desktop) -> object:
    told: Any = desktop.x.display.get_screen_saver()._data
    return {key: told[key] for key in ("timeout", "interval", "prefer_blanking", "allow_exposures")}


def _settings(desktop: Desktop) -> object:
    """The desktop's settings that are true."""
    file = configparser.ConfigParser()
    file.read(Path(desktop.environment["XDG_CONFIG_HOME"]) / "glib-2.0" / "settings" / "keyfile")
    return sorted(
        key for key, value in (file[SETTINGS].items() if file.has_section(SETTINGS) else ()) if value == "true"
    )


def _tools(desktop: Desktop) -> object:
    display = desktop.environment["DISPLAY"]
    keymap = desktop.run("xkbcomp", display, "-xkb", "-")
    return desktop.run("setxkbmap", "-query"), _hash(keymap.encode()), desktop.run("xset", "q")


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


READINGS: dict[str, Callable[[Desktop], object]] = {
    "desktop shown": _shown,
    "keys of the server": _server_keys,
    "layout": _layout,
    "combinations held": _held_combinations,
    "keyboard and pointer": _keyboard_and_pointer,
    "selections": _selections,
    "screen saver": _screen_saver,
    "settings": _settings,
    "xkbcomp, setxkbmap, xset": _tools,
}
"""What is looked at, besides the exam's window."""

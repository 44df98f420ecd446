"""What is done to a locked exam, on an X server of its own with a window manager, and how soon it is undone and reported.

Three processes besides: the exam's window, a thief (both demo/intruder.py), and the lockdown alone. All moments are of one
clock.
Each deed is another one for the lockdown: what is seen again within ten seconds is counted, and not told again.
"""

import random
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from Xlib import XK, X
from Xlib.ext import xfixes, xtest

from secureproctor.benchmarks.lone_lockdown import FORBIDDEN
from secureproctor.benchmarks.told import Talker, talking
from secureproctor.demo.keeper import bare_environment
from secureproctor.demo.program import DeskError, find
from secureproctor.demo.xserver import xserver
from secureproctor.lockdown.linux import ewmh
from secureproctor.lockdown.linux.x11 import X11, connect

LONE = "secureproctor.benchmarks.lone_lockdown"
INTRUDER = "secureproctor.demo.intruder"
PATIENCE_S = 15.0
REST_S = (0.3, 0.7)
"""Between two deeds: at random, so that no timer is always met at the same phase."""
PASTE_REST_S = (1.0, 1.3)
"""A clipboard that is filled more often than that is emptied a little later, which is another thing to measure."""
MODIFIERS = {"Ctrl": "Control_L", "Alt": "Alt_L", "Shift": "Shift_L"}
COMBINATIONS = tuple(product(("", *MODIFIERS), (f"F{number}" for number in range(1, 13))))

Times = dict[str, list[float]]
"""Milliseconds by what was measured."""


@dataclass(slots=True)
class Scene:
    """The desktop with an exam. `x` is a client that only looks on."""

    folder: Path
    environment: dict[str, str]
    x: X11
    life: ExitStack
    exam: Talker
    thief: Talker
    windows: dict[str, int] = field(default_factory=dict)
    _lockdowns: int = 0

    @contextmanager
    def lockdown(self, *options: str) -> Iterator[Talker]:
        """The lockdown alone, not locked yet; at its end the machine is given back."""
        self._lockdowns += 1
        words = [str(self.undo_folder), str(self.exam.process.pid), *options]
        with talking(LONE, words, self.environment, self.folder / f"lockdown-{self._lockdowns}.x") as lockdown:
            lockdown.until("ready")
            yield lockdown
            lockdown.finish()

    @property
    def undo_folder(self) -> Path:
        """Where the before-images lie."""
        return self.folder / "undo"

    def wait(self, seen: Callable[[Any], bool], what: str) -> float:
        """Hand all events of the onlooker to `seen`, until that says yes; when it did. Raises DeskError."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            while self.x.display.pending_events():
                if seen(self.x.display.next_event()):
                    return time.monotonic()
            select.select([self.x.fileno()], [], [], 0.1)
        raise DeskError("not_seen", f"It was not seen that {what}.", "Look at the logs of the lockdown.")

    def forget_events(self) -> None:
        """What happened so far is over."""
        self.x.sync()
        while self.x.display.pending_events():
            self.x.display.next_event()


def gnome_environment(folder: Path) -> dict[str, str]:
    """Of a desktop with settings that a lockdown changes; they are in a file in the folder, and nobody else's."""
    gnome = {"XDG_CURRENT_DESKTOP": "GNOME", "GSETTINGS_BACKEND": "keyfile"}
    return {**bare_environment(folder), **gnome, "XDG_CONFIG_HOME": str(folder / "config")}


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """An exam, and a thief behind it; the folder is empty."""
    environment = gnome_environment(folder)
    with ExitStack() as life:
        life.enter_context(xserver(environment, folder, 1280, 800))
        x = connect(environment["DISPLAY"], environment["XAUTHORITY"])
        life.callback(x.close)
        actors = {
            name: life.enter_context(talking(INTRUDER, [], environment, folder / f"{name}.x"))
            for name in ("thief", "exam")
        }
        opened = Scene(folder, environment, x, life, actors["exam"], actors["thief"])
        x.root.change_attributes(event_mask=X.PropertyChangeMask)
        for name, actor in actors.items():
            actor.tell("window")
            opened.windows[name] = _window_of(x, actor.process.pid)
        yield opened


def _window_of(x: X11, pid: int) -> int:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for window in ewmh.clients(x):
            if x.pid(window) == pid == x.pid(ewmh.active(x)):
                return window
        time.sleep(0.01)
    raise DeskError("no_window", "The exam's window does not come up.", "Look at openbox.log.")


def rest(between: tuple[float, float] = REST_S) -> None:
    """A while, at random."""
    time.sleep(random.uniform(*between))  # noqa: S311 - a rest is no secret


def focus_thefts(at: Scene, lockdown: Talker, times: int) -> Times:
    """Another program takes the focus, as a pager or a switcher of windows does."""
    recovered, reported = [], []
    active = at.x.atom(ewmh.ACTIVE)

    def is_back(event: Any) -> bool:
        return bool(event.type == X.PropertyNotify and event.atom == active and ewmh.active(at.x) == at.windows["exam"])

    for _ in range(times):
        at.forget_events()
        began = at.thief.tell("window")
        recovered.append(at.wait(is_back, "the exam is in front again") - began)
        reported.append(lockdown.until("saw", "left_window", since=began).at - began)
        rest()
    return {"focus stolen → exam in front again": _ms(recovered), "focus stolen → reported": _ms(reported)}


def forbidden_starts(at: Scene, lockdown: Talker, names: tuple[str, ...]) -> list[float]:
    """Programs of forbidden names start; milliseconds from before the fork to the report."""
    took = []
    for name in names:
        program = shutil.copy(find("sleep"), at.folder / name)
        began = time.monotonic()
        with subprocess.Popen([program, "60"], env=at.environment) as process:
            try:
                took.append(lockdown.until("saw", "program_forbidden", "programs", name, since=began).at - began)
            finally:
                process.kill()
        rest()
    return _ms(took)


def key_combinations(at: Scene, lockdown: Talker) -> Times:
    """Keys that lead out of an exam. Raises DeskError when one of them reached the exam's window."""
    exam, reported = at.x.window(at.windows["exam"]), []
    exam.change_attributes(event_mask=X.KeyPressMask)
    for modifier, name in COMBINATIONS:
        at.forget_events()
        key = at.x.display.keysym_to_keycode(XK.string_to_keysym(name))
        held = [at.x.display.keysym_to_keycode(XK.string_to_keysym(MODIFIERS[modifier]))] if modifier else []
        _send(at.x, X.KeyPress, held)
        began = time.monotonic()
        _send(at.x, X.KeyPress, [key])
        _send(at.x, X.KeyRelease, [key, *held])
        called = "+".join(filter(None, (modifier, name)))
        reported.append(lockdown.until("saw", "key_stopped", "keys", called, since=began).at - began)
        _nothing_came(at, key, called)
        rest((0.05, 0.2))
    exam.change_attributes(event_mask=0)
    return {"key combination pressed → stopped and reported": _ms(reported)}


def _send(x: X11, kind: int, keys: list[int]) -> None:
    for key in keys:
        xtest.fake_input(x.display, kind, key)
    x.sync()


def _nothing_came(at: Scene, key: int, called: str) -> None:
    at.x.sync()
    while at.x.display.pending_events():
        event = at.x.display.next_event()
        if event.type == X.KeyPress and event.detail == key:
            raise DeskError("key_came_through", f"{called} came to the exam's window.", "Look at the lockdown's log.")


def clipboard_fills(at: Scene, lockdown: Talker, times: int) -> Times:
    """Another program fills the clipboard."""
    x, emptied = at.x, []
    x.display.xfixes_query_version()
    mask = xfixes.XFixesSetSelectionOwnerNotifyMask
    x.display.xfixes_select_selection_input(x.root, x.atom("CLIPBOARD"), mask)
    kind, thief = x.display.extension_event.SetSelectionOwnerNotify[0], at.windows["thief"]
    owners: list[int] = []

    def is_empty(event: Any) -> bool:
        if event.type == kind:
            owners.append(event.owner if isinstance(event.owner, int) else event.owner.id)
        return thief in owners and owners[-1] != thief

    for _ in range(times):
        at.forget_events()
        owners.clear()
        began = at.thief.tell("clipboard")
        emptied.append(at.wait(is_empty, "the clipboard is emptied") - began)
        rest(PASTE_REST_S)
    x.display.xfixes_select_selection_input(x.root, x.atom("CLIPBOARD"), 0)
    return {"clipboard filled → emptied": _ms(emptied)}


def some(names: int, first: int = 0) -> tuple[str, ...]:
    """Names of forbidden programs."""
    return FORBIDDEN[first : first + names]


def _ms(seconds: list[float]) -> list[float]:
    return [1e3 * each for each in seconds]

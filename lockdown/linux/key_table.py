"""The key combinations that lead out of an exam, as data. How they are stopped is in keys.py.

`stop`: nobody gets them, neither the window manager nor the browser. `observe`: no program of the session gets them, but
something below may act on them by itself (the kernel, logind, the firmware), so they are told as seen, not as stopped.

What is not here goes its way: typing, editing (Ctrl+C, Ctrl+V, Ctrl+Z, Ctrl+F), and the keys of assistive technology. Screen
readers use CapsLock or Insert as their modifier, and desktops switch them on by Alt+Super+S (magnifiers: Alt+Super+8, + and -).
"""

from dataclasses import dataclass
from itertools import product
from string import ascii_lowercase, digits
from typing import Literal

Effect = Literal["stop", "observe"]
Modifiers = frozenset[str]

MODIFIERS = ("Ctrl", "Alt", "Shift", "Super")
"""In the order in which a combination names them."""
_FUNCTION = tuple(f"F{number}" for number in range(1, 13))
_ARROWS = ("Left", "Right", "Up", "Down")
_MOVERS = (
    *_ARROWS,
    "Tab",
    "space",
    "Return",
    "Escape",
    "Home",
    "End",
    "Prior",
    "Next",
    "Insert",
    "Delete",
    "BackSpace",
)
_MARKS = (
    "grave",
    "minus",
    "equal",
    "comma",
    "period",
    "slash",
    "semicolon",
    "apostrophe",
    "bracketleft",
    "bracketright",
)
_BESIDE_ASSISTIVE = tuple(each for each in ascii_lowercase + digits if each not in "s8")
_ANY = ("", "Ctrl", "Alt", "Shift", "Ctrl+Alt", "Ctrl+Shift", "Alt+Shift", "Ctrl+Alt+Shift")
"""With and without every modifier but Super, which is stopped itself."""
_LAUNCHERS = (
    *("XF86HomePage", "XF86WWW", "XF86Mail", "XF86Search", "XF86Explorer", "XF86MyComputer", "XF86Calculator"),
    *("XF86Tools", "XF86Launch1", "XF86Launch2", "XF86Launch5", "XF86TaskPane", "XF86Messenger", "XF86ScreenSaver"),
    *("XF86LogOff", "XF86Documents", "XF86Favorites", "XF86Terminal", "XF86Display", "XF86Music", "XF86AudioMedia"),
)
_SLEEPERS = ("XF86PowerOff", "XF86PowerDown", "XF86Sleep", "XF86Suspend", "XF86Hibernate")


@dataclass(frozen=True, slots=True)
class Row:
    """Each of `keys` (names of keysyms) with each of `modifiers` (names joined by `+`)."""

    modifiers: tuple[str, ...]
    keys: tuple[str, ...]
    effect: Effect
    why: str


ROWS = (
    Row(("Alt", "Alt+Shift", "Ctrl+Alt", "Ctrl+Alt+Shift"), ("Tab", "Escape", "grave"), "stop", "switches windows"),
    Row(("Alt", "Alt+Shift"), ("space", "Return"), "stop", "window menu, launchers"),
    Row(("Ctrl", "Ctrl+Shift"), ("Escape",), "stop", "task managers, start menus"),
    Row(("Ctrl+Alt", "Ctrl+Alt+Shift"), ("Delete", "BackSpace", "End", "Home"), "stop", "signs out, ends the session"),
    Row(("Ctrl+Alt", "Ctrl+Alt+Shift"), ("Prior", "Next", *_ARROWS), "stop", "switches desktops"),
    Row(("Ctrl+Alt",), (*ascii_lowercase, *digits, "Return", "space"), "stop", "starts programs, locks the screen"),
    Row(("Super",), (*ascii_lowercase, *digits, *_FUNCTION), "stop", "everything of the desktop"),
    Row(("Super",), (*_MOVERS, *_MARKS, "Print", "Menu", "Pause"), "stop", "everything of the desktop"),
    Row(("Alt+Super",), (*_BESIDE_ASSISTIVE, *_FUNCTION, *_MOVERS), "stop", "everything of the desktop"),
    Row(_ANY, _FUNCTION, "stop", "menus, consoles, full screen, developer tools"),
    Row(_ANY, ("Print",), "stop", "takes pictures of the screen"),
    Row(_ANY, ("Menu",), "stop", "context menus"),
    Row(("",), _LAUNCHERS, "stop", "starts programs"),
    Row(("",), _SLEEPERS, "observe", "suspends or ends the computer"),
    Row(("Ctrl",), tuple("nptwsohjlqud"), "stop", "windows, tabs and tools of the browser"),
    Row(("Ctrl+Shift",), tuple("nptwsoijckqadbm"), "stop", "windows, tabs and tools of the browser"),
    Row(("Ctrl",), tuple("123456789"), "stop", "switches tabs"),
    Row(("Ctrl", "Ctrl+Shift"), ("Tab", "Prior", "Next"), "stop", "switches tabs"),
    Row(("Alt",), ("Left", "Right", "Home", "d", "e", "f"), "stop", "browses away, menus of the browser"),
)

SUPER = ("Super_L", "Super_R", "Hyper_L", "Hyper_R")
"""Stopped, too, with every modifier but Alt: alone they open menus, and while one is held, what is pressed goes nowhere."""
FIRST = ("Tab", "Escape", "F4", "space", "Delete", "Print")
"""What leads out at one press. With Super, it is taken anew most often while a window manager takes its own keys anew."""
_NAMES = {
    "Escape": "Esc",
    "Print": "PrintScreen",
    "Prior": "PageUp",
    "Next": "PageDown",
    "BackSpace": "Backspace",
    "Return": "Enter",
    "space": "Space",
    "grave": "`",
} | {each: each.removeprefix("XF86") for each in (*_LAUNCHERS, *_SLEEPERS)}


@dataclass(frozen=True, slots=True)
class Combination:
    """One of them: a keysym's name with exactly these modifiers; locks (CapsLock, NumLock) do not matter."""

    modifiers: Modifiers
    key: str
    effect: Effect

    @property
    def name(self) -> str:
        """As it is told, `Ctrl+Alt+Delete`."""
        return named(self.modifiers, self.key)


def named(modifiers: Modifiers, key: str) -> str:
    """A combination's name: modifiers in their order, then the key."""
    shown = _NAMES.get(key, key.upper() if len(key) == 1 else key)
    return "+".join((*(each for each in MODIFIERS if each in modifiers), shown))


def combinations() -> tuple[Combination, ...]:
    """The whole table, one by one; what two rows name is there once."""
    found: dict[tuple[Modifiers, str], Combination] = {}
    for row in ROWS:
        for modifiers, key in product(row.modifiers, row.keys):
            held = frozenset(filter(None, modifiers.split("+")))
            found.setdefault((held, key), Combination(held, key, row.effect))
    return tuple(found.values())

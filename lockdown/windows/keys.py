"""Which keys lead out of an exam: a table, and how a combination is called.

Key numbers are Microsoft's virtual-key codes (winuser.h). Of Ctrl+Alt+Delete Windows tells nobody. A row matches when its key
goes down while all of its modifiers are held; the first row wins whose rule is in force.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from secureproctor.contract.lockdown import RuleId

TAB, ENTER, CAPS_LOCK, ESCAPE, SPACE, PRINT_SCREEN, INSERT, SLEEP = 0x09, 0x0D, 0x14, 0x1B, 0x20, 0x2C, 0x2D, 0x5F
LEFT_WIN, RIGHT_WIN, LEFT_ALT, RIGHT_ALT, LEFT_CTRL = 0x5B, 0x5C, 0xA4, 0xA5, 0xA2
F1, F4, F24 = 0x70, 0x73, 0x87
FUNCTION_KEYS = range(F1, F24 + 1)
NOTHING = 0xE8
"""Unassigned: what a program receives that presses a key without meaning any."""

MODIFIERS: dict[int, str] = {
    0x10: "Shift",
    0x11: "Ctrl",
    0x12: "Alt",
    LEFT_WIN: "Win",
    RIGHT_WIN: "Win",
    0xA0: "Shift",
    0xA1: "Shift",
    LEFT_CTRL: "Ctrl",
    0xA3: "Ctrl",
    LEFT_ALT: "Alt",
    RIGHT_ALT: "Alt",
}
ORDER = ("Win", "Ctrl", "Alt", "Shift")

NAMES: dict[int, str] = {
    0x08: "Backspace",
    TAB: "Tab",
    ENTER: "Enter",
    ESCAPE: "Esc",
    SPACE: "Space",
    0x21: "PageUp",
    0x22: "PageDown",
    0x23: "End",
    0x24: "Home",
    0x25: "Left",
    0x26: "Up",
    0x27: "Right",
    0x28: "Down",
    PRINT_SCREEN: "PrintScreen",
    INSERT: "Insert",
    0x2E: "Delete",
    0x5D: "Menu",
    SLEEP: "Sleep",
    0xA6: "BrowserBack",
    0xA7: "BrowserForward",
    0xA8: "BrowserRefresh",
    0xA9: "BrowserStop",
    0xAA: "BrowserSearch",
    0xAB: "BrowserFavorites",
    0xAC: "BrowserHome",
    0xB4: "LaunchMail",
    0xB5: "LaunchMedia",
    0xB6: "Launch1",
    0xB7: "Launch2",
    **{number: chr(number) for number in (*range(0x30, 0x3A), *range(0x41, 0x5B))},
    **{number: f"F{number - F1 + 1}" for number in FUNCTION_KEYS},
}


class Row(NamedTuple):
    """A combination that `rule` stops. Without `keys`: every key."""

    rule: RuleId
    keys: frozenset[int]
    held: frozenset[str] = frozenset()


def _row(rule: RuleId, keys: Iterable[int], *held: str) -> Row:
    return Row(rule, frozenset(keys), frozenset(held))


TABLE: tuple[Row, ...] = (
    _row("screenshots", [PRINT_SCREEN]),
    _row("screenshots", map(ord, "SR"), "Win", "Shift"),  # Snipping Tool: a picture, and a recording
    _row("screenshots", map(ord, "GR"), "Win", "Alt"),  # Game Bar: the last seconds, and a recording
    _row("screenshots", map(ord, "G"), "Win"),
    _row("printing", map(ord, "P"), "Ctrl"),
    _row("keys", [LEFT_WIN, RIGHT_WIN]),
    _row("keys", (), "Win"),
    _row("keys", (TAB, ESCAPE, F4, SPACE), "Alt"),
    _row("keys", [ESCAPE], "Ctrl"),  # with Shift, it is the task manager
    _row("keys", (), "Ctrl", "Alt"),
    _row("keys", FUNCTION_KEYS),
    _row("keys", [PRINT_SCREEN, SLEEP, *range(0xA6, 0xAD), *range(0xB4, 0xB8)]),
)


ASSISTIVE: tuple[tuple[frozenset[int], frozenset[str]], ...] = (
    (frozenset({0x6B, 0x6D, 0xBB, 0xBD}), frozenset({"Win"})),  # Magnifier: nearer and farther
    (frozenset({ENTER}), frozenset({"Win", "Ctrl"})),  # Narrator
    (frozenset({ord("O")}), frozenset({"Win", "Ctrl"})),  # the keyboard on the screen
)
"""What switches Windows' own assistive technology on and off, or steers it: it is never stopped."""


def helps(key: int, held: Collection[str]) -> bool:
    """Whether it is one of ASSISTIVE."""
    return any(key in keys and modifiers == set(held) for keys, modifiers in ASSISTIVE)


def match(key: int, held: Collection[str], rules: Collection[RuleId]) -> RuleId | None:
    """The rule that stops this key, with these modifiers held, while `rules` are in force."""
    for row in TABLE:
        if row.rule in rules and (not row.keys or key in row.keys) and row.held.issubset(held):
            return row.rule
    return None


def name(key: int, held: Collection[str]) -> str:
    """What a person calls it: `Ctrl+Shift+Esc`. A key without a name of its own is a number: `Alt+0xBA`."""
    own = MODIFIERS.get(key)
    last = own or NAMES.get(key, f"0x{key:02X}")
    return "+".join([*(each for each in ORDER if each in held and each != own), last])

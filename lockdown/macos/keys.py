"""Which keys lead out of an exam: a table, and how a combination is called.

Letters are what the candidate's layout writes (the Q of a French keyboard is elsewhere), other keys are places on the keyboard:
kVK_… of HIToolbox/Events.h, and the keys of Apple's keyboards for Mission Control and the like, which have no names there.
A row matches exactly these modifiers. That lets VoiceOver's keys through, which all hold Ctrl and Opt, those of Zoom
(Cmd+Opt+8, + and -), and everything that is writing. Power button, Touch ID and gestures are no keys.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

from secureproctor.contract.lockdown import RuleId

MODIFIERS = {"Fn": 0x800000, "Ctrl": 0x40000, "Cmd": 0x100000, "Opt": 0x80000, "Shift": 0x20000}
"""kCGEventFlagMask…, in the order in which a combination names them. Caps Lock does not matter."""
LETTERS = dict(
    zip(
        (0, 11, 8, 2, 14, 3, 5, 4, 34, 38, 40, 37, 46, 45, 31, 35, 12, 15, 1, 17, 32, 9, 13, 7, 16, 6),
        "abcdefghijklmnopqrstuvwxyz",
        strict=True,
    )
)
"""kVK_ANSI_A to kVK_ANSI_Z: where a key writes no Latin letter, its place on an American keyboard counts, as for macOS."""
DIGITS = dict(zip((18, 19, 20, 21, 23, 22, 26, 28, 25, 29), "1234567890", strict=True))
FUNCTION_KEYS = dict(
    zip(
        (122, 120, 99, 118, 96, 97, 98, 100, 101, 109, 103, 111, 105, 107, 113, 106, 64, 79, 80, 90),
        (f"F{number}" for number in range(1, 21)),
        strict=True,
    )
)
SPECIAL = {160: "MissionControl", 131: "Launchpad", 130: "Dashboard", 177: "Spotlight"}
ARROWS = {123: "Left", 124: "Right", 125: "Down", 126: "Up"}
NAMES = {
    **LETTERS,
    **DIGITS,
    **FUNCTION_KEYS,
    **SPECIAL,
    **ARROWS,
    48: "Tab",
    49: "Space",
    53: "Esc",
    36: "Enter",
    50: "`",
    10: "§",
    43: ",",
    44: "/",
    33: "[",
    30: "]",
    115: "Home",
    119: "End",
    116: "PageUp",
    121: "PageDown",
}
WITH_FN = frozenset({*FUNCTION_KEYS, *SPECIAL, *ARROWS, 115, 119, 116, 121, 114, 117})
"""Keys whose events carry the flag of Fn, whether it is held or not."""


class Row(NamedTuple):
    """Each of `keys` with each of `held` (names of modifiers, joined by `+`) is stopped for `rule`."""

    rule: RuleId
    keys: tuple[str, ...]
    held: tuple[str, ...]


def _any() -> Iterator[str]:
    """Every set of modifiers but those with Ctrl and Opt, which are VoiceOver's."""
    names = tuple(each for each in MODIFIERS if each != "Fn")
    sets = (each for count in range(len(names) + 1) for each in combinations(names, count))
    return ("+".join(each) for each in sets if not {"Ctrl", "Opt"} <= set(each))


ANY = tuple(_any())
TABLE = (
    Row("screenshots", tuple("3456"), ("Cmd+Shift", "Ctrl+Cmd+Shift")),
    Row("printing", ("p",), ("Cmd", "Cmd+Opt", "Cmd+Shift")),
    Row(
        "keys", ("Tab", "`", "§"), ("Cmd", "Cmd+Shift", "Cmd+Opt", "Ctrl", "Ctrl+Shift")
    ),  # applications, windows, tabs
    Row("keys", ("Space",), ("Cmd", "Cmd+Opt", "Ctrl+Cmd")),  # Spotlight, Finder's search, the character viewer
    Row("keys", ("Esc",), ("Cmd", "Cmd+Opt", "Cmd+Opt+Shift", "Cmd+Shift", "Shift")),  # Force Quit, Game Overlay
    Row("keys", tuple("dhjlmnoqstuwy,[]123456789"), ("Cmd",)),  # quit, hide, minimize, tabs and windows of the browser
    Row("keys", tuple("bcdhijlmuwv"), ("Cmd+Opt",)),  # hide others, the Dock, tools of the browser
    Row("keys", tuple("abcdhijkmnoqstwy/[]"), ("Cmd+Shift",)),  # sign out, help, windows and tools of the browser
    Row("keys", ("q",), ("Cmd+Opt+Shift",)),  # signs out without asking
    Row("keys", tuple("dfq"), ("Ctrl+Cmd",)),  # dictionary, leave full screen, lock
    Row("keys", tuple(ARROWS.values()), ("Ctrl", "Ctrl+Shift")),  # Mission Control, the next space
    Row("keys", tuple("1234567890"), ("Ctrl",)),  # a space by its number
    Row("keys", ("PageUp", "PageDown"), ("Ctrl",)),  # tabs
    Row("keys", tuple("acfhnq"), ("Fn",)),  # Dock, Control Centre, full screen, desktop, notifications, Quick Note
    Row("keys", (*FUNCTION_KEYS.values(), *SPECIAL.values()), ANY),
)
ASSISTIVE = {("Cmd", "F5"), ("Cmd+Opt", "F5")}
"""VoiceOver on and off, and the panel of all accessibility shortcuts: never stopped."""

Combination = tuple[frozenset[str], str]


def _listed(rows: Iterable[Row]) -> dict[Combination, RuleId]:
    found: dict[Combination, RuleId] = {}
    for row in rows:
        for held in row.held:
            for key in row.keys:
                if (held, key) not in ASSISTIVE:
                    found.setdefault((frozenset(filter(None, held.split("+"))), key), row.rule)
    return found


LISTED = _listed(TABLE)


def key_name(key: int, text: str) -> str:
    """What a key is called in the table; empty: it is not in there."""
    if key in LETTERS and len(text) == 1:
        code = ord(text.lower())
        if 1 <= code <= 26:  # what Ctrl makes of a letter
            return chr(code + 96)
        if "a" <= text.lower() <= "z":
            return text.lower()
    return NAMES.get(key) or _written(text)


def modifiers(key: int, flags: int) -> frozenset[str]:
    """Which are held."""
    return frozenset(name for name, mask in MODIFIERS.items() if flags & mask and not (name == "Fn" and key in WITH_FN))


def match(key: str, held: frozenset[str], rules: Collection[RuleId]) -> RuleId | None:
    """The rule that stops this combination, while `rules` are in force."""
    rule = LISTED.get((held, key))
    return rule if rule in rules else None


def name(key: str, held: Collection[str]) -> str:
    """What a person calls it: `Cmd+Shift+4`."""
    return "+".join([*(each for each in MODIFIERS if each in held), key.upper() if len(key) == 1 else key])


def _written(text: str) -> str:
    """Layouts have Latin letters where an American keyboard has none: the M of a French one is beside the L."""
    lower = text.lower()
    return lower if len(lower) == 1 and "a" <= lower <= "z" else ""

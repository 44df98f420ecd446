"""The keyboard's layout as grabs need it: on which keys a symbol lies, and which bits its modifiers have. Pure but for `read`
and `pressed`.

Grabs know keys by number and modifiers by bit, and compare every bit: a combination has to be grabbed anew with each of the
locks (CapsLock, NumLock) on and off. Which bit is Alt or NumLock is the layout's to say.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from itertools import chain, combinations
from operator import or_

from Xlib import XK, X

from secureproctor.lockdown.linux.key_table import Modifiers
from secureproctor.lockdown.linux.x11 import X11

XK.load_keysym_group("xf86")

_FIRST_KEY, _LAST_KEY = 8, 255
_BY_SYMBOL = {
    "Ctrl": ("Control_L",),
    "Alt": ("Alt_L", "Meta_L"),
    "Shift": ("Shift_L",),
    "Super": ("Super_L", "Super_R"),
}
_FALLBACK = {"Ctrl": X.ControlMask, "Alt": X.Mod1Mask, "Shift": X.ShiftMask, "Super": X.Mod4Mask}
_LOCKS = ("Num_Lock", "Scroll_Lock")
_UNSHIFTED = (0, 2)
"""Columns of the core mapping that a key gives without Shift, in the first and in the second layout."""
_ROWS = {24: "qwertyuiop", 38: "asdfghjkl", 52: "zxcvbnm", 10: "1234567890"}
_POSITIONS = {letter: first + at for first, row in _ROWS.items() for at, letter in enumerate(row)}
"""Where a letter is on a US keyboard (evdev's key numbers): browsers obey it there when a layout has no Latin letters."""


@cache
def symbol(name: str) -> int:
    """The number of a keysym; python-xlib spells XF86Mail as XF86_Mail."""
    return int(XK.string_to_keysym(name) or XK.string_to_keysym(name.replace("XF86", "XF86_", 1)))


@dataclass(frozen=True, slots=True)
class Layout:
    """`keys_of`: the keys that give a symbol without Shift; `makers`: the keys that make each of the eight bits of a mask;
    `bits`: those bits that a modifier's name stands for; `locks`: those with and without which a combination is grabbed."""

    keys_of: Mapping[int, tuple[int, ...]]
    makers: tuple[frozenset[int], ...]
    bits: Mapping[str, int]
    locks: int

    def keys(self, name: str) -> tuple[int, ...]:
        """The keys that give this symbol without Shift; where a letter lies on a US keyboard when no key does."""
        return self.keys_of.get(symbol(name)) or ((_POSITIONS[name],) if name in _POSITIONS else ())

    def mask(self, held: Modifiers) -> int:
        """The bits of these modifiers."""
        return _union(self.bits[each] for each in held)

    def held(self, mask: int) -> Modifiers:
        """The modifiers of these bits; locks and what is neither are left out."""
        return frozenset(each for each, bit in self.bits.items() if mask & bit)

    def with_locks(self, mask: int) -> tuple[int, ...]:
        """The mask with each of the locks on and off."""
        bits = [1 << bit for bit in range(8) if self.locks & 1 << bit]
        return tuple(mask | sum(each) for each in _subsets(bits))

    def made_by(self, keys: Iterable[int]) -> int:
        """The bits that these keys make while they are down, without the locks."""
        return _made_by(self.makers, frozenset(keys)) & ~self.locks


def layout_of(rows: Iterable[tuple[int, Iterable[int]]], makers: tuple[frozenset[int], ...]) -> Layout:
    """From each key with its symbols by column, and from the keys that make each bit."""
    keys_of: dict[int, tuple[int, ...]] = {}
    for key, symbols in rows:
        for column, each in enumerate(symbols):
            if column in _UNSHIFTED and each and key not in keys_of.get(each, ()):
                keys_of[each] = (*keys_of.get(each, ()), key)

    def bit(names: Iterable[str]) -> int:
        return _made_by(makers, frozenset(key for name in names for key in keys_of.get(symbol(name), ())))

    bits = {name: bit(symbols) or _FALLBACK[name] for name, symbols in _BY_SYMBOL.items()}
    return Layout(keys_of, makers, bits, X.LockMask | bit(_LOCKS))


def _made_by(makers: tuple[frozenset[int], ...], keys: frozenset[int]) -> int:
    return _union(1 << bit for bit, making in enumerate(makers) if making & keys)


def _union(bits: Iterable[int]) -> int:
    return reduce(or_, bits, 0)


def read(x: X11) -> Layout:
    """The layout now. One round trip for each half; python-xlib's own copy may be old."""
    rows = x.display.get_keyboard_mapping(_FIRST_KEY, _LAST_KEY - _FIRST_KEY + 1)
    makers = tuple(frozenset(int(key) for key in keys if key) for keys in x.display.get_modifier_mapping())
    return layout_of(enumerate(rows, _FIRST_KEY), makers)


def pressed(x: X11) -> Iterator[int]:
    """The keys that are down now."""
    for at, byte in enumerate(x.display.query_keymap()):
        yield from (8 * at + bit for bit in range(8) if byte & 1 << bit)


def _subsets(bits: list[int]) -> Iterator[tuple[int, ...]]:
    return chain.from_iterable(combinations(bits, count) for count in range(len(bits) + 1))

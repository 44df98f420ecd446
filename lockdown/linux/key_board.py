"""The table of keys laid out on a keyboard: which key with which modifiers is which combination, and what is to be grabbed."""

from dataclasses import dataclass

from secureproctor.lockdown.linux import keyboard
from secureproctor.lockdown.linux.grabs import Refused
from secureproctor.lockdown.linux.key_table import FIRST, SUPER, Combination, combinations, named
from secureproctor.lockdown.linux.keyboard import Layout
from secureproctor.lockdown.linux.x11 import X11

_SUPER_MODIFIERS = ("", "Ctrl", "Shift", "Ctrl+Shift", "Super")


@dataclass(frozen=True, slots=True)
class KeyBoard:
    """`rows` by key and mask, without locks; `wanted` by key, with all of them; `supers` are the keys that make Super."""

    layout: Layout
    rows: dict[tuple[int, int], Combination]
    wanted: dict[int, frozenset[int]]
    supers: frozenset[int]

    @classmethod
    def read(cls, x: X11) -> "KeyBoard":
        """On the layout as it is now."""
        return cls.on(keyboard.read(x))

    @classmethod
    def on(cls, layout: Layout) -> "KeyBoard":
        """On this layout."""
        rows = {
            (key, layout.mask(each.modifiers)): each
            for each in reversed(combinations())
            for key in layout.keys(each.key)
        }
        supers = frozenset(key for name in SUPER for key in layout.keys(name))
        held = [layout.mask(frozenset(filter(None, each.split("+")))) for each in _SUPER_MODIFIERS]
        wanted: dict[int, set[int]] = {}
        for key, mask in (*rows, *((key, mask) for key in supers for mask in held)):
            wanted.setdefault(key, set()).update(layout.with_locks(mask))
        return cls(layout, rows, {key: frozenset(masks) for key, masks in wanted.items()}, supers)

    @property
    def first(self) -> dict[int, frozenset[int]]:
        """Of what is wanted, the keys that are the quickest way out."""
        keys = self.supers.union(*(self.layout.keys(name) for name in FIRST))
        return {key: masks for key, masks in self.wanted.items() if key in keys}

    def name(self, key: int, mask: int) -> str:
        """What a key with these modifiers is called; empty when it is none of the table's."""
        held = self.layout.held(mask)
        if key in self.supers:
            return named(held - {"Super"}, "Super") if "Alt" not in held else ""
        row = self.rows.get((key, self.layout.mask(held)))
        return row.name if row else ""

    def is_beyond(self, key: int, mask: int) -> bool:
        """Whether something below the session may act on it, too."""
        row = self.rows.get((key, self.layout.mask(self.layout.held(mask))))
        return row is not None and row.effect == "observe"

    def frees(self, key: int, mask: int) -> bool:
        """Whether this is Alt, pressed while Super is held."""
        return "Super" in self.layout.held(mask) and "Alt" in self.layout.held(self.layout.made_by((key,)))

    def names(self, refused: Refused) -> tuple[str, ...]:
        """What these are called, each once."""
        return tuple(sorted({name for key, mask in refused if (name := self.name(key, mask & ~self.layout.locks))}))

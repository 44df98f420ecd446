"""What a low-level keyboard hook answers: whether this key is stopped. Pure, and quick, since every key of the machine waits.

Three things make a hook's life hard, and each can leave a keyboard unusable:

- A key whose press was stopped must have its release stopped, too, and no other: or a program believes that Win is held.
- Releases get lost. Whoever presses Ctrl+Alt+Delete lets these keys go on another desktop, which the hook never sees. So Ctrl,
  Alt and Shift are believed held only while Windows agrees; and Win, which Windows was never told of, only for a while.
- With AltGr, Windows presses a left Ctrl of its own making (scan code 0x21D) beforehand. People write @ and € with AltGr.
"""

from collections.abc import Callable
from dataclasses import dataclass

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.windows import keys
from secureproctor.lockdown.windows.api import Stroke

ALTGR_SCAN = 0x21D
WIN_LEASE_MS = 5000
READER_KEYS = frozenset({keys.INSERT, keys.CAPS_LOCK, 0x60})
"""What screen readers hold as their own modifier: Insert, also on the numeric pad, or Caps Lock."""
WIN_KEYS = frozenset({keys.LEFT_WIN, keys.RIGHT_WIN})


@dataclass(frozen=True, slots=True)
class Pressed:
    """A combination that was stopped, by which rule."""

    rule: RuleId
    keys: str
    injected: bool


@dataclass(frozen=True, slots=True)
class Helping:
    """A combination of Windows' own assistive technology. Win was stopped already, so it must be pressed anew with `key`."""

    key: int


Heard = Pressed | Helping | None


class Keyboard:
    """The keys that are held and those that were stopped. `rules` and `reader` (a screen reader runs) may be set at any time,
    from any thread."""

    def __init__(self, is_down: Callable[[int], bool]) -> None:
        self.rules: frozenset[RuleId] = frozenset()
        self.reader = False
        self._is_down = is_down
        self._held: set[int] = set()
        self._stopped: set[int] = set()
        self._win_seen_ms = 0

    def start(self) -> None:
        """Begin anew: what is held now was pressed before anybody looked, so its release is let through."""
        self._stopped.clear()
        self._held = {key for key in keys.MODIFIERS if self._is_down(key)}

    def press(self, stroke: Stroke) -> tuple[bool, Heard]:
        """Whether the key is stopped, and what there is to tell of it; of a key that repeats itself nothing."""
        return self._down(stroke) if stroke.down else (self._up(stroke), None)

    def _down(self, stroke: Stroke) -> tuple[bool, Heard]:
        key = stroke.key
        held = self._modifiers(stroke.at_ms)
        if key in WIN_KEYS or "Win" in held:
            self._win_seen_ms = stroke.at_ms
        if (key in keys.MODIFIERS and stroke.scan != ALTGR_SCAN) or key in READER_KEYS:
            self._held.add(key)
        if self.rules and "Win" in held and keys.helps(key, held) and self._stopped & WIN_KEYS:
            self._stopped.add(key)
            return True, Helping(key)
        rule = self._judge(key, held)
        if rule is None:
            self._stopped.discard(key)
            return False, None
        again = key in self._stopped
        self._stopped.add(key)
        return True, None if again else Pressed(rule, keys.name(key, held), stroke.injected)

    def _up(self, stroke: Stroke) -> bool:
        self._held.discard(stroke.key)
        stopped = stroke.key in self._stopped
        self._stopped.discard(stroke.key)
        return stopped

    def _judge(self, key: int, held: frozenset[str]) -> RuleId | None:
        if key in keys.MODIFIERS and key not in WIN_KEYS:
            return None  # alone they lead nowhere, and what they begin is stopped at its last key
        if self.reader and key in keys.FUNCTION_KEYS and self._held & READER_KEYS and not held & {"Alt", "Win"}:
            return None  # a command of the screen reader, which takes it before any program sees it
        return keys.match(key, held, self.rules)

    def _modifiers(self, now_ms: int) -> frozenset[str]:
        if (now_ms - self._win_seen_ms) & 0xFFFFFFFF > WIN_LEASE_MS:
            self._held -= WIN_KEYS
        self._held = {key for key in self._held if key in self._stopped or self._is_down(key)}
        return frozenset(keys.MODIFIERS[key] for key in self._held if key in keys.MODIFIERS)

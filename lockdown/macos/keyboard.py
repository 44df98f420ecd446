"""What the event tap answers: whether this key is stopped. Pure, and quick, since every key of the machine waits.

A key whose press was stopped must have its release stopped, too, and no other one: not that of a key which programs saw go
down before Cmd joined it, or they believe that it is held. While a password field has the keyboard for itself, neither press
nor release is seen; so a press that is let through ends what was known of the key. What a key would write is looked
at, and neither kept nor told.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.macos import keys
from secureproctor.lockdown.macos.api import Stroke


@dataclass(frozen=True, slots=True)
class Pressed:
    """A combination of a rule, and whether it was stopped."""

    rule: RuleId
    keys: str
    injected: bool
    stopped: bool


class Keyboard:
    """The keys that were stopped. `rules` says of each rule whether it stops its keys or only hears them; it may be set at any
    time, from any thread."""

    def __init__(self) -> None:
        self.rules: Mapping[RuleId, bool] = {}
        self._stopped: set[int] = set()
        self._passed: set[int] = set()

    def press(self, stroke: Stroke, stops: bool) -> tuple[bool, Pressed | None]:
        """Whether the key is stopped, and what there is to tell of it; of a key that repeats itself nothing. `stops`: the tap
        can stop keys."""
        if not stroke.down:
            return self._release(stroke.key), None
        rules, held = self.rules, keys.modifiers(stroke.key, stroke.flags)
        key = keys.key_name(stroke.key, stroke.text)
        rule = keys.match(key, held, rules)
        stopped = stops and rule is not None and rules.get(rule, False)
        if not stopped:
            self._passed.add(stroke.key)
            self._stopped.discard(stroke.key)
        elif stroke.key not in self._passed:
            self._stopped.add(stroke.key)
        if rule is None or stroke.repeats:
            return stopped, None
        return stopped, Pressed(rule, keys.name(key, held), stroke.source != 0, stopped)

    def _release(self, key: int) -> bool:
        stopped = key in self._stopped
        self._stopped.discard(key)
        self._passed.discard(key)
        return stopped

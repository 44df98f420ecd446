"""What the candidate's hands do, as the hooks see it: one pair of hooks for all rules that care.

The hooks answer in a thread of their own (api_hooks.py); what is to be told comes to the guard's thread by a queue. Windows
removes a hook that was once too slow, and tells nobody: so about once a second a key is pressed that means nothing, and a hook
that does not see it is gone, or looks at a desktop that is not in front.
"""

import queue
import time
from collections.abc import Callable

from secureproctor.contract.events import Detail
from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.rule import ApplyFailed, Image, Probed, Report, Sighting, Terms
from secureproctor.lockdown.windows.api import Hooks, Stroke
from secureproctor.lockdown.windows.helpers import Helpers
from secureproctor.lockdown.windows.keyboard import Heard, Helping, Keyboard, Pressed
from secureproctor.lockdown.windows.keys import LEFT_WIN

MARK_EVERY_S = 0.9
ANSWERS_WITHIN_S = 1.0

Device = str
"""`keyboard` or `mouse`."""


class Hands:
    """Hooks for as long as a rule wants them. `wake` ends the wait of the guard's thread."""

    def __init__(self, hooks: Hooks, wake: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._hooks, self._wake, self._clock = hooks, wake, clock
        self.keyboard = Keyboard(hooks.is_down)
        self._reports: dict[RuleId, Callable[[Pressed], None]] = {}
        self._injected: Callable[[Device], None] | None = None
        self._heard: queue.SimpleQueue[Heard | Device] = queue.SimpleQueue()
        self._told_of: set[Device] = set()
        self._open = False
        self._marked_at = 0.0
        self._answered = True

    def stop(self, rule: RuleId, tell: Callable[[Pressed], None]) -> None:
        """Stop the keys of a rule, and tell of them. Raises ApplyFailed."""
        self._reports[rule] = tell
        self._begin()

    def watch_injected(self, tell: Callable[[Device], None]) -> None:
        """Tell, by its device, of input that a program made. Raises ApplyFailed."""
        self._injected = tell
        self._begin()

    def leave(self, rule: RuleId) -> None:
        """A rule wants nothing more."""
        self._reports.pop(rule, None)
        if rule == "injected_input":
            self._injected = None
        self.keyboard.rules = frozenset(self._reports)
        if not self._reports and self._injected is None:
            self.close()

    def close(self) -> None:
        """Unhook."""
        self._hooks.close()
        self._open = False

    def is_alive(self) -> bool:
        """Whether the hooks still see what is pressed. Asks them now and then, and does not wait for the answer."""
        if not self._open:
            return False
        now = self._clock()
        if self._answered and now - self._marked_at >= MARK_EVERY_S:
            self._answered, self._marked_at = False, now
            if not self._hooks.mark():  # the secure desktop is in front: nobody can press anything here
                self._answered = True
        return self._answered or now - self._marked_at < ANSWERS_WITHIN_S

    def react(self) -> None:
        """Tell what was heard meanwhile."""
        while not self._heard.empty():
            self._tell(self._heard.get())
        self._told_of.clear()

    def _begin(self) -> None:
        self.keyboard.rules = frozenset(self._reports)
        if self._open and self._is_answering():
            return
        self.keyboard.start()
        self._answered, self._marked_at = True, self._clock()
        try:
            self._hooks.open(self._on_key, lambda: self._on_injected("mouse"), self._on_mark)
        except OSError as error:
            raise ApplyFailed(f"Windows does not let the keyboard be watched: {error}.") from error
        self._open = True

    def _is_answering(self) -> bool:
        return self._answered or self._clock() - self._marked_at < ANSWERS_WITHIN_S

    def _tell(self, heard: Heard | Device) -> None:
        match heard:
            case Pressed() if heard.rule in self._reports:
                self._reports[heard.rule](heard)
            case Helping():
                self._hooks.press((LEFT_WIN, heard.key))
            case str() if self._injected is not None:
                self._injected(heard)

    # what follows runs in the thread of the hooks

    def _on_key(self, stroke: Stroke) -> bool:
        if stroke.injected:
            self._on_injected("keyboard")
        stopped, heard = self.keyboard.press(stroke)
        if heard is not None:
            self._heard.put(heard)
            self._wake()
        return stopped

    def _on_injected(self, device: Device) -> None:
        if self._injected is not None and device not in self._told_of:
            self._told_of.add(device)  # a program may move the mouse a thousand times a second
            self._heard.put(device)
            self._wake()

    def _on_mark(self) -> None:
        self._answered = True


class KeysRule:
    """The rule `keys`."""

    id: RuleId = "keys"

    def __init__(self, hands: Hands, has_screen_reader: Callable[[], bool]) -> None:
        self._hands = hands
        self._has_screen_reader = has_screen_reader

    def probe(self, terms: Terms) -> Probed:
        """What Windows keeps for itself is said."""
        return Probed(
            "enforced",
            "Windows keeps Ctrl+Alt+Delete for itself; the rules for locking, signing out and the task manager empty its menu.",
        )

    def before(self, terms: Terms) -> Image:
        """A hook ends with its process."""
        return {}

    def apply(self, terms: Terms, report: Report) -> None:
        """Hook, or hook anew."""

        def tell(pressed: Pressed) -> None:
            detail: Detail = {"keys": pressed.keys, "injected": pressed.injected}
            report(Sighting(self.id, "key_stopped", detail, about=pressed.keys))

        self._hands.keyboard.reader = self._has_screen_reader()
        self._hands.stop(self.id, tell)

    def verify(self) -> bool:
        """Whether the hooks answer; a screen reader may have come or gone."""
        self._hands.keyboard.reader = self._has_screen_reader()
        return self._hands.is_alive()

    def restore(self, image: Image) -> None:
        """Unhook."""
        self._hands.leave(self.id)


class InjectedInputRule:
    """The rule `injected_input`: Windows itself marks what a program has pressed or clicked.

    The keyboard on the screen, speech and other assistive technology press keys as programs do: while one of them
    runs, it is no violation.
    """

    id: RuleId = "injected_input"

    def __init__(self, hands: Hands, helpers: Helpers) -> None:
        self._hands = hands
        self._helpers = helpers

    def probe(self, terms: Terms) -> Probed:
        """Windows marks what its own calls inject; a driver or a device that types is not marked."""
        return Probed("observed")

    def before(self, terms: Terms) -> Image:
        """A hook ends with its process."""
        return {}

    def apply(self, terms: Terms, report: Report) -> None:
        """Hook, or hook anew."""

        def tell(device: Device) -> None:
            helper = self._helpers.running()
            detail: Detail = {"device": device, "assistive": helper or None}
            report(Sighting(self.id, "input_injected", detail, about=device, counts=not helper))

        self._helpers.look()
        self._hands.watch_injected(tell)

    def verify(self) -> bool:
        """Whether the hooks answer."""
        return self._hands.is_alive()

    def restore(self, image: Image) -> None:
        """Unhook."""
        self._helpers.look_no_more()
        self._hands.leave(self.id)

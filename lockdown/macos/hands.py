"""What the candidate's hands do, as the event tap sees it: one tap for all rules that care.

The tap answers in a thread of its own (api_taps.py); what is to be told comes to the guard's thread by a queue. Of each event
macOS says which process made it, 0 for a device: so helpers are told from others. A driver or a device that types is not told,
nor is a program that remaps keys by a virtual device.
"""

import queue
import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from secureproctor.contract.events import Detail
from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.macos.api import Session, Stroke, Taps
from secureproctor.lockdown.macos.keyboard import Keyboard, Pressed
from secureproctor.lockdown.macos.rights import GRANT, Grasp, grasp, missing
from secureproctor.lockdown.rule import ApplyFailed, Image, Probed, Report, Sighting, Terms
from secureproctor.lockdown.rules.census import Census
from secureproctor.lockdown.rules.kin import Kin
from secureproctor.lockdown.rules.observing import Observing

SECURE_S = 5.0
"""A password field may have the keyboard for itself so long; then the rule does not hold."""
SECURE = "A program keeps all keys for itself, as password fields do, so none can be stopped."
LEAVE_IT = "Click into the exam, and close programs that wait for a password or have Secure Keyboard Entry on."
BESIDES = "Gestures of the trackpad and the power button are no keys: where they lead is undone by the rule of the exam window."
LISTENING = "Keys are heard and cannot be stopped."


class Injected(NamedTuple):
    """Input that a process made."""

    device: Literal["keyboard", "mouse"]
    pid: int


class Hands:
    """A tap for as long as a rule wants it. `wake` ends the wait of the guard's thread."""

    def __init__(self, taps: Taps, session: Session, wake: Callable[[], None]) -> None:
        self._taps, self._session, self._wake = taps, session, wake
        self._keyboard = Keyboard()
        self._reports: dict[RuleId, tuple[Callable[[Pressed], None], bool]] = {}
        self._injected: Callable[[Injected], None] | None = None
        self._heard: queue.SimpleQueue[Pressed | Injected] = queue.SimpleQueue()
        self._told: set[Injected] = set()
        self._stops = False

    @property
    def grasp(self) -> Grasp:
        """What can be done with keys now."""
        return grasp(self._session.rights())

    @property
    def why(self) -> str:
        """What is missing for more, as a sentence; empty: nothing."""
        return missing(self._session.rights())

    def stop(self, rule: RuleId, tell: Callable[[Pressed], None], stops: bool) -> None:
        """Stop the keys of a rule if it `stops` them and macOS lets us, and tell of them. Raises ApplyFailed."""
        self._reports[rule] = tell, stops
        self._begin()

    def watch_injected(self, tell: Callable[[Injected], None]) -> None:
        """Tell of input that a process made. Raises ApplyFailed."""
        self._injected = tell
        self._begin()

    def leave(self, rule: RuleId) -> None:
        """A rule wants nothing more."""
        self._reports.pop(rule, None)
        if rule == "injected_input":
            self._injected = None
        self._set_rules()
        if not self._reports and self._injected is None:
            self.close()

    def close(self) -> None:
        """Tap no more."""
        self._taps.close()

    def is_alive(self) -> bool:
        """Whether the tap is asked, and does as much as it could with the rights there are now."""
        return self._taps.is_open() and self._stops == (self.grasp == "stop")

    def react(self) -> None:
        """Tell what was heard meanwhile."""
        while not self._heard.empty():
            self._tell(self._heard.get())
        self._told.clear()

    def _set_rules(self) -> None:
        self._keyboard.rules = {rule: stops for rule, (_, stops) in self._reports.items()}

    def _begin(self) -> None:
        self._set_rules()
        if self.is_alive():
            return
        can = self.grasp
        if can == "nothing":
            self._taps.close()
            raise ApplyFailed(self.why)
        self._stops = can == "stop"
        try:
            self._taps.open(self._stops, self._on_key, lambda pid: self._on_injected(Injected("mouse", pid)))
        except OSError as error:
            raise ApplyFailed(f"macOS does not let the keyboard be watched: {error}.") from error

    def _tell(self, heard: Pressed | Injected) -> None:
        if isinstance(heard, Injected):
            if self._injected is not None:
                self._injected(heard)
        elif heard.rule in self._reports:
            self._reports[heard.rule][0](heard)

    # what follows runs in the thread of the tap

    def _on_key(self, stroke: Stroke) -> bool:
        if stroke.source and stroke.down:
            self._on_injected(Injected("keyboard", stroke.source))
        stopped, pressed = self._keyboard.press(stroke, self._stops)
        if pressed is not None:
            self._heard.put(pressed)
            self._wake()
        return stopped

    def _on_injected(self, injected: Injected) -> None:
        if self._injected is not None and injected not in self._told:
            self._told.add(injected)  # a program may type a thousand keys a second
            self._heard.put(injected)
            self._wake()


class KeysRule:
    """The rule `keys`."""

    id: RuleId = "keys"

    def __init__(self, hands: Hands, session: Session, clock: Callable[[], float] = time.monotonic) -> None:
        self._hands, self._session, self._clock = hands, session, clock
        self._secure_since: float | None = None

    def probe(self, terms: Terms) -> Probed:
        """As the rights are, and what has the keyboard."""
        match self._hands.grasp:
            case "nothing":
                return Probed("impossible", self._hands.why, GRANT)
            case "listen":
                return Probed("observed", f"{LISTENING} {self._hands.why}", GRANT)
            case "stop":
                secure = self._session.has_secure_input()
                return Probed("observed", SECURE, LEAVE_IT) if secure else Probed("enforced", BESIDES)

    def before(self, terms: Terms) -> Image:
        """A tap ends with its process."""
        return {}

    def apply(self, terms: Terms, report: Report) -> None:
        """Tap, or tap anew."""

        def tell(pressed: Pressed) -> None:
            detail: Detail = {"keys": pressed.keys, "injected": pressed.injected}
            kind = "key_stopped" if pressed.stopped else "key_seen"
            report(Sighting(self.id, kind, detail, about=pressed.keys))

        self._hands.stop(self.id, tell, stops=not terms.observe_only)
        if self._is_hidden():
            raise ApplyFailed(SECURE)

    def verify(self) -> bool:
        """Whether the tap is asked, and keys are not kept from it for long."""
        return self._hands.is_alive() and not self._is_hidden()

    def restore(self, image: Image) -> None:
        """Tap no more."""
        self._secure_since = None
        self._hands.leave(self.id)

    def _is_hidden(self) -> bool:
        if not self._session.has_secure_input():
            self._secure_since = None
            return False
        now = self._clock()
        self._secure_since = now if self._secure_since is None else self._secure_since
        return now - self._secure_since >= SECURE_S


class InjectedInputRule(Observing):
    """The rule `injected_input`. What assistive technology types is no violation, and the exam's own browser may do as it
    likes."""

    id: RuleId = "injected_input"

    def __init__(self, hands: Hands, census: Census, names: Catalogue) -> None:
        self._hands, self._census, self._names = hands, census, names
        self._kin = Kin(census.describe)

    def probe(self, terms: Terms) -> Probed:
        """It takes the right to hear keys."""
        if self._hands.grasp == "nothing":
            return Probed("impossible", self._hands.why, GRANT)
        return Probed("observed")

    def apply(self, terms: Terms, report: Report) -> None:
        """Tap, or tap anew."""
        super().apply(terms, report)
        self._kin = Kin(self._census.describe, terms.exam.pid)
        self._hands.watch_injected(self._tell)

    def verify(self) -> bool:
        """Whether the tap is asked."""
        return super().verify() and self._hands.is_alive()

    def restore(self, image: Image) -> None:
        """Tap no more."""
        super().restore(image)
        self._hands.leave(self.id)

    def _tell(self, injected: Injected) -> None:
        running = self._census.describe(injected.pid)
        if self._report is None or (running is not None and self._kin.is_own(running)):
            return
        program = running.name if running is not None else ""
        helps = running is not None and self._names.assistive(running) is not None
        detail: Detail = {"device": injected.device, "program": program, "assistive": program if helps else None}
        self._report(Sighting(self.id, "input_injected", detail, f"{injected.device} {program}", counts=not helps))

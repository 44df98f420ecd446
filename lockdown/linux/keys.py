"""The rule `keys` on X11: the combinations of key_table.py are stopped by grabs, the server's own keys by the keymap.

All keys are heard as raw events besides, which nobody can keep from us, and compared with the table only: what is not in it is
neither kept nor told. A combination that was heard and did not come by our grab went to somebody else, who has grabbed the
keyboard or grabbed that key after us: it is told as seen, and all grabs are taken anew, which puts them first again. Nothing
has to be asked over and over to know that the grabs hold.

Super is given back as soon as Alt joins it, so that Alt+Super+S still switches the screen reader on, in either order.
A program that listens to raw events, as this one does, cannot be kept from acting on Super alone.

Tried with openbox, on Xvfb and Xtigervnc. Not tried yet: mutter (whose kind of grab is tested with a stand-in), KWin, and a
keyboard at a real console.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from Xlib import X
from Xlib.ext import ge, xinput

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.linux import ewmh, grabs, keyboard, keymap
from secureproctor.lockdown.linux.input_devices import InputDevices
from secureproctor.lockdown.linux.key_board import KeyBoard
from secureproctor.lockdown.linux.x11 import X11, RawInput
from secureproctor.lockdown.linux.xkb import open_xkb
from secureproctor.lockdown.rule import Image, Probed, Report, Sighting, Terms

STOPPED_WITHIN_S = 0.1
"""A grab's event follows the raw one at once; later it does not come any more."""
SETTLE_S = (0.1, 0.4, 1.0)
"""When grabs are taken anew after a new keymap or window manager, which takes its own meanwhile."""
FIRST_AGAIN_S = tuple(number / 200 for number in range(1, 61))
"""When those of the quickest ways out are: nobody says when a window manager takes its own, and until then it comes first."""
_REPEAT = 1 << 16  # XIKeyRepeat
_RAW = xinput.RawKeyPressMask | xinput.RawKeyReleaseMask
_ACTIONS = "actions"
NAMED = 5
"""So many of the keys that cannot be stopped are named in a sentence."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """A combination that was heard, and until when our grab may still tell that it was stopped."""

    name: str
    injected: bool | None
    until: float


class KeysRule:
    """Stops what can be stopped, and tells what was pressed."""

    id: RuleId = "keys"

    def __init__(self, devices: InputDevices, clock: Callable[[], float] = time.monotonic) -> None:
        self._devices = devices
        self._clock = clock
        self._hold: Hold | None = None

    def probe(self, x: X11, terms: Terms) -> Probed:
        """Tries the grabs, and gives them back; while they are held, it says how that went."""
        if not x.has_input:
            return Probed("impossible", "This X server is too old: it has no XInput 2.", "Use a newer system.")
        refused = _tried(x) if self._hold is None else self._hold.refused
        if not refused:
            return Probed("enforced")
        some = ", ".join(refused[:NAMED])
        return Probed("observed", f"Another program holds {some}.", "Close programs that define keys for all windows.")

    def before(self, x: X11, terms: Terms) -> Image:
        """What the server does at its own keys."""
        xkb = None if terms.observe_only else open_xkb(x)
        actions = keymap.actions_of(xkb.interpretations()) if xkb is not None else {}
        return {_ACTIONS: {**actions}} if actions else {}

    def apply(self, x: X11, terms: Terms, report: Report) -> None:
        """Grab, and listen. Also again, over what is applied."""
        self.let_go()
        self._hold = Hold(x, report, self._devices, self._clock, enforce=not terms.observe_only)
        self._hold.begin()

    def verify(self) -> bool:
        """Whether grabs and keymap are as they were put."""
        return self._hold is not None and self._hold.is_whole

    def let_go(self) -> None:
        """Give the grabs back."""
        hold, self._hold = self._hold, None
        if hold is not None:
            hold.end()

    def put_back(self, x: X11, image: Image) -> None:
        """Let the server act at its own keys again."""
        xkb, actions = open_xkb(x), image.get(_ACTIONS)
        if xkb is not None and isinstance(actions, dict):
            keymap.put_back(xkb, {keys: str(action) for keys, action in actions.items()})

    def fileno(self) -> int:
        """None: its events come by the connection."""
        return -1

    @property
    def period_s(self) -> float | None:
        """While something is to be decided."""
        return None if self._hold is None else self._hold.due_s

    def react(self) -> None:
        """Decide it."""
        if self._hold is not None:
            self._hold.react()


class Hold:
    """On the keyboard, from apply to restore."""

    def __init__(
        self, x: X11, report: Report, devices: InputDevices, clock: Callable[[], float], *, enforce: bool
    ) -> None:
        self._x, self._report, self._devices, self._clock, self._enforce = x, report, devices, clock, enforce
        self._xkb = open_xkb(x)
        self._actions = keymap.actions_of(self._xkb.interpretations()) if self._xkb else {}
        self._board = KeyBoard.read(x)
        self._down = set(keyboard.pressed(x))
        self._heard: dict[int, _Heard] = {}
        self._due: list[float] = []
        self._first_due: list[float] = []
        self.refused: tuple[str, ...] = ()
        self.is_whole = True

    def begin(self) -> None:
        """Listen, and take everything."""
        x, owner = self._x, KeysRule.id
        x.select_input(owner, _RAW, self._raw)
        x.on(owner, ge.GenericEventCode, self._came, x.input_kind(xinput.KeyPress))
        x.on(owner, ge.GenericEventCode, self._went, x.input_kind(xinput.KeyRelease))
        x.on(owner, X.KeyPress, self._came_by_core)
        x.on(owner, X.KeyRelease, lambda event: self._down.discard(event.detail))
        x.select(owner, x.root.id, X.PropertyChangeMask)
        x.on(owner, X.PropertyNotify, self._property)
        if self._xkb is not None:
            self._xkb.hear(wanted=True)
            x.on(owner, self._xkb.event, lambda _event: self._settle())
        self._take()

    def end(self) -> None:
        """Give everything back."""
        self._x.forget(KeysRule.id)
        if self._xkb is not None:
            self._xkb.hear(wanted=False)
        grabs.release(self._x)

    def _take(self) -> None:
        """Take everything, anew if need be."""
        if self._enforce:
            wanted = self._board.first | self._board.wanted  # in this order
            self.refused = self._board.names(grabs.take(self._x, wanted))
            self.is_whole = self._xkb is None or keymap.disarm(self._xkb, self._actions)

    @property
    def due_s(self) -> float | None:
        """How soon to react."""
        if not self._heard and not self._due and not self._first_due:
            return None
        soonest = min((*(heard.until for heard in self._heard.values()), *self._due, *self._first_due))
        return max(0.0, soonest - self._clock())

    def react(self) -> None:
        """Tell what was not stopped; take the grabs anew when that is due."""
        now = self._clock()
        missed = [key for key, heard in self._heard.items() if now >= heard.until]
        for key in missed:
            heard = self._heard.pop(key)
            self._tell("key_seen", heard.name, heard.injected)
        due = [each for each in self._due if now >= each]
        self._due = [each for each in self._due if now < each]
        if due:
            self._board = KeyBoard.read(self._x)
        if due or missed:
            self._take()
        elif first := [each for each in self._first_due if now >= each]:
            self._first_due = self._first_due[len(first) :]
            grabs.take(self._x, self._board.first)

    def _settle(self) -> None:
        now = self._clock()
        self._due = [now + each for each in SETTLE_S]
        self._first_due = [now + each for each in FIRST_AGAIN_S] if self._enforce else []

    def _property(self, event: Any) -> None:
        if event.window.id == self._x.root.id and event.atom == self._x.atom(ewmh.MANAGER):
            self._settle()

    def _raw(self, event: RawInput) -> None:
        """Any key of any keyboard, while no grab is at work."""
        if event.kind == xinput.RawKeyRelease:
            self._down.discard(event.code)
            return
        name = self._board.name(event.code, self._board.layout.made_by(self._down))
        repeated = event.code in self._down
        self._down.add(event.code)
        if name and not repeated:
            self._heard[event.code] = _Heard(name, self._injected(event.source), self._clock() + STOPPED_WITHIN_S)

    def _came(self, event: Any) -> None:
        """A key by one of our grabs, or while one is at work."""
        key, mask = int(event.data["detail"]), int(event.data["mods"]["effective_mods"])
        self._down.add(key)
        if not event.data["flags"] & _REPEAT:
            self._stopped(key, mask, self._injected(event.data["sourceid"]))

    def _went(self, event: Any) -> None:
        self._down.discard(event.data["detail"])

    def _came_by_core(self, event: Any) -> None:
        """By a grab of the other kind, which does not tell from which device."""
        heard = self._heard.get(event.detail)
        self._stopped(event.detail, event.state, None if heard is None else heard.injected)

    def _stopped(self, key: int, mask: int, injected: bool | None) -> None:
        self._heard.pop(key, None)
        if self._board.frees(key, mask):
            grabs.give_back(self._x)
        if name := self._board.name(key, mask):
            self._tell("key_seen" if self._board.is_beyond(key, mask) else "key_stopped", name, injected)

    def _injected(self, source: int) -> bool | None:
        return self._devices.injected(self._x, source)

    def _tell(self, kind: str, name: str, injected: bool | None) -> None:
        self._report(Sighting(KeysRule.id, kind, {"keys": name, "injected": injected}, about=name))


def _tried(x: X11) -> tuple[str, ...]:
    board = KeyBoard.read(x)
    refused = board.names(grabs.take(x, board.wanted))
    grabs.release(x)
    return refused

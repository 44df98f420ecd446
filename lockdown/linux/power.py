"""The rule `power` on X11: the screen does not darken, and the computer does not sleep, by themselves.

The server's screen saver and power saving are suspended for as long as this connection lives (MIT-SCREEN-SAVER 1.1): nothing is
set, so nothing is to be put back. Desktops have timers of their own, which count since the last input; a reset of the screen
saver counts as one. Against sleep, logind's inhibitor (inhibitor.py), where there is one; it ends with this process, too.
"""

import time
from collections.abc import Callable

from Xlib import X
from Xlib.ext import screensaver
from Xlib.protocol import rq

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.linux.inhibitor import Inhibitor
from secureproctor.lockdown.linux.x11 import X11
from secureproctor.lockdown.rule import Image, Probed, Report, Terms

RESET_S = 20.0
"""Well below the shortest time that desktops offer."""


class _Suspend(rq.Request):  # type: ignore[misc]  # python-xlib ships no types, and lacks this request
    _request = rq.Struct(rq.Card8("opcode"), rq.Opcode(5), rq.RequestLength(), rq.Card32("suspend"))


class PowerRule:
    """Keeps the screen bright."""

    id: RuleId = "power"

    def __init__(self, inhibitor: Inhibitor, clock: Callable[[], float] = time.monotonic) -> None:
        self._inhibitor = inhibitor
        self._clock = clock
        self._x: X11 | None = None
        self._next = 0.0

    def probe(self, x: X11, terms: Terms) -> Probed:
        """A reset works everywhere; the suspension is the better half."""
        return Probed("enforced")

    def before(self, x: X11, terms: Terms) -> Image:
        """Nothing outlives the connection."""
        return {}

    def apply(self, x: X11, terms: Terms, report: Report) -> None:
        """Suspend, and wake the screen up."""
        self.let_go()
        self._x = x
        _suspend(x, on=True)
        self._inhibitor.start()
        self._reset()

    def verify(self) -> bool:
        """Whether it is suspended; resets when that is due."""
        if self._x is not None and self._clock() >= self._next:
            self._reset()
        return self._x is not None

    def let_go(self) -> None:
        """Let it count again."""
        x, self._x = self._x, None
        self._inhibitor.stop()
        if x is not None:
            _suspend(x, on=False)

    def put_back(self, x: X11, image: Image) -> None:
        """Nothing."""

    def _reset(self) -> None:
        self._next = self._clock() + RESET_S
        if self._x is not None:
            self._x.display.force_screen_saver(X.ScreenSaverReset)
            self._x.display.flush()


def _suspend(x: X11, *, on: bool) -> None:
    if x.has(screensaver.extname):
        opcode = x.display.display.get_extension_major(screensaver.extname)
        _Suspend(display=x.display.display, opcode=opcode, suspend=int(on))
        x.sync()

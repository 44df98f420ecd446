"""Another program on the candidate's screen, which does one thing that a lockdown is there for, when a line tells it to.

    python -m secureproctor.demo.intruder        reads from standard input: window | clipboard | gone

`window` puts a window in front of everything and asks for the focus, as any program can; `clipboard` becomes the owner of the
clipboard, as a copy does. Each is answered with a line that holds the moment in milliseconds since 1970.
"""

import sys
import time

from Xlib import X, Xatom, display
from Xlib.protocol.event import ClientMessage

PAGER = 2
"""Who asks for the focus: a window manager believes a pager (EWMH, _NET_ACTIVE_WINDOW)."""


class Intruder:
    """A client of the X server with one window."""

    def __init__(self) -> None:
        self._display = display.Display()
        self._root = self._display.screen().root
        self._window = self._root.create_window(200, 200, 480, 320, 0, X.CopyFromParent, background_pixel=0xB91C1C)
        self._window.set_wm_name("Notes")
        self._window.set_wm_class("notes", "Notes")

    def window(self) -> None:
        """Come to the front."""
        self._window.map()
        atom = self._display.intern_atom("_NET_ACTIVE_WINDOW")
        asking = ClientMessage(window=self._window, client_type=atom, data=(32, [PAGER, X.CurrentTime, 0, 0, 0]))
        self._root.send_event(asking, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)

    def clipboard(self) -> None:
        """Own the clipboard."""
        self._window.set_selection_owner(self._display.intern_atom("CLIPBOARD"), X.CurrentTime)
        self._window.set_selection_owner(Xatom.PRIMARY, X.CurrentTime)

    def do(self, deed: str) -> int:
        """Do it; when it was done, in milliseconds since 1970."""
        {"window": self.window, "clipboard": self.clipboard}[deed]()
        self._display.sync()
        return time.time_ns() // 1_000_000


def main() -> int:
    """Obey until `gone`, or the end of the input."""
    intruder = Intruder()
    for line in sys.stdin:
        if line.strip() == "gone":
            break
        sys.stdout.write(f"{intruder.do(line.strip())}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())

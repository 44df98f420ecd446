"""A python-xlib connection whose numbers are its own.

python-xlib 0.33 keeps what extensions are numbered in a *class*: a second server in one process, with other extensions (the
next session's, a VNC server), breaks the first, or fails to connect. Here each connection has tables of its own. A thread that
connects by python-xlib at the same moment may get such a one, too, which is as good. And where python-xlib leaves a socket open
that the server has refused, it is closed.
"""

import socket
import threading

from Xlib import display as xlib
from Xlib import error
from Xlib.protocol import event

_making = threading.Lock()


class _OwnTables(xlib._BaseDisplay):  # type: ignore[misc]  # python-xlib ships no types
    """The protocol's half of a connection."""

    def __init__(self, name: str) -> None:
        self.extension_major_opcodes: dict[str, int] = {}
        self.event_classes = event.event_class.copy()
        self.error_classes = error.xerror_class.copy()
        try:
            super().__init__(name)
        except BaseException:
            opened: socket.socket | None = getattr(self, "socket", None)
            if opened is not None:
                opened.close()
            raise


def separate_display(name: str) -> xlib.Display:
    """As Xlib.display.Display, and raises what that raises."""
    with _making:
        shared, xlib._BaseDisplay = xlib._BaseDisplay, _OwnTables
        try:
            return xlib.Display(name)
        finally:
            xlib._BaseDisplay = shared

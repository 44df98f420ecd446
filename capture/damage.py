"""Whether anything was drawn on an X11 screen, told by the server (the DAMAGE extension) instead of by looking.

An idle screen then costs nothing at all: no grab, no comparison, no wake-up. The damage is acknowledged *before* the
picture is taken, so that whatever is drawn meanwhile is reported anew. The same connection tells of a screen that changes
its size, and of a server that died.
"""

import contextlib
import select
import socket
import time
from typing import Any

from Xlib import X, display, error
from Xlib.ext import damage

from secureproctor.capture.grab import ScreenGone

_GONE = (error.DisplayError, error.ConnectionClosedError, error.XauthError, error.XNoAuthError, OSError)


class NoDamage(Exception):
    """This X server has no DAMAGE extension."""


class DamageSignal:
    """A connection of its own to the X server. Raises `NoDamage` when made, and `ScreenGone` from every method."""

    def __init__(self, name: str | None) -> None:
        self.resized = False
        self._dirty = True
        try:
            self._display = display.Display(name)
        except _GONE as problem:
            raise ScreenGone(str(problem)) from problem
        self._nudge, self._nudged = socket.socketpair()
        try:
            self._damage = self._subscribe()
        except BaseException:
            self.close()
            raise

    def _subscribe(self) -> int:
        if not self._display.has_extension(damage.extname):
            raise NoDamage
        self._display.damage_query_version()
        self._drawn: int = self._display.extension_event.DamageNotify
        root = self._display.screen().root
        root.change_attributes(event_mask=X.StructureNotifyMask)
        handle: int = root.damage_create(damage.DamageReportNonEmpty)
        self._display.sync()
        return handle

    def wait(self, timeout_s: float) -> bool:
        """Whether something was drawn since `acknowledge`, or the size changed. Ends early on both."""
        deadline = time.monotonic() + timeout_s
        try:
            self._take_events()
            while not (self._dirty or self.resized):
                left = deadline - time.monotonic()
                if left <= 0 or self._interrupted(left):
                    return False
                self._take_events()
        except _GONE as problem:
            raise ScreenGone(str(problem)) from problem
        return True

    def pause(self, timeout_s: float) -> None:
        """Sleeps; an interrupt ends it."""
        select.select([self._nudged], [], [], timeout_s)

    def acknowledge(self) -> None:
        """What is drawn from now on counts as new. The server has done it when this returns."""
        try:
            self._take_events()
            self._dirty = False
            self._display.damage_subtract(self._damage)
            self._display.sync()
            self._take_events()
        except _GONE as problem:
            raise ScreenGone(str(problem)) from problem

    def interrupt(self) -> None:
        """Ends all waits and pauses. The byte is never read, so later ones end as well."""
        with contextlib.suppress(OSError):  # closed at the same moment by its own thread
            self._nudge.send(b"\0")

    def close(self) -> None:
        """Ends the connection; harmless when the server is gone."""
        try:
            self._display.close()
        except _GONE:
            self._display.display.socket.close()  # python-xlib 0.33 keeps its socket open after the server's death
        self._nudge.close()
        self._nudged.close()

    def _take_events(self) -> None:
        while self._display.pending_events():
            event: Any = self._display.next_event()
            self._dirty = self._dirty or event.type == self._drawn
            self.resized = self.resized or event.type == X.ConfigureNotify

    def _interrupted(self, timeout_s: float) -> bool:
        ready, _, _ = select.select([self._display, self._nudged], [], [], timeout_s)
        return self._nudged in ready

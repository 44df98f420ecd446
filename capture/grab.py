"""How to get at the pixels of the screen on this system, and how to learn that they changed.

`open_screen` is the one place that chooses: on X11 shared memory read in place and the server's own word on changes; each
of the two steps aside for the public way of mss and for comparing at the pace's rate when it is not to be had. Windows and
macOS take the public way; not yet run on Windows and macOS.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import mss
import numpy as np
from mss.exception import ScreenShotError
from numpy.typing import NDArray

GRAB_ERRORS: tuple[type[Exception], ...] = (ScreenShotError, AssertionError, OSError, ValueError)
"""What mss raises when the screen is gone. After the death of an X server that is a bare AssertionError (mss 10.2)."""

if sys.platform == "linux":
    from mss.linux.xcbhelpers import XError

    GRAB_ERRORS = (*GRAB_ERRORS, XError)


class ScreenGone(Exception):
    """There is no screen, or there is none any more."""


class Grab(Protocol):
    """The pixels of all monitors as one picture. Methods raise `ScreenGone`."""

    width: int
    height: int

    def grab(self) -> NDArray[np.uint8]:
        """BGRA, C-contiguous, of shape (height, width, 4), valid until the next grab."""

    def close(self) -> None:
        """Frees it."""


class ChangeSignal(Protocol):
    """Whether the screen may have changed since the last grab. Methods raise `ScreenGone`."""

    resized: bool
    """The screen has another size by now: grab and signal have to be opened anew."""

    def wait(self, timeout_s: float) -> bool:
        """True as soon as a grab may be worth it; False after the time-out or an interrupt."""

    def pause(self, timeout_s: float) -> None:
        """Sleeps; an interrupt ends it."""

    def acknowledge(self) -> None:
        """A grab follows: what is drawn from now on counts as new."""

    def interrupt(self) -> None:
        """Ends all waits and pauses, present and later. Any thread may call it."""

    def close(self) -> None:
        """Frees it."""


class MssGrab:
    """The public way of mss, on any system. On macOS a picture has more pixels than points; the pixels count."""

    def __init__(self, screen: mss.MSS) -> None:
        self._screen = screen
        first = self.grab()
        self.height, self.width = first.shape[:2]

    def grab(self) -> NDArray[np.uint8]:
        """BGRA of shape (height, width, 4)."""
        try:
            shot = self._screen.grab(self._screen.monitors[0])
        except GRAB_ERRORS as problem:
            raise ScreenGone(repr(problem)) from problem
        return np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)

    def close(self) -> None:
        """Frees the handles of the system."""
        close_mss(self._screen)


class PollSignal:
    """For systems that do not tell: a change is always possible, so the pace alone decides how often to look.

    mss caches the monitors of an object, hence the size is asked of a fresh one every two seconds.
    """

    def __init__(self, size: Callable[[], tuple[int, int]], clock: Callable[[], float] = time.monotonic) -> None:
        self.resized = False
        self._size = size
        self._first_size = size()
        self._clock = clock
        self._next_look = clock() + 2.0
        self._interrupted = threading.Event()

    def wait(self, timeout_s: float) -> bool:
        """True at once, unless there is no time."""
        if self._clock() >= self._next_look:
            self._next_look = self._clock() + 2.0
            self.resized = self._size() != self._first_size
        return timeout_s > 0 and not self._interrupted.is_set()

    def pause(self, timeout_s: float) -> None:
        """Sleeps; an interrupt ends it."""
        self._interrupted.wait(timeout_s)

    def acknowledge(self) -> None:
        """Nothing to do: nothing is known."""

    def interrupt(self) -> None:
        """Ends all waits and pauses."""
        self._interrupted.set()

    def close(self) -> None:
        """Nothing to free."""


def open_screen(display: str | None) -> tuple[Grab, ChangeSignal]:
    """The best ways of this system. `display` names an X11 display (None: `$DISPLAY`). Raises `ScreenGone`."""
    grab = _best_grab(_open_mss(display))
    try:
        return grab, _best_signal(display)
    except BaseException:
        grab.close()
        raise


def close_mss(screen: mss.MSS) -> None:
    """Frees an mss object; harmless when the X server is gone (mss frees what is its own, then complains)."""
    with suppress(*GRAB_ERRORS):
        screen.close()


def _open_mss(display: str | None) -> mss.MSS:
    try:
        return mss.MSS(display=display) if display else mss.MSS()
    except GRAB_ERRORS as problem:
        raise ScreenGone(repr(problem)) from problem


def _best_grab(screen: mss.MSS) -> Grab:
    try:
        if sys.platform == "linux":
            from secureproctor.capture.x11_grab import open_in_place

            in_place = open_in_place(screen)
            if in_place is not None:
                return in_place
        return MssGrab(screen)
    except BaseException:
        close_mss(screen)
        raise


def _best_signal(display: str | None) -> ChangeSignal:
    if sys.platform == "linux":
        from secureproctor.capture.damage import DamageSignal, NoDamage

        try:
            return DamageSignal(display)
        except NoDamage:
            pass  # a server without the extension; pictures are compared instead

    def size() -> tuple[int, int]:
        fresh = _open_mss(display)
        try:
            whole = fresh.monitors[0]
        except GRAB_ERRORS as problem:
            raise ScreenGone(repr(problem)) from problem
        finally:
            close_mss(fresh)
        return whole["width"], whole["height"]

    return PollSignal(size)

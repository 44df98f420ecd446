"""The pixels of an X11 screen without a copy: the shared memory into which the X server writes for mss, read in place.

mss copies its buffer into fresh memory with each grab, which costs more than the server's own work (0.6 against 0.2 ms at
1080p). This file is the one place that touches attributes of mss that are not public (version 10.2,
pinned in pyproject.toml). When they are not as expected, `open_in_place` says so, and the public way is taken.
"""

from typing import Any

import mss
import numpy as np
from mss.linux.base import ALL_PLANES
from mss.linux.xcbgen import ImageFormat, shm_get_image
from mss.linux.xshmgetimage import MSSImplXShmGetImage, ShmStatus
from numpy.typing import NDArray

from secureproctor.capture.grab import GRAB_ERRORS, ScreenGone, close_mss


class X11Grab:
    """The whole X11 screen, all monitors in one picture. Made by `open_in_place`."""

    def __init__(self, screen: mss.MSS, implementation: Any) -> None:
        whole = screen.monitors[0]
        self.width, self.height = whole["width"], whole["height"]
        self._screen = screen
        self._its = implementation
        flat = np.frombuffer(implementation._buf, np.uint8, self.width * self.height * 4)
        self._pixels = flat.reshape(self.height, self.width, 4)

    def grab(self) -> NDArray[np.uint8]:
        """BGRA of shape (height, width, 4), valid until the next grab or close. Raises `ScreenGone`."""
        its, size, form = self._its, (self.width, self.height), ImageFormat.ZPixmap
        try:
            shm_get_image(its.conn, its.drawable, 0, 0, *size, ALL_PLANES, form, its._shmseg, 0)
        except GRAB_ERRORS as problem:
            raise ScreenGone(repr(problem)) from problem
        return self._pixels

    def close(self) -> None:
        """Frees the shared memory. Whoever still looks at the last picture has to let go of it before."""
        del self._pixels  # an mmap refuses to close while an array looks into it
        close_mss(self._screen)


def open_in_place(screen: mss.MSS) -> X11Grab | None:
    """A grab that reads the buffer of `screen`, or None where this mss or this server does not allow it.

    One ordinary grab comes first, as mss learns from it whether shared memory works. Raises `ScreenGone`.
    """
    try:
        screen.grab(screen.monitors[0])
    except GRAB_ERRORS as problem:
        raise ScreenGone(repr(problem)) from problem
    implementation = screen._impl
    if not isinstance(implementation, MSSImplXShmGetImage):
        return None
    if implementation.shm_status is not ShmStatus.AVAILABLE:
        return None
    return X11Grab(screen, implementation)

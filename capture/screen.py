"""The screen, taken only when something was drawn on it.

All monitors are one picture, for evidence has to show what stood side by side. The way of a picture: the system says that
something may have been drawn → the pace allows → grab → equal to the last one? then nothing → I420, into one of two buffers
used in turn. A picture of odd size loses its last row or column, as video with halved chroma has none.

The mouse pointer is not in the picture: X11 keeps it apart from the pixels of the screen, and its moves raise no damage.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from secureproctor.capture.camera import Bgr
from secureproctor.capture.compare import make_equal
from secureproctor.capture.grab import ChangeSignal, Grab, ScreenGone, open_screen
from secureproctor.capture.latest import Latest
from secureproctor.capture.media import Clock, VideoFrame
from secureproctor.capture.pacing import Pacer
from secureproctor.capture.source import CannotOpen, DeviceLost, Diagnosis, SourceCounts
from secureproctor.contract.streams import Stream


class Picture:
    """The last picture of one size: to compare the next with, and as I420 in two buffers used in turn."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width & ~1, height & ~1
        self._equal = make_equal()
        self.seen: NDArray[np.uint8] | None = None
        """The last picture, BGRA of shape (height, width, 4); written into by `update`."""
        self._turn = 0
        self._i420 = [np.empty((self.height * 3 // 2, self.width), np.uint8) for _ in range(2)]

    @property
    def i420(self) -> NDArray[np.uint8]:
        """uint8 of shape (height * 3 // 2, width)."""
        return self._i420[self._turn]

    def update(self, bgra: NDArray[np.uint8]) -> bool:
        """Takes over `bgra`, shape (height, width, 4); False when it equals the last one."""
        if self.seen is None:
            self.seen = bgra.copy()
        elif self._equal(bgra, self.seen):
            return False
        else:
            np.copyto(self.seen, bgra)
        self._turn ^= 1
        cv2.cvtColor(bgra[: self.height, : self.width], cv2.COLOR_BGRA2YUV_I420, dst=self._i420[self._turn])
        return True


class Screen:
    """`Source[VideoFrame]` of all monitors. `display` names an X11 display; None means `$DISPLAY`."""

    def __init__(self, clock: Clock, fps: float = 12.0, display: str | None = None) -> None:
        self._clock = clock
        self._pacer = Pacer(fps)
        self._display = display
        self._grab: Grab | None = None
        self._signal: ChangeSignal | None = None
        self._interrupted = False
        self._latest = Latest()
        self._grabbed = self._skipped = 0

    def open(self) -> None:
        """Raises `CannotOpen` with no_display."""
        try:
            self._open()
        except ScreenGone as problem:
            raise CannotOpen(Stream.SCREEN, Diagnosis.NO_DISPLAY, str(problem)) from problem

    def _open(self) -> None:
        self._grab, self._signal = open_screen(self._display)
        self._picture = Picture(self._grab.width, self._grab.height)
        if self._interrupted:
            self._signal.interrupt()

    def read(self, until_us: int) -> VideoFrame | None:
        """The next picture that differs, or the present one at `until_us`. Raises `DeviceLost` with no_display."""
        try:
            return self._read(until_us)
        except ScreenGone as problem:
            since_us = self._clock()
            raise DeviceLost(Stream.SCREEN, Diagnosis.NO_DISPLAY, since_us, str(problem)) from problem

    def _read(self, until_us: int) -> VideoFrame | None:
        while not self._interrupted:
            assert self._signal is not None  # noqa: S101 - the protocol's order: open, read, close
            now_us = self._clock()
            if now_us >= until_us:
                return self._frame(self._look(), self._last_us)
            left_us = until_us - now_us
            if not self._signal.wait(left_us / 1e6):
                continue
            delay_us = self._pacer.delay_us(self._clock())
            if delay_us > 0:
                self._signal.pause(min(delay_us, left_us) / 1e6)
            elif self._look():
                return self._frame(True, self._last_us)
        return None

    def _look(self) -> bool:
        """Grabs; whether there is something new."""
        assert self._signal is not None  # noqa: S101 - see _read
        self._signal.acknowledge()
        if self._signal.resized:
            self.close()
            self._open()
        assert self._grab is not None  # noqa: S101 - see _read
        self._last_us = self._clock()
        self._grabbed += 1
        bgra = self._grab.grab()
        with self._latest.changing:
            changed = self._picture.update(bgra)
            self._latest.show(self._picture.seen)
        (self._pacer.take if changed else self._pacer.look)(self._last_us)
        self._skipped += not changed
        return changed

    def _frame(self, changed: bool, at_us: int) -> VideoFrame:
        return VideoFrame(self._picture.i420, self._picture.width, self._picture.height, at_us, changed)

    def still(self, timeout_s: float) -> Bgr | None:
        """The screen as it was last seen, BGR of shape (height, width, 3): while nothing changes, that is how it is now.

        Any thread may call it; the picture is the caller's own. None when there was none in time.
        """
        return self._latest.seen(timeout_s, next_one=False)

    def close(self) -> None:
        """Frees the connections to the screen."""
        self._latest.show(None)
        grab, signal = self._grab, self._signal
        self._grab = self._signal = None
        if grab is not None:
            grab.close()
        if signal is not None:
            signal.close()

    def set_pace(self, fps: float) -> None:
        """Pictures a second at most, from now on."""
        self._pacer = Pacer(fps)

    def interrupt(self) -> None:
        """Ends the present read and all later ones."""
        self._interrupted = True
        self._latest.end()
        signal = self._signal
        if signal is not None:
            signal.interrupt()

    def counts(self) -> SourceCounts:
        """Grabs, and those that showed nothing new."""
        return SourceCounts(self._grabbed, self._skipped)

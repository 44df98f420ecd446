"""The webcam as a source of the recorder: a camera's pictures as I420, of the size that is kept."""

import cv2
import numpy as np
from numpy.typing import NDArray

from secureproctor.capture.camera import Bgr, Camera
from secureproctor.capture.latest import Latest
from secureproctor.capture.media import Clock, VideoFrame
from secureproctor.capture.source import SourceCounts


class Picture:
    """The camera's picture as I420, at most `width` x `height` with its proportions kept, in two buffers used in turn."""

    def __init__(self, first: Bgr, width: int, height: int) -> None:
        self._source = first.shape
        scale = min(1.0, width / first.shape[1], height / first.shape[0])
        self.width, self.height = (round(first.shape[1] * scale) & ~1, round(first.shape[0] * scale) & ~1)
        self._turn = 0
        self._i420 = [np.empty((self.height * 3 // 2, self.width), np.uint8) for _ in range(2)]

    def fits(self, picture: Bgr) -> bool:
        """Whether the camera still delivers the size that this was made for."""
        return picture.shape == self._source

    @property
    def i420(self) -> NDArray[np.uint8]:
        """uint8 of shape (height * 3 // 2, width)."""
        return self._i420[self._turn]

    def update(self, picture: Bgr) -> None:
        """Takes over `picture`, BGR of shape (h, w, 3)."""
        self._turn ^= 1
        if picture.shape[:2] != (self.height, self.width):
            smaller = cv2.resize(picture, (self.width, self.height), interpolation=cv2.INTER_AREA)
            picture = np.asarray(smaller, np.uint8)
        cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420, dst=self._i420[self._turn])


class Webcam:
    """`Source[VideoFrame]` of one camera."""

    def __init__(
        self, clock: Clock, device: int | str = 0, width: int = 640, height: int = 480, fps: float = 10
    ) -> None:
        self._clock = clock
        self._size = (width, height)
        self._camera = Camera(clock, device, width, height, fps)
        self._picture: Picture | None = None
        self._latest = Latest()

    def open(self) -> None:
        """Raises `CannotOpen` with missing, no_permission, busy or stalled."""
        self._camera.open()

    def read(self, until_us: int) -> VideoFrame | None:
        """The next picture, or the last one again at `until_us`. Raises `DeviceLost`: missing or stalled."""
        while not self._camera.interrupted:
            taken = self._camera.next(until_us)
            if taken is not None:
                return self._converted(*taken)
            if self._picture is not None and not self._camera.interrupted:
                return self._frame(self._clock(), changed=False)
            until_us = self._clock() + 1_000_000  # none yet; the camera itself tells when it has stalled
        return None

    def _converted(self, picture: Bgr, at_us: int) -> VideoFrame:
        self._latest.show(picture)
        if self._picture is None or not self._picture.fits(picture):
            self._picture = Picture(picture, *self._size)
        self._picture.update(picture)
        return self._frame(at_us, changed=True)

    def _frame(self, at_us: int, changed: bool) -> VideoFrame:
        assert self._picture is not None  # noqa: S101 - called with a picture at hand
        return VideoFrame(self._picture.i420, self._picture.width, self._picture.height, at_us, changed)

    def still(self, timeout_s: float) -> Bgr | None:
        """The next picture as the camera gave it, BGR of shape (height, width, 3); None when there was none in time.

        Any thread may call it; nobody writes into the picture any more.
        """
        return self._latest.seen(timeout_s, next_one=True)

    def close(self) -> None:
        """Lets go of the camera. The reader frees it at once, or as soon as the driver returns to it."""
        self._latest.show(None)
        self._picture = None  # or the next epoch could begin with what was seen before the loss
        self._camera.close()

    def set_pace(self, fps: float) -> None:
        """Pictures a second at most, from now on; the camera goes on at its own rate."""
        self._camera.set_pace(fps)

    def interrupt(self) -> None:
        """Ends the present read and all later ones."""
        self._latest.end()
        self._camera.interrupt()

    def counts(self) -> SourceCounts:
        """Pictures that the camera delivered, and those that the pace left out."""
        return self._camera.counts()

"""A camera's pictures: a thread that reads, and a watch on the age of its last picture.

OpenCV's read() may block for ten seconds on a camera that stalled, and returns False for ever on one that was unplugged,
while isOpened() stays True. So a reader thread of its own waits in read(); whoever wants pictures waits for the reader, and
when the camera delivered none for `STALL_US` lets go of the reader, which frees the camera as soon as it wakes up.
Releasing comes before finding again: a camera that is replugged while its old handle is held comes back under another number.

A camera is an index, a device path, or the URL of an MJPEG stream (a test source). Tests run the URL and the diagnosis; the
V4L2 path has not yet run on a real camera, nor have Windows (Media Foundation) and macOS (AVFoundation).
"""

import sys
import threading
import time

import cv2
import numpy as np
from numpy.typing import NDArray

from secureproctor.capture import v4l2
from secureproctor.capture.media import Clock
from secureproctor.capture.pacing import Pacer
from secureproctor.capture.source import CannotOpen, DeviceLost, Diagnosis, SourceCounts
from secureproctor.contract.streams import Stream

STALL_US = 2_000_000
_BACKEND = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_MSMF, "darwin": cv2.CAP_AVFOUNDATION}
_PERMISSION_RETRY_S = 1.0
"""A new device node is readable by root only for about 0.1 s, until udev has run."""

Bgr = NDArray[np.uint8]
"""A picture of shape (height, width, 3)."""


def is_url(device: int | str) -> bool:
    """Whether a camera is a stream to be fetched instead of a device."""
    return isinstance(device, str) and "://" in device


def open_capture(device: int | str, width: int, height: int, fps: float) -> cv2.VideoCapture:
    """An OpenCV capture that asks the camera for the size wanted; it may choose another. Not opened on failure."""
    if is_url(device):
        timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 3000, cv2.CAP_PROP_READ_TIMEOUT_MSEC, STALL_US // 1000]
        return cv2.VideoCapture(str(device), cv2.CAP_FFMPEG, timeouts)
    capture = cv2.VideoCapture(device, _BACKEND.get(sys.platform, cv2.CAP_ANY))
    for name, value in (
        (cv2.CAP_PROP_FRAME_WIDTH, width),
        (cv2.CAP_PROP_FRAME_HEIGHT, height),
        (cv2.CAP_PROP_FPS, max(fps, 15)),  # many cameras offer nothing slower and then choose their fastest
    ):
        capture.set(name, value)
    return capture


def why_not(device: int | str) -> Diagnosis:
    """Why a camera does not deliver; where nobody can be asked, it counts as missing."""
    found = Diagnosis.MISSING
    if sys.platform == "linux" and not is_url(device):
        found = v4l2.diagnose(v4l2.node(device))
    return Diagnosis.STALLED if found is Diagnosis.OK else found


class Reader(threading.Thread):
    """Reads one opened camera until told to let go; keeps the newest picture only.

    With a `patience_us` it also lets go by itself when nobody has asked for a picture for so long.
    """

    def __init__(
        self, capture: cv2.VideoCapture, clock: Clock, pacer: Pacer, patience_us: float = float("inf")
    ) -> None:
        super().__init__(name="webcam-reader", daemon=True)  # daemon: a driver may never return from read()
        self._capture = capture
        self._clock = clock
        self._patience_us = patience_us
        self.pacer = pacer
        """May be replaced at any time."""
        self._fresh = threading.Condition()
        self._newest: tuple[Bgr, int] | None = None
        self._let_go = False
        self.ended = False
        """read() reported failure: unplugged, or the end of a stream; or the patience was at its end."""
        self.alive_us = self._asked_us = clock()
        """When the camera last delivered, be it a picture that the pace left out."""
        self.grabbed = self.skipped = 0

    def run(self) -> None:
        """Grabs every picture, to keep the driver's queue short; decodes those that the pace allows."""
        while not self._let_go and self._capture.grab():
            self.alive_us = at_us = self._clock()
            self.grabbed += 1
            if at_us - self._asked_us > self._patience_us:
                break
            pacer = self.pacer
            if pacer.delay_us(at_us) > 0:
                self.skipped += 1
                continue
            pacer.take(at_us)
            good, picture = self._capture.retrieve()
            if good:
                self._publish((np.asarray(picture, np.uint8), at_us))
        self._capture.release()
        with self._fresh:
            self.ended = True
            self._fresh.notify_all()

    def _publish(self, newest: tuple[Bgr, int]) -> None:
        with self._fresh:
            self._newest = newest
            self._fresh.notify_all()

    def take(self, timeout_s: float) -> tuple[Bgr, int] | None:
        """The newest picture not yet taken and its time; None after the time-out, the end, or `let_go`."""
        self._asked_us = self._clock()
        with self._fresh:
            if self._newest is None and not (self.ended or self._let_go):
                self._fresh.wait(timeout_s)
            newest, self._newest = self._newest, None
            return newest

    def let_go(self) -> None:
        """Asks the thread to free the camera, and wakes who waits for a picture."""
        with self._fresh:
            self._let_go = True
            self._fresh.notify_all()


class Camera:
    """One camera of that size and pace, as often as it is opened. One thread calls all but interrupt and counts."""

    def __init__(
        self,
        clock: Clock,
        device: int | str,
        width: int,
        height: int,
        fps: float,
        patience_us: float = float("inf"),
    ) -> None:
        self._clock = clock
        self._device = device
        self._width, self._height, self._fps = width, height, fps
        self._patience_us = patience_us
        self._pace = fps
        self._reader: Reader | None = None
        self._interrupted = threading.Event()
        self._before = SourceCounts()
        self._last_us = 0

    def open(self) -> None:
        """Raises `CannotOpen` with missing, no_permission, busy or stalled."""
        capture = self._open_patiently()
        self._last_us = self._clock()
        self._reader = Reader(capture, self._clock, Pacer(self._pace), self._patience_us)
        self._reader.start()

    def _open_patiently(self) -> cv2.VideoCapture:
        deadline = time.monotonic() + _PERMISSION_RETRY_S
        while True:
            capture = open_capture(self._device, self._width, self._height, self._fps)
            if capture.isOpened():
                return capture
            capture.release()
            code = why_not(self._device)
            if code is not Diagnosis.NO_PERMISSION or time.monotonic() > deadline or self._interrupted.wait(0.1):
                raise CannotOpen(Stream.WEBCAM, code, f"camera {self._device}")

    def next(self, until_us: int) -> tuple[Bgr, int] | None:
        """The next picture and its time; None at `until_us` or when interrupted. Raises `DeviceLost`: missing or stalled."""
        assert self._reader is not None  # noqa: S101 - the order is open, next, close
        while not self._interrupted.is_set():
            stall_us = self._reader.alive_us + STALL_US
            taken = self._reader.take(max(0, min(until_us, stall_us) - self._clock()) / 1e6)
            if taken is not None:
                self._last_us = taken[1]
                return taken
            if self._reader.ended:
                raise DeviceLost(Stream.WEBCAM, why_not(self._device), self._last_us, "the camera ended its stream")
            now_us = self._clock()
            if now_us >= self._reader.alive_us + STALL_US:
                raise DeviceLost(Stream.WEBCAM, Diagnosis.STALLED, self._last_us, "no picture for two seconds")
            if now_us >= until_us:
                return None
        return None

    def close(self) -> None:
        """Lets go of the camera. The reader frees it at once, or as soon as the driver returns to it."""
        reader, self._reader = self._reader, None
        if reader is None:
            return
        reader.let_go()
        reader.join(0.5)
        self._before = SourceCounts(self._before.grabbed + reader.grabbed, self._before.skipped + reader.skipped)

    def set_pace(self, fps: float) -> None:
        """Pictures a second at most, from now on; the camera goes on at its own rate."""
        self._pace = fps
        reader = self._reader
        if reader is not None:
            reader.pacer = Pacer(fps)

    def interrupt(self) -> None:
        """Ends the present wait and all later ones, and frees the camera."""
        self._interrupted.set()
        reader = self._reader
        if reader is not None:
            reader.let_go()

    @property
    def interrupted(self) -> bool:
        """Whether it was interrupted: nothing more will come."""
        return self._interrupted.is_set()

    def counts(self) -> SourceCounts:
        """Pictures that the camera delivered, and those that the pace left out."""
        reader = self._reader
        grabbed, skipped = (reader.grabbed, reader.skipped) if reader is not None else (0, 0)
        return SourceCounts(self._before.grabbed + grabbed, self._before.skipped + skipped)

"""The screen as a secure browser hands it over, for a browser whose window other programs cannot see.

    put() ─► [newest only] ─► pace ─► equal to the last? nothing ─► decode ─► I420 ─► as any other screen's picture
    the agent's threads        the stream's thread

The mailbox outlives recordings: frames that come while nothing is recorded are not taken. What is handed over is judged from
its header at the door; it is decoded in the stream's thread, so that a large picture holds up nobody else.

A browser has to hand over a picture every now and then even if nothing changes: when none came for NO_FRAMES_US, the stream
counts as lost (no_frames) up to the last one, for nobody knows what the window shows. The next picture brings it back at once.

The stream has the size of its first picture. A picture of another size begins a new epoch, as a screen of another size does.
While the last change is recent (a window is being resized), it is fitted into the present size instead.
"""

import threading
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from secureproctor.capture.camera import Bgr
from secureproctor.capture.latest import Latest
from secureproctor.capture.media import Clock, VideoFrame
from secureproctor.capture.pacing import Pacer
from secureproctor.capture.picture_file import NotAPicture, size_of
from secureproctor.capture.source import DeviceLost, Diagnosis, SourceCounts
from secureproctor.contract.errors import Refusal
from secureproctor.contract.streams import Stream

MOST_FPS = 4.0
"""A picture comes through base64 and JSON, at 0.2 to 1 MB for 1080p: four a second show all reading and typing."""
NO_FRAMES_US = 3_000_000
UNWANTED_S = 1.0
"""When to ask again while nothing is recorded."""
_OLDEST_US = 1_000_000
_SETTLED_US = 2_000_000


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether a frame goes into the recording, and after how many seconds the next one is wanted."""

    taken: bool
    next_s: float


@dataclass(frozen=True, slots=True)
class Handed:
    """A frame as it came: a whole JPEG or PNG, and when it was taken on the session clock."""

    image: bytes
    at_us: int


class HandedFrames:
    """The mailbox between browser and recorder: any thread puts, the newest frame wins."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._newest: Handed | None = None
        self._clock: Clock | None = None
        self._next_s = UNWANTED_S
        self._fault = ""

    def put(self, image: bytes, age_s: float = 0.0) -> Taken:
        """A picture of the window as it was `age_s` seconds ago (the recording believes 1 at most).

        Raises Refusal frame_unreadable, also when it was the frame *before* that turned out to be no picture; this one is
        taken even so. Nothing that was recorded is touched by either.
        """
        try:
            size_of(image)
        except NotAPicture as error:
            raise Refusal("frame_unreadable", why=str(error)) from None
        with self._news:
            if self._clock is None:
                return Taken(False, UNWANTED_S)
            age_us = min(max(0, round(age_s * 1_000_000)), _OLDEST_US)
            self._newest = Handed(image, self._clock() - age_us)
            fault, self._fault = self._fault, ""
            self._news.notify_all()
            next_s = self._next_s
        if fault:
            raise Refusal("frame_unreadable", why=fault)
        return Taken(True, next_s)

    def listen(self, clock: Clock, fps: float) -> None:
        """The recording begins to take frames, or takes them at another pace."""
        with self._news:
            self._clock, self._next_s = clock, 1 / fps

    def deafen(self) -> None:
        """The recording takes no more frames."""
        with self._news:
            self._clock = self._newest = None
            self._fault = ""

    def take(self, timeout_s: float, over: threading.Event) -> Handed | None:
        """The newest frame not yet taken; None after the time-out, or once it is `over` and `wake` was called."""
        with self._news:
            self._news.wait_for(lambda: self._newest is not None or over.is_set(), timeout_s)
            newest, self._newest = self._newest, None
            return newest

    def wake(self) -> None:
        """Ends a `take` that waits though it is over."""
        with self._news:
            self._news.notify_all()

    def complain(self, why: str) -> None:
        """A frame that was taken could not be decoded: whoever hands over frames is told with the next one."""
        with self._news:
            self._fault = why


def decoded(image: bytes) -> Bgr | None:
    """The picture of a JPEG or a PNG, as it lies in the file: a window has no orientation. None: it is damaged."""
    try:
        picture = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None
    return None if picture is None else np.asarray(picture, np.uint8)


def fitted(picture: Bgr, width: int, height: int) -> Bgr:
    """The whole picture within width x height, its proportions kept, black around it."""
    scale = min(width / picture.shape[1], height / picture.shape[0])
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    whole = np.zeros((height, width, 3), np.uint8)
    whole[top : top + size[1], left : left + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return whole


class Canvas:
    """The last picture as I420, of the size of the first one, in two buffers used in turn."""

    def __init__(self, first: Bgr, at_us: int) -> None:
        self.made_us = at_us
        self.width, self.height = first.shape[1] & ~1, first.shape[0] & ~1
        self._turn = 0
        self._i420 = [np.empty((self.height * 3 // 2, self.width), np.uint8) for _ in range(2)]

    @property
    def i420(self) -> NDArray[np.uint8]:
        """uint8 of shape (height * 3 // 2, width)."""
        return self._i420[self._turn]

    def fits(self, picture: Bgr) -> bool:
        """Whether a picture has this size, but for an odd last row or column."""
        return (picture.shape[1] & ~1, picture.shape[0] & ~1) == (self.width, self.height)

    def update(self, picture: Bgr) -> None:
        """Takes over a picture of any size."""
        whole = picture[: self.height, : self.width] if self.fits(picture) else fitted(picture, self.width, self.height)
        self._turn ^= 1
        cv2.cvtColor(whole, cv2.COLOR_BGR2YUV_I420, dst=self._i420[self._turn])


class HandedScreen:
    """`Source[VideoFrame]` of the frames in a mailbox."""

    def __init__(self, frames: HandedFrames, clock: Clock, fps: float) -> None:
        self._frames = frames
        self._clock = clock
        self._fps = min(fps, MOST_FPS)
        self._pacer = Pacer(self._fps)
        self._over = threading.Event()
        self._latest = Latest()
        self._canvas: Canvas | None = None
        self._image = b""
        self._heard_us = self._last_us = 0
        self._missed = False
        self._grabbed = self._skipped = 0

    def open(self) -> None:
        """The browser's frames are taken from now on."""
        self._heard_us = self._clock()
        self._frames.listen(self._clock, self._fps)

    def read(self, until_us: int) -> VideoFrame | None:
        """The next picture that differs, or the last one again at `until_us`. Raises `DeviceLost` with no_frames."""
        while not self._over.is_set():
            now_us = self._clock()
            if now_us >= until_us:
                return self._again(now_us)
            end_us = until_us if self._missed else min(until_us, self._heard_us + NO_FRAMES_US)
            if now_us >= end_us:
                self._missed = True
                raise DeviceLost(Stream.SCREEN, Diagnosis.NO_FRAMES, self._heard_us, "the browser hands over no frames")
            delay_us = self._pacer.delay_us(now_us)
            if delay_us > 0:
                self._over.wait(min(delay_us, end_us - now_us) / 1e6)
                continue
            handed = self._frames.take((end_us - now_us) / 1e6, self._over)
            if handed is not None and self._show(handed):
                return self._frame(self._last_us, changed=True)
        return None

    def _again(self, now_us: int) -> VideoFrame | None:
        return None if self._canvas is None else self._frame(now_us, changed=False)

    def _show(self, handed: Handed) -> bool:
        """Whether the frame shows something new."""
        self._grabbed += 1
        if handed.image == self._image:
            self._hear(handed)
            self._pacer.look(self._clock())
            self._skipped += 1
            return False
        self._pacer.take(self._clock())
        picture = decoded(handed.image)
        if picture is None:
            self._frames.complain("the one before this could not be decoded")
            self._skipped += 1
            return False
        self._hear(handed)
        self._image = handed.image
        self._paint(picture)
        return True

    def _hear(self, handed: Handed) -> None:
        """Frames come in the order of being handed over, whatever ages they claim."""
        self._heard_us = self._last_us = max(handed.at_us, self._last_us + 1)
        self._missed = False

    def _paint(self, picture: Bgr) -> None:
        canvas = self._canvas
        if canvas is None or (not canvas.fits(picture) and self._last_us - canvas.made_us >= _SETTLED_US):
            canvas = self._canvas = Canvas(picture, self._last_us)
        canvas.update(picture)
        self._latest.show(picture)

    def _frame(self, at_us: int, changed: bool) -> VideoFrame:
        assert self._canvas is not None  # noqa: S101 - called with a picture at hand
        self._last_us = max(self._last_us, at_us)
        return VideoFrame(self._canvas.i420, self._canvas.width, self._canvas.height, self._last_us, changed)

    def still(self, timeout_s: float) -> Bgr | None:
        """The window as it was last handed over, BGR of shape (height, width, 3); None when there was none in time."""
        return self._latest.seen(timeout_s, next_one=False)

    def close(self) -> None:
        """No more frames are taken."""
        self._frames.deafen()
        self._latest.show(None)
        self._canvas, self._image = None, b""  # the next epoch must not begin with what was seen before the loss

    def set_pace(self, fps: float) -> None:
        """Pictures a second at most, from now on; the browser is told with its next frame."""
        self._fps = min(fps, MOST_FPS)
        self._pacer = Pacer(self._fps)
        self._frames.listen(self._clock, self._fps)

    def interrupt(self) -> None:
        """Ends the present read and all later ones."""
        self._over.set()
        self._latest.end()
        self._frames.wake()

    def counts(self) -> SourceCounts:
        """Frames that were taken from the mailbox, and those that showed nothing new or could not be decoded."""
        return SourceCounts(self._grabbed, self._skipped)

"""The camera before the exam: a small picture a few times a second for the candidate to see, and a good one when asked.

With hints it costs 5 to 10 percent of a core, and 95 MB with all libraries (a camera of 640x480 at 15 pictures a second).

It reads as the recorder does (camera.py). The camera is given back whatever happens: by `stop`; when it could not be opened;
after `LIMIT_S` in which nobody asked for anything; and, by the reader itself, while nobody takes its pictures because whoever
is shown them does not return. A camera that was lost on the way is opened again while the preview lasts.
"""

import logging
import threading
import time
from collections.abc import Callable

import cv2

from secureproctor.capture.camera import Bgr, Camera
from secureproctor.capture.media import Clock
from secureproctor.capture.observers.faces import ModelAltered
from secureproctor.capture.observers.hints import hints_for
from secureproctor.capture.observers.picture import sharpness
from secureproctor.capture.source import CaptureError, Diagnosis
from secureproctor.capture.still import Still, developed, shrunk
from secureproctor.contract.stills import Identity

log = logging.getLogger(__name__)

WIDTH, HEIGHT = 1280, 720
"""Asked of the camera, for the small print of a card; it may give another size."""
SHOWN_WIDTH, SHOWN_FPS, SHOWN_QUALITY = 480, 5.0, 70
SHOWN_EVERY_US = round(1e6 / SHOWN_FPS)
TAKEN_FPS, TAKEN_OF = 15.0, 5
"""A picture is the sharpest of so many, which come at such a pace: hands and heads do not hold still."""
LIMIT_S = 180.0
PATIENCE_S = 5.0
AGAIN_S = 0.5


def _monotonic_us() -> int:
    return time.monotonic_ns() // 1000


class Preview:
    """One camera, once. `show` is called from the preview's thread, at most SHOWN_FPS times a second."""

    def __init__(
        self,
        device: int | str,
        of: Identity,
        show: Callable[[Still], None],
        *,
        clock: Clock = _monotonic_us,
        limit_s: float = LIMIT_S,
    ) -> None:
        self._of = of
        self._show = show
        self._clock = clock
        self._limit_us = round(limit_s * 1e6)
        self._camera = Camera(clock, device, WIDTH, HEIGHT, SHOWN_FPS, PATIENCE_S * 1e6)
        self._thread = threading.Thread(target=self._run, name="preview", daemon=True)
        self._news = threading.Condition()
        self._stopped = threading.Event()
        self._seen = self._over = False
        self._code = Diagnosis.STALLED
        self._taking = threading.Lock()
        self._taken: list[Bgr] | None = None
        self._asked_us = 0
        self._next_us = 0

    def start(self) -> None:
        """Begins to open the camera, and returns at once. Once only."""
        cv2.setNumThreads(1)  # OpenCV's own pool costs more than it gains at these sizes
        self._asked_us = self._clock()
        self._thread.start()

    def wait_started(self, timeout_s: float) -> str:
        """Waits for the first picture, or the reason why there is none: "" or the code of a `Diagnosis`.

        A camera that could not be opened is not tried again; one that has only not delivered in time may still come.
        """
        with self._news:
            self._news.wait_for(lambda: self._seen or self._over, timeout_s)
            return "" if self._seen else str(self._code)

    @property
    def running(self) -> bool:
        """Whether the camera is open, or may be opened again."""
        return self._thread.is_alive() and not self._over

    def look_for(self, of: Identity) -> None:
        """What the hints are about from now on."""
        self._of = of
        self._asked_us = self._clock()

    def take(self, timeout_s: float) -> Still | None:
        """The sharpest of the next few pictures in full size, with its hints; None when none came in time."""
        with self._taking:
            self._asked_us = self._clock()
            with self._news:
                taken = self._taken = []
                self._camera.set_pace(TAKEN_FPS)
                self._news.wait_for(lambda: self._over or len(taken) >= TAKEN_OF, timeout_s)
                self._taken = None
                self._camera.set_pace(SHOWN_FPS)
        if not taken:
            return None
        best = max(taken, key=sharpness)
        return developed(best, self._hints(best))

    def stop(self) -> None:
        """Gives the camera back. Harmless again. Does not wait long for a `show` or a driver that hangs."""
        self._stopped.set()
        self._camera.interrupt()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(1.0)
        self._end()

    def _run(self) -> None:
        try:
            while self._wanted():
                self._attempt()
                if not self._seen:
                    break
                self._stopped.wait(AGAIN_S)
        finally:
            self._end()

    def _wanted(self) -> bool:
        return not self._stopped.is_set() and self._clock() - self._asked_us < self._limit_us

    def _attempt(self) -> None:
        try:
            self._camera.open()
            while self._wanted():
                taken = self._camera.next(self._clock() + 250_000)
                if taken is not None:
                    self._look(*taken)
        except CaptureError as problem:
            self._code = problem.code
        finally:
            self._camera.close()

    def _look(self, picture: Bgr, at_us: int) -> None:
        with self._news:
            self._seen = True
            if self._taken is not None:
                self._taken.append(picture)
            self._news.notify_all()
        if at_us >= self._next_us:
            self._next_us = max(self._next_us, at_us - SHOWN_EVERY_US) + SHOWN_EVERY_US
            self._show(developed(shrunk(picture, SHOWN_WIDTH), self._hints(picture), (SHOWN_QUALITY,)))

    def _hints(self, picture: Bgr) -> tuple[str, ...]:
        try:
            return hints_for(self._of, picture)
        except ModelAltered as problem:  # a person looks at the picture anyway
            log.error("pictures are taken without hints: %s", problem)
            return ()

    def _end(self) -> None:
        with self._news:
            self._over = True
            self._news.notify_all()

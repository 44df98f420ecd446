"""Screen, webcam and microphone at once, from `start` to `stop`: nothing is opened before, and nothing stays open after.

`SOURCES` is the one table that knows how each stream is captured; a new source is a file and a row. Where a secure browser
hides its window, the frames that it hands over take the screen's place.
"""

import threading
import time
from collections.abc import Callable
from functools import partial

import cv2

from secureproctor.capture import recipe
from secureproctor.capture.handed import HandedFrames, HandedScreen
from secureproctor.capture.media import AudioBlock, Clock, ReportSink, SegmentSink, VideoFrame
from secureproctor.capture.microphone import Microphone
from secureproctor.capture.plan import CapturePlan, Counts
from secureproctor.capture.quality import QUALITIES
from secureproctor.capture.screen import Screen
from secureproctor.capture.still import Still, developed
from secureproctor.capture.stream_thread import Feed, StreamThread
from secureproctor.capture.webcam import Webcam
from secureproctor.contract.streams import MEDIA, Stream

__all__ = ["SOURCES", "CapturePlan", "Counts", "Recorder"]


def _screen(plan: CapturePlan, clock: Clock) -> Feed[VideoFrame]:
    screen = Screen(clock, plan.screen_fps, plan.display)
    return Feed(screen, recipe.screen, screen.still)


def _webcam(plan: CapturePlan, clock: Clock) -> Feed[VideoFrame]:
    camera = Webcam(clock, plan.webcam_device, plan.webcam_width, plan.webcam_height, plan.webcam_fps)
    return Feed(camera, recipe.webcam, camera.still)


def _microphone(plan: CapturePlan, clock: Clock) -> Feed[AudioBlock]:
    return Feed(Microphone(clock, plan.microphone), recipe.microphone)


def _handed(frames: HandedFrames, plan: CapturePlan, clock: Clock) -> Feed[VideoFrame]:
    screen = HandedScreen(frames, clock, plan.screen_fps)
    return Feed(screen, recipe.screen, screen.still)


FeedOf = Callable[[CapturePlan, Clock], Feed[VideoFrame] | Feed[AudioBlock]]

SOURCES: dict[Stream, FeedOf] = {
    Stream.SCREEN: _screen,
    Stream.WEBCAM: _webcam,
    Stream.AUDIO: _microphone,
}


class Recorder:
    """Captures the streams of `plan`; segments go to `sink` in order per stream, changes of a device to `report`.

    Both are called from the recorder's threads, never after `stop` has returned. With `handed`, the screen is what comes there.
    """

    def __init__(
        self,
        plan: CapturePlan,
        clock: Clock,
        sink: SegmentSink,
        report: ReportSink,
        handed: HandedFrames | None = None,
    ) -> None:
        self._plan = plan
        sources = dict(SOURCES)
        if handed is not None:
            sources[Stream.SCREEN] = partial(_handed, handed)
        self._changing = threading.Lock()
        self._threads = [
            StreamThread(stream, sources[stream](plan, clock), plan, clock, sink, report)
            for stream in MEDIA
            if stream in plan.streams
        ]
        self._running = False

    def start(self) -> None:
        """Starts all streams and returns at once. Once only."""
        cv2.setNumThreads(1)  # OpenCV's own pool costs more than it gains at these sizes
        self._running = True
        for thread in self._threads:
            thread.start()

    def wait_started(self, timeout_s: float) -> dict[Stream, str]:
        """Waits for the first frame of each stream; those that did not deliver one, with the code of the diagnosis."""
        deadline = time.monotonic() + timeout_s
        return {
            thread.stream: str(thread.code)
            for thread in self._threads
            if not thread.started.wait(max(0.0, deadline - time.monotonic()))
        }

    def set_quality(self, level: str) -> None:
        """Captures at another level of `quality.QUALITIES`, measured against the plan; any thread, any time.

        Each stream whose recipe changes ends its present segment and goes on in a new epoch without a gap: sound at the
        next AAC frame, pictures at the next key time. Raises ValueError for a level that does not exist.
        """
        quality = QUALITIES.get(level)
        if quality is None:
            raise ValueError(f"no quality {level!r}; there are {', '.join(QUALITIES)}")
        plan = quality.applied(self._plan)
        with self._changing:  # two callers at once would leave some streams at either's level
            for thread in self._threads:
                thread.follow(plan)

    def still(self, stream: Stream, timeout_s: float) -> Still | None:
        """A picture of screen or webcam as it is captured now, in the size that the device has, at any quality level.

        None when the stream is not captured or showed nothing in time; at once when it ends. Any thread, any time.
        """
        looks = [thread.look for thread in self._threads if thread.stream is stream]
        picture = looks[0](timeout_s) if looks else None
        return None if picture is None else developed(picture)

    def counts(self) -> dict[Stream, Counts]:
        """What each stream has done so far."""
        return {thread.stream: thread.counts() for thread in self._threads}

    def stop(self, timeout_s: float = 5.0) -> None:
        """Emits the last segments and closes the devices; a stream that hangs longer is abandoned. Harmless again."""
        if not self._running:
            return
        self._running = False
        for thread in self._threads:
            thread.ask_to_stop()
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                thread.abandon()

"""Screen, webcam and microphone at once, from `start` to `stop`: nothing is opened before, and nothing stays open after.

`SOURCES` is the one table that knows how each stream is captured; a new source is a file and a row.
"""

import time
from collections.abc import Callable

import cv2

from secureproctor.capture.epoch import AudioEpoch, VideoEpoch
from secureproctor.capture.media import AudioBlock, Clock, ReportSink, SegmentSink, VideoFrame
from secureproctor.capture.microphone import Microphone
from secureproctor.capture.plan import CapturePlan, Counts
from secureproctor.capture.screen import Screen
from secureproctor.capture.stream_thread import Feed, StreamThread
from secureproctor.capture.webcam import Webcam
from secureproctor.contract.streams import MEDIA, Stream

__all__ = ["SOURCES", "CapturePlan", "Counts", "Recorder"]


def _screen(plan: CapturePlan, clock: Clock) -> Feed[VideoFrame]:
    return Feed(
        Screen(clock, plan.screen_fps, plan.display),
        lambda first, emit: VideoEpoch(
            Stream.SCREEN, first, plan.screen_preset, plan.screen_crf, plan.segment_us, emit
        ),
    )


def _webcam(plan: CapturePlan, clock: Clock) -> Feed[VideoFrame]:
    return Feed(
        Webcam(clock, plan.webcam_device, plan.webcam_width, plan.webcam_height, plan.webcam_fps),
        lambda first, emit: VideoEpoch(
            Stream.WEBCAM, first, plan.webcam_preset, plan.webcam_crf, plan.segment_us, emit
        ),
    )


def _microphone(plan: CapturePlan, clock: Clock) -> Feed[AudioBlock]:
    return Feed(
        Microphone(clock, plan.microphone),
        lambda first, emit: AudioEpoch(Stream.AUDIO, first, plan.audio_bitrate, plan.segment_us, emit),
    )


SOURCES: dict[Stream, Callable[[CapturePlan, Clock], Feed[VideoFrame] | Feed[AudioBlock]]] = {
    Stream.SCREEN: _screen,
    Stream.WEBCAM: _webcam,
    Stream.AUDIO: _microphone,
}


class Recorder:
    """Captures the streams of `plan`; segments go to `sink` in order per stream, changes of a device to `report`.

    Both are called from the recorder's threads, never after `stop` has returned.
    """

    def __init__(self, plan: CapturePlan, clock: Clock, sink: SegmentSink, report: ReportSink) -> None:
        self._threads = [
            StreamThread(stream, SOURCES[stream](plan, clock), plan.segment_us, clock, sink, report)
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

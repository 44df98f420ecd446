"""The life of one stream: source → encoder → segments, with a device that comes and goes.

    open → first item: STARTED → items … → lost: LOST → wait, longer each time → open → first item: RECOVERED → …

A defect of our own is treated as a lost device: told, on the record, and tried again.

What is made of the items is a `Recipe`, which may be changed while the stream runs. The device stays open: the present epoch
ends with its segment, and the next one goes on from there by the new recipe.

A thread and no process, since grabbing and encoding release the interpreter's lock, and a picture of 8 MB is not worth
copying between processes. A thread that hangs in a driver is abandoned as a daemon; its late segments go nowhere.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from secureproctor.capture.camera import Bgr
from secureproctor.capture.epoch import Epoch
from secureproctor.capture.media import (
    AudioBlock,
    Clock,
    Kind,
    ReportSink,
    Segment,
    SegmentSink,
    SourceReport,
    SourceState,
    VideoFrame,
)
from secureproctor.capture.plan import CapturePlan, Counts
from secureproctor.capture.recipe import Recipe
from secureproctor.capture.source import CaptureError, DeviceLost, Diagnosis, Source
from secureproctor.contract.streams import Stream

log = logging.getLogger(__name__)

T = TypeVar("T", bound=VideoFrame | AudioBlock)

_LATE_US = 500_000


def _nothing_to_see(_timeout_s: float) -> None:
    """Sound has no pictures."""


@dataclass(frozen=True, slots=True)
class Feed(Generic[T]):
    """How a stream is made: its source, and its recipe by a plan."""

    source: Source[T]
    recipe: Callable[[CapturePlan], Recipe[T]]
    look: Callable[[float], Bgr | None] = _nothing_to_see
    """The next picture in full size, within so many seconds; any thread."""


@dataclass(slots=True)
class Backoff:
    """How long to wait before the next attempt: twice as long each time, up to `most_s`."""

    first_s: float = 0.25
    most_s: float = 5.0
    _next_s: float = 0.0

    def wait_s(self) -> float:
        """The next waiting time in seconds."""
        wait_s = max(self.first_s, self._next_s)
        self._next_s = min(2 * wait_s, self.most_s)
        return wait_s

    def reset(self) -> None:
        """The last attempt was a success."""
        self._next_s = 0.0


class StreamThread(threading.Thread, Generic[T]):
    """Runs one feed until it is asked to stop."""

    def __init__(
        self, stream: Stream, feed: Feed[T], plan: CapturePlan, clock: Clock, sink: SegmentSink, report: ReportSink
    ) -> None:
        super().__init__(name=f"capture-{stream}", daemon=True)
        self.stream = stream
        self.started = threading.Event()
        """The first item ever has arrived and is encoded."""
        self.code = Diagnosis.STALLED
        """How the device does: OK while it delivers, else the last reason why not."""
        self.look = feed.look
        self._source = feed.source
        self._by_plan = feed.recipe
        self._recipe = self._wanted = feed.recipe(plan)
        self._segment_us = plan.segment_us
        self._clock = clock
        self._sink = sink
        self._report = report
        self._asked = threading.Event()
        self._abandoned = False
        self._told: Diagnosis | None = None
        self._backoff = Backoff()
        self._encoded = self._late = self._segments = self._bytes = 0

    def ask_to_stop(self) -> None:
        """The thread emits its last segment and ends."""
        self._asked.set()
        self._source.interrupt()

    def follow(self, plan: CapturePlan) -> None:
        """Another quality from the end of the present segment on, and after the device was lost. Any thread, any time."""
        self._wanted = self._by_plan(plan)

    def abandon(self) -> None:
        """Nothing that the thread does from now on is passed on."""
        self._tell(SourceState.STOPPED, self.code)
        self._abandoned = True

    def counts(self) -> Counts:
        """A snapshot."""
        source = self._source.counts()
        return Counts(source.grabbed, source.skipped, self._encoded, self._late, self._segments, self._bytes)

    def run(self) -> None:
        """Opens the source again and again until asked to stop."""
        try:
            while not self._asked.is_set():
                self._attempt()
                self._asked.wait(self._backoff.wait_s())
        finally:
            self._tell(SourceState.STOPPED, "" if self._asked.is_set() else Diagnosis.STALLED)

    def _attempt(self) -> None:
        try:
            self._source.open()
            self._deliver()
        except CaptureError as problem:
            self._lost(problem)
        except Exception as defect:
            log.exception("the capture of %s failed", self.stream)
            self._lost(CaptureError(self.stream, Diagnosis.STALLED, repr(defect)))
        finally:
            self._source.close()

    def _deliver(self) -> None:
        """Reads until asked to stop or lost. An epoch ends where its stretch of evidence does."""
        epoch: Epoch[T] | None = None
        end_us: int | None = None
        try:
            while not self._asked.is_set():
                item = self._source.read(self._next_key_us(epoch))
                if item is None:
                    continue
                if epoch is not None and not epoch.continues(item):
                    epoch.finish(item.at_us)
                    epoch = None
                if epoch is not None and self._wanted != self._recipe:
                    epoch, item = self._changed_over(epoch, item)
                if epoch is None:
                    epoch = self._begin(item)
                epoch.add(item)
                self._added(item)
        except DeviceLost as problem:
            end_us = problem.since_us
            raise
        finally:
            if epoch is not None:
                epoch.finish(self._clock() if end_us is None else end_us)

    def _changed_over(self, epoch: Epoch[T], item: T) -> tuple[Epoch[T] | None, T]:
        """Ends `epoch` if its segment is over; what of `item` is not yet encoded."""
        cut = epoch.cut(item)
        if cut is None:
            return epoch, item
        rest, item = cut
        if rest is not None:
            epoch.add(rest)
        epoch.finish(item.at_us)
        return None, item

    def _begin(self, first: T) -> Epoch[T]:
        before, self._recipe = self._recipe, self._wanted
        if self._recipe.fps != before.fps:
            self._source.set_pace(self._recipe.fps)
        return self._recipe.begin(first, self._emit)

    def _next_key_us(self, epoch: Epoch[T] | None) -> int:
        asked = epoch.next_key_us() if epoch is not None else None
        return self._clock() + self._segment_us if asked is None else asked

    def _added(self, item: T) -> None:
        self._encoded += 1
        self._late += self._clock() - item.at_us > _LATE_US
        if self.code is not Diagnosis.OK:
            self.code, self._told = Diagnosis.OK, None
            self._backoff.reset()
            self._tell(SourceState.RECOVERED if self.started.is_set() else SourceState.STARTED)
            self.started.set()

    def _lost(self, problem: CaptureError) -> None:
        """Told at once, and again only when another attempt finds another reason."""
        self.code = problem.code
        if problem.code is not self._told:
            self._tell(SourceState.LOST, problem.code, problem.detail)
        self._told = problem.code

    def _tell(self, state: SourceState, code: str = "", detail: str = "") -> None:
        if not self._abandoned:
            self._report(SourceReport(self.stream, state, self._clock(), code, detail))

    def _emit(self, segment: Segment) -> None:
        if self._abandoned:
            return
        self._segments += segment.kind is Kind.MEDIA
        self._bytes += len(segment.payload)
        self._sink(segment)

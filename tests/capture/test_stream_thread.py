"""The life of a stream with a source made up: reports, epochs, retries, and a source that hangs."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from secureproctor.capture.media import Kind, Segment, SourceReport, VideoFrame
from secureproctor.capture.plan import CapturePlan
from secureproctor.capture.recipe import webcam
from secureproctor.capture.source import CannotOpen, CaptureError, DeviceLost, Diagnosis, SourceCounts
from secureproctor.capture.stream_thread import Backoff, Feed, StreamThread
from secureproctor.contract.streams import Stream

Step = CaptureError | VideoFrame | str | Callable[[], None]
PLAN = CapturePlan(webcam_preset="ultrafast")


def frame(at_us: int, width: int = 64) -> VideoFrame:
    return VideoFrame(np.full((72, width), 128, np.uint8), width, 48, at_us, True)


class Script:
    """A source that plays a script: errors are raised (by open if they say so), pictures delivered, functions called,
    "hang" hangs."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.events: list[str] = []
        self.over = threading.Event()
        self.interrupted = threading.Event()
        self.released = threading.Event()

    def open(self) -> None:
        self.events.append("open")
        if self.steps and isinstance(self.steps[0], CannotOpen):
            raise self.steps.pop(0)  # type: ignore[misc]  # narrowed in the line above

    def read(self, until_us: int) -> VideoFrame | None:
        if not self.steps:
            self.over.set()
            self.interrupted.wait(10)
            return None
        match self.steps.pop(0):
            case VideoFrame() as picture:
                return picture
            case CaptureError() as problem:
                raise problem
            case str():
                self.over.set()
                self.released.wait(10)
                return None
            case happens:
                happens()
                return None

    def close(self) -> None:
        self.events.append("close")

    def set_pace(self, fps: float) -> None:
        self.events.append(f"pace {fps:g}")

    def interrupt(self) -> None:
        self.interrupted.set()

    def counts(self) -> SourceCounts:
        return SourceCounts(7, 2)


class Run:
    """A stream thread on a script."""

    def __init__(self, source: Script, start: bool = True) -> None:
        self.source = source
        self.segments: list[Segment] = []
        self.reports: list[SourceReport] = []
        self.now_us = 10_000_000
        self.thread: StreamThread[VideoFrame] = StreamThread(
            Stream.WEBCAM,
            Feed(source, webcam),
            PLAN,
            lambda: self.now_us,
            self.segments.append,
            self.reports.append,
        )
        if start:
            self.thread.start()

    def finish(self) -> None:
        assert self.source.over.wait(10)
        self.thread.ask_to_stop()
        self.thread.join(10)
        assert not self.thread.is_alive()

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(str(report.state), report.code) for report in self.reports]


def lost(since_us: int) -> DeviceLost:
    return DeviceLost(Stream.WEBCAM, Diagnosis.STALLED, since_us)


def missing() -> CannotOpen:
    return CannotOpen(Stream.WEBCAM, Diagnosis.MISSING)


def test_a_stream_tells_that_it_started_and_stopped_and_emits_up_to_the_stop() -> None:
    run = Run(Script(frame(9_000_000), frame(9_100_000)))
    run.finish()
    assert run.told == [("started", ""), ("stopped", "")]
    assert [segment.kind for segment in run.segments] == [Kind.INIT, Kind.MEDIA]
    assert run.segments[-1].start_us + run.segments[-1].duration_us == run.now_us
    assert run.source.events == ["open", "close"]


def test_a_lost_device_ends_its_evidence_where_it_fell_silent_and_begins_anew() -> None:
    run = Run(Script(frame(5_000_000), lost(5_200_000), missing(), missing(), frame(9_900_000)))
    run.finish()
    assert run.told == [("started", ""), ("lost", "stalled"), ("lost", "missing"), ("recovered", ""), ("stopped", "")]
    spans = [(s.start_us, s.start_us + s.duration_us) for s in run.segments if s.kind is Kind.MEDIA]
    assert spans == [(5_000_000, 5_200_000), (9_900_000, 10_000_000)]
    assert [segment.kind for segment in run.segments] == [Kind.INIT, Kind.MEDIA] * 2
    assert run.source.events == ["open", "close"] * 4


def test_a_device_that_never_opened_is_told_once_and_started_when_it_comes() -> None:
    run = Run(Script(missing(), missing(), frame(9_900_000)))
    run.finish()
    assert run.told == [("lost", "missing"), ("started", ""), ("stopped", "")]
    assert run.thread.code is Diagnosis.OK


def test_a_picture_of_another_size_begins_an_epoch_that_joins_the_one_before() -> None:
    run = Run(Script(frame(9_000_000), frame(9_500_000, width=80)))
    run.finish()
    assert [(s.kind, s.width) for s in run.segments] == [
        (Kind.INIT, 64), (Kind.MEDIA, 64), (Kind.INIT, 80), (Kind.MEDIA, 80)
    ]  # fmt: skip
    first, second = run.segments[1], run.segments[3]
    assert first.start_us + first.duration_us == second.start_us == 9_500_000


def test_sleep_is_a_hole_between_two_epochs() -> None:
    run = Run(Script(frame(1_000_000), frame(9_500_000)))
    run.finish()
    spans = [(s.start_us, s.start_us + s.duration_us) for s in run.segments if s.kind is Kind.MEDIA]
    assert spans == [(1_000_000, 1_000_001), (9_500_000, 10_000_000)]


def test_the_counts_are_those_of_source_and_segments() -> None:
    run = Run(Script(frame(9_000_000), frame(9_600_000)))
    run.finish()
    counts = run.thread.counts()
    assert (counts.grabbed, counts.skipped, counts.encoded, counts.segments) == (7, 2, 2, 1)
    assert counts.late == 1  # the clock stood at 10 s all the time
    assert counts.bytes == sum(len(segment.payload) for segment in run.segments)


def test_nothing_comes_from_a_thread_that_was_abandoned(until: Callable[..., None]) -> None:
    run = Run(Script(frame(9_000_000), "hang"))
    assert run.source.over.wait(10)
    run.thread.ask_to_stop()
    run.thread.abandon()
    kept = len(run.segments)
    assert run.told[-1][0] == "stopped"
    run.source.released.set()
    until(lambda: not run.thread.is_alive(), "the thread that hung")
    assert len(run.segments) == kept
    assert run.told.count(("stopped", "ok")) == 1


def test_waiting_doubles_up_to_its_limit_and_begins_anew_after_a_success() -> None:
    backoff = Backoff(0.25, 5.0)
    assert [backoff.wait_s() for _ in range(7)] == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.reset()
    assert backoff.wait_s() == pytest.approx(0.25)


def test_a_defect_of_ours_is_told_like_a_lost_device_and_the_stream_tries_again() -> None:
    source, reports, segments = Script(frame(9_000_000), frame(9_100_000)), list[SourceReport](), list[Segment]()

    def refuse_once(segment: Segment) -> None:
        segments.append(segment)
        if len(segments) == 1:
            raise RuntimeError("a defect")

    thread: StreamThread[VideoFrame] = StreamThread(
        Stream.WEBCAM, Feed(source, webcam), PLAN, lambda: 10_000_000, refuse_once, reports.append
    )
    thread.start()
    assert source.over.wait(10)
    thread.ask_to_stop()
    thread.join(10)
    assert [(str(report.state), report.code) for report in reports] == [
        ("lost", "stalled"),
        ("started", ""),
        ("stopped", ""),
    ]
    assert "a defect" in reports[0].detail
    assert source.events == ["open", "close", "open", "close"]


def test_a_stop_does_not_wait_for_the_next_attempt() -> None:
    run = Run(Script(*[missing() for _ in range(50)]))
    began = time.monotonic()
    while not run.told and time.monotonic() < began + 5:
        time.sleep(0.005)
    run.thread.ask_to_stop()
    run.thread.join(1)
    assert not run.thread.is_alive()


POORER = replace(PLAN, webcam_fps=5.0, webcam_crf=40, webcam_scale=0.5)


def spans(run: Run) -> list[tuple[int, int, int]]:
    """Width, start and end of each media segment."""
    media = (segment for segment in run.segments if segment.kind is Kind.MEDIA)
    return [(segment.width, segment.start_us, segment.start_us + segment.duration_us) for segment in media]


def times(first_us: int, *, until_us: int) -> list[VideoFrame]:
    return [frame(at_us) for at_us in range(first_us, until_us, 500_000)]


def test_another_quality_begins_where_the_present_segment_ends_with_the_device_open() -> None:
    source = Script(*times(3_000_000, until_us=5_000_000))
    run = Run(source, start=False)
    source.steps += [lambda: run.thread.follow(POORER), *times(5_000_000, until_us=9_000_000)]
    run.thread.start()
    run.finish()
    assert spans(run) == [
        (64, 3_000_000, 4_000_000),
        (64, 4_000_000, 6_000_000),
        (32, 6_000_000, 8_000_000),
        (32, 8_000_000, 10_000_000),
    ]
    assert [segment.kind for segment in run.segments].count(Kind.INIT) == 2
    assert run.told == [("started", ""), ("stopped", "")]
    assert source.events == ["open", "pace 5", "close"]


def test_a_quality_that_is_the_present_one_again_when_the_segment_ends_changes_nothing() -> None:
    source = Script(*times(3_000_000, until_us=5_000_000))
    run = Run(source, start=False)
    source.steps += [lambda: run.thread.follow(POORER), frame(5_000_000), lambda: run.thread.follow(replace(PLAN))]
    source.steps += times(5_500_000, until_us=8_500_000)
    run.thread.start()
    run.finish()
    assert [segment.kind for segment in run.segments].count(Kind.INIT) == 1
    assert source.events == ["open", "close"]


def test_a_quality_holds_from_before_the_start_and_over_the_loss_of_the_device() -> None:
    source = Script(frame(5_000_000), lost(5_200_000), missing(), frame(8_500_000))
    run = Run(source, start=False)
    run.thread.follow(POORER)
    run.thread.start()
    run.finish()
    assert spans(run) == [(32, 5_000_000, 5_200_000), (32, 8_500_000, 10_000_000)]
    assert source.events.count("pace 5") == 1


def test_a_quality_set_while_the_device_is_away_holds_when_it_returns() -> None:
    source = Script(frame(5_000_000), lost(5_200_000), missing(), frame(8_500_000))
    run = Run(source, start=False)
    source.steps.insert(1, lambda: run.thread.follow(POORER))
    run.thread.start()
    run.finish()
    run.thread.follow(PLAN)
    assert [width for width, _, _ in spans(run)] == [64, 32]

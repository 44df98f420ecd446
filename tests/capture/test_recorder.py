"""All three streams together, from real devices to segments that decode back to session time."""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from secureproctor.capture.media import Clock, Kind, Segment, SourceReport, SourceState
from secureproctor.capture.recorder import SOURCES, CapturePlan, Recorder
from secureproctor.contract.streams import MEDIA, Stream

if TYPE_CHECKING:
    from tests.capture.conftest import Camera, Paint, SoundServer, Until, XServer


class Recording:
    """A recorder and all that came out of it."""

    def __init__(self, plan: CapturePlan, clock: Clock) -> None:
        self.segments: list[Segment] = []
        self.reports: list[SourceReport] = []
        self.clock = clock
        self.recorder = Recorder(plan, clock, self.segments.append, self.reports.append)

    def start(self) -> "Recording":
        self.began_us = self.clock()
        self.recorder.start()
        return self

    def close(self) -> None:
        self.recorder.stop()

    def told(self, stream: Stream) -> list[tuple[str, str]]:
        return [(str(report.state), report.code) for report in self.reports if report.stream is stream]

    def epochs(self, stream: Stream) -> list[list[Segment]]:
        """INIT and MEDIA of each epoch."""
        out: list[list[Segment]] = []
        for segment in self.segments:
            if segment.stream is stream:
                out.append([]) if segment.kind is Kind.INIT else None
                out[-1].append(segment)
        return out

    def span(self, stream: Stream) -> tuple[int, int]:
        ((_, *media),) = self.epochs(stream)
        assert all(a.start_us + a.duration_us == b.start_us for a, b in pairwise(media))
        return media[0].start_us, media[-1].start_us + media[-1].duration_us

    def pictures(self, stream: Stream) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        for epoch in self.epochs(stream):
            with av.open(io.BytesIO(b"".join(segment.payload for segment in epoch)), "r") as player:
                for frame in player.decode(video=0):
                    assert frame.pts is not None
                    yield frame.pts, cast(NDArray[np.uint8], frame.to_ndarray())[: frame.height]


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """No thread and no file stays behind."""
    threads, files = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    yield
    assert set(threading.enumerate()) <= threads
    assert len(os.listdir("/proc/self/fd")) <= files


def test_three_streams_become_segments_without_holes_that_say_session_time(
    xserver: "XServer", camera: "Camera", sound: "SoundServer", clock: Clock, paint: "Paint", until: "Until"
) -> None:
    recording = Recording(CapturePlan(webcam_device=camera.url, display=xserver.name, segment_s=1.0), clock).start()
    with closing(recording), xserver.client() as display:
        assert recording.recorder.wait_started(10) == {}
        until(lambda: clock() > recording.began_us + 1_500_000, "some still seconds")
        camera.noise = False
        flash_us = clock()
        paint(display, 255)
        camera.grey = 230
        until(lambda: clock() > flash_us + 1_700_000, "some seconds after the flash")
        stop_us = clock()
        recording.recorder.stop()
        stopped_us = clock()
    assert stopped_us - stop_us < 2_000_000
    for stream in MEDIA:
        start_us, end_us = recording.span(stream)
        assert recording.began_us - 200_000 <= start_us <= recording.began_us + 3_000_000
        assert stop_us - 500_000 <= end_us <= stopped_us + 25_000
        assert recording.told(stream) == [("started", ""), ("stopped", "")]
    screen_us = next(pts for pts, luma in recording.pictures(Stream.SCREEN) if luma.mean() > 150)
    webcam_us = next(pts for pts, luma in recording.pictures(Stream.WEBCAM) if luma.mean() > 150)
    assert flash_us < screen_us < flash_us + 400_000
    assert flash_us < webcam_us < flash_us + 600_000
    counts = recording.recorder.counts()
    assert counts.keys() == set(MEDIA)
    for stream in MEDIA:
        mine = [segment for segment in recording.segments if segment.stream is stream]
        assert counts[stream].bytes == sum(len(segment.payload) for segment in mine)
        assert counts[stream].segments == len(mine) - 1


def test_a_still_screen_is_one_picture_a_segment(
    nothing_left: None, xserver: "XServer", clock: Clock, until: "Until"
) -> None:
    plan = CapturePlan(frozenset({Stream.SCREEN}), display=xserver.name, segment_s=0.5)
    with closing(Recording(plan, clock).start()) as recording:
        until(lambda: len(recording.segments) >= 4, "three segments")
    ((_, *media),) = recording.epochs(Stream.SCREEN)
    assert [segment.frames for segment in media[:-1]] == [1] * (len(media) - 1)
    assert all(segment.start_us % 500_000 < 400_000 for segment in media[1:])


def test_a_camera_lost_and_found_leaves_a_hole_of_its_true_length(
    nothing_left: None, camera: "Camera", clock: Clock, until: "Until"
) -> None:
    plan = CapturePlan(frozenset({Stream.WEBCAM}), webcam_device=camera.url, segment_s=0.5)
    with closing(Recording(plan, clock).start()) as recording:
        assert recording.recorder.wait_started(10) == {}
        until(lambda: len(recording.segments) >= 3, "two segments")
        camera.fault = "gone"
        gone_us = clock()
        until(lambda: len(recording.reports) >= 2, "the loss")
        camera.fault = ""
        back_us = clock()
        until(lambda: len(recording.reports) >= 3, "the recovery")
        until(lambda: recording.segments[-1].start_us > back_us + 500_000, "segments afterwards")
    assert [state for state, _ in recording.told(Stream.WEBCAM)] == ["started", "lost", "recovered", "stopped"]
    first, second = recording.epochs(Stream.WEBCAM)
    ended_us = first[-1].start_us + first[-1].duration_us
    assert gone_us - 300_000 < ended_us < gone_us + 500_000
    assert second[1].start_us > back_us


def test_the_screens_server_may_die_and_return(xserver: "XServer", clock: Clock, until: "Until") -> None:
    plan = CapturePlan(frozenset({Stream.SCREEN}), display=xserver.name, segment_s=0.5)
    with closing(Recording(plan, clock).start()) as recording:
        assert recording.recorder.wait_started(10) == {}
        xserver.stop()
        until(lambda: any(report.state is SourceState.LOST for report in recording.reports), "the loss")
        xserver.start()
        until(lambda: any(report.state is SourceState.RECOVERED for report in recording.reports), "the recovery")
    assert recording.told(Stream.SCREEN) == [
        ("started", ""), ("lost", "no_display"), ("recovered", ""), ("stopped", "")
    ]  # fmt: skip
    assert len(recording.epochs(Stream.SCREEN)) == 2


def test_streams_that_do_not_start_are_named_with_their_diagnosis(nothing_left: None, clock: Clock) -> None:
    streams = frozenset({Stream.SCREEN, Stream.WEBCAM})
    plan = CapturePlan(streams, webcam_device="/dev/no-such-camera", display=":9999")
    with closing(Recording(plan, clock).start()) as recording:
        assert recording.recorder.wait_started(0.5) == {Stream.SCREEN: "no_display", Stream.WEBCAM: "missing"}
    assert recording.segments == []
    recording.recorder.stop()


def test_a_recorder_never_started_can_be_stopped(clock: Clock) -> None:
    recording = Recording(CapturePlan(), clock)
    recording.close()
    assert (recording.segments, recording.reports) == ([], [])


def test_there_is_a_source_for_every_kind_of_media() -> None:
    assert tuple(SOURCES) == MEDIA


def test_a_stop_abandons_a_camera_that_hangs(
    clock: Clock, camera: "Camera", monkeypatch: pytest.MonkeyPatch, until: "Until"
) -> None:
    driver = threading.Event()
    plan = CapturePlan(frozenset({Stream.WEBCAM}), webcam_device=camera.url)

    class Hangs:
        def __init__(self, *_: object) -> None:
            driver.wait(20)

        def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
            return False

        def release(self) -> None:
            pass

    monkeypatch.setattr("secureproctor.capture.webcam.open_capture", Hangs)
    recording = Recording(plan, clock).start()
    began_us = clock()
    recording.recorder.stop(0.3)
    assert clock() - began_us < 1_500_000
    assert recording.told(Stream.WEBCAM) == [("stopped", "stalled")]
    driver.set()
    until(lambda: "capture-webcam" not in {thread.name for thread in threading.enumerate()}, "the thread's end")
    assert len(recording.reports) == 1

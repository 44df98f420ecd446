"""All three streams together, from real devices to segments that decode back to session time."""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from itertools import count, pairwise
from typing import TYPE_CHECKING, cast

import av
import cv2
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

    def came_to(self, epochs: list[int]) -> bool:
        """Whether screen, webcam and sound have that many epochs."""
        return [len(self.epochs(stream)) for stream in MEDIA] == epochs

    def span(self, stream: Stream) -> tuple[int, int]:
        ((_, *media),) = self.epochs(stream)
        assert all(a.start_us + a.duration_us == b.start_us for a, b in pairwise(media))
        return media[0].start_us, media[-1].start_us + media[-1].duration_us

    def heard(self) -> tuple[int, NDArray[np.float32]]:
        """The number of the first sample since the session clock's zero, and all of them: the epochs join."""
        parts: list[NDArray[np.float32]] = []
        first = None
        for epoch in self.epochs(Stream.AUDIO):
            with av.open(io.BytesIO(b"".join(segment.payload for segment in epoch)), "r") as player:
                frames = list(player.decode(audio=0))
            first = frames[0].pts if first is None else first
            assert first is not None
            assert frames[0].pts == first + sum(len(part) for part in parts)
            parts += [cast(NDArray[np.float32], frame.to_ndarray())[0] for frame in frames]
        assert first is not None
        return first, np.concatenate(parts)

    def luma_of_still(self, stream: Stream) -> float:
        """The mean grey of a still taken now; 0 when there is none."""
        still = self.recorder.still(stream, 10)
        if still is None:
            return 0.0
        shown = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert shown is not None
        return float(shown.mean())

    def pictures(self, stream: Stream) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        for epoch in self.epochs(stream):
            with av.open(io.BytesIO(b"".join(segment.payload for segment in epoch)), "r") as player:
                for frame in player.decode(video=0):
                    assert frame.pts is not None
                    yield frame.pts, cast(NDArray[np.uint8], frame.to_ndarray())[: frame.height]


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


def busy(camera: "Camera") -> None:
    """A camera that sees more than a square: smooth noise that moves."""
    small = np.random.default_rng(1).integers(0, 255, (24, 32, 3), np.uint8)
    large = cv2.resize(small, (640, 480), interpolation=cv2.INTER_CUBIC)
    turns = count()
    camera.picture = lambda: np.roll(large, 5 * next(turns), axis=1)  # type: ignore[method-assign]


def rate(epoch: list[Segment]) -> float:
    """Bytes a second of an epoch's media."""
    return sum(len(each.payload) for each in epoch[1:]) * 1e6 / sum(each.duration_us for each in epoch[1:])


def key_bytes(epoch: list[Segment]) -> float:
    """The mean size of an epoch's key frames, which does not depend on how busy the machine is."""
    with av.open(io.BytesIO(b"".join(segment.payload for segment in epoch)), "r") as player:
        return float(np.mean([packet.size for packet in player.demux(video=0) if packet.is_keyframe]))


EPOCHS = {"reduced": [2, 2, 1], "least": [3, 3, 2], "full": [4, 4, 3]}
"""How many epochs screen, webcam and sound have come to after each level; sound is the same at full and at reduced."""


def test_quality_goes_down_and_up_without_a_gap_and_with_the_devices_open(
    nothing_left: None,
    xserver: "XServer",
    camera: "Camera",
    sound: "SoundServer",
    clock: Clock,
    paint: "Paint",
    until: "Until",
) -> None:
    busy(camera)
    plan = CapturePlan(webcam_device=camera.url, display=xserver.name, segment_s=0.5)
    places = np.random.default_rng(1).integers(0, (256, 560, 400), (100_000, 3)).tolist()
    asked: list[int] = []
    with closing(Recording(plan, clock)) as recording, xserver.client() as display:

        def drawn(condition: Callable[[], bool]) -> bool:
            grey, left, top = places.pop()
            paint(display, grey, (left, top, 80, 80))
            return condition()

        def drawn_until(condition: Callable[[], bool], what: str) -> None:
            until(lambda: drawn(condition), what, 20.0)

        drawn_until(lambda: len(places) < 99_700, "a full screen")
        recording.start()
        assert recording.recorder.wait_started(10) == {}
        drawn_until(lambda: len(recording.segments) > 8, "some segments")
        for level, epochs in EPOCHS.items():
            asked.append(clock())
            recording.recorder.set_quality(level)
            drawn_until(partial(recording.came_to, epochs), f"the change to {level}")
            drawn_until(lambda: min(len(recording.epochs(stream)[-1]) for stream in MEDIA) > 2, "two segments more")
            recording.recorder.set_quality(level)
    for stream in MEDIA:
        assert recording.told(stream) == [("started", ""), ("stopped", "")]
        media = [segment for epoch in recording.epochs(stream) for segment in epoch[1:]]
        assert all(a.start_us + a.duration_us == b.start_us for a, b in pairwise(media))
    assert camera.opened == 1
    assert [epoch[0].width for epoch in recording.epochs(Stream.WEBCAM)] == [640, 640, 320, 640]
    assert [epoch[0].width for epoch in recording.epochs(Stream.SCREEN)] == [640] * 4
    for stream in (Stream.SCREEN, Stream.WEBCAM):
        full, reduced, least, again = recording.epochs(stream)
        assert rate(least) < min(rate(full), rate(again))
        assert key_bytes(least) < key_bytes(reduced) < min(key_bytes(full), key_bytes(again))
        for asked_us, epoch in zip(asked, (reduced, least, again), strict=True):
            assert asked_us <= epoch[1].start_us < asked_us + 1_500_000
            assert epoch[1].start_us % 500_000 < 400_000, "on the grid that all streams share"
        times = [at_us for at_us, _ in recording.pictures(stream)]
        assert times == sorted(set(times))
        assert {epoch[1].start_us for epoch in recording.epochs(stream)} <= set(times)


def test_picture_and_sound_stay_together_at_least_quality(
    xserver: "XServer", camera: "Camera", sound: "SoundServer", clock: Clock, paint: "Paint", until: "Until"
) -> None:
    plan = CapturePlan(webcam_device=camera.url, display=xserver.name, segment_s=0.5)
    camera.noise = False
    with closing(Recording(plan, clock).start()) as recording, xserver.client() as display:
        assert recording.recorder.wait_started(10) == {}
        recording.recorder.set_quality("least")
        until(lambda: recording.came_to([2, 2, 2]), "the change")
        until(lambda: min(len(recording.epochs(stream)[-1]) for stream in MEDIA) > 3, "some still seconds")
        player = sound.player()
        assert player.stdin is not None
        flash_us = clock()
        paint(display, 255)
        camera.grey = 230
        with player.stdin as pipe:
            pipe.write((np.sin(np.arange(24_000) * 0.13) * 16_000).astype(np.int16).tobytes())
        until(lambda: clock() > flash_us + 2_000_000, "some seconds after the flash")
        assert player.wait(10) == 0
    first, samples = recording.heard()
    heard_us = (first + np.flatnonzero(np.abs(samples) > 0.12)[0]) / 0.048
    screen_us = next(pts for pts, luma in recording.pictures(Stream.SCREEN) if luma.mean() > 150)
    webcam_us = next(pts for pts, luma in recording.pictures(Stream.WEBCAM) if luma.mean() > 150)
    assert flash_us < screen_us < flash_us + 1_000_000
    assert flash_us < webcam_us < flash_us + 1_500_000, "two pictures a second"
    assert flash_us - 100_000 < heard_us < flash_us + 1_000_000


def test_a_quality_outlives_the_loss_of_the_camera(
    nothing_left: None, camera: "Camera", clock: Clock, until: "Until"
) -> None:
    plan = CapturePlan(frozenset({Stream.WEBCAM}), webcam_device=camera.url, segment_s=0.5)
    with closing(Recording(plan, clock)) as recording:
        recording.recorder.set_quality("least")
        recording.start()
        assert recording.recorder.wait_started(10) == {}
        camera.fault = "gone"
        until(lambda: len(recording.reports) >= 2, "the loss")
        camera.fault = ""
        until(lambda: len(recording.epochs(Stream.WEBCAM)) == 2, "the recovery", 20.0)
        until(lambda: len(recording.epochs(Stream.WEBCAM)[-1]) > 2, "segments afterwards")
        recording.recorder.set_quality("full")
        until(lambda: len(recording.epochs(Stream.WEBCAM)) == 3, "the change")
    recording.recorder.set_quality("reduced")
    assert [epoch[0].width for epoch in recording.epochs(Stream.WEBCAM)] == [320, 320, 640]


def test_a_still_of_screen_and_camera_is_in_full_size_at_any_quality(
    nothing_left: None, xserver: "XServer", camera: "Camera", clock: Clock, paint: "Paint", until: "Until"
) -> None:
    """While nothing changes on the screen its last picture counts, and it comes at once."""
    streams = frozenset({Stream.SCREEN, Stream.WEBCAM})
    plan = CapturePlan(streams, webcam_device=camera.url, display=xserver.name, webcam_width=320, segment_s=30)
    with closing(Recording(plan, clock)) as recording, xserver.client() as display:
        recording.recorder.set_quality("least")
        recording.start()
        assert recording.recorder.wait_started(10) == {}
        paint(display, 200)
        camera.grey = 230
        until(lambda: recording.luma_of_still(Stream.SCREEN) > 195, "what was drawn on the screen")
        until(lambda: recording.luma_of_still(Stream.WEBCAM) > 220, "the light before the camera")
        for stream in streams:
            still = recording.recorder.still(stream, 10)
            assert still is not None
            assert (still.width, still.height, still.hints) == (640, 480, ())
        assert recording.recorder.still(Stream.AUDIO, 0.01) is None
        camera.fault = "stalled"
        until(lambda: recording.recorder.still(Stream.WEBCAM, 0.6) is None, "the end of the pictures")
        assert recording.recorder.still(Stream.SCREEN, 0) is not None
    assert recording.recorder.still(Stream.SCREEN, 10) is None


def test_a_stream_that_is_not_captured_or_has_not_begun_has_no_still(clock: Clock) -> None:
    plan = CapturePlan(frozenset({Stream.WEBCAM}), webcam_device="/dev/no-such-camera")
    with closing(Recording(plan, clock).start()) as recording:
        assert recording.recorder.still(Stream.WEBCAM, 0.05) is None
        assert recording.recorder.still(Stream.SCREEN, 0.05) is None


def test_a_quality_that_does_not_exist_is_refused(clock: Clock) -> None:
    with pytest.raises(ValueError, match="no quality 'best'; there are full, reduced, least"):
        Recording(CapturePlan(), clock).recorder.set_quality("best")


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

    monkeypatch.setattr("secureproctor.capture.camera.open_capture", Hangs)
    recording = Recording(plan, clock).start()
    began_us = clock()
    recording.recorder.stop(0.3)
    assert clock() - began_us < 1_500_000
    assert recording.told(Stream.WEBCAM) == [("stopped", "stalled")]
    driver.set()
    until(lambda: "capture-webcam" not in {thread.name for thread in threading.enumerate()}, "the thread's end")
    assert len(recording.reports) == 1

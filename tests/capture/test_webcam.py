"""A camera that plays MJPEG over loopback HTTP through OpenCV: pace, stall, loss and return."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from secureproctor.capture import camera as cameras
from secureproctor.capture.media import Clock, VideoFrame
from secureproctor.capture.source import CannotOpen, DeviceLost, Diagnosis
from secureproctor.capture.webcam import Picture, Webcam

if TYPE_CHECKING:
    from tests.capture.conftest import Camera, Until


@pytest.fixture
def webcam(camera: "Camera", clock: Clock) -> Iterator[Webcam]:
    source = Webcam(clock, camera.url, fps=10)
    with closing(source):
        source.open()
        yield source


def next_picture(webcam: Webcam, until_us: int) -> VideoFrame:
    frame = webcam.read(until_us)
    assert frame is not None
    return frame


def read_on(webcam: Webcam, clock: Clock) -> Iterator[int]:
    """The times of all pictures until the camera is lost."""
    while True:
        yield next_picture(webcam, clock() + 10_000_000).at_us


def test_pictures_come_at_the_pace_asked_for_and_tell_when_they_were_taken(
    webcam: Webcam, camera: "Camera", clock: Clock
) -> None:
    end_us, frames = clock() + 2_000_000, []
    while clock() < end_us:
        frame = next_picture(webcam, end_us)
        frames.append((frame.at_us, frame.changed))
    assert (frame.width, frame.height, frame.pixels.shape) == (640, 480, (720, 640))
    assert 8 <= sum(changed for _, changed in frames) <= 24
    assert all(abs(clock() - at_us) < 3_000_000 for at_us, _ in frames)
    assert webcam.counts().grabbed > webcam.counts().skipped > 0


def test_a_flash_is_seen_at_its_time(webcam: Webcam, camera: "Camera", clock: Clock) -> None:
    webcam.read(clock() + 1_000_000)
    camera.noise = False
    flash_us = clock()
    camera.grey = 230
    frame = next_picture(webcam, clock() + 1_000_000)
    while frame.pixels[240, 320] < 150:
        frame = next_picture(webcam, clock() + 1_000_000)
    assert flash_us < frame.at_us < flash_us + 600_000


def test_the_last_picture_comes_again_when_a_key_frame_is_due(webcam: Webcam, camera: "Camera", clock: Clock) -> None:
    first = next_picture(webcam, clock() + 1_000_000)
    camera.fault = "stalled"
    due_us = clock() + 700_000
    again = next_picture(webcam, due_us)
    while again.changed:
        first, again = again, next_picture(webcam, due_us)
    assert again.at_us >= due_us
    assert np.array_equal(first.pixels, again.pixels)


def test_a_camera_that_says_nothing_for_two_seconds_is_stalled_since_its_last_picture(
    webcam: Webcam, camera: "Camera", clock: Clock
) -> None:
    last = next_picture(webcam, clock() + 1_000_000)
    camera.fault = "stalled"
    times = [last.at_us]
    with pytest.raises(DeviceLost) as caught:
        times.extend(read_on(webcam, clock))
    assert caught.value.since_us == times[-1]
    assert clock() - times[-1] < 3_500_000


def test_a_pace_may_change_at_any_time_and_a_slow_one_is_no_stalled_camera(
    webcam: Webcam, camera: "Camera", clock: Clock
) -> None:
    """At one picture in five seconds the camera is alive all the same, and key times get the last picture again."""
    webcam.set_pace(0.2)
    end_us, changed, times = clock() + 3_200_000, 0, list[int]()
    while clock() < end_us:
        frame = next_picture(webcam, clock() + 500_000)
        changed += frame.changed
        times.append(frame.at_us)
    assert 1 <= changed <= 6
    assert max(b - a for a, b in pairwise(times)) < 1_500_000
    webcam.set_pace(10)
    frames = [next_picture(webcam, clock() + 500_000) for _ in range(10)]
    assert sum(frame.changed for frame in frames) >= 5
    assert camera.opened == 1


def test_a_camera_that_goes_away_is_lost_and_can_be_opened_again(
    webcam: Webcam, camera: "Camera", clock: Clock
) -> None:
    webcam.read(clock() + 1_000_000)
    camera.fault = "gone"
    with pytest.raises(DeviceLost) as caught:
        list(read_on(webcam, clock))
    assert caught.value.code is Diagnosis.MISSING
    webcam.close()
    with pytest.raises(CannotOpen):
        webcam.open()
    camera.fault = ""
    webcam.open()
    assert next_picture(webcam, clock() + 3_000_000).changed


def test_after_a_loss_the_picture_from_before_does_not_come_again(
    webcam: Webcam, camera: "Camera", clock: Clock
) -> None:
    """It would begin the next stretch of evidence with what was seen before the hole."""
    next_picture(webcam, clock() + 3_000_000)
    webcam.close()
    webcam.open()
    assert next_picture(webcam, clock()).changed


def test_an_interrupt_ends_a_read_and_closing_ends_the_reader(
    webcam: Webcam, camera: "Camera", clock: Clock, until: "Until"
) -> None:
    webcam.read(clock() + 1_000_000)
    camera.fault = "stalled"
    timer = threading.Timer(0.1, webcam.interrupt)
    timer.start()
    began_us = clock()
    frame = webcam.read(began_us + 1_900_000)
    while frame is not None:
        frame = webcam.read(began_us + 1_900_000)
    assert clock() - began_us < 1_850_000
    timer.join()
    webcam.close()
    until(lambda: "webcam-reader" not in {thread.name for thread in threading.enumerate()}, "the reader's end")


@pytest.mark.parametrize("device", ["http://127.0.0.1:9/none.mjpg", "/dev/no-such-camera", 63])
def test_a_camera_that_does_not_exist_is_missing(clock: Clock, device: int | str) -> None:
    with pytest.raises(CannotOpen) as caught:
        Webcam(clock, device).open()
    assert caught.value.code is Diagnosis.MISSING


def test_permission_is_tried_for_a_second_as_udev_grants_it_late(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([Diagnosis.NO_PERMISSION] * 3 + [Diagnosis.BUSY])
    monkeypatch.setattr(cameras, "why_not", lambda _device: next(answers))
    began = time.monotonic()
    with pytest.raises(CannotOpen) as caught:
        Webcam(clock, "/dev/no-such-camera").open()
    assert caught.value.code is Diagnosis.BUSY
    assert time.monotonic() - began < 1.5


def test_closing_does_not_wait_for_a_driver_that_hangs(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, until: "Until"
) -> None:
    driver = threading.Event()
    released: list[bool] = []

    class Hangs:
        def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
            return True

        def grab(self) -> bool:
            return not driver.wait(10)

        def release(self) -> None:
            released.append(True)

    monkeypatch.setattr(cameras, "open_capture", lambda *_: Hangs())
    monkeypatch.setattr(cameras, "STALL_US", 200_000)
    source = Webcam(clock, 0)
    source.open()
    with pytest.raises(DeviceLost) as caught:
        source.read(clock() + 5_000_000)
    assert caught.value.code is Diagnosis.STALLED
    began = time.monotonic()
    source.close()
    assert time.monotonic() - began < 1.5
    assert not released
    driver.set()
    until(lambda: bool(released), "the release by the reader")


@pytest.mark.parametrize(
    ("camera_size", "kept"),
    [((480, 640), (640, 480)), ((720, 1280), (640, 360)), ((240, 320), (320, 240)), ((1080, 607), (270, 480))],
)
def test_a_picture_is_made_smaller_with_its_proportions_and_never_larger(
    camera_size: tuple[int, int], kept: tuple[int, int]
) -> None:
    bgr = np.full((*camera_size, 3), 128, np.uint8)
    picture = Picture(bgr, 640, 480)
    picture.update(bgr)
    assert (picture.width, picture.height) == kept
    assert picture.i420.shape == (kept[1] * 3 // 2, kept[0])
    assert picture.fits(bgr)
    assert not picture.fits(bgr[1:])

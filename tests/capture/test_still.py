"""A picture as a JPEG, and the newest picture of a source as another thread sees it."""

import threading
import time

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from secureproctor.capture import still as stills
from secureproctor.capture.latest import Latest
from secureproctor.capture.still import QUALITIES, developed, shrunk
from secureproctor.contract.stills import StillInfo, pack, unpack


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def test_a_still_is_a_jpeg_of_the_picture_that_fits_into_a_record() -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, 32:] = (10, 200, 30)
    still = developed(picture, ("too_dark",))
    assert (still.width, still.height, still.hints) == (64, 48, ("too_dark",))
    shown = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert np.abs(shown.astype(int) - picture).mean() < 6
    info = StillInfo("photo", 0, still.width, still.height)
    assert unpack(pack(info, still.jpeg)) == (info, still.jpeg)


def test_a_picture_that_would_be_too_large_loses_quality_and_then_size(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = noise(120, 160)
    sizes = [len(developed(picture, qualities=(quality,)).jpeg) for quality in QUALITIES]
    assert sizes == sorted(sizes, reverse=True)
    monkeypatch.setattr(stills, "MAX_STILL", sizes[2])
    assert len(developed(picture).jpeg) == sizes[2]
    monkeypatch.setattr(stills, "MAX_STILL", sizes[3] - 1)
    smaller = developed(picture)
    assert (smaller.width, smaller.height) == (80, 60)
    assert len(smaller.jpeg) < sizes[3]


@pytest.mark.parametrize(
    ("size", "kept"), [((720, 1280), (270, 480)), ((480, 640), (360, 480)), ((100, 480), (100, 480))]
)
def test_a_picture_is_made_smaller_with_its_proportions_and_never_larger(
    size: tuple[int, int], kept: tuple[int, int]
) -> None:
    assert shrunk(np.zeros((*size, 3), np.uint8), 480).shape == (*kept, 3)


def test_the_newest_picture_counts_at_once_and_the_next_one_is_waited_for() -> None:
    latest = Latest()
    assert latest.seen(0, next_one=False) is None
    first, second = np.full((2, 2, 3), 1, np.uint8), np.full((2, 2, 3), 2, np.uint8)
    latest.show(first)
    seen = latest.seen(0, next_one=False)
    assert seen is not None
    assert seen[0, 0, 0] == 1
    assert latest.seen(0, next_one=True) is None
    timer = threading.Timer(0.05, latest.show, [second])
    timer.start()
    seen = latest.seen(10, next_one=True)
    timer.join()
    assert seen is not None
    assert seen[0, 0, 0] == 2


def test_a_source_that_lost_its_device_has_no_picture_until_it_is_back() -> None:
    latest = Latest()
    latest.show(np.zeros((2, 2, 3), np.uint8))
    latest.show(None)
    assert latest.seen(0, next_one=False) is None
    timer = threading.Timer(0.05, latest.show, [np.full((2, 2, 3), 7, np.uint8)])
    timer.start()
    seen = latest.seen(10, next_one=False)
    timer.join()
    assert seen is not None
    assert seen[0, 0, 0] == 7


def test_whoever_waits_for_a_source_that_ends_need_not() -> None:
    latest = Latest()
    timer = threading.Timer(0.05, latest.end)
    timer.start()
    began = time.monotonic()
    assert latest.seen(20, next_one=True) is None
    assert time.monotonic() - began < 10
    timer.join()


def test_a_picture_with_a_fourth_channel_is_copied_without_it() -> None:
    """The source writes into it again, so that whoever looks has a picture of their own."""
    latest, bgra = Latest(), np.full((2, 2, 4), (1, 2, 3, 255), np.uint8)
    latest.show(bgra)
    seen = latest.seen(0, next_one=False)
    bgra[:] = 0
    assert seen is not None
    assert seen.tolist() == [[[1, 2, 3]] * 2] * 2

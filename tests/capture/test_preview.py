"""The preview of a camera that plays MJPEG over loopback HTTP: what is shown, what is taken, and that it is given back."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from secureproctor.capture import camera as cameras
from secureproctor.capture import preview as previews
from secureproctor.capture.observers import faces, hints
from secureproctor.capture.preview import LIMIT_S, Preview
from secureproctor.capture.still import Still
from secureproctor.contract.stills import Identity

if TYPE_CHECKING:
    from tests.capture.conftest import Camera, Until

PORTRAIT = Path(__file__).parents[2] / "demo" / "assets" / "astronaut.png"
Make = Callable[..., Preview]


@pytest.fixture
def shown() -> list[Still]:
    return []


@pytest.fixture
def make(camera: "Camera", shown: list[Still]) -> Iterator[Make]:
    """`make(device, of, show, limit_s=...)`: all by default for the camera; stopped at the end."""
    made: list[Preview] = []

    def new(
        device: int | str = camera.url,
        of: Identity = "photo",
        show: Callable[[Still], None] = shown.append,
        limit_s: float = LIMIT_S,
    ) -> Preview:
        made.append(Preview(device, of, show, limit_s=limit_s))
        return made[-1]

    yield new
    for preview in made:
        preview.stop()


@pytest.fixture(autouse=True)
def left(until: "Until") -> Iterator[None]:
    """No thread of a preview stays behind."""
    yield
    ours = {"preview", "webcam-reader"}
    until(lambda: not ours & {thread.name for thread in threading.enumerate()}, "the end of the preview's threads")


def portrait(width: int, height: int) -> NDArray[np.uint8]:
    picture = cv2.imread(str(PORTRAIT))
    assert picture is not None
    return np.asarray(cv2.resize(picture[: 512 * height // width], (width, height)), np.uint8)


def decoded(still: Still) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(still.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (still.height, still.width, 3)
    return np.asarray(picture, np.uint8)


def test_small_pictures_are_shown_with_hints_for_what_is_looked_for(
    make: Make, camera: "Camera", shown: list[Still], until: "Until"
) -> None:
    preview = make()
    preview.start()
    assert preview.wait_started(10) == ""
    until(lambda: len(shown) > 1, "pictures")
    assert decoded(shown[0]).shape == (360, 480, 3)
    assert "no_face" in shown[0].hints
    preview.look_for("id_card")
    until(lambda: "no_face" not in shown[-1].hints, "hints for a card")
    assert set(shown[-1].hints) & {"card_missing", "card_small"}


def test_pictures_are_shown_a_few_times_a_second_however_fast_the_camera_is(
    make: Make, camera: "Camera", shown: list[Still], until: "Until"
) -> None:
    camera.fps = 60
    preview = make()
    preview.start()
    assert preview.wait_started(10) == ""
    began, before = time.monotonic(), len(shown)
    until(lambda: time.monotonic() > began + 1.5, "some time")
    assert 1 <= len(shown) - before <= 1.5 * previews.SHOWN_FPS + 2


def test_what_is_taken_has_full_size_and_is_the_sharpest_of_some(
    make: Make, camera: "Camera", shown: list[Still]
) -> None:
    sharp = portrait(1280, 720)
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 12), np.uint8)
    camera.shows = [blurred, blurred, sharp, blurred]
    preview = make()
    preview.start()
    assert preview.wait_started(10) == ""
    still = preview.take(10)
    assert still is not None
    assert (still.width, still.height) == (1280, 720)
    assert np.abs(decoded(still).astype(int) - sharp).mean() < np.abs(decoded(still).astype(int) - blurred).mean()
    assert "no_face" not in still.hints
    assert max(each.width for each in shown) <= previews.SHOWN_WIDTH


def test_two_who_take_a_picture_at_once_both_get_one(make: Make) -> None:
    preview = make()
    preview.start()
    assert preview.wait_started(10) == ""
    taken: list[Still | None] = []
    takers = [threading.Thread(target=lambda: taken.append(preview.take(10))) for _ in range(2)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()
    assert len(taken) == 2
    assert None not in taken


@pytest.mark.parametrize("device", ["http://127.0.0.1:9/none.mjpg", "/dev/no-such-camera"])
def test_a_camera_that_cannot_be_opened_ends_the_preview_with_the_reason(make: Make, device: str) -> None:
    preview = make(device)
    preview.start()
    assert preview.wait_started(10) == "missing"
    assert not preview.running
    assert preview.take(10) is None


def test_a_camera_that_delivers_nothing_is_stalled_and_given_back(
    make: Make, camera: "Camera", until: "Until", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cameras, "STALL_US", 300_000)
    camera.fault = "stalled"
    preview = make()
    preview.start()
    assert preview.wait_started(10) in {"stalled", "missing"}  # a stream that never began does not even open
    camera.fault = ""
    until(lambda: camera.watched == 0, "the camera's return")
    assert not preview.running


def test_a_camera_that_stalls_on_the_way_is_given_back_and_opened_again(
    make: Make, camera: "Camera", shown: list[Still], until: "Until", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cameras, "STALL_US", 300_000)
    preview = make()
    preview.start()
    assert preview.wait_started(10) == ""
    camera.fault = "stalled"
    until(lambda: camera.opened >= 2, "the camera opened again", 20.0)
    camera.fault = ""
    before = len(shown)
    until(lambda: len(shown) > before, "pictures again", 20.0)
    assert preview.running


def test_a_camera_that_was_unplugged_comes_back(
    make: Make, camera: "Camera", shown: list[Still], until: "Until"
) -> None:
    preview = make()
    preview.start()
    assert preview.wait_started(10) == ""
    camera.fault = "gone"
    until(lambda: camera.watched == 0, "the end of the stream")
    camera.fault = ""
    until(lambda: camera.opened >= 2, "the camera opened again", 20.0)
    assert preview.take(10) is not None


def test_stopping_gives_the_camera_back_and_leaves_nothing(
    nothing_left: None, make: Make, camera: "Camera", until: "Until"
) -> None:
    preview = make()
    preview.start()
    assert preview.wait_started(10) == ""
    until(lambda: preview.running, "the preview")
    preview.stop()
    preview.stop()
    assert not preview.running
    assert preview.take(10) is None
    until(lambda: camera.watched == 0, "the camera's return")


def test_a_preview_never_started_can_be_stopped(make: Make, camera: "Camera") -> None:
    preview = make()
    preview.stop()
    assert preview.wait_started(10) == "stalled"
    assert camera.opened == 0


def test_it_may_be_stopped_by_whoever_is_shown_a_picture(make: Make, camera: "Camera", until: "Until") -> None:
    made: list[Preview] = []
    preview = make(show=lambda _: made[0].stop())
    made.append(preview)
    preview.start()
    until(lambda: camera.opened == 1 and camera.watched == 0, "the camera's return")
    assert not preview.running


def test_the_camera_is_given_back_when_nobody_asked_for_anything_for_long(
    make: Make, camera: "Camera", until: "Until"
) -> None:
    preview = make(limit_s=1.0)
    preview.start()
    assert preview.wait_started(10) == ""
    until(lambda: not preview.running, "the end by itself")
    until(lambda: camera.watched == 0, "the camera's return")
    assert preview.take(10) is None


def test_the_camera_is_given_back_while_whoever_is_shown_a_picture_does_not_return(
    make: Make, camera: "Camera", until: "Until", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previews, "PATIENCE_S", 0.3)
    hangs = threading.Event()
    preview = make(show=lambda _: hangs.wait(30))
    preview.start()
    assert preview.wait_started(10) == ""
    until(lambda: camera.watched == 0, "the camera's return")
    began = time.monotonic()
    preview.stop()
    assert time.monotonic() - began < 10
    hangs.set()


def test_without_its_model_pictures_are_taken_without_hints(
    make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(hints, "face_finder", lambda: faces.FaceFinder(tmp_path / "removed.onnx"))
    preview = make()
    preview.start()
    assert preview.wait_started(10) == ""
    still = preview.take(10)
    assert still is not None
    assert still.hints == ()

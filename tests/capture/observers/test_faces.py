"""Real faces, found by the model that is shipped, and by no other."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from secureproctor.capture.observers.faces import MODEL, FaceFinder, ModelAltered, face_finder

Picture = NDArray[np.uint8]
Change = Callable[..., Picture]


def test_a_face_is_found_where_it_is(person: Picture) -> None:
    (face,) = face_finder().find(person)
    assert face.score > 0.85
    assert face.left + face.width / 2 == pytest.approx(280, abs=15), "the middle of the face"
    assert face.top + face.height / 2 == pytest.approx(148, abs=15)
    assert face.height == pytest.approx(140, abs=25)


def test_places_are_those_of_the_picture_in_any_size(person: Picture, sized: Change) -> None:
    (face,) = face_finder().find(person)
    (large,) = face_finder().find(sized(person, 1280, 960))
    (tiny,) = face_finder().find(sized(person, 200, 150))
    assert large.left == pytest.approx(2 * face.left, abs=8)
    assert tiny.left == pytest.approx(face.left * 200 / 640, abs=4)


@pytest.mark.parametrize("light_factor", [0.4, 1.0, 1.4])
def test_a_face_is_found_in_weak_and_strong_light(person: Picture, light: Change, light_factor: float) -> None:
    assert len(face_finder().find(light(person, light_factor))) == 1


def test_no_face_is_found_where_there_is_none(nobody: Picture, wall: Picture) -> None:
    assert face_finder().find(nobody) == ()
    assert face_finder().find(wall) == ()


def test_two_faces_come_with_the_larger_one_first(person: Picture, sized: Change) -> None:
    picture = np.hstack([sized(person[:, 130:450], 240, 360), person[60:420, 130:450]])
    larger, smaller = face_finder().find(np.ascontiguousarray(picture))
    assert larger.height > smaller.height
    assert larger.left > 240 > smaller.left


def test_a_model_that_was_exchanged_or_removed_is_refused(tmp_path: Path) -> None:
    forged = tmp_path / MODEL.name
    with pytest.raises(ModelAltered, match="No such file"):
        FaceFinder(forged)
    forged.write_bytes(MODEL.read_bytes()[:-1] + b"\0")
    with pytest.raises(ModelAltered, match="not the file that was shipped"):
        FaceFinder(forged)


def test_loading_says_nothing_and_leaves_no_file_open(capfd: pytest.CaptureFixture[str]) -> None:
    before = len(os.listdir("/proc/self/fd"))
    FaceFinder()
    assert capfd.readouterr() == ("", "")
    assert len(os.listdir("/proc/self/fd")) == before

"""What a candidate is told about a photo and an ID card."""

from collections.abc import Callable
from typing import get_args

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from secureproctor.capture.observers.hints import SUBJECTS, hints_for
from secureproctor.contract.stills import HINTS, Identity

Picture = NDArray[np.uint8]
Change = Callable[..., Picture]


def test_a_good_photo_needs_no_hint(person: Picture, light: Change) -> None:
    assert hints_for("photo", light(person, 1)) == ()


def test_a_picture_without_a_face_says_so(nobody: Picture, wall: Picture) -> None:
    assert hints_for("photo", nobody) == ("no_face",)
    assert hints_for("photo", wall) == ("no_face",)


def test_a_dark_photo_and_a_blurred_one_are_hinted(person: Picture, light: Change, blur: Change) -> None:
    assert hints_for("photo", light(person, 0.2)) == ("too_dark",)
    assert hints_for("photo", light(blur(person, 3), 1)) == ("blurred",)
    assert hints_for("photo", light(blur(person, 2), 0.3)) == ("too_dark", "blurred")


def test_two_faces_side_by_side_are_several(person: Picture) -> None:
    both = np.hstack([person[:, 130:450], person[:, 130:450]])
    assert hints_for("photo", np.ascontiguousarray(both)) == ("several_faces",)


def test_a_small_picture_of_a_face_on_the_wall_is_nobody_else(person: Picture, sized: Change) -> None:
    person[20:68, 20:62] = sized(person[60:250, 190:360], 42, 48)
    assert hints_for("photo", person) == ()


def test_a_face_far_away_is_small(wall: Picture, person: Picture, sized: Change) -> None:
    wall[200:500, 440:840] = sized(person, 400, 300)
    assert hints_for("photo", wall) == ("face_small",)


def test_light_is_judged_on_the_face_and_not_on_the_window_behind(person: Picture, light: Change) -> None:
    against = light(person, 0.25)
    against[:, :150] = against[:, 450:] = 255
    assert hints_for("photo", against) == ("too_dark",)


def test_sharpness_is_judged_on_the_face_and_not_on_what_is_behind(person: Picture, blur: Change) -> None:
    out_of_focus = blur(person, 4)
    sharp = person.copy()
    sharp[40:270, 170:390] = out_of_focus[40:270, 170:390]
    assert hints_for("photo", sharp) == ("blurred",)
    out_of_focus[40:270, 170:390] = person[40:270, 170:390]
    assert hints_for("photo", out_of_focus) == ()


def test_a_card_that_fills_the_frame_needs_no_hint(wall: Picture, held: Change, light: Change) -> None:
    assert hints_for("id_card", light(held(wall, 0.7, roll=4), 1)) == ()


def test_a_small_card_and_a_missing_one_are_hinted(wall: Picture, held: Change, light: Change) -> None:
    assert hints_for("id_card", light(held(wall, 0.3), 1)) == ("card_small",)
    assert hints_for("id_card", light(wall, 1)) == ("card_missing",)


def test_a_card_that_is_blurred_dark_or_dazzling_is_hinted(
    wall: Picture, held: Change, light: Change, blur: Change
) -> None:
    card = held(wall, 0.7)
    assert hints_for("id_card", light(blur(card, 6), 1)) == ("blurred",)
    assert "too_dark" in hints_for("id_card", light(card, 0.2))
    cv2.circle(card, (640, 360), 230, (255, 255, 255), -1)
    assert "too_bright" in hints_for("id_card", card)


def test_there_are_hints_for_every_identity_and_they_are_in_the_contract() -> None:
    assert set(SUBJECTS) == set(get_args(Identity))
    dark = np.zeros((480, 640, 3), np.uint8)
    for of in SUBJECTS:
        found = hints_for(of, dark)
        assert set(found) <= set(HINTS)
        assert found == tuple(sorted(found, key=list(HINTS).index))


@pytest.mark.parametrize(("height", "width"), [(48, 64), (1080, 1920), (640, 360)])
def test_a_picture_of_any_size_can_be_judged(height: int, width: int) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    for of in SUBJECTS:
        assert isinstance(hints_for(of, picture), tuple)

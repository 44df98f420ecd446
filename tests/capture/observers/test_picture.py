"""Light and sharpness by percentiles and the width of edges."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from secureproctor.capture.observers.picture import BLURRED, edge_width, faults, luma, sharpness

Picture = NDArray[np.uint8]
Change = Callable[..., Picture]


def test_an_ordinary_picture_has_no_fault(person: Picture, light: Change) -> None:
    assert faults(luma(light(person, 1))) == set()


@pytest.mark.parametrize(("factor", "found"), [(0.1, "too_dark"), (0.25, "too_dark"), (3.0, "too_bright")])
def test_light_is_judged(person: Picture, light: Change, factor: float, found: str) -> None:
    assert found in faults(luma(light(person, factor)))


def test_a_lamp_in_the_corner_does_not_make_a_dark_room_light_nor_too_bright(person: Picture, light: Change) -> None:
    dark = light(person, 0.2)
    dark[:100, :140] = 255
    assert faults(luma(dark)) == {"too_dark"}


@pytest.mark.parametrize("pixels", [2.5, 4, 8])
@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_a_picture_out_of_focus_is_blurred_in_any_light_and_with_noise(
    person: Picture, light: Change, blur: Change, pixels: float, factor: float
) -> None:
    assert "blurred" in faults(luma(light(blur(person, pixels), factor, noise=6)))


@pytest.mark.parametrize("factor", [1.0, 0.5, 0.2])
@pytest.mark.parametrize("noise", [0, 3, 8])
def test_a_sharp_picture_is_not_blurred_in_any_light_nor_by_noise(
    person: Picture, light: Change, factor: float, noise: float
) -> None:
    assert "blurred" not in faults(luma(light(person, factor, noise)))


def test_a_hand_that_trembles_in_one_direction_is_seen(person: Picture, light: Change) -> None:
    kernel = np.zeros((15, 15), np.float32)
    kernel[7] = 1 / 15
    sideways = np.asarray(cv2.filter2D(person, -1, kernel), np.uint8)
    assert faults(luma(light(sideways, 1))) == {"blurred"}


def test_edges_are_as_wide_as_the_blur_makes_them_whatever_their_contrast(wall: Picture, blur: Change) -> None:
    for lighter in (150, 250):
        stripes = np.full((240, 320), 80, np.uint8)
        for left in range(40, 320, 80):
            stripes[:, left : left + 40] = lighter
        widths = [edge_width(np.asarray(blur(stripes, pixels), np.uint8)) for pixels in (0, 1, 2)]
        assert [round(width or 0, 1) for width in widths] == pytest.approx([2.0, 3.1, 5.3], abs=0.3)


def test_nothing_is_said_of_the_sharpness_of_a_blank_picture(wall: Picture) -> None:
    assert edge_width(luma(wall)) is None
    assert faults(luma(wall)) == set()


def test_the_sharpest_of_one_scene_is_found_through_noise(person: Picture, light: Change, blur: Change) -> None:
    found = [sharpness(light(blur(person, pixels), 1, noise=5)) for pixels in (0, 0.7, 1.2, 2, 3)]
    assert found == sorted(found, reverse=True)


def test_the_size_of_a_picture_makes_little_difference(person: Picture, sized: Change) -> None:
    large = sized(person, 1280, 960)
    assert luma(large).shape == luma(person).shape
    width = edge_width(luma(large))
    assert width is not None
    assert width < BLURRED

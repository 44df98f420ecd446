"""Drawn cards of many sizes and tilts, on plain ground and in front of a person."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from secureproctor.capture.observers.card import find_card

Picture = NDArray[np.uint8]
Change = Callable[..., Picture]
TILTS = {
    "straight": (0, 0, 0),
    "askew": (8, 0, 0),
    "more askew": (25, 0, 0),
    "turned": (0, 30, 0),
    "leaning": (0, 0, 30),
    "all of it": (10, 25, -20),
}


@pytest.mark.parametrize("tilt", TILTS.values(), ids=TILTS)
@pytest.mark.parametrize("fills", [0.2, 0.45, 0.6])
def test_a_card_on_plain_ground_is_found_in_its_size(
    wall: Picture, held: Change, light: Change, fills: float, tilt: tuple[float, float, float]
) -> None:
    card = find_card(light(held(wall, fills, *tilt), 1, noise=5))
    assert card is not None
    assert card.fills == pytest.approx(fills, rel=0.16), "a card that is turned away looks shorter"
    assert card.corners.mean(0) == pytest.approx([0.5, 0.5], abs=0.08)


@pytest.mark.parametrize("tilt", [*TILTS.values()][:2], ids=[*TILTS][:2])
@pytest.mark.parametrize("fills", [0.6, 0.75])
def test_a_card_in_front_of_a_person_is_found(
    person: Picture, held: Change, light: Change, fills: float, tilt: tuple[float, float, float]
) -> None:
    card = find_card(light(held(person, fills, *tilt), 1))
    assert card is not None
    assert card.fills == pytest.approx(fills, rel=0.16)


def test_a_card_that_fills_the_frame_is_found(wall: Picture, held: Change) -> None:
    card = find_card(held(wall, 0.95))
    assert card is not None
    assert card.fills == pytest.approx(0.95, abs=0.02)


def test_a_card_held_upright_is_found(wall: Picture, held: Change, light: Change) -> None:
    card = find_card(light(held(wall, 0.5, roll=90), 1))
    assert card is not None
    assert card.fills == pytest.approx(0.5, abs=0.03)


def test_fingers_at_two_sides_do_not_hide_a_card(wall: Picture, held: Change, light: Change) -> None:
    picture = held(wall, 0.6)
    for x in (298, 982):  # the middles of the short sides
        cv2.ellipse(picture, (x, 400), (70, 45), 0, 0, 360, (130, 160, 210), -1)
    card = find_card(light(picture, 1))
    assert card is not None
    assert card.fills == pytest.approx(0.6, abs=0.06)


@pytest.mark.parametrize("grey", [0, 100, 255])
def test_a_blank_picture_holds_no_card(grey: int) -> None:
    assert find_card(np.full((480, 640, 3), grey, np.uint8)) is None


def test_noise_is_no_card() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
    assert find_card(noise) is None


@pytest.mark.parametrize(("width", "height"), [(300, 300), (560, 200)])
def test_what_has_other_proportions_is_no_card(wall: Picture, width: int, height: int) -> None:
    left, top = 640 - width // 2, 360 - height // 2
    cv2.rectangle(wall, (left, top), (left + width, top + height), (230, 240, 240), -1)
    assert find_card(wall) is None


def test_a_round_thing_is_no_card(wall: Picture) -> None:
    cv2.ellipse(wall, (640, 360), (320, 200), 0, 0, 360, (230, 240, 240), -1)
    assert find_card(wall) is None


def test_what_is_seen_beside_a_person_never_fills_the_frame(person: Picture, nobody: Picture) -> None:
    """Other straight edges may pass for a small card; the hint then says the same: hold it closer."""
    for picture in (person, nobody):
        card = find_card(picture)
        assert card is None or card.fills < 0.5

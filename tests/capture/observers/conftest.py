"""Pictures to look at: a portrait, what stands behind it, and a drawn card held into a scene at any tilt."""

from collections.abc import Callable
from functools import cache
from math import cos, radians, sin
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

PORTRAIT = Path(__file__).parents[3] / "demo" / "assets" / "astronaut.png"
CARD = (856, 540)
"""Width and height: ten pixels a millimetre."""


@cache
def portrait() -> Picture:
    return np.asarray(cv2.imread(str(PORTRAIT)), np.uint8)


def resized(picture: Picture, width: int, height: int) -> Picture:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def lit(picture: Picture, light: float, noise: float = 3.0) -> Picture:
    """The picture in other light, with a sensor's noise on it."""
    grain = np.random.default_rng(1).normal(0, noise, picture.shape)
    return np.clip(picture * light + grain, 0, 255).astype(np.uint8)


def defocused(picture: Picture, pixels: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), pixels), np.uint8) if pixels else picture


@cache
def card() -> Picture:
    """A face, a coloured head and some lines of print."""
    drawn = np.full((CARD[1], CARD[0], 3), (225, 235, 240), np.uint8)
    drawn[130:450, 40:290] = resized(portrait()[0:220, 120:296], 250, 320)
    cv2.rectangle(drawn, (0, 0), (CARD[0], 90), (140, 80, 40), -1)
    cv2.putText(drawn, "IDENTITY CARD", (40, 62), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (255, 255, 255), 3)
    for line, text in enumerate(("SURNAME  MUSTER", "GIVEN NAMES  ERIKA", "BORN 12.08.1983", "EXPIRES 2031")):
        cv2.putText(drawn, text, (330, 170 + line * 80), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (40, 40, 40), 2)
    return drawn


def _outline(radius: int = 32) -> Picture:
    width, height = CARD
    mask = np.zeros((height, width), np.uint8)
    cv2.rectangle(mask, (radius, 0), (width - radius, height), 255, -1)
    cv2.rectangle(mask, (0, radius), (width, height - radius), 255, -1)
    for x in (radius, width - radius):
        for y in (radius, height - radius):
            cv2.circle(mask, (x, y), radius, 255, -1)
    return mask


def _turned(roll: float, yaw: float, pitch: float) -> NDArray[np.float64]:
    (r, y, p) = map(radians, (roll, yaw, pitch))
    about_z = np.array([[cos(r), -sin(r), 0], [sin(r), cos(r), 0], [0, 0, 1]])
    about_y = np.array([[cos(y), 0, sin(y)], [0, 1, 0], [-sin(y), 0, cos(y)]])
    about_x = np.array([[1, 0, 0], [0, cos(p), -sin(p)], [0, sin(p), cos(p)]])
    return np.asarray(about_z @ about_y @ about_x)


def holding(scene: Picture, fills: float, roll: float = 0, yaw: float = 0, pitch: float = 0) -> Picture:
    """The card in the middle of a scene, as a camera sees it; `fills` as in capture.observers.card, angles in degrees."""
    height, width = scene.shape[:2]
    (wide, high), long = CARD, fills * min(width, height * CARD[0] / CARD[1])
    flat = np.array([[-wide, -high, 0], [wide, -high, 0], [wide, high, 0], [-wide, high, 0]]) * (long / wide / 2)
    corners = flat @ _turned(roll, yaw, pitch).T
    seen = corners[:, :2] / (1 + corners[:, 2:] / (1.2 * width)) + (width / 2, height / 2)
    source = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    move = cv2.getPerspectiveTransform(source, seen.astype(np.float32))
    smooth = cv2.GaussianBlur(card(), (0, 0), max(0.3, wide / long / 2.5))
    mask = cv2.warpPerspective(_outline(), move, (width, height))[..., None] / 255.0
    return np.asarray(scene * (1 - mask) + cv2.warpPerspective(smooth, move, (width, height)) * mask, np.uint8)


@pytest.fixture
def person() -> Picture:
    """Somebody in front of a camera of 640x480."""
    return resized(portrait()[0:384], 640, 480)


@pytest.fixture
def wall() -> Picture:
    """Plain ground in the size of a better camera."""
    return np.full((720, 1280, 3), (90, 110, 100), np.uint8)


@pytest.fixture
def nobody() -> Picture:
    """A real picture without a face: what is seen beside the astronaut."""
    return resized(portrait()[200:392, 256:512], 640, 480)


@pytest.fixture
def light() -> Callable[..., Picture]:
    """`light(picture, factor)`: see `lit`."""
    return lit


@pytest.fixture
def blur() -> Callable[..., Picture]:
    """`blur(picture, pixels)`: the radius of a Gaussian."""
    return defocused


@pytest.fixture
def held() -> Callable[..., Picture]:
    """`held(scene, fills, roll, yaw, pitch)`: see `holding`."""
    return holding


@pytest.fixture
def sized() -> Callable[..., Picture]:
    """`sized(picture, width, height)`."""
    return resized

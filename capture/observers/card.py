"""Whether something like a card is in a picture, and how much of the frame it takes.

A card is looked for as four straight edges that make a quadrilateral of the proportions of ISO/IEC 7810 ID-1, 85.6 to 54 mm,
up to a tilt of some 30 degrees each way. It may be held by its edges: a finger may cover a third of a side. 4 to 8 ms a picture
on one core, the more the more lines there are.

What it cannot see: whether it *is* a card (a window, a book or a telephone of these proportions passes for one); a card that
reaches beyond the frame; one in front of something of the same brightness. In front of a person or a crowded room it misses
some, and now and then takes other straight edges for a small one. A hint is all that may follow from it.
"""

from dataclasses import dataclass
from math import radians

import cv2
import numpy as np
from numpy.typing import NDArray

from secureproctor.capture.camera import Bgr
from secureproctor.capture.still import shrunk

WIDTH = 320
"""Pictures are looked at this small."""
PROPORTION = 85.6 / 54.0
_RATIOS = (1.25, 2.05)
"""Long to short side, tilted either way."""
_LINES = 20
"""The longest lines of a picture are tried; a card that matters has long ones."""
_SHORTEST = 12.0
"""Pixels of a piece of an edge."""
_PARALLEL, _CROSSING = radians(25), radians(55)
_EVEN = 0.65
"""Opposite sides differ by perspective, not by more than this."""
_LEAST_SIDE, _ALL_SIDES = 0.6, 0.85
"""How much of each side, and of all together, has to be an edge."""
_CONTRAST = 4.0
"""Grey levels per pixel across an edge."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Card:
    """`corners` of shape (4, 2), as fractions of the picture's width and height. `fills` is the length of its long side, as a
    fraction of the longest with which it would fit in upright."""

    corners: Floats
    fills: float


def find_card(picture: Bgr) -> Card | None:
    """The card in a picture of shape (height, width, 3), if there seems to be one."""
    small = shrunk(picture, WIDTH)
    grey = np.asarray(cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (3, 3), 0), np.uint8)
    height, width = grey.shape
    quads = _quadrilaterals(_lines(grey), width, height)
    if not len(quads):
        return None
    edges = _edges(grey, quads)
    area, long = _area_and_long_side(quads)
    good = (edges.min(1) >= _LEAST_SIDE) & (edges.mean(1) >= _ALL_SIDES)
    best = int(np.argmax(good * area * edges.mean(1) ** 8))  # rather the true outline than a larger accident
    if not good[best]:
        return None
    return Card(quads[best] / (width, height), float(long[best] / min(width, PROPORTION * height)))


def _lines(grey: NDArray[np.uint8]) -> Floats:
    """The longest straight edges, shape (n, 3): a line's normal x and y, and its distance from the corner of the picture.

    Pieces on one line count together: fingers and print interrupt an edge.
    """
    found = cv2.createLineSegmentDetector().detect(grey)[0]
    pieces = np.empty((0, 4)) if found is None else np.asarray(found, np.float64).reshape(-1, 4)
    along = pieces[:, 2:] - pieces[:, :2]
    length = np.hypot(along[:, 0], along[:, 1])
    order = [piece for piece in np.argsort(-length) if length[piece] >= _SHORTEST]
    pieces, along, length = pieces[order], along[order], length[order]
    angle, middle = np.arctan2(along[:, 1], along[:, 0]), (pieces[:, :2] + pieces[:, 2:]) / 2
    lines: list[tuple[float, float, float, float]] = []
    left = np.ones(len(order), bool)
    for longest in range(len(order)):
        if left[longest]:
            normal = np.array([-np.sin(angle[longest]), np.cos(angle[longest])])
            beside = np.abs((middle - middle[longest]) @ normal) < 3
            same = left & beside & (_turn(angle, angle[longest]) < 0.12)
            left &= ~same
            lines.append((float(length[same].sum()), *normal, float(middle[longest] @ normal)))
    return np.array(sorted(lines, reverse=True)[:_LINES]).reshape(-1, 4)[:, 1:]


def _turn(one: Floats, other: Floats) -> Floats:
    """The angle between lines, 0 to π/2."""
    return np.abs((one - other + np.pi / 2) % np.pi - np.pi / 2)


def _quadrilaterals(lines: Floats, width: int, height: int) -> Floats:
    """Corners in turn, shape (n, 4, 2), of all that two pairs of lines make and that has a card's proportions."""
    angle = np.arctan2(-lines[:, 0], lines[:, 1])
    one, other = np.triu_indices(len(lines), 1)
    opposite = _turn(angle[one], angle[other]) < _PARALLEL
    one, other = one[opposite], other[opposite]
    a, b = np.triu_indices(len(one), 1)
    crossing = _turn(angle[one[a]], angle[one[b]]) > _CROSSING
    a, b = a[crossing], b[crossing]
    turns = ((one[a], one[b]), (one[a], other[b]), (other[a], other[b]), (other[a], one[b]))
    corners = np.stack([_meeting(lines[this], lines[that]) for this, that in turns], 1)
    return corners[_like_a_card(corners, width, height)]


def _meeting(one: Floats, other: Floats) -> Floats:
    """Where lines meet, shape (n, 2); far outside of any picture where they do not."""
    across = one[:, 0] * other[:, 1] - other[:, 0] * one[:, 1]
    across = np.where(np.abs(across) < 1e-9, 1e-9, across)
    x = one[:, 2] * other[:, 1] - other[:, 2] * one[:, 1]
    y = one[:, 0] * other[:, 2] - other[:, 0] * one[:, 2]
    return np.stack([x, y], 1) / across[:, None]


def _like_a_card(corners: Floats, width: int, height: int) -> NDArray[np.bool_]:
    edge = 0.02 * width
    within = ((corners > -edge) & (corners < (width + edge, height + edge))).all((1, 2))
    side = np.roll(corners, -1, 1) - corners
    after = np.roll(side, -1, 1)
    bend = side[..., 0] * after[..., 1] - side[..., 1] * after[..., 0]
    convex = (bend > 0).all(1) | (bend < 0).all(1)
    length = np.maximum(np.hypot(side[..., 0], side[..., 1]), 1e-9)
    pairs = np.stack([length[:, :2], length[:, 2:]])
    even = (pairs.min(0) / pairs.max(0)).min(1) > _EVEN
    long, short = pairs.mean(0).max(1), pairs.mean(0).min(1)
    ratio = long / short
    proportioned = (short > height / 10) & (_RATIOS[0] < ratio) & (ratio < _RATIOS[1])
    return np.asarray(within & convex & even & proportioned, np.bool_)


def _edges(grey: NDArray[np.uint8], corners: Floats) -> Floats:
    """How much of each side is an edge that runs along it, shape (n, 4): looked at in 24 places, 1.5 pixels to each side."""
    slope = np.stack(
        [cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=1 / 8)], -1
    )
    side = np.roll(corners, -1, 1) - corners
    normal = np.stack([-side[..., 1], side[..., 0]], -1) / np.hypot(side[..., 0], side[..., 1])[..., None]
    places = np.linspace(0.08, 0.92, 24)  # the corners of a card are round
    points = corners[:, :, None] + side[:, :, None] * places[:, None]
    seen = np.zeros(points.shape[:3], bool)
    for off in (-1.5, 0.0, 1.5):
        at = np.rint(points + off * normal[:, :, None]).astype(int)
        found = slope[at[..., 1].clip(0, grey.shape[0] - 1), at[..., 0].clip(0, grey.shape[1] - 1)]
        across = np.abs((found * normal[:, :, None]).sum(-1))
        seen |= (across > _CONTRAST) & (across > 0.85 * np.hypot(found[..., 0], found[..., 1]))
    return np.asarray(seen.mean(2), np.float64)


def _area_and_long_side(corners: Floats) -> tuple[Floats, Floats]:
    side = np.roll(corners, -1, 1) - corners
    length = np.hypot(side[..., 0], side[..., 1])
    means = (length[:, :2] + length[:, 2:]) / 2
    return means.prod(1), means.max(1)

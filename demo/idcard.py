"""An ID card of a country that does not exist, for a camera that is to see one. Nobody could take it for a real one.

It is drawn as large as the frame asks for, in the proportions of ISO/IEC 7810 ID-1, and held by a hand that trembles a little.
"""

import functools
import math

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

CARD_WIDTH, CARD_HEIGHT = 500, 315  # 85.60 x 53.98 mm
_RADIUS = 18  # 3.18 mm
_FACE = slice(10, 210), slice(120, 280)  # rows and columns of the portrait
_PAPER, _INK, _BAND, _STAMP = (222, 236, 240), (60, 40, 30), (120, 74, 30), (70, 70, 190)
_LINES = (
    ("Surname", "SPECIMEN"),
    ("Given names", "NOBODY AT ALL"),
    ("Date of birth", "30 FEB 1999"),
    ("Number", "U-0000000-0"),
)
"""What no register holds, and no calendar."""


def held(card: Picture, background: Picture, turn: float) -> Picture:
    """The card in front of a background that is out of focus; `turn` 0 to 2π is once through the hand's movement."""
    height, width = background.shape[:2]
    middle = (width / 2 + 4 * math.sin(turn), height / 2 - 12 + 3 * math.sin(2 * turn))
    move = cv2.getRotationMatrix2D((CARD_WIDTH / 2, CARD_HEIGHT / 2), -2 + 0.6 * math.sin(turn + 1), 1.0)
    move[:, 2] += middle[0] - CARD_WIDTH / 2, middle[1] - CARD_HEIGHT / 2
    behind = cv2.GaussianBlur(background, (0, 0), 9)
    laid = cv2.warpAffine(card, move, (width, height), flags=cv2.INTER_LINEAR)
    seen = cv2.warpAffine(_outline(), move, (width, height), flags=cv2.INTER_LINEAR)[:, :, None] / 255
    return (behind * 0.7 * (1 - seen) + laid * seen).astype(np.uint8)


def drawn(portrait: Picture) -> Picture:
    """The card, of shape (CARD_HEIGHT, CARD_WIDTH, 3)."""
    card = np.full((CARD_HEIGHT, CARD_WIDTH, 3), _PAPER, np.uint8)
    card[:52] = _BAND
    _write(card, "UTOPIA", (22, 38), 1.1, (255, 255, 255), 2)
    _write(card, "IDENTITY CARD, NOT VALID", (190, 34), 0.6, (255, 255, 255), 1)
    card[78:278, 22:182] = cv2.resize(portrait[_FACE], (160, 200), interpolation=cv2.INTER_AREA)
    for n, (name, value) in enumerate(_LINES):
        _write(card, name, (204, 92 + 50 * n), 0.42, _INK, 1)
        _write(card, value, (204, 114 + 50 * n), 0.66, _INK, 2)
    _write(card, "MADE FOR A DEMONSTRATION", (22, 302), 0.5, _STAMP, 1)
    return card


def _write(
    card: Picture, text: str, at: tuple[int, int], size: float, colour: tuple[int, int, int], weight: int
) -> None:
    cv2.putText(card, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, weight, cv2.LINE_AA)


@functools.cache
def _outline() -> Picture:
    """Where the card is: 255, with round corners."""
    outline = np.zeros((CARD_HEIGHT, CARD_WIDTH), np.uint8)
    right, bottom = CARD_WIDTH - 1 - _RADIUS, CARD_HEIGHT - 1 - _RADIUS
    cv2.rectangle(outline, (_RADIUS, 0), (right, CARD_HEIGHT - 1), 255, cv2.FILLED)
    cv2.rectangle(outline, (0, _RADIUS), (CARD_WIDTH - 1, bottom), 255, cv2.FILLED)
    for corner in ((_RADIUS, _RADIUS), (right, _RADIUS), (_RADIUS, bottom), (right, bottom)):
        cv2.circle(outline, corner, _RADIUS, 255, cv2.FILLED)
    return outline

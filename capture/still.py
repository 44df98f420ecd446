"""A single picture as a JPEG (ITU-T T.81): what the candidate is shown, and what goes on the record as a still."""

from dataclasses import dataclass

import cv2
import numpy as np

from secureproctor.capture.camera import Bgr
from secureproctor.contract.stills import MAX_STILL

QUALITIES = (90, 75, 55, 35)
"""JPEG qualities, the first one that fits. A 1080p screen has about 0.5 MB at 90; two 4K screens may need the next ones."""


@dataclass(frozen=True, slots=True)
class Still:
    """A picture. `hints` are codes of contract.stills.HINTS: what may be better about it."""

    jpeg: bytes
    width: int
    height: int
    hints: tuple[str, ...] = ()


def developed(picture: Bgr, hints: tuple[str, ...] = (), qualities: tuple[int, ...] = QUALITIES) -> Still:
    """A picture of shape (height, width, 3) as a still of at most MAX_STILL bytes; if need be, of half its size."""
    height, width = picture.shape[:2]
    for quality in qualities:
        jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(jpeg) <= MAX_STILL:
            return Still(jpeg, width, height, hints)
    return developed(shrunk(picture, width // 2), hints, qualities)


def shrunk(picture: Bgr, width: int) -> Bgr:
    """The picture at most `width` wide, with its proportions."""
    if picture.shape[1] <= width:
        return picture
    size = (width, max(1, round(picture.shape[0] * width / picture.shape[1])))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)

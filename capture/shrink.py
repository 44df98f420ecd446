"""A picture made smaller on its way into the encoder, for a recording that has to cost less."""

import cv2
import numpy as np
from numpy.typing import NDArray

from secureproctor.capture.media import VideoFrame

Planes = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]


def planes(pixels: NDArray[np.uint8], width: int, height: int) -> Planes:
    """Views on Y, U and V of an I420 picture of even size."""
    luma, chroma = width * height, width * height // 4
    flat, half = pixels.reshape(-1), (height // 2, width // 2)
    return (
        flat[:luma].reshape(height, width),
        flat[luma : luma + chroma].reshape(half),
        flat[luma + chroma :].reshape(half),
    )


class Shrink:
    """Scales I420 pictures of one size into a buffer of its own: what it returns is valid until the next call."""

    def __init__(self, width: int, height: int, scale: float) -> None:
        self.width, self.height = max(2, round(width * scale) & ~1), max(2, round(height * scale) & ~1)
        self._pixels = np.empty((self.height * 3 // 2, self.width), np.uint8)
        self._planes = planes(self._pixels, self.width, self.height)

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        """`frame` as it is if the size is the same."""
        if (frame.width, frame.height) == (self.width, self.height):
            return frame
        for whole, smaller in zip(planes(frame.pixels, frame.width, frame.height), self._planes, strict=True):
            cv2.resize(whole, smaller.shape[::-1], dst=smaller, interpolation=cv2.INTER_AREA)
        return VideoFrame(self._pixels, self.width, self.height, frame.at_us, frame.changed)

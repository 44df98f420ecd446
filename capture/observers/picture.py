"""Whether a picture, or the part of it that matters, is too dark, too bright or blurred. Pure.

By percentiles, which a lamp in the corner or a black jacket does not move. Darkness asks for the lighter parts of what is
looked at: of a dark face in good light these are light as well.

Blur is measured as the width of edges: by how much the grey changes around an edge, divided by how steeply it changes there.
A sharp edge is 2 to 3 pixels wide, whatever its contrast; so neither light nor noise passes for sharpness or blur, as they do
in measures of detail. Of all edges the sharpest tenth counts, for a background is often out of focus. Each direction by
itself: a hand that trembles sideways blurs upright edges alone.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from secureproctor.capture.camera import Bgr
from secureproctor.capture.still import shrunk

Luma = NDArray[np.uint8]
"""Grey levels of shape (height, width)."""

WIDTH = 640
"""Pictures are judged at most this wide; the figures below hold for it."""
DARK = 70
"""In a picture that is too dark nine of ten pixels are darker."""
BRIGHT = 250
"""In one that is too bright a third of the pixels are lighter: nothing can be seen there any more."""
BLURRED = 4.5
"""Pixels that the sharpest edges take. A Gaussian blur of 1 pixel makes it 3.4, one of 2 pixels 4.4 to 5.5 (measured)."""
_AROUND = 15
"""Pixels around an edge in which the grey is compared."""
_CONTRAST = 40
"""Grey levels from one side of an edge to the other. Less may be noise; a picture too dark for it is not called blurred."""
_ENOUGH = 50
"""Edges; of fewer nothing is said."""


def luma(picture: Bgr) -> Luma:
    """The grey levels of a picture, at most WIDTH wide."""
    return np.asarray(cv2.cvtColor(shrunk(picture, WIDTH), cv2.COLOR_BGR2GRAY), np.uint8)


def faults(part: Luma) -> set[str]:
    """Which of `too_dark`, `too_bright` and `blurred` apply to a picture, or to a part of one."""
    width = edge_width(part)
    return {
        code
        for code, applies in (
            ("too_dark", np.percentile(part, 90) < DARK),
            ("too_bright", np.percentile(part, 67) >= BRIGHT),
            ("blurred", width is not None and width > BLURRED),
        )
        if applies
    }


def edge_width(part: Luma) -> float | None:
    """How many pixels the sharpest edges take, in the direction in which they take more; None when there are too few."""
    if min(part.shape) < _AROUND:
        return None
    calm = np.asarray(cv2.medianBlur(part, 3), np.uint8)  # takes noise away, and leaves edges as they are
    widths = [width for width in (_width(calm), _width(np.ascontiguousarray(calm.T))) if width is not None]
    return max(widths, default=None)


def sharpness(picture: Bgr) -> float:
    """To be compared between pictures of one scene: the larger the sharper."""
    _, deviation = cv2.meanStdDev(cv2.Laplacian(luma(picture), cv2.CV_16S))
    return float(deviation[0, 0])


def _width(part: Luma) -> float | None:
    """Of the upright edges."""
    row = np.ones((1, _AROUND), np.uint8)
    contrast = cv2.subtract(cv2.dilate(part, row), cv2.erode(part, row))
    steep = cv2.absdiff(part[:, 2:], part[:, :-2])  # over two pixels
    crest = (steep >= cv2.dilate(steep, row)) & (contrast[:, 1:-1] >= _CONTRAST)
    if np.count_nonzero(crest) < _ENOUGH:
        return None
    return float(np.percentile(2.0 * contrast[:, 1:-1][crest] / np.maximum(steep[crest], 1), 10))

"""Where faces are in a picture: YuNet by OpenCV, at a small size.

The model is the one of the OpenCV zoo (2023mar, MIT licence, see NOTICE), unchanged; its SHA-256 is checked when it is
loaded, so that nobody can blind it in silence by exchanging the file. It takes 3 ms a picture on one core.
"""

import functools
import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from secureproctor.capture.camera import Bgr
from secureproctor.capture.still import shrunk

MODEL = Path(__file__).parents[1] / "models" / "face_detection_yunet_2023mar.onnx"
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
WIDTH = 320
"""Pictures are looked at this small: a face that matters is larger than the 10 pixels that YuNet needs."""
SCORE = 0.7
"""From 0 to 1; less is no face."""


class ModelAltered(Exception):
    """The model's file is missing, unreadable, or not the one that was shipped."""


@dataclass(frozen=True, slots=True)
class Face:
    """A face's box, in pixels of the picture that was looked at; it may reach beyond its edges. `score` from SCORE to 1."""

    left: int
    top: int
    width: int
    height: int
    score: float


class FaceFinder:
    """Loads the model, some 25 MB in memory. Raises ModelAltered. Any thread may ask it, one at a time gets its answer."""

    def __init__(self, model: Path = MODEL) -> None:
        self._lock = threading.Lock()
        before = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        try:
            # OpenCV 5.0 warns on stderr that its graph engine takes no target, which nobody asked it to
            self._net = cv2.FaceDetectorYN.create(
                "onnx", _checked(model), np.empty(0, np.uint8), (WIDTH, WIDTH), score_threshold=SCORE
            )
        finally:
            cv2.utils.logging.setLogLevel(before)

    def find(self, picture: Bgr) -> tuple[Face, ...]:
        """The faces in a picture of shape (height, width, 3), the largest first."""
        small = shrunk(picture, WIDTH)
        with self._lock:
            self._net.setInputSize((small.shape[1], small.shape[0]))
            rows = self._net.detect(small)[1]
        scale = picture.shape[1] / small.shape[1]
        found = np.asarray([] if rows is None else rows).reshape(-1, 15)  # OpenCV has None for no face
        boxes = np.rint(found[:, :4] * scale).astype(int).tolist()
        faces = [
            Face(left, top, width, height, float(score))
            for (left, top, width, height), score in zip(boxes, found[:, 14], strict=True)
        ]
        return tuple(sorted(faces, key=lambda face: -face.height))


@functools.cache
def face_finder() -> FaceFinder:
    """The one of this process, loaded when it is first needed. Raises ModelAltered."""
    return FaceFinder()


def _checked(model: Path) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    try:
        data = model.read_bytes()
    except OSError as error:
        raise ModelAltered(f"{model.name}: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ModelAltered(f"{model.name} is not the file that was shipped")
    return np.frombuffer(data, np.uint8)

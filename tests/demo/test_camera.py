"""The camera's pictures, without a process around them."""

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from secureproctor.demo.camera import COUNTER_BITS, HEIGHT, STRIP, WIDTH, Lens, read_counter

LENS = Lens(15)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**COUNTER_BITS - 1), st.booleans())
def test_the_counter_is_read_back_from_the_spliced_jpeg(n: int, covered: bool) -> None:
    picture = cv2.imdecode(np.frombuffer(LENS.jpeg(n, 1.7e9, covered=covered), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert read_counter(picture.astype(np.uint8)) == n


def test_only_the_strip_differs_when_the_same_phase_comes_round() -> None:
    first, second = (
        cv2.imdecode(np.frombuffer(LENS.jpeg(n, 1.7e9 + n), np.uint8), cv2.IMREAD_GRAYSCALE) for n in (7, 7 + 8 * 15)
    )
    assert first is not None
    assert second is not None
    assert np.array_equal(first[: -STRIP - 1], second[: -STRIP - 1])
    assert not np.array_equal(first[-STRIP:], second[-STRIP:])

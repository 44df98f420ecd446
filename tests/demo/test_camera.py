"""The camera's pictures, without a process around them."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secureproctor.capture.observers.hints import hints_for
from secureproctor.contract.stills import Identity
from secureproctor.demo.camera import COUNTER_BITS, HEIGHT, STRIP, WIDTH, CameraSight, Lens, Picture, read_counter

LENS = Lens(15)


def taken(n: int, sight: CameraSight, *, covered: bool = False) -> Picture:
    picture = cv2.imdecode(np.frombuffer(LENS.jpeg(n, 1.7e9, sight, covered=covered), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture.astype(np.uint8)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**COUNTER_BITS - 1), st.sampled_from(CameraSight), st.booleans())
def test_the_counter_is_read_back_from_the_spliced_jpeg(n: int, sight: CameraSight, covered: bool) -> None:
    picture = taken(n, sight, covered=covered)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert read_counter(picture) == n


@pytest.mark.parametrize(("sight", "of"), [(CameraSight.PERSON, "photo"), (CameraSight.CARD, "id_card")])
@pytest.mark.parametrize("n", range(0, 8 * 15, 15))
def test_what_is_shown_for_authorization_leaves_nothing_to_be_better(n: int, sight: CameraSight, of: Identity) -> None:
    assert hints_for(of, taken(n, sight)) == ()


def test_a_person_is_no_card() -> None:
    assert "card_missing" in hints_for("id_card", taken(0, CameraSight.PERSON))


def test_only_the_strip_differs_when_the_same_phase_comes_round() -> None:
    first, second = (
        cv2.imdecode(np.frombuffer(LENS.jpeg(n, 1.7e9 + n), np.uint8), cv2.IMREAD_GRAYSCALE) for n in (7, 7 + 8 * 15)
    )
    assert first is not None
    assert second is not None
    assert np.array_equal(first[: -STRIP - 1], second[: -STRIP - 1])
    assert not np.array_equal(first[-STRIP:], second[-STRIP:])

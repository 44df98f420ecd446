"""Judging what a device showed, as tables."""

import math

import numpy as np
import pytest

from secureproctor.capture.judge import Look, dbfs, judge_camera, judge_screen, judge_sound
from secureproctor.capture.source import ADVICE, DEVICE, CaptureError, Diagnosis

FACE = [Look(120, 40, n) for n in range(5)]
DARK_ROOM = [Look(12, 6, n) for n in range(5)]
COVERED = [Look(16, 0.4, n) for n in range(5)]
STILL = [Look(120, 40, 7)] * 5


@pytest.mark.parametrize(
    ("looks", "camera", "screen"),
    [
        (FACE, Diagnosis.OK, Diagnosis.OK),
        (DARK_ROOM, Diagnosis.OK, Diagnosis.OK),
        (COVERED, Diagnosis.BLACK, Diagnosis.BLACK),
        (STILL, Diagnosis.FROZEN, Diagnosis.OK),
        (STILL[:1], Diagnosis.OK, Diagnosis.OK),
        (COVERED[:4] + FACE[:1], Diagnosis.OK, Diagnosis.OK),
        ([], Diagnosis.STALLED, Diagnosis.STALLED),
    ],
)
def test_pictures_are_judged(looks: list[Look], camera: Diagnosis, screen: Diagnosis) -> None:
    assert judge_camera(looks) is camera
    assert judge_screen(looks) is screen


@pytest.mark.parametrize(
    ("peak", "seconds", "expected"),
    [
        (-20.0, 1.0, Diagnosis.OK),
        (-69.9, 1.0, Diagnosis.OK),
        (-70.1, 1.0, Diagnosis.QUIET),
        (-math.inf, 1.0, Diagnosis.SILENT),
        (-math.inf, 0.0, Diagnosis.STALLED),
    ],
)
def test_sound_is_judged(peak: float, seconds: float, expected: Diagnosis) -> None:
    assert judge_sound(peak, seconds) is expected


@pytest.mark.parametrize(("sample", "expected"), [(-32768, 0.0), (16384, -6.02), (1, -90.31), (0, -math.inf)])
def test_loudness_is_measured_in_decibels_of_full_scale(sample: int, expected: float) -> None:
    assert dbfs(np.array([0, sample, 0], np.int16)) == pytest.approx(expected, abs=0.01)


def test_no_samples_are_silence() -> None:
    assert dbfs(np.empty(0, np.int16)) == -math.inf


@pytest.mark.parametrize("code", list(Diagnosis))
@pytest.mark.parametrize("stream", list(DEVICE))
def test_every_diagnosis_has_a_sentence_and_a_remedy_for_every_device(code: Diagnosis, stream: str) -> None:
    assert code in ADVICE
    error = CaptureError(next(s for s in DEVICE if s == stream), code, "errno 16")
    for text in (error.sentence, error.remedy):
        assert text.endswith(".")
        assert "{" not in text
    assert str(code) in str(error)
    assert "errno 16" in str(error)

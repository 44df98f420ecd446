"""What a short sample of a device says of it. Pure: numbers in, a diagnosis out.

Thresholds: a camera in a dark room still shows noise, while a covered lens in full range is below 16 of 255 all over and
flat. A live microphone in a silent room is expected above -70 dBFS for the noise of its amplifier, unless a noise gate
closes it; a muted one gives zeros. A screen may well be still, and dark, but not black throughout; a camera's pictures
differ at least by noise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from secureproctor.capture.source import Diagnosis

_BLACK_MEAN, _BLACK_DEVIATION = 20.0, 4.0
_QUIET_DBFS = -70.0


@dataclass(frozen=True, slots=True)
class Look:
    """One picture in numbers: mean and standard deviation of its luma, and a checksum of all its bytes."""

    mean: float
    deviation: float
    checksum: int


def judge_camera(looks: Sequence[Look]) -> Diagnosis:
    """Of the pictures of a second or more."""
    if not looks:
        return Diagnosis.STALLED
    if all(_is_black(look) for look in looks):
        return Diagnosis.BLACK
    if len(looks) > 1 and len({look.checksum for look in looks}) == 1:
        return Diagnosis.FROZEN
    return Diagnosis.OK


def judge_screen(looks: Sequence[Look]) -> Diagnosis:
    """Of one picture or more; a screen on which nothing moves is fine."""
    if not looks:
        return Diagnosis.STALLED
    return Diagnosis.BLACK if all(_is_black(look) for look in looks) else Diagnosis.OK


def _is_black(look: Look) -> bool:
    return look.mean < _BLACK_MEAN and look.deviation < _BLACK_DEVIATION


def judge_sound(peak_dbfs: float, heard_s: float) -> Diagnosis:
    """Of the loudest sample and the length of what was heard."""
    if heard_s <= 0:
        return Diagnosis.STALLED
    if peak_dbfs == -math.inf:
        return Diagnosis.SILENT
    return Diagnosis.QUIET if peak_dbfs < _QUIET_DBFS else Diagnosis.OK


def dbfs(samples: NDArray[np.int16]) -> float:
    """The peak of `samples` in decibels of full scale: 0 is the loudest possible, minus infinity is digital silence."""
    peak = int(np.abs(samples.astype(np.int32)).max(initial=0))
    return 20 * math.log10(peak / 32768) if peak else -math.inf

"""How far apart picture and sound are in what was recorded: flashes and beeps found again, paired, and subtracted.

The exam page turns its mark white and beeps at the same moment. A flash is seen as a jump of the mark's brightness. A beep is
known by coherence: shifted down to 0 Hz, 80 ms of a pure tone add up, while speech as loud in the same kilohertz cancels out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

BEEP_HZ = 4000
BEEP_S = 0.1
MARK_SIDE = 160
"""CSS pixels of the mark, at the bottom left of the page, where no scroll bar is; exam.html says the same three."""

_DESK_WIDTH = 1920
_RATE = 16000  # enough for the tone, and whole samples in a millisecond
_COHERENCE_MS = 80
_SEARCH_MS = 120  # a beep's middle is found this close to its beginning, or closer
_COHERENT = 0.6  # of 1 for a pure tone; noise has about 1/80
_FAINTEST = 0.001  # of full scale
_LEAST_CONTRAST = 60  # of 255
_HOLE_S = 0.03

Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Pixels of the recorded picture."""

    left: int
    top: int
    width: int
    height: int


def mark_in(width: int, height: int) -> Rectangle:
    """Where the mark is in a recording of a 1920-pixel desk with the page in kiosk mode, scaled to `width` × `height`."""
    side = MARK_SIDE * width // _DESK_WIDTH
    return Rectangle(0, height - side, side, side)


@dataclass(frozen=True, slots=True)
class Skew:
    """`ms` is audio minus picture per pair (positive: the sound comes late); `at_s` is the flash's time."""

    at_s: tuple[float, ...]
    ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """The usual skew; nan without a pair."""
        return float(np.median(self.ms)) if self.ms else float("nan")

    @property
    def max_ms(self) -> float:
        """The worst skew, without sign; nan without a pair."""
        return max(map(abs, self.ms), default=float("nan"))

    @property
    def drift_ms_per_minute(self) -> float:
        """Slope of a line through the pairs; nan with fewer than two."""
        if len(self.ms) < 2:
            return float("nan")
        return float(np.polyfit(np.array(self.at_s) / 60, np.array(self.ms), 1)[0])


def measure(screen: Path, audio: Path, mark: Rectangle | None = None) -> Skew:
    """The skew of two recordings whose time stamps are of one clock. Raises av.FFmpegError for an unreadable file."""
    times, lumas = _mark_lumas(screen, mark)
    heard = [beep_onsets(samples, _RATE) + start for start, samples in _stretches(audio)]
    return pair(flash_onsets(times, lumas), np.concatenate([np.empty(0), *heard]))


def flash_onsets(times: Sequence[float] | Times, lumas: Sequence[float] | Times) -> Times:
    """When the mark became bright: times (s) of the first frame above the middle of dark and bright, mean luma 0-255."""
    seen, at = np.asarray(lumas, float), np.asarray(times, float)
    if len(seen) < 2 or np.ptp(seen) < _LEAST_CONTRAST:
        return np.empty(0)
    bright = seen > (seen.min() + seen.max()) / 2
    onsets: Times = at[1:][bright[1:] & ~bright[:-1]]
    return onsets


def beep_onsets(samples: NDArray[np.int16], rate: int) -> Times:
    """When beeps began, in seconds from the first sample, to a millisecond for a clean one. Mono; `rate` a multiple of 1000."""
    tone = _tone(samples, rate)
    mean, power = _moving_mean(tone), _moving_mean(np.abs(tone) ** 2).real
    coherence = np.abs(mean) ** 2 / np.maximum(power, _FAINTEST**2)
    beeping = np.diff((coherence > _COHERENT).astype(np.int8), prepend=0, append=0)
    spans = zip(np.flatnonzero(beeping == 1), np.flatnonzero(beeping == -1), strict=True)
    return np.array([_edge(tone, int(start + end) // 2) / 1000 for start, end in spans], np.float64)


def _tone(samples: NDArray[np.int16], rate: int) -> NDArray[np.complex128]:
    """The band around BEEP_HZ shifted to 0 Hz, one complex amplitude (full scale 1) for each millisecond.

    A millisecond holds four whole waves of 4 kHz, so one row of a rotating unit vector serves for all of them.
    """
    n = rate // 1000
    rotation = np.exp(-2j * np.pi * BEEP_HZ / rate * np.arange(n)) * (2 / n / 32768)
    whole = len(samples) // n
    amplitudes: NDArray[np.complex128] = samples[: whole * n].reshape(whole, n) @ rotation
    return amplitudes


def _moving_mean(values: NDArray[np.complex128] | Times) -> NDArray[np.complex128]:
    """Centred over _COHERENCE_MS, as long as `values`."""
    if len(values) < _COHERENCE_MS:
        return np.zeros(len(values), complex)
    return np.convolve(values, np.full(_COHERENCE_MS, 1 / _COHERENCE_MS, complex), "same")


def _edge(tone: NDArray[np.complex128], inside: int) -> int:
    """The millisecond in which the beep around `inside` began.

    Seen in the beep's own phase its amplitude steps from 0 to a; the likeliest place of a step in noise is where the sum
    of what is above a/2 is lowest. Speech before it has any phase, and cancels.
    """
    plateau = tone[inside - 10 : inside + 10].mean()
    first = max(0, inside - _SEARCH_MS)
    in_phase = (tone[first:inside] * np.conj(plateau)).real / abs(plateau)
    sums = np.concatenate([[0.0], np.cumsum(in_phase - abs(plateau) / 2)])
    return first + int(sums.argmin())


def pair(flashes: Times, beeps: Times, within_s: float = 1.0) -> Skew:
    """Each flash with the beep nearest to it; one without a beep within `within_s` is left out."""
    pairs = [(flash, beeps[np.abs(beeps - flash).argmin()]) for flash in flashes] if len(beeps) else []
    near = [(float(flash), 1000 * float(beep - flash)) for flash, beep in pairs if abs(beep - flash) <= within_s]
    return Skew(tuple(at for at, _ in near), tuple(ms for _, ms in near))


def _mark_lumas(screen: Path, mark: Rectangle | None) -> tuple[list[float], list[float]]:
    """Time and mean luma of the middle of the mark, frame by frame."""
    times: list[float] = []
    lumas: list[float] = []
    with av.open(str(screen)) as recording:
        for frame in recording.decode(video=0):
            area = mark or mark_in(frame.width, frame.height)
            luma = np.frombuffer(memoryview(frame.planes[0]), np.uint8).reshape(-1, frame.planes[0].line_size)
            y, x = area.top + area.height // 4, area.left + area.width // 4
            times.append(frame.time or 0.0)
            lumas.append(float(luma[y : y + area.height // 2, x : x + area.width // 2].mean()))
    return times, lumas


def _stretches(audio: Path) -> Iterator[tuple[float, NDArray[np.int16]]]:
    """The sound as mono at _RATE: start (s) and samples of each stretch without a hole."""
    blocks: list[NDArray[np.int16]] = []
    start = end = 0.0
    for at, samples in _blocks(audio):
        if blocks and abs(at - end) > _HOLE_S:
            yield start, np.concatenate(blocks)
            blocks = []
        if not blocks:
            start = at
        blocks.append(samples)
        end = at + len(samples) / _RATE
    if blocks:
        yield start, np.concatenate(blocks)


def _blocks(audio: Path) -> Iterator[tuple[float, NDArray[np.int16]]]:
    with av.open(str(audio)) as recording:
        resampler = av.AudioResampler("s16", "mono", _RATE)
        for frame in recording.decode(audio=0):
            for block in resampler.resample(frame):
                yield block.time or 0.0, block.to_ndarray()[0].astype(np.int16)

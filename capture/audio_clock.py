"""Where a block of samples lies on the session clock. Pure.

A sound card counts with its own quartz, off by up to a few hundred parts in a million: seconds in an exam of hours. The
arrival of a block says when it was heard, but late by whatever delayed it. So samples are counted, and the count is held
to the clock by the *least* delay seen in the last second or two (delays only ever add):

    early by more than 5 ms   a block cannot arrive before it was heard, so the count began too late: samples are cut
    off by more than 1 ms     the quartz: one sample is repeated or left out per block, which nobody hears
    late by more than 15 ms   samples were lost, with or without word of it: silence of that length takes their place
    late by more than 1 s     not a hole but a pause (sleep, a new device): the caller begins an epoch
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_EARLY_S, _DRIFT_S, _HOLE_S, _PAUSE_S = 0.005, 0.001, 0.015, 1.0
_WINDOW_S = 1.0


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a block begins, in samples since the session clock's zero, and what has to be done to it.

    `adjust` > 1: that many samples of silence go before it; 1: its last sample is repeated; -1: its last sample is left
    out; < -1: that many are cut from its front.
    """

    start: int
    adjust: int

    def apply(self, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        """The block as it goes into the stream; `len(samples) + adjust` samples, not below 0."""
        match self.adjust:
            case 0:
                return samples
            case 1:
                return np.append(samples, samples[-1:])
            case -1:
                return samples[:-1]
            case silence if silence > 0:
                return np.concatenate((np.zeros(silence, np.int16), samples))
            case cut:
                return samples[-cut:]


class RecentLeast:
    """The least value of the last one to two windows, in constant time and space."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._began: int | None = None
        self._before: int | None = None
        self._least = 0

    def add(self, at: int, value: int) -> int:
        """Takes `value` of time `at`; returns the least one."""
        if self._began is None or at - self._began >= self._window:
            self._before = None if self._began is None else self._least
            self._began, self._least = at, value
        self._least = min(self._least, value)
        return self._least if self._before is None else min(self._least, self._before)

    @property
    def full(self) -> bool:
        """Whether a whole window was seen."""
        return self._before is not None

    def forget(self) -> None:
        """What was seen so far no longer counts."""
        self._began = self._before = None


class AudioClock:
    """Places the blocks of one stream of `rate` samples a second."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._next: int | None = None
        self._delay = RecentLeast(round(_WINDOW_S * rate))
        self._early, self._drift, self._hole, self._pause = (
            round(seconds * rate) for seconds in (_EARLY_S, _DRIFT_S, _HOLE_S, _PAUSE_S)
        )
        self._shift = 0

    def place(self, heard_us: int, count: int, overflow: bool = False) -> Placed | None:
        """Places a block of `count` samples whose arrival says that the first one was heard at `heard_us`, or later.

        `overflow`: the device says that samples before this block were lost, so its arrival is taken at its word. None:
        the block does not continue what was before; the caller starts with a new clock.
        """
        heard = round(heard_us * self._rate / 1_000_000)
        if self._next is None:
            self._next = heard
        start, late = self._next, heard - self._next
        if late > self._pause:
            return None
        # kept relative to the uncorrected count, so that a correction does not make old values wrong
        least = self._delay.add(start, late + self._shift) - self._shift
        adjust = max(self._adjustment(late, least, overflow), -count)
        self._shift += adjust
        self._next = start + count + adjust
        return Placed(start, adjust)

    def _adjustment(self, late: int, least: int, overflow: bool) -> int:
        if late < -self._early:
            return late
        if overflow and late > self._drift:
            self._delay.forget()
            return max(2, late)
        if not self._delay.full:
            return 0
        if least > self._hole:
            return least
        return (least > self._drift) - (least < -self._drift)

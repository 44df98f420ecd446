"""What travels through capture: frames and blocks in, packets inside, segments out.

Every time is in microseconds of the *session clock*, one monotonic clock that all three streams share; that is what keeps
picture and sound together. A `Segment` is the only thing that leaves this package.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from secureproctor.contract.streams import Stream

Clock = Callable[[], int]
"""Microseconds of the session clock; never goes back."""


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One picture as I420: `pixels` is uint8 of shape (height * 3 // 2, width), valid until the source's next frame."""

    pixels: NDArray[np.uint8]
    width: int
    height: int
    at_us: int
    changed: bool
    """False when the picture equals the one before it (sent again because the clock asks for a key frame)."""


@dataclass(frozen=True, slots=True)
class AudioBlock:
    """Mono samples, int16 of shape (n,), the first one heard at `at_us`."""

    samples: NDArray[np.int16]
    rate: int
    at_us: int

    @property
    def end_us(self) -> int:
        """When the next sample is heard."""
        return self.at_us + round(len(self.samples) * 1_000_000 / self.rate)

    def part(self, first: int, end: int | None = None) -> "AudioBlock":
        """The samples from `first` up to `end`, which is not in it, at their own time."""
        return AudioBlock(self.samples[first:end], self.rate, self.at_us + round(first * 1_000_000 / self.rate))


class Kind(enum.Enum):
    """INIT is ftyp+moov and begins an epoch of its stream; MEDIA is moof+mdat pairs that begin with a key frame."""

    INIT = "init"
    MEDIA = "media"


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of fragmented MP4 of one stream, in memory only.

    `start_us` and `duration_us` are session-clock microseconds (0 and 0 for INIT); the tfdt inside says the same time.
    `codec` is the RFC 6381 string. `frames` counts the encoded pictures (or AAC frames) inside; width and height are 0
    for audio.
    """

    stream: Stream
    kind: Kind
    start_us: int
    duration_us: int
    codec: str
    payload: bytes
    frames: int = 0
    width: int = 0
    height: int = 0


class SourceState(enum.StrEnum):
    """What a source says of itself while it runs."""

    STARTED = "started"  # the first frame or block arrived
    LOST = "lost"  # the device is gone or stopped delivering; the source tries to get it back
    RECOVERED = "recovered"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class SourceReport:
    """A change of a source's state. `code` is one of the device diagnoses (busy, missing, stalled, no_frames ...)."""

    stream: Stream
    state: SourceState
    at_us: int
    code: str = ""
    detail: str = ""


SegmentSink = Callable[[Segment], None]
"""Called from capture's threads, in order per stream. It must not block for long."""

ReportSink = Callable[[SourceReport], None]
"""Called from capture's threads."""

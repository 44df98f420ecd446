"""How the items of a source become segments, as values: two recipes that are equal make the same recording.

A recipe follows from the plan alone. What changes with the quality stands in it; what a device is opened with does not.
"""

from dataclasses import dataclass
from typing import Protocol, TypeVar

from secureproctor.capture.epoch import AudioEpoch, Epoch, VideoEpoch
from secureproctor.capture.media import AudioBlock, SegmentSink, VideoFrame
from secureproctor.capture.plan import CapturePlan
from secureproctor.contract.streams import Stream

T = TypeVar("T")


class Recipe(Protocol[T]):
    """What a stream's thread needs to know of it."""

    @property
    def fps(self) -> float:
        """The pace that its source is held to; sound has none."""

    def begin(self, first: T, emit: SegmentSink) -> Epoch[T]:
        """An epoch that will begin with `first`."""


@dataclass(frozen=True, slots=True)
class VideoRecipe:
    """H.264 of a screen or a camera."""

    stream: Stream
    fps: float
    preset: str
    crf: int
    scale: float
    segment_us: int

    def begin(self, first: VideoFrame, emit: SegmentSink) -> VideoEpoch:
        """An epoch of the size of `first`, times `scale`."""
        return VideoEpoch(self.stream, first, self.preset, self.crf, self.segment_us, emit, self.scale)


@dataclass(frozen=True, slots=True)
class AudioRecipe:
    """AAC of a microphone."""

    bitrate: int
    segment_us: int
    fps: float = 0.0

    def begin(self, first: AudioBlock, emit: SegmentSink) -> AudioEpoch:
        """An epoch of the rate of `first`."""
        return AudioEpoch(Stream.AUDIO, first, self.bitrate, self.segment_us, emit)


def screen(plan: CapturePlan) -> VideoRecipe:
    """The screen keeps its size at any quality, for the text on it."""
    return VideoRecipe(Stream.SCREEN, plan.screen_fps, plan.screen_preset, plan.screen_crf, 1.0, plan.segment_us)


def webcam(plan: CapturePlan) -> VideoRecipe:
    """The camera's picture at the size that the plan leaves it."""
    return VideoRecipe(
        Stream.WEBCAM, plan.webcam_fps, plan.webcam_preset, plan.webcam_crf, plan.webcam_scale, plan.segment_us
    )


def microphone(plan: CapturePlan) -> AudioRecipe:
    """Sound at the plan's bit rate."""
    return AudioRecipe(plan.audio_bitrate, plan.segment_us)

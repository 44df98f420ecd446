"""An epoch: a stretch of one stream without a hole, in one encoder and under one INIT segment.

A lost device, a change of size or a jump of the clock ends an epoch; what follows is a new one. So a hole in the evidence
is never bridged by a picture that was held, or by silence that nobody heard.

A change of quality ends an epoch too, but leaves no hole: `cut` says where the present segment is over, and the two epochs
meet in that microsecond. Pictures change over at a key time, as the next one is a key frame anyhow. Sound changes over
between two AAC frames, since a frame begun would be filled up with silence; a block that straddles the cut is shared out.
"""

from typing import Protocol, TypeVar

from secureproctor.capture.encoder import AAC_CODEC, AAC_FRAME, VIDEO_TICKS, AudioEncoder, VideoEncoder
from secureproctor.capture.media import AudioBlock, SegmentSink, VideoFrame
from secureproctor.capture.pacing import KeyClock
from secureproctor.capture.segmenter import Segmenter, Track
from secureproctor.capture.shrink import Shrink
from secureproctor.contract.streams import Stream

T = TypeVar("T")


class Epoch(Protocol[T]):
    """What the recorder does with frames or blocks until the stretch ends."""

    def continues(self, item: T) -> bool:
        """Whether `item` belongs to this epoch."""

    def cut(self, item: T) -> tuple[T | None, T] | None:
        """Whether another epoch may take over with `item`, which continues this one: None while the present segment
        goes on; else what of it still belongs here, if anything, and what the other one begins with."""

    def add(self, item: T) -> None:
        """Encodes and muxes."""

    def next_key_us(self) -> int | None:
        """When a picture is wanted even if nothing changes; None if the stream has no such time."""

    def finish(self, end_us: int) -> None:
        """Emits the last segment, which reaches to `end_us`, and frees the encoder."""


class VideoEpoch:
    """H.264 of one size, which is the pictures' own times `scale`. They come when they change, and at each key time."""

    def __init__(
        self,
        stream: Stream,
        first: VideoFrame,
        preset: str,
        crf: int,
        segment_us: int,
        emit: SegmentSink,
        scale: float = 1.0,
    ) -> None:
        self._size = (first.width, first.height)
        self._keys = KeyClock(segment_us)
        self._hole_us = 2 * segment_us + 1_000_000
        self._last: VideoFrame | None = None
        self._last_us = -1
        self._segmenter = Segmenter(emit)
        self._shrink = Shrink(first.width, first.height, scale)
        width, height = self._shrink.width, self._shrink.height
        self._encoder = VideoEncoder(self._segmenter.container, width, height, preset, crf)
        self._segmenter.begin()
        self._segmenter.announce(Track(stream, self._encoder.codec, VIDEO_TICKS, width, height))

    def continues(self, item: VideoFrame) -> bool:
        """A picture comes at each key time; where two were missed, the machine slept."""
        slept = self._last is not None and item.at_us - self._last_us > self._hole_us
        return not slept and (item.width, item.height) == self._size

    def cut(self, item: VideoFrame) -> tuple[None, VideoFrame] | None:
        """At the picture that is due to be a key frame."""
        next_us = self._keys.next_us
        return (None, item) if next_us is not None and item.at_us >= next_us else None

    def add(self, item: VideoFrame) -> None:
        """Encodes a picture, as a key frame when the clock says so."""
        at_us = max(item.at_us, self._last_us + 1)
        self._put(self._shrink(item), at_us, self._keys.due(at_us))

    def next_key_us(self) -> int | None:
        """The end of the present segment."""
        return self._keys.next_us

    def finish(self, end_us: int) -> None:
        """Shows the last picture again in the last microsecond, which makes its first showing reach so far.

        Not over a hole: an epoch that ends because the machine slept ends with its last picture.
        """
        try:
            if self._last is not None and 1 < end_us - self._last_us <= self._hole_us:
                self._put(self._last, end_us - 1, key=False)
        finally:
            self._segmenter.close()

    def _put(self, item: VideoFrame, at_us: int, key: bool) -> None:
        packets = self._encoder.encode(item, at_us, key)
        for packet in packets:
            packet.duration = 1  # counts for the last packet of the epoch only; the muxer sees where others end
        self._segmenter.mux(packets)
        self._last, self._last_us = item, at_us


class AudioEpoch:
    """AAC of one microphone. Blocks follow each other without a hole: the audio clock sees to it."""

    def __init__(self, stream: Stream, first: AudioBlock, bitrate: int, segment_us: int, emit: SegmentSink) -> None:
        self._rate = first.rate
        self._next_us = first.at_us
        self._samples = 0
        self._segmenter = Segmenter(emit, fragment_us=segment_us)
        self._encoder = AudioEncoder(self._segmenter.container, first.rate, bitrate)
        self._segmenter.begin()
        self._segmenter.announce(Track(stream, AAC_CODEC, first.rate))

    def continues(self, item: AudioBlock) -> bool:
        """Two samples of tolerance for the rounding to microseconds."""
        return item.rate == self._rate and abs(item.at_us - self._next_us) * self._rate < 2_000_000

    def cut(self, item: AudioBlock) -> tuple[AudioBlock | None, AudioBlock] | None:
        """Wherever an AAC frame is full: sound does not wait for the end of a segment."""
        missing = -self._samples % AAC_FRAME
        if missing >= len(item.samples):
            return None
        return (item.part(0, missing) if missing else None), item.part(missing)

    def add(self, item: AudioBlock) -> None:
        """Encodes a block."""
        self._samples += len(item.samples)
        self._next_us = item.end_us
        self._segmenter.mux(self._encoder.encode(item))

    def next_key_us(self) -> int | None:
        """Any packet can begin a segment."""
        return None

    def finish(self, end_us: int) -> None:
        """Emits the last packets; sound ends with the last sample heard, rounded up to a whole AAC frame."""
        try:
            self._segmenter.mux(self._encoder.flush())
        finally:
            self._segmenter.close()

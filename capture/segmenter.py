"""Packets in, segments out: one fragmented-MP4 muxer that writes to memory and is cut into INIT and MEDIA.

A video fragment ends when the next key frame is muxed. As key frames are forced by the clock, that is the very moment at
which the segment is over, and its last picture lasts exactly up to the next one's first. Nothing of it ever touches a disk.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
from av.container import OutputContainer

from secureproctor.capture.boxes import BoxSplitter, shifted, timing
from secureproctor.capture.media import Kind, Segment, SegmentSink
from secureproctor.contract.streams import Stream

if TYPE_CHECKING:
    from secureproctor.capture.encoder import AudioPacket, VideoPacket

_MOVFLAGS = "empty_moov+default_base_moof+skip_trailer"


@dataclass(frozen=True, slots=True)
class Track:
    """What stays the same for all segments of an epoch. `ticks` is the number of ticks a second."""

    stream: Stream
    codec: str
    ticks: int
    width: int = 0
    height: int = 0


class Segmenter:
    """Muxes the one track that an encoder added to `container`; calls `emit` with segments in order.

    `fragment_us` cuts by length (audio, where any packet can begin a segment); without it key frames cut (video).
    """

    def __init__(self, emit: SegmentSink, fragment_us: int | None = None) -> None:
        self._emit = emit
        self._splitter = BoxSplitter()
        self._runs: deque[bytes] = deque()
        self._base: int | None = None
        cut = {"frag_duration": str(fragment_us)} if fragment_us else {}
        flags = _MOVFLAGS if fragment_us else _MOVFLAGS + "+frag_keyframe"
        options = {"movflags": flags, "flush_packets": "1", **cut}
        self.container: OutputContainer = av.open(self, "w", format="mp4", options=options)

    def write(self, data: bytes) -> int:
        """Takes bytes from the muxer. Segments go out later, so that an error of the sink does not cross libavformat."""
        self._runs.extend(self._splitter.feed(data))
        return len(data)

    def begin(self) -> None:
        """Opens the encoder and writes the header; what the track is called is known from then on."""
        self.container.start_encoding()

    def announce(self, track: Track) -> None:
        """Emits the INIT segment."""
        self._track = track
        head = self._runs.popleft()
        self._emit(Segment(track.stream, Kind.INIT, 0, 0, track.codec, head, 0, track.width, track.height))

    def mux(self, packets: "Sequence[VideoPacket] | Sequence[AudioPacket]") -> None:
        """Muxes packets in order and emits the segments that they complete."""
        for packet in packets:
            if self._base is None:
                self._base = packet.dts
            self.container.mux_one(packet)
        self._drain()

    def close(self) -> None:
        """Emits what is left as the last segment. Harmless when called again."""
        self.container.close()
        self._drain()

    def _drain(self) -> None:
        while self._runs:
            self._emit(self._media(self._runs.popleft()))

    def _media(self, fragment: bytes) -> Segment:
        # libavformat counts from the first packet (frag_discont does not change that together with empty_moov)
        fragment = shifted(fragment, self._base or 0)
        when, track = timing(fragment), self._track
        start_us, end_us = self._us(when.base), self._us(when.base + when.duration)
        return Segment(
            track.stream,
            Kind.MEDIA,
            start_us,
            end_us - start_us,
            track.codec,
            fragment,
            when.samples,
            track.width,
            track.height,
        )

    def _us(self, ticks: int) -> int:
        return (ticks * 1_000_000 + self._track.ticks // 2) // self._track.ticks

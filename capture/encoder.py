"""H.264 and AAC by libavcodec, set up for a candidate's laptop: one thread, no look-ahead, every packet out at once.

Why these: CRF keeps text readable and costs next to nothing while nothing moves; `zerolatency` returns each picture's
packet from the call that brought the picture; `forced-idr` makes a requested key frame one that a player can start at;
the group of pictures is endless since the clock, not a count of pictures, asks for key frames. AAC, since it is the one
codec that every browser plays through HLS.

Video ticks are microseconds, so session time passes through unrounded; audio ticks are samples.
"""

from fractions import Fraction
from typing import TYPE_CHECKING

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import PictureType

from secureproctor.capture.media import AudioBlock, VideoFrame

if TYPE_CHECKING:  # Packet is generic in PyAV's stubs, and not when the program runs
    from av.audio.stream import AudioStream
    from av.video.stream import VideoStream

    VideoPacket = Packet[VideoStream]
    AudioPacket = Packet[AudioStream]

VIDEO_TICKS = 1_000_000
"""Ticks a second of every video track."""

AAC_CODEC = "mp4a.40.2"
"""RFC 6381 name of AAC-LC."""

AAC_FRAME = 1024
"""Samples of an AAC-LC frame (ISO/IEC 14496-3)."""

_ENDLESS = 1 << 30

_PARAMS = "stitchable=1"
"""Headers that do not depend on the CRF: epochs of one size can be joined into one file, whatever their quality."""

_RATE_TOLD = 24
"""Pictures a second that x264 believes in; the true ones come as they come, and the time stamps alone say when.

It has to be told something, and a CRF means a quality at that rate: told 60, x264 would take a quantizer 3 higher. Nor would
another figure please programs that force a rate onto pictures, as `ffmpeg -f null` does: they guess it from the times.
"""


class VideoEncoder:
    """One H.264 track of `container`. Use once the container has begun; `width` and `height` are even."""

    def __init__(self, container: OutputContainer, width: int, height: int, preset: str, crf: int) -> None:
        options = {"preset": preset, "tune": "zerolatency", "crf": str(crf), "forced-idr": "1", "x264-params": _PARAMS}
        self._track = container.add_stream("libx264", rate=_RATE_TOLD, options=options)
        self._track.width, self._track.height, self._track.pix_fmt = width, height, "yuv420p"
        context = self._track.codec_context
        context.time_base = Fraction(1, VIDEO_TICKS)
        context.thread_count = 1
        context.gop_size = _ENDLESS

    @property
    def codec(self) -> str:
        """RFC 6381 name, from the sequence parameter set: avc1, then profile, constraints and level (ISO/IEC 14496-15)."""
        header = self._track.codec_context.extradata or b""
        profile = header.index(b"\x00\x00\x01\x67") + 4
        return "avc1." + header[profile : profile + 3].hex()

    def encode(self, frame: VideoFrame, at_us: int, key: bool) -> "list[VideoPacket]":
        """The packets of one picture shown at `at_us`; its pixels may be reused afterwards."""
        picture = av.VideoFrame.from_numpy_buffer(frame.pixels, "yuv420p")
        picture.pts = at_us
        picture.time_base = Fraction(1, VIDEO_TICKS)
        picture.pict_type = PictureType.I if key else PictureType.NONE
        return self._track.encode(picture)


class AudioEncoder:
    """One AAC track of `container`, mono.

    The encoder answers one frame late, its first packet being its own start-up (1024 samples before the first). Time
    stamps tell so, hence leaving that packet out puts every sample at its own time, with no edit list to be ignored.
    """

    def __init__(self, container: OutputContainer, rate: int, bitrate: int) -> None:
        self._track = container.add_stream("aac", rate=rate, layout="mono", options={"aac_coder": "fast"})
        self._track.bit_rate = bitrate
        self._rate = rate
        self._first: int | None = None

    def encode(self, block: AudioBlock) -> "list[AudioPacket]":
        """The packets that `block` completes. Blocks follow one another without a hole."""
        frame = av.AudioFrame.from_ndarray(block.samples.reshape(1, -1), "s16", "mono")
        frame.sample_rate = self._rate
        frame.time_base = Fraction(1, self._rate)
        frame.pts = round(block.at_us * self._rate / 1_000_000)
        if self._first is None:
            self._first = frame.pts
        return self._after_start(self._track.encode(frame))

    def flush(self) -> "list[AudioPacket]":
        """The packets still inside; the last one is filled up with silence."""
        return self._after_start(self._track.encode(None)) if self._first is not None else []

    def _after_start(self, packets: "list[AudioPacket]") -> "list[AudioPacket]":
        first = self._first or 0
        return [packet for packet in packets if packet.pts is not None and packet.pts >= first]

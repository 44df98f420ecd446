"""Splitting and reading fragmented MP4, on real output of the muxer and on boxes made up."""

import io
import struct
from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.capture.boxes import BoxSplitter, Timing, shifted, timing
from secureproctor.capture.epoch import VideoEpoch
from secureproctor.capture.media import Segment, VideoFrame
from secureproctor.contract.streams import Stream


def box(kind: bytes, content: bytes, large: bool = False) -> bytes:
    if large:
        return struct.pack(">I4sQ", 1, kind, 16 + len(content)) + content
    return struct.pack(">I4s", 8 + len(content), kind) + content


def segments() -> list[Segment]:
    out: list[Segment] = []
    frames = [VideoFrame(np.full((96, 64), 10 * i, np.uint8), 64, 64, 7_000_000 + i * 333_333, True) for i in range(12)]
    epoch = VideoEpoch(Stream.SCREEN, frames[0], "ultrafast", 28, 1_000_000, out.append)
    for frame in frames:
        epoch.add(frame)
    epoch.finish(11_000_000)
    return out


REAL = segments()
STREAM = b"".join(segment.payload for segment in REAL)


@given(st.lists(st.integers(0, len(STREAM)), max_size=60))
def test_however_the_stream_is_cut_into_writes_the_segments_are_the_same(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    splitter = BoxSplitter()
    runs = [run for a, b in pairwise(edges) for run in splitter.feed(STREAM[a:b])]
    assert runs == [segment.payload for segment in REAL]


def test_one_byte_at_a_time_gives_the_same_segments() -> None:
    splitter = BoxSplitter()
    runs = [run for i in range(len(STREAM)) for run in splitter.feed(STREAM[i : i + 1])]
    assert runs == [segment.payload for segment in REAL]


def test_boxes_with_64_bit_sizes_are_understood() -> None:
    stream = (
        box(b"ftyp", b"x") + box(b"moov", b"yy", large=True) + box(b"moof", b"") + box(b"mdat", b"z" * 99, large=True)
    )
    head, media = BoxSplitter().feed(stream)
    assert head + media == stream


@pytest.mark.parametrize("size", [0, 7])
def test_a_box_without_an_end_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="box of size"):
        list(BoxSplitter().feed(struct.pack(">I4s", size, b"mdat")))


def test_times_are_read_from_defaults_where_samples_have_none() -> None:
    tfhd = box(b"tfhd", struct.pack(">IIIII", 0x02000A, 1, 1, 1024, 0))
    tfdt = box(b"tfdt", struct.pack(">II", 0, 77))
    trun = box(b"trun", struct.pack(">IIIII", 0x000201, 2, 0, 100, 200))
    fragment = box(b"moof", box(b"traf", tfhd + tfdt + trun)) + box(b"mdat", b"")
    assert timing(fragment) == Timing(77, 2048, 2)
    with pytest.raises(ValueError, match="32-bit"):
        shifted(fragment, 5)


@given(st.integers(0, 2**62))
def test_a_shifted_fragment_differs_in_its_time_alone(ticks: int) -> None:
    fragment = REAL[1].payload
    before, after = timing(fragment), timing(shifted(fragment, ticks))
    assert (after.base - before.base, after.duration, after.samples) == (ticks, before.duration, before.samples)
    assert shifted(shifted(fragment, ticks), -ticks) == fragment


def test_what_is_read_from_the_boxes_is_what_a_player_sees() -> None:
    for segment in REAL[1:]:
        with av.open(io.BytesIO(REAL[0].payload + segment.payload), "r") as player:
            pts = [frame.pts for frame in player.decode(video=0)]
        assert pts[0] == segment.start_us == timing(segment.payload).base
        assert len(pts) == segment.frames

"""Recordings put together from segments, without a service around them."""

import io
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from secureproctor.demo.recordings import join

SECOND = 1_000_000


def fragmented(times_us: list[int]) -> bytes:
    """An epoch of pictures shown at these times, as the agent's encoder writes it down."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options={"movflags": "frag_keyframe+empty_moov"}) as out:
        track = out.add_stream("libx264", options={"tune": "zerolatency"})
        track.width, track.height, track.pix_fmt = 64, 48, "yuv420p"
        track.codec_context.time_base = Fraction(1, SECOND)
        for at_us in times_us:
            picture = av.VideoFrame.from_ndarray(np.full((72, 64), at_us % 200, np.uint8), "yuv420p")
            picture.pts, picture.time_base = at_us, Fraction(1, SECOND)
            out.mux(track.encode(picture))
        out.mux(track.encode())
    return file.getvalue()


def times_us(path: Path) -> list[int]:
    with av.open(str(path)) as recording:
        return [round(float(frame.time or 0) * SECOND) for frame in recording.decode(video=0)]


def test_epochs_follow_each_other_at_their_own_times(tmp_path: Path) -> None:
    first, second = [100_000, 200_000, 333_333], [5_000_000, 5_040_000]
    recording = join([fragmented(first), fragmented(second)], tmp_path / "a.mp4")
    assert (recording.codec, recording.width, recording.height, recording.frames) == ("h264", 64, 48, 5)
    found = times_us(recording.path)
    assert np.diff(found).tolist() == np.diff(first + second).tolist()


def test_pictures_that_came_in_a_burst_are_moved_apart_so_that_ffmpeg_has_nothing_to_say(tmp_path: Path) -> None:
    recording = join([fragmented([0, 900, 2_000, 100_000, 160_000, 200_000])], tmp_path / "a.mp4")
    assert times_us(recording.path) == [0, 5_000, 10_000, 100_000, 160_000, 200_000]
    argv = ["ffmpeg", "-v", "error", "-i", str(recording.path), "-f", "null", "-"]
    assert subprocess.run(argv, capture_output=True, check=True, stdin=subprocess.DEVNULL).stderr == b""

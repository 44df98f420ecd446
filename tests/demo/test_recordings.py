"""Recordings put together from segments, without a service around them."""

from pathlib import Path

import av
import numpy as np

from secureproctor.capture.epoch import VideoEpoch
from secureproctor.capture.media import Segment, VideoFrame
from secureproctor.contract.streams import Stream
from secureproctor.demo.recordings import join

SECOND = 1_000_000


def epoch(times_us: list[int]) -> bytes:
    """An epoch of pictures shown at these times, as the agent writes it down."""
    segments: list[Segment] = []
    pictures = [VideoFrame(np.full((72, 64), at_us % 200, np.uint8), 64, 48, at_us, True) for at_us in times_us]
    made = VideoEpoch(Stream.SCREEN, pictures[0], "superfast", 28, 2 * SECOND, segments.append)
    for picture in pictures:
        made.add(picture)
    made.finish(times_us[-1] + 100_000)
    return b"".join(segment.payload for segment in segments)


def times_us(path: Path) -> list[int]:
    with av.open(str(path)) as recording:
        return [round(float(frame.time or 0) * SECOND) for frame in recording.decode(video=0)]


def test_epochs_follow_each_other_at_their_own_times(tmp_path: Path) -> None:
    """The last picture of an epoch is shown once more just before its end."""
    recording = join([epoch([100_000, 233_333]), epoch([5_000_000, 5_040_000])], tmp_path / "a.mp4")
    assert (recording.codec, recording.width, recording.height, recording.frames) == ("h264", 64, 48, 6)
    expected = [100_000, 233_333, 333_332, 5_000_000, 5_040_000, 5_139_999]
    assert np.diff(times_us(recording.path)).tolist() == np.diff(expected).tolist()


def test_pictures_keep_their_own_times_however_close_they_are(tmp_path: Path) -> None:
    recording = join([epoch([0, 900, 2_000, 100_000])], tmp_path / "a.mp4")
    assert times_us(recording.path) == [0, 900, 2_000, 100_000, 199_999]

"""Encoding and segmenting, decoded back: every time inside is session time, and no microsecond is missing between segments."""

import io
from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secureproctor.capture.epoch import AudioEpoch, VideoEpoch
from secureproctor.capture.media import AudioBlock, Kind, Segment, VideoFrame
from secureproctor.capture.shrink import Shrink, planes
from secureproctor.contract.streams import Stream

START = 40_000_123_456  # eleven hours into a session: beyond 32 bits of microseconds
SEGMENT_US = 2_000_000


def grey(at_us: int, luma: int, size: tuple[int, int] = (64, 48)) -> VideoFrame:
    width, height = size
    pixels = np.full((height * 3 // 2, width), 128, np.uint8)
    pixels[:height] = luma
    return VideoFrame(pixels, width, height, at_us, True)


def video(times: list[int], end_us: int) -> list[Segment]:
    out: list[Segment] = []
    epoch = VideoEpoch(Stream.WEBCAM, grey(times[0], 0), "ultrafast", 20, SEGMENT_US, out.append)
    for i, at_us in enumerate(times):
        epoch.add(grey(at_us, i * 37 % 200 + 16))
    epoch.finish(end_us)
    return out


def at_us(frame: av.VideoFrame) -> int:
    assert frame.pts is not None
    return frame.pts


def shown(init: Segment, media: list[Segment]) -> list[tuple[int, float]]:
    """(microsecond, mean luma) of each picture."""
    with av.open(io.BytesIO(init.payload + b"".join(segment.payload for segment in media)), "r") as player:
        return [(at_us(frame), float(frame.to_ndarray()[: frame.height].mean())) for frame in player.decode(video=0)]


gaps = st.lists(st.integers(1, 2_500_000), min_size=1, max_size=25)


@settings(max_examples=30, deadline=None)
@given(gaps, st.integers(1, 2_500_000))
def test_segments_of_any_pace_join_without_a_hole_and_reach_from_first_picture_to_stop(
    steps: list[int], rest: int
) -> None:
    times = [START + sum(steps[:i]) for i in range(len(steps))]
    init, *media = video(times, times[-1] + rest)
    assert (init.kind, init.start_us, init.duration_us) == (Kind.INIT, 0, 0)
    assert media[0].start_us == times[0]
    assert all(a.start_us + a.duration_us == b.start_us for a, b in pairwise(media))
    assert media[-1].start_us + media[-1].duration_us == times[-1] + rest
    pictures = shown(init, media)
    assert [pts for pts, _ in pictures][: len(times)] == times
    assert sum(segment.frames for segment in media) == len(pictures)


def test_any_run_of_segments_decodes_alone_with_the_same_times_and_pictures() -> None:
    times = [START + i * 150_000 for i in range(60)]
    init, *media = video(times, times[-1] + 150_000)
    assert len(media) == 5
    whole = dict(shown(init, media))
    for first in range(5):
        for last in range(first + 1, 6):
            part = shown(init, media[first:last])
            assert part[0][0] == media[first].start_us
            assert all(abs(whole[pts] - luma) < 1 for pts, luma in part)


def test_each_segment_comes_out_with_the_picture_that_begins_the_next() -> None:
    out: list[Segment] = []
    epoch = VideoEpoch(Stream.SCREEN, grey(START, 0), "ultrafast", 20, SEGMENT_US, out.append)
    assert [segment.kind for segment in out] == [Kind.INIT]
    next_us = None
    for at_us in range(START, START + 4_100_000, 100_000):
        due = next_us is not None and at_us >= next_us
        before = len(out)
        epoch.add(grey(at_us, 100))
        assert (len(out) > before) == due
        next_us = epoch.next_key_us()
    epoch.finish(START + 4_200_000)


def test_a_still_picture_costs_one_key_frame_a_segment_and_is_shown_for_all_of_it() -> None:
    times = [START, START + 1_876_544, START + 3_876_544]
    init, *media = video(times, times[-1] + 1_000_000)
    assert [segment.frames for segment in media] == [1, 1, 2]
    assert (init.width, init.height, init.codec[:5]) == (64, 48, "avc1.")


def test_a_picture_that_is_not_later_than_the_one_before_is_moved_by_a_microsecond() -> None:
    init, *media = video([START, START, START - 5], START + 10)
    assert [pts for pts, _ in shown(init, media)][:3] == [START, START + 1, START + 2]


def test_an_epoch_does_not_go_on_over_sleep_or_another_size() -> None:
    out: list[Segment] = []
    epoch = VideoEpoch(Stream.SCREEN, grey(START, 0), "ultrafast", 20, SEGMENT_US, out.append)
    epoch.add(grey(START, 0))
    assert epoch.continues(grey(START + 4_900_000, 0))
    assert not epoch.continues(grey(START + 5_100_000, 0))
    assert not epoch.continues(grey(START + 10, 0, (80, 48)))
    epoch.finish(START + 3_600_000_000)
    assert out[-1].start_us + out[-1].duration_us == START + 1


def tone(count: int, offset: int = 0) -> np.ndarray:
    return (np.sin((np.arange(count) + offset) * 2 * np.pi * 1000 / 48_000) * 12_000).astype(np.int16)


def audio(samples: np.ndarray, start_us: int, block: int = 960) -> list[Segment]:
    out: list[Segment] = []
    blocks = [
        AudioBlock(samples[i : i + block], 48_000, start_us + round(i * 1e6 / 48_000))
        for i in range(0, len(samples), block)
    ]
    epoch = AudioEpoch(Stream.AUDIO, blocks[0], 48_000, SEGMENT_US, out.append)
    for item in blocks:
        assert epoch.continues(item)
        epoch.add(item)
    epoch.finish(0)
    return out


def heard(init: Segment, media: list[Segment]) -> tuple[int, np.ndarray]:
    """First sample's number since the session clock's zero, and the samples."""
    with av.open(io.BytesIO(init.payload + b"".join(segment.payload for segment in media)), "r") as player:
        frames = list(player.decode(audio=0))
    assert frames[0].pts is not None
    return frames[0].pts, np.concatenate([frame.to_ndarray()[0] for frame in frames])


@pytest.mark.parametrize("start_us", [0, 5_000, 40_000_120_000])
@pytest.mark.parametrize("block", [480, 960, 4801])
def test_a_beep_is_decoded_at_the_time_at_which_it_was_heard(start_us: int, block: int) -> None:
    samples = np.zeros(48_000 * 5, np.int16)
    samples[120_000:124_800] = tone(4800)
    init, *media = audio(samples, start_us, block)
    for run in (media, media[:2], media[1:2]):
        first, got = heard(init, run)
        loud = np.flatnonzero(np.abs(got) > 0.12)
        begins_us = (first + loud[0]) / 0.048 - start_us
        assert begins_us == pytest.approx(2_500_000, abs=3_000)


def test_sound_segments_join_without_a_hole_and_begin_with_the_first_sample() -> None:
    init, *media = audio(tone(48_000 * 7), START)
    assert init.codec == "mp4a.40.2"
    assert media[0].start_us == pytest.approx(START, abs=11)
    assert all(a.start_us + a.duration_us == b.start_us for a, b in pairwise(media))
    covered_us = sum(segment.duration_us for segment in media)
    assert 7_000_000 <= covered_us <= 7_000_000 + 22_000
    assert all(abs(segment.duration_us - SEGMENT_US) < 22_000 for segment in media[:-1])


def test_sound_in_equals_sound_out_also_across_segments() -> None:
    samples = tone(48_000 * 5)
    init, *media = audio(samples, START)
    _, got = heard(init, media)
    inner = slice(2048, 48_000 * 5 - 2048)
    noise = got[inner] * 32768 - samples[inner]
    assert np.sqrt(np.mean(noise**2)) < 300, "a shift by one sample would give 1100"


def test_a_block_that_does_not_follow_is_not_taken_for_the_same_epoch() -> None:
    out: list[Segment] = []
    first = AudioBlock(tone(960), 48_000, START)
    epoch = AudioEpoch(Stream.AUDIO, first, 48_000, SEGMENT_US, out.append)
    epoch.add(first)
    assert epoch.continues(AudioBlock(tone(960), 48_000, START + 20_000))
    assert not epoch.continues(AudioBlock(tone(960), 48_000, START + 25_000))
    epoch.finish(0)


def test_pictures_can_be_cut_when_a_key_frame_is_due_and_not_before() -> None:
    out: list[Segment] = []
    epoch = VideoEpoch(Stream.SCREEN, grey(START, 0), "ultrafast", 20, SEGMENT_US, out.append)
    assert epoch.cut(grey(START, 0)) is None
    epoch.add(grey(START, 0))
    due_us = epoch.next_key_us()
    assert due_us is not None
    assert epoch.cut(grey(due_us - 1, 0)) is None
    picture = grey(due_us, 0)
    assert epoch.cut(picture) == (None, picture)
    epoch.finish(due_us)
    assert out[-1].start_us + out[-1].duration_us == due_us


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 100_000), st.integers(200, 9_000))
def test_sound_is_cut_between_two_samples_and_neither_half_is_lost_or_late(before: int, block: int) -> None:
    """Cut after any number of samples, with blocks of any length: both epochs meet in one sample, and a tone goes on."""
    samples = tone(before + 60_000)
    out: list[Segment] = []
    starts = [0, *range(before, len(samples), block)]
    blocks = [
        AudioBlock(samples[start:end], 48_000, START + round(start / 0.048))
        for start, end in zip(starts, [*starts[1:], len(samples)], strict=True)
    ]
    epoch = AudioEpoch(Stream.AUDIO, blocks[0], 48_000, SEGMENT_US, out.append)
    todo = True
    for i, item in enumerate(blocks):
        assert epoch.continues(item)
        cut = epoch.cut(item) if i and todo else None
        if cut is not None:
            rest, item = cut
            if rest is not None:
                epoch.add(rest)
            epoch.finish(item.at_us)
            epoch, todo = AudioEpoch(Stream.AUDIO, item, 32_000, SEGMENT_US, out.append), False
        epoch.add(item)
    epoch.finish(0)
    inits = [i for i, segment in enumerate(out) if segment.kind is Kind.INIT]
    assert len(inits) == 2
    begin, one = heard(out[0], out[1 : inits[1]])
    again, two = heard(out[inits[1]], out[inits[1] + 1 :])
    assert begin + len(one) == again
    assert out[inits[1] - 1].start_us + out[inits[1] - 1].duration_us == out[inits[1] + 1].start_us
    got = np.concatenate([one, two])
    inner = slice(4096, len(samples) - 4096)
    noise = got[inner] * 32768 - samples[inner]
    joint = again - begin
    noise[max(0, joint - 4096 - 2048) : max(0, joint - 4096) + 2048] = 0  # an encoder of its own fades in
    assert np.sqrt(np.mean(noise**2)) < 300, "a shift by one sample would give 1100"


def test_a_smaller_picture_is_the_same_picture_and_its_pixels_even() -> None:
    first = grey(START, 50, (640, 362))
    first.pixels[181:362] = 200
    smaller = Shrink(640, 362, 0.5)(first)
    assert (smaller.width, smaller.height, smaller.pixels.shape) == (320, 180, (270, 320))
    assert (smaller.at_us, smaller.changed) == (first.at_us, True)
    luma, u, v = planes(smaller.pixels, 320, 180)
    assert (luma[:89] == 50).all()
    assert (luma[92:] == 200).all()
    assert (u == 128).all()
    assert (v == 128).all()


def test_colours_stay_where_they_are_in_a_smaller_picture() -> None:
    picture = grey(START, 100, (64, 48))
    _, u, v = planes(picture.pixels, 64, 48)
    u[:, :16], v[12:] = 30, 220
    _, u, v = planes(Shrink(64, 48, 0.5)(picture).pixels, 32, 24)
    assert ((u[:, :8] == 30).all(), (u[:, 8:] == 128).all()) == (True, True)
    assert ((v[6:] == 220).all(), (v[:6] == 128).all()) == (True, True)


def test_a_picture_of_full_size_is_passed_on_untouched() -> None:
    picture = grey(START, 100)
    assert Shrink(64, 48, 1.0)(picture) is picture


def test_an_epoch_of_half_the_size_says_so_and_is_shown_at_the_same_times() -> None:
    out: list[Segment] = []
    epoch = VideoEpoch(Stream.WEBCAM, grey(START, 30), "ultrafast", 20, SEGMENT_US, out.append, scale=0.5)
    for i in range(3):
        assert epoch.continues(grey(START + i * 100_000, 30))
        epoch.add(grey(START + i * 100_000, 30 + 80 * i))
    epoch.finish(START + 300_000)
    assert {(segment.width, segment.height) for segment in out} == {(32, 24)}
    pictures = shown(out[0], out[1:])
    assert [pts for pts, _ in pictures[:3]] == [START, START + 100_000, START + 200_000]
    assert [luma for _, luma in pictures] == pytest.approx([30, 110, 190, 190], abs=2)


def test_epochs_of_one_size_have_the_same_header_at_any_quality_so_that_they_can_be_joined() -> None:
    epochs: list[list[Segment]] = []
    for crf, at_us in ((20, START), (40, START + 1_000_000)):
        out: list[Segment] = []
        epoch = VideoEpoch(Stream.SCREEN, grey(at_us, 90), "superfast", crf, SEGMENT_US, out.append)
        epoch.add(grey(at_us, 90))
        epoch.finish(at_us + 1_000_000)
        epochs.append(out)
    (init, *before), (again, *after) = epochs
    assert init == again
    assert [luma for _, luma in shown(init, before + after)] == pytest.approx([90] * 4, abs=2)

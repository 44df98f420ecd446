"""The pace of pictures and the clock of key frames, with times made up."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from secureproctor.capture.pacing import KeyClock, Pacer

FPS, BURST = 10, 3


def taken(pacer: Pacer, times: list[int]) -> list[int]:
    out = []
    for now in times:
        if pacer.delay_us(now) == 0:
            pacer.take(now)
            out.append(now)
    return out


@given(st.lists(st.integers(0, 60_000), max_size=300))
def test_no_second_holds_more_than_the_rate_and_the_burst(steps: list[int]) -> None:
    times = [sum(steps[:i]) for i in range(len(steps))]
    out = taken(Pacer(FPS, BURST), times)
    for i, start in enumerate(out):
        in_a_second = [t for t in out[i:] if t < start + 1_000_000]
        assert len(in_a_second) <= FPS + BURST - 1
    assert all(b - a >= 33_000 for a, b in pairwise(out))


@given(st.integers(0, 10**12), st.lists(st.integers(0, 500_000), min_size=1, max_size=50))
def test_the_delay_is_exactly_when_the_next_picture_may_be_taken(start: int, steps: list[int]) -> None:
    pacer, now = Pacer(FPS, BURST), start
    for step in steps:
        now += step
        delay = pacer.delay_us(now)
        assert delay == 0 or pacer.delay_us(now + delay - 1) == 1
        now += delay
        assert pacer.delay_us(now) == 0
        pacer.take(now)


def test_constant_motion_is_held_to_the_rate() -> None:
    out = taken(Pacer(FPS, BURST), list(range(0, 60_000_000, 1000)))
    assert 60 * FPS <= len(out) <= 60 * FPS + BURST


def test_a_change_after_a_pause_is_taken_at_once_and_two_may_follow_closely() -> None:
    pacer = Pacer(FPS, BURST)
    pacer.take(0)
    assert taken(pacer, [5_000_000, 5_010_000, 5_033_000, 5_066_000, 5_099_000]) == [5_000_000, 5_033_000, 5_066_000]


def test_a_look_that_showed_nothing_delays_the_next_by_the_gap_alone() -> None:
    pacer = Pacer(FPS, BURST)
    pacer.take(0)
    for now in range(40_000, 3_000_000, 40_000):
        assert pacer.delay_us(now) == 0
        pacer.look(now)
    assert pacer.delay_us(2_970_000) > 0
    assert pacer.delay_us(3_000_000) == 0


def test_a_picture_out_of_turn_delays_the_next_by_no_more_than_an_interval() -> None:
    pacer = Pacer(FPS, BURST)
    for now in range(0, 1_000_000, 1000):
        pacer.take(now)
    assert pacer.delay_us(1_000_000) <= 100_000 * 2


@given(st.lists(st.integers(1, 5_000_000), min_size=1, max_size=60))
def test_key_frames_are_due_first_and_once_in_each_segment_that_has_a_picture(steps: list[int]) -> None:
    keys, now, due = KeyClock(2_000_000), 0, []
    for step in steps:
        now += step
        if keys.due(now):
            due.append(now)
    seen = {sum(steps[: i + 1]) // 2_000_000 for i in range(len(steps))}
    assert [t // 2_000_000 for t in due] == sorted(seen)


def test_the_next_key_frame_is_at_a_multiple_of_the_segments_length() -> None:
    keys = KeyClock(2_000_000)
    assert keys.next_us is None
    assert keys.due(7_300_000)
    assert keys.next_us == 8_000_000

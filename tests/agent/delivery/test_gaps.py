"""Times without evidence, seen from the segments."""

from hypothesis import given
from hypothesis import strategies as st

from secureproctor.agent.delivery.gaps import LEAST_US, Gap, GapWatch
from secureproctor.capture.media import Kind, Segment
from secureproctor.contract.streams import Stream


def media(start_us: int, duration_us: int, stream: Stream = Stream.SCREEN) -> Segment:
    return Segment(stream, Kind.MEDIA, start_us, duration_us, "avc1", b"moof")


def test_a_gap_has_the_first_cause_that_was_named_for_its_stream() -> None:
    watch = GapWatch()
    assert watch.see(media(0, 2_000_000)) is None
    watch.interrupted(Stream.SCREEN, "paused")
    watch.interrupted(Stream.SCREEN, "stalled")
    watch.interrupted(Stream.AUDIO, "busy")
    assert watch.see(media(5_000_000, 1)) == Gap(Stream.SCREEN, 2_000_000, 5_000_000, "paused")
    assert watch.see(media(9_000_000, 1)) == Gap(Stream.SCREEN, 5_000_001, 9_000_000, "")


def test_an_init_segment_and_the_first_evidence_of_a_stream_make_no_gap() -> None:
    watch = GapWatch()
    assert watch.see(Segment(Stream.SCREEN, Kind.INIT, 0, 0, "avc1", b"moov")) is None
    assert watch.see(media(30_000_000, 1)) is None


def test_a_new_agent_sees_the_gap_from_where_the_old_one_ended() -> None:
    watch = GapWatch({Stream.SCREEN: 4_000_000})
    watch.interrupted(Stream.SCREEN, "agent restarted")
    assert watch.see(media(7_000_000, 1)) == Gap(Stream.SCREEN, 4_000_000, 7_000_000, "agent restarted")


@given(st.lists(st.tuples(st.integers(0, 5_000_000), st.integers(0, 3_000_000)), min_size=1, max_size=40))
def test_the_gaps_are_all_pauses_between_segments_but_the_seams(steps: list[tuple[int, int]]) -> None:
    watch, at, lost_us = GapWatch(), 0, 0
    for pause, length in steps:
        gap = watch.see(media(at + pause, length))
        lost_us += gap.until_us - gap.start_us if gap else 0
        at += pause + length
    assert lost_us == sum(pause for pause, _ in steps[1:] if pause >= LEAST_US)
    assert watch.until_us == {Stream.SCREEN: at}

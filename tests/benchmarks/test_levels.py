"""What the levels cost: the tally of segments, and its table."""

from secureproctor.benchmarks.levels import Tally, table
from secureproctor.capture.media import Kind, Segment
from secureproctor.contract.streams import MEDIA, Stream


def tally(size: int) -> Tally:
    out = Tally()
    for stream in MEDIA:
        out.add(Segment(stream, Kind.INIT, 0, 0, "", b"head"))
        for start_us in (0, 2_000_000):
            out.add(Segment(stream, Kind.MEDIA, start_us, 2_000_000, "", bytes(size)))
    return out


def test_a_tally_counts_media_by_its_own_length() -> None:
    assert tally(1000).kb_min(Stream.SCREEN) == 30
    assert Tally().kb_min(Stream.SCREEN) == 0


def test_the_table_compares_each_level_with_the_best_of_its_scene() -> None:
    taken = {("static", "full"): tally(1000), ("static", "least"): tally(250), ("typing", "full"): tally(2000)}
    head, *rows = (line.split() for line in table(taken).splitlines())
    assert head == ["kB/min", "screen", "webcam", "audio", "all", "share"]
    assert rows[0] == ["static", "full", "30", "30", "30", "90", "100%"]
    assert [row[-1] for row in rows] == ["100%", "25%", "100%"]

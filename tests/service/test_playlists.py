"""Playlists as text."""

from secureproctor.contract.record import GENESIS, RecordKind
from secureproctor.contract.streams import Stream
from secureproctor.service.evidence import StoredRecord
from secureproctor.service.playlists import breaks, filled, master_playlist, media_playlist, playable

S = 1_000_000
ZERO_US = 1_700_000_000 * S


def record(stream: Stream, epoch: int, seq: int, start_s: float, duration_s: float = 2, **other: bool) -> StoredRecord:
    kind = RecordKind.MEDIA if seq else RecordKind.INIT
    codec = "mp4a.40.2" if stream is Stream.AUDIO else "avc1.42c01f"
    return StoredRecord(
        stream, epoch, seq, kind, False, int(start_s * S), int(duration_s * S), ZERO_US, codec, GENESIS, GENESIS, 1000, 0,
        other.get("dropped", False),
    )  # fmt: skip


def streams(*records: StoredRecord) -> dict[Stream, list[StoredRecord]]:
    found = playable(records)
    return {stream: [each for each in found if each.stream is stream] for stream in Stream}


def test_a_running_stream_is_a_growing_list_with_its_init_first() -> None:
    seen = streams(
        record(Stream.SCREEN, 0, 0, 0, 0), record(Stream.SCREEN, 0, 1, 0, 2.5), record(Stream.SCREEN, 0, 2, 2.5)
    )
    text = media_playlist(seen[Stream.SCREEN], breaks(seen), wall_of_zero_us=ZERO_US, over=False, access="1.x")
    assert text.splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:3",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="screen/0/0?access=1.x"',
        "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z",
        "#EXTINF:2.500000,",
        "screen/0/1?access=1.x",
        "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:22.500Z",
        "#EXTINF:2.000000,",
        "screen/0/2?access=1.x",
    ]


def test_a_hole_and_a_new_epoch_are_discontinuities_and_the_end_is_told() -> None:
    seen = streams(
        *(record(Stream.SCREEN, 0, seq, at) for seq, at in ((0, 0), (1, 0), (2, 2), (4, 60))),
        *(record(Stream.SCREEN, 1, seq, at) for seq, at in ((0, 90), (1, 90))),
    )
    text = media_playlist(seen[Stream.SCREEN], breaks(seen), wall_of_zero_us=ZERO_US, over=True, access="")
    tags = [
        line for line in text.splitlines() if line.startswith(("#EXT-X-DISC", "#EXT-X-MAP", "screen", "#EXT-X-END"))
    ]
    assert tags == [
        '#EXT-X-MAP:URI="screen/0/0?access="',
        "screen/0/1?access=",
        "screen/0/2?access=",
        "#EXT-X-DISCONTINUITY",
        "screen/0/4?access=",
        "#EXT-X-DISCONTINUITY",
        '#EXT-X-MAP:URI="screen/1/0?access="',
        "screen/1/1?access=",
        "#EXT-X-ENDLIST",
    ]


def test_picture_and_sound_have_the_same_discontinuities() -> None:
    seen = streams(
        *(record(Stream.SCREEN, 0, seq, at) for seq, at in ((0, 0), (1, 0), (2, 30), (3, 32))),
        *(record(Stream.AUDIO, 0, seq, seq * 2 - 2) for seq in range(20)),
    )
    for stream in (Stream.SCREEN, Stream.AUDIO):
        text = media_playlist(seen[stream], breaks(seen), wall_of_zero_us=ZERO_US, over=True, access="")
        before, after = text.split("#EXT-X-DISCONTINUITY\n")
        assert "22:13:50.000Z" in after
        assert "22:13:50.000Z" not in before


def test_what_was_dropped_or_lacks_its_init_is_not_played() -> None:
    seen = streams(
        record(Stream.SCREEN, 0, 0, 0), record(Stream.SCREEN, 0, 1, 0, dropped=True), record(Stream.SCREEN, 1, 1, 4)
    )
    assert seen[Stream.SCREEN] == []


def test_the_master_joins_screen_and_sound() -> None:
    seen = streams(*(record(stream, 0, seq, 0) for stream in (Stream.SCREEN, Stream.AUDIO) for seq in (0, 1)))
    assert master_playlist(seen, "1.x").splitlines()[3:] == [
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Microphone",DEFAULT=YES,AUTOSELECT=YES,URI="audio.m3u8?access=1.x"',
        '#EXT-X-STREAM-INF:BANDWIDTH=8000,CODECS="avc1.42c01f,mp4a.40.2",AUDIO="sound"',
        "screen.m3u8?access=1.x",
    ]


def test_a_wall_clock_beyond_all_measure_is_no_failure() -> None:
    seen = streams(record(Stream.SCREEN, 0, 0, 0), record(Stream.SCREEN, 0, 1, 0))
    text = media_playlist(seen[Stream.SCREEN], [], wall_of_zero_us=2**80, over=True, access="")
    assert "9999-01-01" in text


def test_while_a_session_goes_on_a_missing_segment_keeps_its_place() -> None:
    """So that a player's numbers do not shift when the backlog comes in behind the newest segments."""
    whole = [record(Stream.SCREEN, 0, seq, max(seq - 1, 0) * 2) for seq in range(6)]
    for missing in ({1, 2}, {2, 3}, {4}, set()):
        seen = streams(*(each for each in whole if each.seq not in missing))
        entries = filled(seen[Stream.SCREEN])
        at_breaks = breaks({Stream.SCREEN: entries})
        text = media_playlist(entries, at_breaks, wall_of_zero_us=ZERO_US, over=False, access="")
        lines = text.splitlines()
        addresses = [line for line in lines if line.startswith("screen/")]
        assert addresses == [f"screen/0/{seq}?access=" for seq in range(1, 6)]
        assert {
            int(lines[n + 2].split("/")[2].split("?")[0]) for n, line in enumerate(lines) if line == "#EXT-X-GAP"
        } == missing
        assert lines.count("#EXTINF:2.000000,") == 5
        assert "#EXT-X-DISCONTINUITY" not in lines


def test_an_epoch_that_is_missing_whole_leaves_no_entry() -> None:
    seen = streams(*(record(Stream.SCREEN, epoch, seq, epoch * 20 + seq * 2) for epoch in (0, 2) for seq in (0, 1, 2)))
    assert [(each.epoch, each.seq) for each in filled(seen[Stream.SCREEN])] == [(0, 1), (0, 2), (2, 1), (2, 2)]

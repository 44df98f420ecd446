"""HLS playlists (RFC 8216, version 7: fragmented MP4) of a session's streams, as text. Pure.

All streams of a session get the same discontinuities: players match picture and sound by counting them. A *break* is where
any stream begins a new epoch or goes on after a hole; each stream carries a tag before its first segment at or after it.

Evidence does not arrive in its order: after an outage the newest segments come at once, and the backlog beside them. A player
that follows a session knows each segment by its number, and a segment that came in between would shift all numbers after it.
So while a session goes on, what is missing within an epoch keeps its place (`filled`): an entry with EXT-X-GAP
(draft-pantos-hls-rfc8216bis §4.4.4.7), which becomes a segment when its record arrives, and no break, since the times of an
epoch go on through it. When the session is over, only what is here is listed.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import quote

from secureproctor.contract.record import RecordKind
from secureproctor.contract.streams import Stream
from secureproctor.service.evidence import StoredRecord

HOLE_US = 50_000
"""Segments that are less than this apart play through."""
TOGETHER_US = 3_000_000
"""Breaks of several streams within this time have one cause, and are one break."""
_EPOCH_0 = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp() * 1e6)


def playable(records: Iterable[StoredRecord]) -> list[StoredRecord]:
    """The media records that are here and whose epoch's init is here, in the order of play."""
    present = [record for record in records if not record.dropped]
    inits = {(record.stream, record.epoch) for record in present if record.kind is RecordKind.INIT}
    media = [record for record in present if record.kind is RecordKind.MEDIA and (record.stream, record.epoch) in inits]
    return sorted(media, key=lambda record: (record.stream, record.epoch, record.seq))


def filled(segments: Sequence[StoredRecord]) -> list[StoredRecord]:
    """The segments with an absent one (`dropped`) at each number that is missing within an epoch."""
    entries: list[StoredRecord] = []
    for segment in segments:
        before = entries[-1] if entries and entries[-1].epoch == segment.epoch else None
        entries += [*_absent(before, segment), segment]
    return entries


def breaks(streams: Mapping[Stream, Sequence[StoredRecord]]) -> list[int]:
    """The times of the session clock at which the play of a session is interrupted."""
    every = sorted(
        after.start_us
        for segments in streams.values()
        for before, after in pairwise(segments)
        if _interrupted(before, after)
    )
    kept: list[int] = []
    for at in every:
        if not kept or at - kept[-1] > TOGETHER_US:
            kept.append(at)
    return kept


def media_playlist(
    segments: Sequence[StoredRecord], at_breaks: Sequence[int], *, wall_of_zero_us: int, over: bool, access: str
) -> str:
    """The playlist of one stream. `wall_of_zero_us` is the wall time of the session clock's 0; `over`: nothing follows."""
    longest = max((segment.duration_us for segment in segments), default=1_000_000)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{math.ceil(longest / 1e6)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    epoch, waiting = -1, list(at_breaks)
    for segment in segments:
        passed = [at for at in waiting if at <= segment.start_us]
        waiting = waiting[len(passed) :]
        lines += ["#EXT-X-DISCONTINUITY"] * len(passed)
        if segment.epoch != epoch and epoch >= 0 and not passed:
            lines.append("#EXT-X-DISCONTINUITY")  # a second interruption within one break
        if segment.epoch != epoch:
            lines.append(f'#EXT-X-MAP:URI="{_address(segment, 0, access)}"')
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{_date(wall_of_zero_us + segment.start_us)}")
        epoch = segment.epoch
        lines += ["#EXT-X-GAP"] * segment.dropped
        lines += [f"#EXTINF:{segment.duration_us / 1e6:.6f},", _address(segment, segment.seq, access)]
    return "\n".join([*lines, *(["#EXT-X-ENDLIST"] if over else []), ""])


def master_playlist(streams: Mapping[Stream, Sequence[StoredRecord]], access: str) -> str:
    """The screen (else the webcam) with the sound: one variant, its audio as a rendition."""
    picture = next((stream for stream in (Stream.SCREEN, Stream.WEBCAM) if streams.get(stream)), None)
    sound = Stream.AUDIO if streams.get(Stream.AUDIO) else None
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    parts = [stream for stream in (picture, sound) if stream]
    group = ""
    if picture and sound:
        rendition = 'TYPE=AUDIO,GROUP-ID="sound",NAME="Microphone",DEFAULT=YES,AUTOSELECT=YES'
        lines.append(f'#EXT-X-MEDIA:{rendition},URI="{_playlist(sound, access)}"')
        group = ',AUDIO="sound"'
    if parts:
        rate = sum(_peak_rate(streams[stream]) for stream in parts)
        codecs = ",".join(dict.fromkeys(filter(None, (streams[stream][0].codec for stream in parts))))
        lines.append(f"#EXT-X-STREAM-INF:BANDWIDTH={rate}" + (f',CODECS="{codecs}"' if codecs else "") + group)
        lines.append(_playlist(parts[0], access))
    return "\n".join([*lines, ""])


def _absent(before: StoredRecord | None, after: StoredRecord) -> list[StoredRecord]:
    """What is missing between two numbers, spread evenly over the time between; before a first number, of its length."""
    first = before.seq + 1 if before else 1  # 0 is the init
    count = after.seq - first
    if count <= 0:
        return []
    start_us = before.start_us + before.duration_us if before else after.start_us - count * after.duration_us
    each_us = max((after.start_us - start_us) // count, 1000)
    return [
        replace(after, seq=first + n, start_us=start_us + n * each_us, duration_us=each_us, dropped=True)
        for n in range(count)
    ]


def _interrupted(before: StoredRecord, after: StoredRecord) -> bool:
    apart = abs(after.start_us - before.start_us - before.duration_us)
    return after.epoch != before.epoch or apart >= HOLE_US


def _peak_rate(segments: Sequence[StoredRecord]) -> int:
    return max(math.ceil(segment.size * 8e6 / max(segment.duration_us, 1)) for segment in segments)


def _playlist(stream: Stream, access: str) -> str:
    return f"{stream}.m3u8?access={quote(access)}"


def _address(segment: StoredRecord, seq: int, access: str) -> str:
    return f"{segment.stream}/{segment.epoch}/{seq}?access={quote(access)}"


def _date(wall_us: int) -> str:
    within = min(max(wall_us, 0), _LAST_US)  # a candidate's clock may say anything
    return (_EPOCH_0 + timedelta(microseconds=within)).isoformat(timespec="milliseconds").replace("+00:00", "Z")

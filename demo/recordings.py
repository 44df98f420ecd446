"""A session's recordings as files, taken from the service as any player would: playlist, init segments, media segments.

The segments are put into one ordinary MP4 a stream, packet by packet, with the session clock's times kept: what was
captured together has the same time in all of the files.
"""

import io
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from urllib.parse import urljoin

import av
import httpx

from secureproctor.contract.streams import Stream

FILES: dict[Stream, str] = {Stream.SCREEN: "screen.mp4", Stream.WEBCAM: "webcam.mp4", Stream.AUDIO: "audio.m4a"}
_MAP = re.compile(r'#EXT-X-MAP:.*URI="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Recording:
    """A file and what is in it; width and height are 0 for audio."""

    path: Path
    codec: str
    width: int
    height: int
    frames: int


@dataclass(frozen=True, slots=True)
class Epoch:
    """An init segment's address and its media segments' addresses."""

    init: str
    media: list[str]


def epochs(playlist: str, address: str) -> list[Epoch]:
    """The epochs of a media playlist, with absolute addresses."""
    found: list[Epoch] = []
    for line in playlist.splitlines():
        mapped = _MAP.match(line)
        if mapped:
            found.append(Epoch(urljoin(address, mapped[1]), []))
        elif line and not line.startswith("#"):
            found[-1].media.append(urljoin(address, line))
    return found


async def fetch(client: httpx.AsyncClient, playlist_address: str, path: Path) -> Recording | None:
    """Write a stream's recording to `path`; None when the service has none of it."""
    answer = await client.get(playlist_address)
    if answer.status_code == 404:
        return None
    answer.raise_for_status()
    parts = []
    for epoch in epochs(answer.text, playlist_address):
        pieces = [(await client.get(each)).raise_for_status().content for each in (epoch.init, *epoch.media)]
        parts.append(b"".join(pieces))
    return join(parts, path) if parts else None


def join(parts: list[bytes], path: Path) -> Recording:
    """Put fragmented MP4s of one stream, one an epoch, into one file."""
    frames, codec = 0, ""
    with av.open(str(path), "w", format="mp4", options={"avoid_negative_ts": "disabled"}) as out:
        target = None
        for part in parts:
            with av.open(io.BytesIO(part), "r") as source:
                stream = source.streams[0]
                target, codec = target or out.add_stream_from_template(stream), stream.codec_context.name
                for packet in source.demux(stream):
                    if packet.dts is None:
                        continue  # the flush packet at the end
                    packet.stream = target
                    out.mux(packet)
                    frames += 1
        assert target is not None  # noqa: S101 - there is at least one part
        context = target.codec_context
        if isinstance(context, av.VideoCodecContext):
            return Recording(path, codec, context.width, context.height, frames)
        return Recording(path, codec, 0, 0, frames)


def length_s(path: Path) -> float:
    """The length of a recording in seconds."""
    with av.open(str(path)) as source:
        return float(Fraction(source.duration or 0, av.time_base))

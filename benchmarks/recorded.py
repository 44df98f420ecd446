"""What a program has written: bits and pictures a second, read back from its files.

A stream's files are `<stream>*.mp4` and `<stream>*.m4s`; in the order of their names they make one fragmented MP4.
"""

import io
from pathlib import Path

import av

from secureproctor.benchmarks.figures import StreamFigures
from secureproctor.contract.streams import MEDIA


def recorded(folder: Path) -> dict[str, StreamFigures]:
    """The figures of each stream that has files in the folder."""
    files = {str(stream): sorted(folder.glob(f"{stream}*.m[p4][4s]")) for stream in MEDIA}
    return {stream: figures(b"".join(each.read_bytes() for each in found)) for stream, found in files.items() if found}


def figures(data: bytes) -> StreamFigures:
    """Of a file with one track. Raises av.FFmpegError for anything else, ValueError for fewer than two packets."""
    with av.open(io.BytesIO(data), "r") as source:
        track = source.streams[0]
        times = [float(packet.pts * packet.time_base) for packet in source.demux(track) if packet.pts is not None]
        moving = track.type == "video"
    if len(times) < 2:
        raise ValueError(f"a recording of {len(times)} packets")
    rate = (len(times) - 1) / (max(times) - min(times))
    return StreamFigures(len(data) * 8 / 1000 * rate / len(times), rate if moving else None)

"""A real player (FFmpeg's HLS demuxer) plays what the service gives: two epochs of video with a hole, and a whole file."""

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np

from secureproctor.contract.channel import SessionChanged
from secureproctor.contract.signing import sign_body
from secureproctor.contract.streams import Stream

S = 1_000_000
RATE = 5
SEGMENT_FRAMES = 10


def encoded(start_s: int, segments: int) -> list[bytes]:
    """An init and segments of 2 s of fragmented MP4 whose time stamps begin at `start_s`."""
    file = io.BytesIO()
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "avoid_negative_ts": "disabled"}
    with av.open(file, "w", format="mp4", options=options) as out:
        stream = out.add_stream("libx264", rate=RATE, options={"g": str(SEGMENT_FRAMES), "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for n in range(segments * SEGMENT_FRAMES):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), n, np.uint8), format="rgb24")
            frame.pts, frame.time_base = start_s * 1000 + n * 1000 // RATE, Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return fragments(file.getvalue())


def fragments(data: bytes) -> list[bytes]:
    """Cut before each moof; what follows the last mdat is left out."""
    parts, at = [b""], 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind == b"moof":
            parts.append(b"")
        if kind != b"mfra":
            parts[-1] += data[at : at + size]
        at += size
    return parts


def played(server: Any) -> tuple[Any, str]:
    candidate = server.register()
    with candidate.channel() as agent:
        agent.tell(SessionChanged("running", 1_700_000_000_000, 0))
        for epoch, start_s in ((0, 0), (1, 20)):
            for seq, part in enumerate(encoded(start_s, 3)):
                at = start_s + 2 * max(seq - 1, 0)
                how = {"start_us": at * S, "duration_us": 2 * S * bool(seq), "payload": part}
                candidate.record(Stream.SCREEN, seq, epoch=epoch, **how)
        agent.tell(SessionChanged("ended", 1_700_000_026_000, 26 * S, "stopped"))
        agent.settle()
    query = {"publicKey": "exam-public", "groupName": "group", "userId": candidate.data.user_id}
    signature = sign_body("exam-private", "\n".join(query[name] for name in sorted(query)).encode())
    answer = server.http.get("/v2/report/", params=query, headers={"Authorization": signature})
    return candidate, answer.json()["data"]["url"].partition("access=")[2]


def frames(source: io.BytesIO) -> list[av.VideoFrame]:
    with av.open(source, "r") as opened:
        return list(opened.decode(video=0))


def test_a_player_plays_every_frame_of_both_epochs(server: Any) -> None:
    candidate, access = played(server)
    playlist = f"{server.url}/v1/sessions/{candidate.id}/media/screen.m3u8?access={access}"
    # FFmpeg expects file names with an extension in a playlist; browsers go by the type of the answer
    with av.open(playlist, options={"extension_picky": "0", "allowed_extensions": "ALL"}) as opened:
        assert sum(packet.size > 0 for packet in opened.demux(video=0)) == 2 * 3 * SEGMENT_FRAMES
    for epoch in ("0", "1"):
        whole = server.http.get(
            f"/v1/sessions/{candidate.id}/media/screen.mp4", params={"access": access, "epoch": epoch}
        )
        assert len(frames(io.BytesIO(whole.content))) == 3 * SEGMENT_FRAMES
        assert whole.headers["Epochs"] == "0,1"

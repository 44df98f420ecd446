"""A real player (FFmpeg's HLS demuxer) plays what the service gives: two epochs of video with a hole, and a whole file."""

import io
import random
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
    return candidate, access(candidate)


def access(candidate: Any) -> str:
    query = {"publicKey": "exam-public", "groupName": "group", "userId": candidate.data.user_id}
    signature = sign_body("exam-private", "\n".join(query[name] for name in sorted(query)).encode())
    answer = candidate.server.http.get("/v2/report/", params=query, headers={"Authorization": signature})
    link: str = answer.json()["data"]["url"]
    return link.partition("access=")[2]


def test_evidence_that_arrives_in_any_order_plays_whole(server: Any) -> None:
    candidate = server.register()
    with candidate.channel() as agent:
        agent.tell(SessionChanged("running", 1_700_000_000_000, 0))
        sealed = []
        for seq, part in enumerate(encoded(0, 3)):
            how = {"start_us": 2 * max(seq - 1, 0) * S, "duration_us": 2 * S * bool(seq), "payload": part}
            sealed.append(candidate.seal(Stream.SCREEN, seq, **how))
        backlog = list(range(2, len(sealed) - 1))
        random.Random(3).shuffle(backlog)
        listed = []
        for seq in (0, 1, len(sealed) - 1, *backlog):
            assert candidate.put(sealed[seq], Stream.SCREEN, seq).status_code == 201
            text = server.http.get(f"/v1/sessions/{candidate.id}/media/screen.m3u8?access={access(candidate)}").text
            listed.append([line.partition("?")[0] for line in text.splitlines() if line.startswith("screen/")])
        whole = [f"screen/0/{n}" for n in range(1, len(sealed))]
        assert listed == [[], whole[:1], *([whole] * (len(backlog) + 1))]
        agent.tell(SessionChanged("ended", 1_700_000_012_000, 12 * S, "stopped"))
        agent.settle()
    playlist = f"{server.url}/v1/sessions/{candidate.id}/media/screen.m3u8?access={access(candidate)}"
    with av.open(playlist, options={"extension_picky": "0", "allowed_extensions": "ALL"}) as opened:
        times = [packet.pts or 0 for packet in opened.demux(video=0) if packet.size > 0]
    assert len(times) == 3 * SEGMENT_FRAMES
    assert times == sorted(times)


def frames(source: io.BytesIO) -> list[av.VideoFrame]:
    with av.open(source, "r") as opened:
        return list(opened.decode(video=0))


def test_a_player_plays_every_frame_of_both_epochs(server: Any) -> None:
    candidate, code = played(server)
    playlist = f"{server.url}/v1/sessions/{candidate.id}/media/screen.m3u8?access={code}"
    # FFmpeg expects file names with an extension in a playlist; browsers go by the type of the answer
    with av.open(playlist, options={"extension_picky": "0", "allowed_extensions": "ALL"}) as opened:
        assert sum(packet.size > 0 for packet in opened.demux(video=0)) == 2 * 3 * SEGMENT_FRAMES
    for epoch in ("0", "1"):
        whole = server.http.get(
            f"/v1/sessions/{candidate.id}/media/screen.mp4", params={"access": code, "epoch": epoch}
        )
        assert len(frames(io.BytesIO(whole.content))) == 3 * SEGMENT_FRAMES
        assert whole.headers["Epochs"] == "0,1"

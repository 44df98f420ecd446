"""Small pictures of real segments: the newest key frame, decoded once, and told apart by its tag."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from secureproctor.contract.record import RecordKind
from secureproctor.contract.streams import Stream
from secureproctor.service.thumbnails import thumbnail
from tests.service.house import House
from tests.service.test_playback import access

S = 1_000_000


def put(candidate: Any, parts: list[bytes], *, first: int = 0, stream: Stream = Stream.SCREEN) -> None:
    for seq, part in enumerate(parts[first:], first):
        how = {"start_us": 2 * max(seq - 1, 0) * S, "duration_us": 2 * S * bool(seq)}
        candidate.record(stream, seq, payload=part, **how)


def asked(candidate: Any, code: str, stream: str = "screen", tag: str = "", **query: str) -> Any:
    address = f"/v1/sessions/{candidate.id}/media/{stream}/thumbnail.jpg"
    headers = {"If-None-Match": tag} if tag else {}
    return candidate.server.http.get(address, params={"access": code, **query}, headers=headers)


def decoded(jpeg: bytes) -> np.ndarray[Any, Any]:
    with av.open(io.BytesIO(jpeg), "r") as opened:
        frame = next(opened.decode(video=0))
        assert isinstance(frame, av.VideoFrame)
        return frame.to_ndarray(format="rgb24")


def grey(jpeg: bytes) -> float:
    return float(decoded(jpeg).mean())


def test_it_shows_the_first_frame_of_the_newest_segment(server: Any) -> None:
    candidate = server.register()
    code = access(candidate)
    (init, dark), (_, bright) = picture(shade=40), picture(shade=200)
    put(candidate, [init, dark])
    first = asked(candidate, code)
    assert first.headers["Content-Type"] == "image/jpeg"
    assert "no-cache" in first.headers["Cache-Control"]
    put(candidate, [init, dark, bright], first=2)
    newest = asked(candidate, code)
    assert grey(first.content) == pytest.approx(40, abs=3)
    assert grey(newest.content) == pytest.approx(200, abs=3)
    assert first.headers["ETag"] != newest.headers["ETag"]


def test_who_has_the_picture_already_is_told_so(server: Any) -> None:
    candidate = server.register()
    code = access(candidate)
    put(candidate, picture())
    tag = asked(candidate, code).headers["ETag"]
    again = asked(candidate, code, tag=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == tag
    assert asked(candidate, code, tag=tag, w="900").status_code == 200


def test_many_who_ask_at_once_get_the_same_picture(server: Any) -> None:
    candidate = server.register()
    code = access(candidate)
    put(candidate, picture())
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: asked(candidate, code).content, range(16)))
    assert set(answers) == {answers[0]}


def test_there_is_none_without_a_picture_and_none_for_strangers(server: Any) -> None:
    candidate = server.register()
    code = access(candidate)
    assert asked(candidate, code).status_code == 404
    put(candidate, [b"no init", b"no segment"])
    assert asked(candidate, code).status_code == 404
    put(candidate, [b"init", b"sound"], stream=Stream.AUDIO)
    assert asked(candidate, code, "audio").status_code == 404
    assert asked(candidate, code, "events").status_code == 404
    assert asked(candidate, "1.x").status_code == 403


@pytest.mark.parametrize(("wanted", "width"), [("1", 160), ("160", 160), ("161", 320), ("99999", 640), ("x", 320)])
def test_few_widths_are_made_and_none_is_wider_than_the_picture(server: Any, wanted: str, width: int) -> None:
    candidate = server.register()
    put(candidate, picture())
    assert decoded(asked(candidate, access(candidate), w=wanted).content).shape == (width * 3 // 4, width, 3)


def picture(width: int = 640, height: int = 480, shade: int = 99) -> list[bytes]:
    """An init and a segment of one frame."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4", options={"movflags": "frag_keyframe+empty_moov+default_base_moof"}) as out:
        stream = out.add_stream("libx264", rate=5, options={"tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((height, width, 3), shade, np.uint8), format="rgb24")))
        out.mux(stream.encode(None))
    at = file.getvalue().index(b"moof") - 4
    return [file.getvalue()[:at], file.getvalue()[at:]]


def test_a_thumbnail_keeps_shape_and_colour() -> None:
    jpeg = thumbnail(b"".join(picture(1920, 1080)), 320)
    assert decoded(jpeg).shape == (180, 320, 3)
    assert grey(jpeg) == pytest.approx(99, abs=3)
    assert len(jpeg) < 8000


def test_what_was_dropped_after_the_live_window_is_not_the_newest(tmp_path: Path) -> None:
    house = House(tmp_path)
    session = house.register(recording=False)
    for seq in (0, 1):
        house.put(session, Stream.SCREEN, seq, live_only=True)
    found = house.evidence.newest(session.id, Stream.SCREEN, RecordKind.MEDIA)
    assert found is not None
    assert found.seq == 1
    house.evidence.drop_live(house.clock.now_ms() + 1)
    assert house.evidence.newest(session.id, Stream.SCREEN, RecordKind.MEDIA) is None
    house.store.close()

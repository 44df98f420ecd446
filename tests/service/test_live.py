"""Segments are pushed to whom watches: real fragmented MP4, sealed as an agent does, over a real service's socket."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from secureproctor.contract.console import Failed, Hello, LiveHeader, ProctorChange, Watch, Watched
from secureproctor.contract.streams import Stream
from secureproctor.service.line import REFUSED
from secureproctor.service.live import WAITING, Feed
from tests.service.test_playback import encoded

S = 1_000_000
IN_TIME_S = 5.0
MB = 1_000_000


class Viewing:
    """A console's live socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def send(self, message: msgspec.Struct) -> None:
        self.socket.send(msgspec.json.encode(message).decode())

    def watch(self, *watched: tuple[str, str]) -> None:
        self.send(Watch(tuple(Watched(session, stream) for session, stream in watched)))  # type: ignore[arg-type] # known names

    def frame(self) -> tuple[LiveHeader, bytes]:
        data = self.socket.recv(timeout=IN_TIME_S)
        assert isinstance(data, bytes), data
        length = int.from_bytes(data[:4], "big")
        return msgspec.json.decode(data[4 : 4 + length], type=LiveHeader), data[4 + length :]

    def places(self, count: int) -> list[tuple[str, int, int]]:
        headers = [self.frame()[0] for _ in range(count)]
        return [(header.kind, header.epoch, header.seq) for header in headers]

    def refusal(self) -> str:
        return msgspec.json.decode(self.socket.recv(timeout=IN_TIME_S), type=Failed).error.code

    def closed(self) -> int | None:
        try:
            while True:
                self.socket.recv(timeout=IN_TIME_S)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


@contextmanager
def viewing(server: Any, hello: Hello | None = None, **how: Any) -> Iterator[Viewing]:
    with connect(f"{server.socket_url}/v1/proctor/live", max_size=None, **how) as socket:
        viewer = Viewing(socket)
        viewer.send(hello or Hello(server.proctor_key))
        yield viewer


def put(candidate: Any, seq: int, payload: bytes, *, epoch: int = 0, stream: Stream = Stream.SCREEN) -> None:
    start_us = (epoch * 20 + 2 * max(seq - 1, 0)) * S
    candidate.record(stream, seq, epoch=epoch, start_us=start_us, duration_us=2 * S * bool(seq), payload=payload)


def test_it_begins_with_the_newest_segment_and_goes_on_with_each_that_comes(server: Any) -> None:
    candidate = server.register()
    parts = encoded(0, 4)
    for seq in range(3):
        put(candidate, seq, parts[seq])
    with viewing(server) as viewer:
        viewer.watch((candidate.id, "screen"))
        (init, opened), (newest, content) = viewer.frame(), viewer.frame()
        assert (init.kind, init.seq, opened) == ("init", 0, parts[0])
        assert newest == LiveHeader(
            candidate.id, "screen", "media", 0, 2, "avc1.42c01f", 2 * S, 2 * S, 1_700_000_002 * S
        )
        assert content == parts[2]
        for seq in (3, 4):
            put(candidate, seq, parts[seq])
            header, content = viewer.frame()
            assert (header.seq, content) == (seq, parts[seq])


def test_a_new_epoch_comes_with_its_own_init(server: Any) -> None:
    candidate = server.register()
    with viewing(server) as viewer:
        viewer.watch((candidate.id, "screen"))
        for epoch in (0, 1):
            for seq, part in enumerate(encoded(20 * epoch, 2)[:3]):
                put(candidate, seq, part, epoch=epoch)
        places = viewer.places(6)
    assert places == [(kind, epoch, seq) for epoch in (0, 1) for kind, seq in (("init", 0), ("media", 1), ("media", 2))]


def test_a_segment_waits_for_its_init(server: Any) -> None:
    candidate = server.register()
    parts = encoded(0, 1)
    with viewing(server) as viewer:
        viewer.watch((candidate.id, "webcam"))
        put(candidate, 1, parts[1], stream=Stream.WEBCAM)
        put(candidate, 0, parts[0], stream=Stream.WEBCAM)
        assert viewer.places(2) == [("init", 0, 0), ("media", 0, 1)]


def test_what_is_watched_no_longer_is_not_sent(server: Any) -> None:
    candidate = server.register()
    with viewing(server) as viewer:
        viewer.watch((candidate.id, "screen"), (candidate.id, "webcam"))
        viewer.watch((candidate.id, "webcam"))
        for stream in (Stream.SCREEN, Stream.WEBCAM):
            for seq, part in enumerate(encoded(0, 1)[:2]):
                put(candidate, seq, part, stream=stream)
        assert [viewer.frame()[0].stream for _ in range(2)] == ["webcam", "webcam"]


def test_a_slow_reader_misses_whole_segments_and_gets_the_newest(server: Any) -> None:
    candidate = server.register()
    count = 16
    noise = random.Random(1).randbytes(2 * MB)  # what can be compressed would not fill a connection
    with viewing(server, max_queue=1) as viewer:
        viewer.watch((candidate.id, "screen"))
        put(candidate, 0, b"init")
        for seq in range(1, count + 1):
            put(candidate, seq, bytes([seq]) + noise)
        seen: list[int] = []
        while not seen or seen[-1] != count:
            header, content = viewer.frame()
            seen.append(header.seq)
            assert content == (bytes([header.seq]) + noise if header.seq else b"init")
    assert seen == sorted(seen)
    assert len(seen) < count + 1


def test_who_may_not_see_a_session_is_told_that_there_is_none(server: Any) -> None:
    candidate = server.register()
    with viewing(server, Hello(token=logged_in(server, "mirror", "elsewhere"))) as viewer:
        viewer.watch((candidate.id, "screen"))
        assert viewer.refusal() == "session_unknown"


def test_who_lost_the_account_loses_the_view_with_the_next_segment(server: Any) -> None:
    candidate = server.register()
    with viewing(server, Hello(token=logged_in(server, "gone", "group"))) as viewer:
        viewer.watch((candidate.id, "screen"))
        for seq, part in enumerate(encoded(0, 1)[:2]):
            put(candidate, seq, part)
        assert viewer.places(2)[-1] == ("media", 0, 1)
        authorization = {"Authorization": f"Bearer {server.proctor_key}"}
        assert server.http.delete("/v1/proctors/gone", headers=authorization).status_code == 204
        put(candidate, 2, b"more")
        assert viewer.refusal() == "login_needed"
        assert viewer.closed() == REFUSED


def logged_in(server: Any, name: str, group: str) -> str:
    change = msgspec.json.encode(ProctorChange(password="a long password", groups=(group,)))
    authorization = {"Authorization": f"Bearer {server.proctor_key}"}
    assert server.http.put(f"/v1/proctors/{name}", content=change, headers=authorization).status_code == 200
    answer = server.http.post("/v1/proctor/login", json={"name": name, "password": "a long password"})
    token: str = answer.json()["token"]
    return token


@pytest.mark.parametrize("first", ['{"type":"hello","key":"wrong"}', '{"type":"watch","watched":[]}', "x", "[" * 2000])
def test_nobody_watches_without_a_key(server: Any, first: str) -> None:
    with connect(f"{server.socket_url}/v1/proctor/live") as socket:
        socket.send(first)
        viewer = Viewing(socket)
        assert viewer.refusal() == "proctor_key_invalid"
        assert viewer.closed() == REFUSED


@pytest.mark.parametrize(
    "wanted",
    ["x", "{}", "[" * 2000, '{"type":"watch","watched":[{"session_id":"a","stream":"events"}]}',
     msgspec.json.encode(Watch((Watched("a", "screen"),) * 65)).decode()],
)  # fmt: skip
def test_a_wish_that_cannot_be_read_is_refused_and_the_view_goes_on(server: Any, wanted: str) -> None:
    candidate = server.register()
    for seq, part in enumerate(encoded(0, 1)[:2]):
        put(candidate, seq, part)
    with viewing(server) as viewer:
        viewer.socket.send(wanted)
        assert viewer.refusal() == "body_malformed"
        viewer.watch((candidate.id, "screen"), ("no-such-session", "screen"))
        assert viewer.refusal() == "session_unknown"
        assert viewer.places(2) == [("init", 0, 0), ("media", 0, 1)]


def test_a_segment_is_pushed_as_soon_as_it_was_stored(server: Any) -> None:
    """Not with the next round of anything: far sooner than a playlist would be asked for again."""
    candidate = server.register()
    with viewing(server) as viewer:
        viewer.watch((candidate.id, "screen"))
        put(candidate, 0, b"init")
        took = []
        for seq in range(1, 6):
            put(candidate, seq, b"media")
            begun = time.monotonic()
            while viewer.frame()[0].seq != seq:
                pass
            took.append(time.monotonic() - begun)
    assert min(took) < 1.0


def test_a_full_feed_keeps_the_newest_only() -> None:
    feed = Feed()
    for seq in range(1, WAITING + 1):
        feed.arrived((0, seq))
    assert feed.next() == (0, 1)
    feed.arrived((0, WAITING + 1))
    assert feed.waiting == [(0, WAITING + 1)]


def test_a_feed_takes_a_late_segment_into_its_place_and_leaves_an_old_one_alone() -> None:
    feed = Feed()
    for place in ((0, 7), (0, 6), (0, 3), (0, 7)):
        feed.arrived(place)
    assert feed.waiting == [(0, 6), (0, 7)]


def test_a_feed_leaves_an_epoch_that_is_over() -> None:
    feed = Feed()
    for place in ((0, 7), (1, 0), (1, 1), (0, 8)):
        feed.arrived(place)
    assert feed.waiting == [(1, 1)]


def test_an_init_that_comes_while_it_is_looked_up_is_not_missed() -> None:
    feed = Feed()
    feed.arrived((0, 1))
    feed.arrived((0, 0))
    feed.lacks(0)
    assert feed.next() == (0, 1)
    feed.lacks(0)
    assert feed.next() is None
    feed.arrived((0, 0))
    assert feed.next() == (0, 1)

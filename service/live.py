"""The live view: what consoles look at is pushed to them, segment by segment, as soon as it has arrived.

One WebSocket per console carries all streams that it watches (contract.console.Watch). HLS would add a playlist's round trip
and a player's buffer to each segment; pushed, a segment is at the player as soon as it was stored. Bytes are read and opened
when the socket can take them, so a console holds in memory at most what is being written to it.

A console that reads too slowly falls behind by whole segments: what waits is a short list of numbers a stream (`Feed`), and
when that is full only the newest stays.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from secureproctor.contract.console import Failed, Hello, LiveHeader, Watch
from secureproctor.contract.errors import Refusal
from secureproctor.contract.record import RecordError, RecordKind
from secureproctor.contract.streams import Stream
from secureproctor.service.changes import Arrival, Changes
from secureproctor.service.evidence import Evidence, StoredRecord
from secureproctor.service.line import REFUSED, frames
from secureproctor.service.proctors import Proctor, Proctors
from secureproctor.service.sessions import Sessions
from secureproctor.service.store import Store

log = logging.getLogger(__name__)

Place = tuple[int, int]
"""Epoch and seq of a record of a stream."""
NOWHERE: Place = (-1, 0)
WAITING = 3
"""Segments of a stream that may wait for a console; one more, and only the newest stays."""
GREETED_WITHIN_S = 10.0
LATE = 2
"""Segments go up beside each other: one that comes this many numbers after its time may still be shown in its place."""


@dataclass(slots=True)
class Feed:
    """What a console has had of a stream, and what it is still to have. Pure.

    `init`: the epoch whose init was sent. `lacking`: the epoch whose init is not here yet; its segments wait for it.
    `begun`: the epoch whose init came last.
    """

    waiting: list[Place] = field(default_factory=list)
    newest: Place = NOWHERE
    init: int = -1
    lacking: int = -1
    begun: int = -1

    def arrived(self, place: Place) -> None:
        """A record is here."""
        epoch, seq = place
        if seq == 0:
            self.begun, self.lacking = epoch, -1 if self.lacking == epoch else self.lacking
            return
        if place in self.waiting or place == self.newest or (epoch, seq + LATE) < self.newest:
            return
        self.newest = max(self.newest, place)
        kept = sorted(each for each in (*self.waiting, place) if each[0] == self.newest[0])
        self.waiting = kept if len(kept) <= WAITING else kept[-1:]

    def next(self) -> Place | None:
        """The segment to be sent now, or None."""
        return self.waiting[0] if self.waiting and self.waiting[0][0] != self.lacking else None

    def lacks(self, epoch: int) -> None:
        """There was no init, unless it came while that was looked up."""
        self.lacking = -1 if self.begun == epoch else epoch
        self.begun = -1

    def sent(self, place: Place) -> None:
        """It is on its way, or cannot be had."""
        self.waiting = [each for each in self.waiting if each > place]
        self.init = place[0]


@dataclass(frozen=True, slots=True)
class Watchable:
    """A session that a console may look into: its group and the key that opens its records."""

    group_name: str
    key: X25519PrivateKey = field(repr=False)


@dataclass(slots=True)
class Viewer:
    """One console: its feeds and their sessions."""

    hello: Hello
    feeds: dict[tuple[str, Stream], Feed] = field(default_factory=dict)
    sessions: dict[str, Watchable] = field(default_factory=dict)
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def arrived(self, arrival: Arrival) -> None:
        """A record is here; it may be of no interest."""
        if feed := self.feeds.get((arrival.session_id, arrival.stream)):
            feed.arrived((arrival.epoch, arrival.seq))
            self.woken.set()

    def due(self, proctor: Proctor) -> list[tuple[str, Stream, Feed, Place]]:
        """The next segment of each feed that has one, so that no stream waits for all of another."""
        return [
            (session, stream, feed, place)
            for (session, stream), feed in self.feeds.items()
            if (place := feed.next()) and session in self.sessions and proctor.sees(self.sessions[session].group_name)
        ]


class Live:
    """Serves `/v1/proctor/live`."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        evidence: Evidence,
        proctors: Proctors,
        changes: Changes,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._evidence = evidence
        self._proctors = proctors
        self._changes = changes

    def routes(self) -> list[BaseRoute]:
        """The addresses of this part."""
        return [WebSocketRoute("/v1/proctor/live", self.serve)]

    async def serve(self, websocket: WebSocket) -> None:
        """Push what a console watches, until it goes."""
        await websocket.accept()
        incoming = frames(websocket)
        with suppress(WebSocketDisconnect):
            try:
                viewer = await self._greeted(incoming)
            except Refusal as refusal:
                await _refuse(websocket, refusal)
                return
            await self._served(websocket, incoming, viewer)

    async def _greeted(self, incoming: AsyncIterator[str | bytes]) -> Viewer:
        try:
            data = await asyncio.wait_for(anext(incoming, ""), GREETED_WITHIN_S)
            hello = msgspec.json.decode(data, type=Hello)
        except (ValueError, RecursionError, TimeoutError):
            raise Refusal("proctor_key_invalid") from None
        self._proctors.admitted(hello)
        return Viewer(hello)

    async def _served(self, websocket: WebSocket, incoming: AsyncIterator[str | bytes], viewer: Viewer) -> None:
        with self._changes.following(viewer.arrived):
            pushing = asyncio.create_task(self._push(websocket, viewer))
            try:
                async for data in incoming:
                    await self._watch(websocket, viewer, data)
            finally:
                pushing.cancel()
                await asyncio.wait([pushing])

    async def _watch(self, websocket: WebSocket, viewer: Viewer, data: str | bytes) -> None:
        try:
            wanted = msgspec.json.decode(data, type=Watch).watched
        except (ValueError, RecursionError) as error:
            await websocket.send_text(_text(Failed(Refusal("body_malformed", why=error).info)))
            return
        keys = dict.fromkeys((each.session_id, Stream(each.stream)) for each in wanted)
        viewer.feeds = {key: feed for key, feed in viewer.feeds.items() if key in keys}
        viewer.sessions = {session_id: viewer.sessions[session_id] for session_id, _ in viewer.feeds}
        for key in keys.keys() - viewer.feeds.keys():
            # in its place before the question for the newest: what arrives meanwhile is not missed
            feed = viewer.feeds[key] = Feed()
            try:
                viewer.sessions[key[0]], newest = await self._store.run(self._begun, viewer.hello, *key)
            except Refusal as refusal:
                del viewer.feeds[key]
                await websocket.send_text(_text(Failed(refusal.info, key[0])))
                continue
            if newest:
                feed.arrived((newest.epoch, newest.seq))
        viewer.woken.set()

    def _begun(self, hello: Hello, session_id: str, stream: Stream) -> tuple[Watchable, StoredRecord | None]:
        session = self._sessions.find(session_id)
        if not self._proctors.admitted(hello).sees(session.group_name):
            raise Refusal("session_unknown")
        watchable = Watchable(session.group_name, self._sessions.private_key(session))
        return watchable, self._evidence.newest(session_id, stream, RecordKind.MEDIA)

    async def _push(self, websocket: WebSocket, viewer: Viewer) -> None:
        try:
            while True:
                await viewer.woken.wait()
                viewer.woken.clear()
                # asked each time: an account that was taken away loses the view at once
                while due := viewer.due(self._proctors.admitted(viewer.hello)):
                    for session_id, stream, feed, place in due:
                        await self._send(websocket, viewer, session_id, stream, feed, place)
        except Refusal as refusal:
            await _refuse(websocket, refusal)
        except WebSocketDisconnect:
            log.debug("A console that watched is gone.")

    async def _send(
        self, websocket: WebSocket, viewer: Viewer, session_id: str, stream: Stream, feed: Feed, place: Place
    ) -> None:
        if session_id not in viewer.sessions:  # no longer watched
            return
        key = viewer.sessions[session_id].key
        wanted = [place] if feed.init == place[0] else [(place[0], 0), place]
        opened = await self._store.run(self._opened, session_id, key, stream, wanted)
        if len(wanted) == 2 and opened[0] is None:
            feed.lacks(place[0])
            return
        feed.sent(place)
        for frame in opened:
            if frame:
                await websocket.send_bytes(frame)

    def _opened(
        self, session_id: str, key: X25519PrivateKey, stream: Stream, places: list[Place]
    ) -> list[bytes | None]:
        return [self._frame(session_id, key, stream, *place) for place in places]

    def _frame(self, session_id: str, key: X25519PrivateKey, stream: Stream, epoch: int, seq: int) -> bytes | None:
        record = self._evidence.record(session_id, stream, epoch, seq)
        if record is None or record.dropped:
            return None
        try:
            content = self._evidence.opened(session_id, record, key)
        except RecordError as error:
            log.warning("A record of %s cannot be shown live: %s.", session_id, error)
            return None
        return packed(session_id, record, content)


def packed(session_id: str, record: StoredRecord, content: bytes) -> bytes:
    """A binary frame: the header's length in four bytes (big-endian), the header (LiveHeader) as JSON, the content."""
    header = LiveHeader(
        session_id, record.stream, "init" if record.kind is RecordKind.INIT else "media", record.epoch, record.seq,
        record.codec, record.start_us, record.duration_us, record.wall_us,
    )  # fmt: skip
    text = msgspec.json.encode(header)
    return b"".join((len(text).to_bytes(4, "big"), text, content))


async def _refuse(websocket: WebSocket, refusal: Refusal) -> None:
    await websocket.send_text(_text(Failed(refusal.info)))
    await websocket.close(REFUSED)


def _text(message: Failed) -> str:
    return msgspec.json.encode(message).decode()

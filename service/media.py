"""Playing a session: playlists, and segments opened on the fly. Every address needs the access code of a link."""

from collections.abc import Iterator

from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from secureproctor.contract.errors import Refusal
from secureproctor.contract.record import RecordError, RecordKind
from secureproctor.contract.streams import MEDIA, Stream
from secureproctor.service.answers import PRIVATE
from secureproctor.service.evidence import Evidence, StoredRecord
from secureproctor.service.ingest import place
from secureproctor.service.playlists import breaks, filled, master_playlist, media_playlist, playable
from secureproctor.service.session import Session
from secureproctor.service.sessions import Sessions
from secureproctor.service.store import Store
from secureproctor.service.tokens import Tokens

TYPES = {Stream.SCREEN: "video/mp4", Stream.WEBCAM: "video/mp4", Stream.AUDIO: "audio/mp4"}
PLAYLIST = "application/vnd.apple.mpegurl"


class Media:
    """The calls that a player makes."""

    def __init__(self, store: Store, sessions: Sessions, evidence: Evidence, tokens: Tokens) -> None:
        self._store = store
        self._sessions = sessions
        self._evidence = evidence
        self._tokens = tokens

    def routes(self) -> list[BaseRoute]:
        """The addresses of this part."""
        return [
            Route("/v1/sessions/{id}/media/master.m3u8", self.master),
            Route("/v1/sessions/{id}/media/{stream}.m3u8", self.playlist),
            Route("/v1/sessions/{id}/media/{stream}.mp4", self.whole),
            Route("/v1/sessions/{id}/media/{stream}/{epoch}/{seq}", self.segment),
        ]

    async def master(self, request: Request) -> Response:
        """`GET /v1/sessions/{id}/media/master.m3u8`."""
        session = await self._admitted(request)
        streams = await self._store.run(self._streams, session.id)
        return _text(master_playlist(streams, _access(request)))

    async def playlist(self, request: Request) -> Response:
        """`GET /v1/sessions/{id}/media/{stream}.m3u8`."""
        session = await self._admitted(request)
        stream = _stream(request)
        streams = await self._store.run(self._streams, session.id)
        over = session.state == "ended"
        if not over:
            streams = {each: filled(segments) for each, segments in streams.items()}
        text = media_playlist(
            streams[stream],
            breaks(streams),
            wall_of_zero_us=_wall_of_zero_us(session, streams),
            over=over,
            access=_access(request),
        )
        return _text(text)

    async def segment(self, request: Request) -> Response:
        """`GET /v1/sessions/{id}/media/{stream}/{epoch}/{seq}`: one init or media segment, opened."""
        session = await self._admitted(request)
        stream, epoch, seq = place(request)
        if stream not in MEDIA:
            raise Refusal("not_found")
        content = await self._store.run(self._opened, session, stream, epoch, seq)
        return Response(content, headers=PRIVATE, media_type=TYPES[stream])

    async def whole(self, request: Request) -> Response:
        """`GET /v1/sessions/{id}/media/{stream}.mp4?epoch=`: an epoch as one file. The header Epochs lists them all."""
        session = await self._admitted(request)
        stream = _stream(request)
        records = await self._store.run(self._evidence.records, session.id, stream)
        epochs = sorted({record.epoch for record in playable(records)})
        wanted = request.query_params.get("epoch") or (str(epochs[0]) if epochs else "")
        if wanted not in map(str, epochs):
            raise Refusal("not_found")
        parts = [record for record in records if str(record.epoch) == wanted and not record.dropped]
        headers = {
            **PRIVATE,
            "Epochs": ",".join(map(str, epochs)),
            "Content-Disposition": f'attachment; filename="{stream}-{wanted}.mp4"',
        }
        content = iterate_in_threadpool(self._all_opened(session, parts))
        return StreamingResponse(content, headers=headers, media_type=TYPES[stream])

    async def _admitted(self, request: Request) -> Session:
        session_id = str(request.path_params["id"])
        self._tokens.check_access(session_id, _access(request))
        return await self._store.run(self._sessions.find, session_id)

    def _streams(self, session_id: str) -> dict[Stream, list[StoredRecord]]:
        records = playable(self._evidence.records(session_id))
        return {stream: [record for record in records if record.stream == stream] for stream in MEDIA}

    def _opened(self, session: Session, stream: Stream, epoch: int, seq: int) -> bytes:
        record = self._evidence.record(session.id, stream, epoch, seq)
        if record is None or record.dropped:
            raise Refusal("not_found")
        try:
            return self._evidence.opened(session.id, record, self._sessions.private_key(session))
        except RecordError:
            raise Refusal("not_found") from None

    def _all_opened(self, session: Session, records: list[StoredRecord]) -> Iterator[bytes]:
        key = self._sessions.private_key(session)
        for record in records:
            if record.kind in (RecordKind.INIT, RecordKind.MEDIA):
                try:
                    yield self._evidence.opened(session.id, record, key)
                except RecordError:
                    continue  # the report tells of it; the rest can still be seen


def _wall_of_zero_us(session: Session, streams: dict[Stream, list[StoredRecord]]) -> int:
    """All streams must agree on the wall time, or a player sets picture and sound apart."""
    if session.started_ms is not None:
        return session.started_ms * 1000
    sealed = (r.wall_us - r.start_us - r.duration_us for records in streams.values() for r in records)
    return min(sealed, default=session.registered_ms * 1000)


def _stream(request: Request) -> Stream:
    name = str(request.path_params["stream"])
    if name not in TYPES:
        raise Refusal("not_found")
    return Stream(name)


def _access(request: Request) -> str:
    return request.query_params.get("access", "")


def _text(playlist: str) -> Response:
    return Response(playlist, headers=PRIVATE, media_type=PLAYLIST)

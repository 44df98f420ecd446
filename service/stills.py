"""Stills as the service shows them: what each one is, and its picture, opened when somebody asks.

What a still says of itself lies within its sealed record. It never changes once it is stored, so it is kept in memory from
the first time that it was read.
"""

from collections import OrderedDict

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from secureproctor.contract.errors import Refusal
from secureproctor.contract.record import RecordError, RecordKind
from secureproctor.contract.report import StillReport
from secureproctor.contract.stills import CODEC, StillInfo, unpack
from secureproctor.contract.streams import Stream
from secureproctor.service.answers import PRIVATE
from secureproctor.service.evidence import Evidence, StoredRecord
from secureproctor.service.ingest import numbers
from secureproctor.service.session import Session
from secureproctor.service.sessions import Sessions
from secureproctor.service.store import Store
from secureproctor.service.tokens import Tokens

MAX_KNOWN = 10_000
"""Stills whose words are kept in memory, of all sessions."""
MAX_LISTED = 500
"""Of a session, the newest."""

Known = StillInfo | None


class Stills:
    """The stills of all sessions."""

    def __init__(self, store: Store, sessions: Sessions, evidence: Evidence, tokens: Tokens) -> None:
        self._store = store
        self._sessions = sessions
        self._evidence = evidence
        self._tokens = tokens
        self._known: OrderedDict[bytes, Known] = OrderedDict()

    def routes(self) -> list[BaseRoute]:
        """The addresses of this part."""
        return [Route("/v1/sessions/{id}/stills/{epoch}/{seq}", self.picture)]

    async def picture(self, request: Request) -> Response:
        """`GET /v1/sessions/{id}/stills/{epoch}/{seq}`."""
        session_id = str(request.path_params["id"])
        self._tokens.check_access(session_id, request.query_params.get("access", ""))
        epoch, seq = numbers(request)
        return Response(await self._store.run(self._picture, session_id, epoch, seq), headers=PRIVATE, media_type=CODEC)

    def of(self, session: Session, access: str) -> list[StillReport]:
        """What each readable still is, in the order of the chain. Blocks."""
        records = self._evidence.records(session.id, Stream.STILLS)[-MAX_LISTED:]
        if not records:
            return []
        unread = [record for record in records if record.hash not in self._known]
        key = self._sessions.private_key(session) if unread else None
        for record in unread if key else ():
            self._remember(record, self._read(session.id, record, key))
        known = ((record, self._known.get(record.hash)) for record in records)
        return [_report(session.id, record, info, access) for record, info in known if info]

    def _picture(self, session_id: str, epoch: int, seq: int) -> bytes:
        session = self._sessions.find(session_id)
        record = self._evidence.record(session_id, Stream.STILLS, epoch, seq)
        if record is None or record.dropped or record.kind is not RecordKind.STILL:
            raise Refusal("not_found")
        try:
            return unpack(self._evidence.opened(session_id, record, self._sessions.private_key(session)))[1]
        except RecordError:
            raise Refusal("not_found") from None

    def _read(self, session_id: str, record: StoredRecord, key: X25519PrivateKey | None) -> Known:
        if record.kind is not RecordKind.STILL or record.dropped or key is None:
            return None
        try:
            return unpack(self._evidence.opened(session_id, record, key))[0]
        except RecordError:
            return None  # the report tells of it

    def _remember(self, record: StoredRecord, info: Known) -> None:
        self._known[record.hash] = info
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)


def _report(session_id: str, record: StoredRecord, info: StillInfo, access: str) -> StillReport:
    url = f"/v1/sessions/{session_id}/stills/{record.epoch}/{record.seq}?access={access}"
    place = record.epoch, record.seq
    return StillReport(info.of, info.at_ms, *place, info.width, info.height, info.hints, url, info.request)

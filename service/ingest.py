"""Taking in sealed records: create-only, idempotent, durable before the answer."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from secureproctor.contract.errors import Refusal
from secureproctor.contract.http import Stored
from secureproctor.contract.record import MAX_BODY, OVERHEAD, Header, RecordError, parse, record_hash
from secureproctor.contract.streams import Stream
from secureproctor.service import refusals
from secureproctor.service.answers import answer
from secureproctor.service.bodies import read_body
from secureproctor.service.changes import Arrival, Changes
from secureproctor.service.clock import Clock
from secureproctor.service.contacts import Contacts
from secureproctor.service.evidence import MAX_NUMBER, Evidence, runs
from secureproctor.service.sessions import Sessions
from secureproctor.service.store import Store
from secureproctor.service.tokens import Tokens

MAX_RECORD = MAX_BODY + OVERHEAD + 97 + 255
"""The longest record: body, what sealing adds, the header and its codec string."""
MAX_AT_ONCE = 32
"""Bodies are held in memory while they arrive; more than this many at once are asked to come back."""


class Ingest:
    """The calls that bring evidence, and that say what has arrived."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        contacts: Contacts,
        evidence: Evidence,
        tokens: Tokens,
        changes: Changes,
        clock: Clock,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._contacts = contacts
        self._evidence = evidence
        self._tokens = tokens
        self._changes = changes
        self._clock = clock
        self._under_way = 0

    def routes(self) -> list[BaseRoute]:
        """The addresses of this part."""
        return [
            Route("/v1/sessions/{id}/segments", self.stored, methods=["GET"]),
            Route("/v1/sessions/{id}/segments/{stream}/{epoch}/{seq}", self.put, methods=["PUT"]),
        ]

    async def put(self, request: Request) -> Response:
        """`PUT /v1/sessions/{id}/segments/{stream}/{epoch}/{seq}`."""
        session_id = self._authorized(request)
        if self._under_way >= MAX_AT_ONCE:
            raise Refusal("busy")
        self._under_way += 1
        try:
            data = await read_body(request, MAX_RECORD)
            new = await self._store.run(self._taken, session_id, place(request), data)
        finally:
            self._under_way -= 1
        self._contacts.heard(session_id)  # a long body ends long after its beginning
        self._changes.mark(session_id)
        if new:
            self._changes.arrived(Arrival(session_id, *place(request)))
        digest = record_hash(data).hex()
        return answer(Stored("stored", digest), 201) if new else answer(Stored("already", digest))

    async def stored(self, request: Request) -> Response:
        """`GET /v1/sessions/{id}/segments`."""
        session_id = self._authorized(request)
        await self._store.run(self._sessions.find, session_id)
        return answer(runs(await self._store.run(self._evidence.records, session_id)))

    def _authorized(self, request: Request) -> str:
        session_id = str(request.path_params["id"])
        self._tokens.verify(request.headers.get("Authorization", ""), session_id)
        self._contacts.heard(session_id)
        return session_id

    def _taken(self, session_id: str, at: tuple[Stream, int, int], data: bytes) -> bool:
        """Store a record; True when it is new. What is refused for what it is stays on the record of the session."""
        self._sessions.find(session_id)
        try:
            header = _header(data)
            _check_address((session_id, *at), header)
            return self._evidence.put(data, header, self._clock.now_ms())
        except Refusal as refusal:
            if refusal.code in refusals.REMEMBERED:
                there = self._evidence.record(session_id, *at)
                found = refusals.refused(at, data, refusal, there.hash if there else None)
                with self._store.transaction() as db:
                    refusals.note(db, session_id, found, self._clock.now_ms())
            raise


def place(request: Request) -> tuple[Stream, int, int]:
    """Stream, epoch and seq of an address. Raises Refusal not_found."""
    stream = str(request.path_params["stream"])
    if stream not in {each.value for each in Stream}:
        raise Refusal("not_found")
    return Stream(stream), *numbers(request)


def numbers(request: Request) -> tuple[int, int]:
    """Epoch and seq of an address. Raises Refusal not_found."""
    epoch, seq = (str(request.path_params[name]) for name in ("epoch", "seq"))
    if not all(n.isascii() and n.isdigit() for n in (epoch, seq)):
        raise Refusal("not_found")
    if max(len(epoch), len(seq)) > len(str(MAX_NUMBER)) or max(int(epoch), int(seq)) > MAX_NUMBER:
        raise Refusal("not_found")
    return int(epoch), int(seq)


def _header(data: bytes) -> Header:
    try:
        header = parse(data).header
    except RecordError as error:
        raise Refusal("record_malformed", why=error) from None
    numbers = (header.seq, header.duration_us, header.wall_us, abs(header.start_us))
    if max(numbers) > MAX_NUMBER:
        raise Refusal("record_malformed", why="a number in its header is beyond all measure")
    return header


def _check_address(wanted: tuple[str, Stream, int, int], header: Header) -> None:
    seen = (str(header.session), *header.key)
    if seen != wanted:
        raise Refusal("record_mismatch", seen="/".join(map(str, seen)), wanted="/".join(map(str, wanted)))

"""The exam's own photo of the candidate, laid beside what the candidate shows: fetched after Init, kept locked.

It is fetched once, in the background; Init does not wait for it. A service that was killed meanwhile fetches it at its next
start: what is asked for and has no row is still to be done.
"""

import asyncio
import logging

import apsw
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from secureproctor.contract.errors import Refusal
from secureproctor.service.answers import PRIVATE
from secureproctor.service.changes import Changes
from secureproctor.service.photo import PhotoError, Photos, media_type
from secureproctor.service.session import Session
from secureproctor.service.store import Store
from secureproctor.service.tokens import Tokens
from secureproctor.service.vault import Vault

log = logging.getLogger(__name__)

AT_ONCE = 4
PURPOSE = "reference photos"
_WANTED = (
    "SELECT id, json_extract(settings, '$.candidatePhotoUrl') AS address FROM sessions"
    " WHERE address <> '' AND id NOT IN (SELECT session FROM reference_photos)"
)


class References:
    """The reference photos of all sessions. `go` fetches as long as the service runs."""

    def __init__(self, store: Store, vault: Vault, tokens: Tokens, photos: Photos, changes: Changes) -> None:
        self._store = store
        self._vault = vault
        self._tokens = tokens
        self._photos = photos
        self._changes = changes
        self._queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    def routes(self) -> list[BaseRoute]:
        """The addresses of this part."""
        return [Route("/v1/sessions/{id}/reference", self.picture)]

    def want(self, session: Session) -> None:
        """Fetch the photo that Init named, if it named one."""
        if session.settings.candidate_photo_url:
            self._queue.put_nowait((session.id, session.settings.candidate_photo_url))

    async def go(self) -> None:
        """Fetch what is wanted until cancelled, a few at a time; first what an earlier service left."""
        for session_id, address in await self._store.run(self._left):
            self._queue.put_nowait((session_id, address))
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(self._work())

    def of(self, db: apsw.Cursor, session_id: str, access: str) -> tuple[str, str]:
        """The photo's address ("" without one), and why there is none although one was named."""
        query = "SELECT photo IS NOT NULL, error FROM reference_photos WHERE session = ?"
        row = db.execute(query, (session_id,)).fetchone()
        here, error = row or (0, "")
        return (f"/v1/sessions/{session_id}/reference?access={access}" if here else "", error)

    async def picture(self, request: Request) -> Response:
        """`GET /v1/sessions/{id}/reference`."""
        session_id = str(request.path_params["id"])
        self._tokens.check_access(session_id, request.query_params.get("access", ""))
        photo = await self._store.run(self._opened, session_id)
        return Response(photo, headers=PRIVATE, media_type=media_type(photo))

    async def _work(self) -> None:
        while True:
            session_id, address = await self._queue.get()
            photo, error = b"", ""
            try:
                photo = await self._photos.fetch(address)
            except PhotoError as refused:
                error = str(refused)
                log.info("The reference photo of session %s was not fetched: %s", session_id, error)
            try:
                await self._store.run(self._keep, session_id, photo, error)
            except apsw.Error as failed:
                log.error("The reference photo of session %s was not kept: %s", session_id, failed)
            self._changes.mark(session_id)

    def _left(self) -> list[tuple[str, str]]:
        with self._store.transaction() as db:
            return [(row[0], row[1]) for row in db.execute(_WANTED)]

    def _keep(self, session_id: str, photo: bytes, error: str) -> None:
        locked = self._vault.lock(PURPOSE, session_id, photo) if photo else None
        with self._store.transaction() as db:
            query = "INSERT OR REPLACE INTO reference_photos SELECT id, ?, ? FROM sessions WHERE id = ?"
            db.execute(query, (locked, error, session_id))

    def _opened(self, session_id: str) -> bytes:
        with self._store.transaction() as db:
            row = db.execute("SELECT photo FROM reference_photos WHERE session = ?", (session_id,)).fetchone()
        if row is None or row[0] is None:
            raise Refusal("not_found")
        return self._vault.unlock(PURPOSE, session_id, row[0])

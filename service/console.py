"""The proctors' end: one WebSocket per console, snapshots of what changed, and commands for the agents."""

import asyncio
import logging
import uuid
from typing import assert_never

import apsw
import msgspec
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from secureproctor.contract.channel import Chat, Command
from secureproctor.contract.console import (
    Failed,
    FromConsole,
    Hello,
    Issue,
    Issued,
    Say,
    SessionSnapshot,
    StreamState,
    ToConsole,
)
from secureproctor.contract.errors import Refusal
from secureproctor.service import ledger
from secureproctor.service.changes import Changes, Listener
from secureproctor.service.channel import Channel
from secureproctor.service.clock import Clock
from secureproctor.service.contacts import Contacts
from secureproctor.service.init import field_refusal
from secureproctor.service.line import REFUSED, Line, frames, pumped
from secureproctor.service.session import RUNNING, Session
from secureproctor.service.sessions import Sessions, load
from secureproctor.service.store import Store
from secureproctor.service.tokens import Tokens
from secureproctor.service.vault import Vault

log = logging.getLogger(__name__)

PACE_S = 0.25
"""A session that changes all the time is told four times a second."""
NEEDS = {
    "pause": ("pause_resume", "Pause/Resume"),
    "resume": ("pause_resume", "Pause/Resume"),
    "end": ("end_test", "End test"),
}
"""The setting without which a command is refused, and its name."""


class Consoles:
    """All proctors' consoles."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        contacts: Contacts,
        channel: Channel,
        tokens: Tokens,
        vault: Vault,
        changes: Changes,
        clock: Clock,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._contacts = contacts
        self._channel = channel
        self._tokens = tokens
        self._vault = vault
        self._changes = changes
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """The addresses of this part."""
        return [WebSocketRoute("/v1/proctor", self.serve)]

    async def serve(self, websocket: WebSocket) -> None:
        """Talk with a console until it goes."""
        await websocket.accept()
        async with pumped(websocket) as line:
            incoming = frames(websocket)
            async for data in incoming:
                if not await self._greeted(data, line):
                    return
                break
            with self._changes.listening() as listener:
                showing = asyncio.create_task(self._show(listener, line))
                try:
                    async for data in incoming:
                        await self._heard(data, line)
                finally:
                    showing.cancel()
                    await asyncio.wait([showing])

    async def _greeted(self, data: str | bytes, line: Line) -> bool:
        """Whether the first frame held the proctor's key."""
        try:
            hello = _read(data)
            known = isinstance(hello, Hello) and self._vault.is_proctor(hello.key)
        except Refusal:
            known = False
        if not known:
            _write(line, Failed(Refusal("proctor_key_invalid").info))
            line.close(REFUSED)
        return known

    async def _show(self, listener: Listener, line: Line) -> None:
        for session in await self._store.run(self._sessions.all):
            listener.mark(session.id)
        while True:
            for session_id in await listener.taken():
                try:
                    _write(line, await self._store.run(self._snapshot, session_id))
                except Refusal:
                    log.debug("Session %s is gone already.", session_id)
            await asyncio.sleep(PACE_S)

    async def _heard(self, data: str | bytes, line: Line) -> None:
        request = ""
        try:
            message = _read(data)
            request = message.request if isinstance(message, Issue) else ""
            match message:
                case Issue():
                    _write(line, Issued(request, await self._issue(message)))
                case Say():
                    await self._say(message)
                case Hello():
                    pass  # said already
                case _:
                    assert_never(message)
        except Refusal as refusal:
            _write(line, Failed(refusal.info, request))

    async def _issue(self, issue: Issue) -> str:
        def make(db: apsw.Cursor) -> Command:
            _check_allowed(load(db, issue.session_id), issue)
            return ledger.issued(db, issue.session_id, issue.kind, issue.text, self._clock.now_ms())

        return (await self._channel.send(issue.session_id, make)).id

    async def _say(self, say: Say) -> None:
        def make(db: apsw.Cursor) -> Chat:
            load(db, say.session_id)
            chat = Chat(str(uuid.uuid4()), "proctor", say.text, self._clock.now_ms())
            ledger.said(db, say.session_id, chat)
            return chat

        await self._channel.send(say.session_id, make)

    def _snapshot(self, session_id: str) -> SessionSnapshot:
        with self._store.transaction() as db:
            session = load(db, session_id)
            commands, chat = ledger.commands(db, session_id), ledger.chat(db, session_id)
            totals = list(
                db.execute("SELECT stream, segments, bytes, last_ms FROM totals WHERE session = ?", (session_id,))
            )
        link = self._channel.presence(session_id)
        silent_s = self._contacts.silent_s(session_id) if link == "offline" else None
        counting = silent_s is not None and session.state in RUNNING
        return SessionSnapshot(
            session_id=session.id,
            user_id=session.user_id,
            user_name=session.user_name,
            group_name=session.group_name,
            state=session.state,
            end_reason=session.end_reason,
            link=link,
            heard_ms=session.heard_ms,
            started_ms=session.started_ms,
            expiry_s=session.expiry_s,
            backlog_segments=session.backlog,
            streams={stream: StreamState(*rest) for stream, *rest in totals},
            commands=commands,
            chat=chat,
            access=self._tokens.access(session.id)[0],
            pause_resume=session.settings.pause_resume,
            end_test=session.settings.end_test,
            offline_s=silent_s,
            expires_in_s=max(0.0, session.expiry_s - silent_s) if counting and silent_s is not None else None,
        )


def _check_allowed(session: Session, issue: Issue) -> None:
    setting, name = NEEDS[issue.kind]
    if not getattr(session.settings, setting):
        raise Refusal("command_refused", kind=issue.kind, why=f"{name} was switched off at Init")
    if session.state == "ended":
        raise Refusal("command_refused", kind=issue.kind, why="the session has ended")


def _read(data: str | bytes) -> FromConsole:
    try:
        message: FromConsole = msgspec.json.decode(data, type=FromConsole)
    except msgspec.ValidationError as error:
        raise field_refusal(str(error)) from None
    except (ValueError, RecursionError) as error:
        raise Refusal("body_malformed", why=str(error)) from None
    return message


def _write(line: Line, message: ToConsole) -> None:
    line.write(msgspec.json.encode(message))

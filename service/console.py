"""The proctors' end: one WebSocket per console. What it is shown is the board's business; here it is let in and heard."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import assert_never

import apsw
import msgspec
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from secureproctor.contract.channel import Chat, ChatMark, Command
from secureproctor.contract.console import (
    Failed,
    FromConsole,
    Hello,
    Issue,
    Issued,
    Open,
    Read,
    Say,
    Shut,
    Welcome,
)
from secureproctor.contract.errors import Refusal
from secureproctor.service import allowed, conversation, ledger
from secureproctor.service.board import Board, Watcher
from secureproctor.service.bodies import read_struct
from secureproctor.service.channel import Channel
from secureproctor.service.clock import Clock
from secureproctor.service.line import REFUSED, Line, frames, pumped
from secureproctor.service.proctors import Proctor, Proctors
from secureproctor.service.session import Session
from secureproctor.service.sessions import load
from secureproctor.service.store import Store

GREETED_WITHIN_S = 10.0
"""A connection that says nothing must not hold its place for ever."""
MAX_OPENED = 16
"""Candidates' pages that a console has open at once."""
MAX_REQUEST = 256


class Consoles:
    """All proctors' consoles."""

    def __init__(self, store: Store, channel: Channel, proctors: Proctors, board: Board, clock: Clock) -> None:
        self._store = store
        self._channel = channel
        self._proctors = proctors
        self._board = board
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """The addresses of this part."""
        return [WebSocketRoute("/v1/proctor", self.serve)]

    async def serve(self, websocket: WebSocket) -> None:
        """Talk with a console until it goes."""
        await websocket.accept()
        async with pumped(websocket) as line:
            incoming = frames(websocket)
            watcher = await self._greeted(incoming, line)
            if watcher is None:
                return
            with self._board.watching(watcher):
                async for data in incoming:
                    await self._heard(data, watcher)

    async def _greeted(self, incoming: AsyncIterator[str | bytes], line: Line) -> Watcher | None:
        """Who the first frame says it is; None, and the line closed, when nobody is let in by it."""
        try:
            data = await asyncio.wait_for(anext(incoming, ""), GREETED_WITHIN_S)
            proctor = self._admitted(data)
        except (Refusal, TimeoutError) as error:
            refusal = error if isinstance(error, Refusal) else Refusal("proctor_key_invalid")
            line.write(msgspec.json.encode(Failed(refusal.info)))
            line.close(REFUSED)
            return None
        watcher = Watcher(line, proctor)
        watcher.write(Welcome(proctor.name, proctor.role, proctor.groups, self._clock.now_ms()))
        return watcher

    def _admitted(self, data: str | bytes) -> Proctor:
        try:
            hello: FromConsole = read_struct(data, FromConsole)
        except Refusal:
            hello = Hello()
        if not isinstance(hello, Hello):
            raise Refusal("proctor_key_invalid")
        return self._proctors.admitted(hello)

    async def _heard(self, data: str | bytes, watcher: Watcher) -> None:
        request = ""
        try:
            message: FromConsole = read_struct(data, FromConsole)
            request = message.request[:MAX_REQUEST] if isinstance(message, Issue | Say) else ""
            proctor = self._proctors.current(watcher.proctor)
            match message:
                case Issue():
                    watcher.write(Issued(request, await self._issue(message, proctor)))
                case Say():
                    chat_id = await self._say(message, proctor)
                    if request:
                        watcher.write(Issued(request, chat_id))
                case Read():
                    await self._read(message, proctor)
                case Open():
                    await self._open(message, proctor, watcher)
                case Shut():
                    watcher.opened.discard(message.session_id)
                case Hello():
                    pass  # said already
                case _:
                    assert_never(message)
        except Refusal as refusal:
            watcher.write(Failed(refusal.info, request))

    async def _issue(self, issue: Issue, proctor: Proctor) -> str:
        def make(db: apsw.Cursor) -> Sequence[Command]:
            allowed.check(_visible(db, issue.session_id, proctor), issue)
            return [ledger.issued(db, issue.session_id, issue, proctor.name, self._clock.now_ms())]

        (command,) = await self._channel.send(issue.session_id, make)
        return command.id

    async def _say(self, say: Say, proctor: Proctor) -> str:
        def make(db: apsw.Cursor) -> Sequence[Chat]:
            _visible(db, say.session_id, proctor)
            chat = Chat(str(uuid.uuid4()), "proctor", say.text, self._clock.now_ms(), proctor.name)
            if not conversation.said(db, say.session_id, chat):
                raise Refusal("chat_full")
            return [chat]

        (chat,) = await self._channel.send(say.session_id, make)
        return chat.id

    async def _read(self, read: Read, proctor: Proctor) -> None:
        def make(db: apsw.Cursor) -> Sequence[ChatMark]:
            _visible(db, read.session_id, proctor)
            now_ms = self._clock.now_ms()
            messages = conversation.marked(db, read.session_id, "candidate", ChatMark(read.id, "read", now_ms))
            return [ChatMark(message_id, "read", now_ms) for message_id in messages]

        await self._channel.send(read.session_id, make)

    async def _open(self, message: Open, proctor: Proctor, watcher: Watcher) -> None:
        def look() -> None:
            with self._store.transaction() as db:
                _visible(db, message.session_id, proctor)

        if len(watcher.opened | {message.session_id}) > MAX_OPENED:
            raise Refusal("busy")
        await self._store.run(look)
        watcher.opened.add(message.session_id)
        self._board.want(watcher, message.session_id)


def _visible(db: apsw.Cursor, session_id: str, proctor: Proctor) -> Session:
    """A session that this proctor may see; what they may not see is as unknown as what does not exist."""
    session = load(db, session_id)
    if not proctor.sees(session.group_name):
        raise Refusal("session_unknown")
    return session

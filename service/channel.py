"""The agent's end of the proctor channel: the shell around contract.link.

Each session has one `Peer`: its link, and the connection that is open now, if any. What a message does and the state of the
link that took it are written in one transaction; so a message takes effect once, also across a crash of the service. Until
the agent's `Resume` has come, nothing numbered is written: what is sent meanwhile waits, and goes out in order with the rest.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

import apsw
import msgspec
from starlette.websockets import WebSocket

from secureproctor.contract.channel import (
    LINK_LOST_AFTER_S,
    Heartbeat,
    KeepAlive,
    ServiceEnded,
    ToAgent,
    ToService,
)
from secureproctor.contract.errors import Refusal
from secureproctor.contract.link import Link, LinkError
from secureproctor.service import ledger
from secureproctor.service.changes import Changes
from secureproctor.service.clock import Clock
from secureproctor.service.contacts import Contacts
from secureproctor.service.effects import effect
from secureproctor.service.lapse import lapse
from secureproctor.service.line import BROKEN, REPLACED, Line, frames, pumped
from secureproctor.service.nonces import Nonces
from secureproctor.service.session import RUNNING, Presence, ended
from secureproctor.service.sessions import load, load_link, save, save_link
from secureproctor.service.store import Store

log = logging.getLogger(__name__)

Sent = TypeVar("Sent", bound=ToAgent)


@dataclass(slots=True)
class Peer:
    """The service's end of one session's channel."""

    session_id: str
    link: Link
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    line: Line | None = None
    resumed: bool = False

    def write(self, frame: bytes) -> None:
        """Write a numbered frame now, or leave it to the next Resume."""
        if self.line and self.resumed:
            self.line.write(frame)

    def attach(self, line: Line) -> None:
        """A new connection takes over from the old one."""
        if self.line:
            self.line.close(REPLACED)
        self.line, self.resumed = line, False
        line.write(self.link.connected())

    def detach(self, line: Line) -> None:
        """The connection is gone, unless another one took over already."""
        if self.line is line:
            self.line, self.resumed = None, False


class Channel:
    """All agents' channels."""

    def __init__(self, store: Store, contacts: Contacts, nonces: Nonces, changes: Changes, clock: Clock) -> None:
        self._store = store
        self._contacts = contacts
        self._nonces = nonces
        self._changes = changes
        self._clock = clock
        self._peers: dict[str, Peer] = {}

    async def serve(self, websocket: WebSocket, session_id: str) -> None:
        """Talk with an agent over an open connection until it ends."""
        async with pumped(websocket) as line:
            async with self._held(session_id) as peer:
                peer.attach(line)
            try:
                async for data in frames(websocket):
                    await self._take(session_id, line, data)
            except LinkError as error:
                log.warning("The agent of session %s broke the protocol: %s", session_id, error)
                line.close(BROKEN)
            finally:
                peer.detach(line)
                self._changes.mark(session_id)

    async def send(self, session_id: str, make: Callable[[apsw.Cursor], Sequence[Sent]]) -> Sequence[Sent]:
        """Send what `make` returns, in one transaction with what it writes; delivered also when the agent is away now.

        Raises Refusal busy when too much waits already, and whatever `make` refuses.
        """
        async with self._held(session_id) as peer:
            bodies, numbered = await self._store.run(self._sent, peer, make)
            for frame in numbered:
                peer.write(frame)
        self._changes.mark(session_id)
        return bodies

    async def lapse(self, session_id: str) -> None:
        """Bring commands to their end whose lifetime passed before they were written to any connection."""
        with suppress(Refusal):
            async with self._held(session_id) as peer:
                await self._store.run(self._lapsed, peer)
        self._changes.mark(session_id)

    async def expire(self, session_id: str) -> None:
        """End a session whose agent was silent for too long, unless it was heard or purged at the last moment."""
        with suppress(Refusal):
            async with self._held(session_id) as peer:
                numbered = await self._store.run(self._expired, peer)
                if numbered is not None:
                    log.info("Session %s ended: expired.", session_id)
                    for frame in numbered:
                        peer.write(frame)
        self._changes.mark(session_id)

    def presence(self, session_id: str) -> Presence:
        """Whether the agent can be heard."""
        peer, silent_s = self._peers.get(session_id), self._contacts.silent_s(session_id)
        if peer and peer.line and silent_s is not None and silent_s <= LINK_LOST_AFTER_S:
            return "online"
        return "never" if silent_s is None else "offline"

    def forget(self, session_id: str) -> None:
        """The session was purged, or its link in memory is not what is stored: the next connection reads it again."""
        peer = self._peers.pop(session_id, None)
        if peer and peer.line:
            peer.line.close(BROKEN)

    async def _peer(self, session_id: str) -> Peer:
        if session_id not in self._peers:
            link = await self._store.run(self._stored_link, session_id)
            self._peers.setdefault(session_id, Peer(session_id, link))
        return self._peers[session_id]

    def _stored_link(self, session_id: str) -> Link:
        with self._store.transaction() as db:
            return load_link(db, session_id)

    @asynccontextmanager
    async def _held(self, session_id: str) -> AsyncIterator[Peer]:
        """A session's peer, for one at a time. If its new state could not be stored, it is forgotten."""
        while True:
            peer = await self._peer(session_id)
            async with peer.lock:
                if self._peers.get(session_id) is not peer:
                    continue  # it was forgotten while this waited
                try:
                    yield peer
                except Refusal:
                    raise
                except BaseException:
                    self.forget(session_id)
                    raise
                return

    def _sent(self, peer: Peer, make: Callable[[apsw.Cursor], Sequence[Sent]]) -> tuple[Sequence[Sent], list[bytes]]:
        with self._store.transaction() as db:
            bodies = make(db)
            return bodies, self._numbered(db, peer, bodies)

    def _lapsed(self, peer: Peer) -> None:
        with self._store.transaction() as db:
            self._let_lapse(db, peer, ledger.unsent(db, peer.session_id))

    def _let_lapse(self, db: apsw.Cursor, peer: Peer, unreached: set[str] | None = None) -> None:
        for command_id in lapse(peer.link, self._clock.now_ms(), unreached):
            ledger.expired(db, peer.session_id, command_id)
        save_link(db, peer.session_id, peer.link)

    def _expired(self, peer: Peer) -> list[bytes] | None:
        with self._store.transaction() as db:
            session = load(db, peer.session_id)
            if session.state not in RUNNING or not self._contacts.overdue(session.id, session.expiry_s):
                return None
            save(db, ended(session, "expired", self._clock.now_ms()))
            return self._answered(db, peer, [ServiceEnded("expired")])

    def _answered(self, db: apsw.Cursor, peer: Peer, bodies: Sequence[ToAgent]) -> list[bytes]:
        """Frames that may be left out: what is done is done, also when an agent that hears nothing has no room for more."""
        with suppress(Refusal):
            return self._numbered(db, peer, bodies)
        return []

    def _numbered(self, db: apsw.Cursor, peer: Peer, bodies: Sequence[ToAgent]) -> list[bytes]:
        """The frames of these bodies, kept until the agent has heard them. Raises Refusal busy when too much waits."""
        if len(peer.link.waiting) + len(bodies) > peer.link.max_waiting:
            raise Refusal("busy")  # before any is numbered: what is in memory and what is stored stay the same
        numbered = [peer.link.send(body) for body in bodies]
        if peer.resumed:
            ledger.sent(db, peer.session_id, self._clock.now_ms())
        save_link(db, peer.session_id, peer.link)
        return numbered

    async def _take(self, session_id: str, line: Line, data: str | bytes) -> None:
        async with self._held(session_id) as peer:
            if peer.line is not line:
                return  # a newer connection took over; what still comes here comes there again
            self._contacts.heard(session_id)
            opening, before = not peer.resumed, (peer.link.heard, len(peer.link.waiting))
            try:
                body, again = peer.link.receive(data)
            except (ValueError, RecursionError) as error:  # UnicodeDecodeError and nesting beyond all measure, too
                raise LinkError(str(error)) from None
            if opening and body is not None:
                raise LinkError("the first frame is not a Resume")
            message = _message(session_id, body)
            numbered: list[bytes] = []
            if opening or message is not None or before != (peer.link.heard, len(peer.link.waiting)):
                numbered = await self._store.run(self._taken, peer, message, opening)
            if opening:
                again = peer.link.receive(data)[
                    1
                ]  # a Resume changes nothing twice; what has lapsed is another text now
            peer.resumed = True
            for frame in (*again, *numbered):
                line.write(frame)
            if isinstance(message, Heartbeat) or peer.link.heard != before[0]:
                # acknowledged at once, so that the agent need not keep what has arrived
                line.write(peer.link.momentary(KeepAlive(self._clock.now_ms(), self._nonces.fresh(session_id))))
        self._changes.mark(session_id)

    def _taken(self, peer: Peer, message: ToService | None, opening: bool) -> list[bytes]:
        with self._store.transaction() as db:
            now_ms = self._clock.now_ms()
            answer = effect(db, peer.session_id, message, now_ms, self._nonces) if message is not None else ()
            if opening:
                self._let_lapse(db, peer)
                ledger.sent(db, peer.session_id, now_ms)
            numbered = self._answered(db, peer, answer)
            save_link(db, peer.session_id, peer.link)
            self._contacts.keep_within(db, {peer.session_id})
            return numbered


def _message(session_id: str, body: bytes | None) -> ToService | None:
    """The body of a frame. What this version does not understand is acknowledged and ignored (contract.channel)."""
    if body is None:
        return None
    try:
        message: ToService = msgspec.json.decode(body, type=ToService)
    except (ValueError, RecursionError) as error:
        log.warning("A message of session %s was not understood: %s", session_id, error)
        return None
    return message

"""The service's parts without a network, on a clock that the test moves."""

import asyncio
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from starlette.websockets import WebSocket

from secureproctor.contract.channel import SessionChanged
from secureproctor.contract.http import InitBody, ProctoringSettings
from secureproctor.contract.link import Link
from secureproctor.contract.record import GENESIS, Header, RecordKind, seal
from secureproctor.contract.streams import Stream
from secureproctor.service.changes import Changes
from secureproctor.service.channel import Channel
from secureproctor.service.clock import Clock
from secureproctor.service.config import ServiceConfig
from secureproctor.service.contacts import Contacts
from secureproctor.service.evidence import Evidence
from secureproctor.service.glance import Glances
from secureproctor.service.nonces import Nonces
from secureproctor.service.rounds import Rounds
from secureproctor.service.session import Session, changed
from secureproctor.service.sessions import Sessions, save
from secureproctor.service.store import Store
from secureproctor.service.vault import Vault
from secureproctor.service.watch import Watch


@dataclass
class House:
    """One service."""

    folder: Path
    now: float = 1_700_000_000.0
    booted: float = 1_699_990_000.0
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.store = Store.opened(self.folder)
        self.clock = Clock(lambda: self.now - self.booted, lambda: self.now)
        self.sessions = Sessions(self.store, Vault.opened(self.folder), self.clock)
        self.evidence = Evidence(self.store, self.folder / "records")
        self.contacts = Contacts(self.store, self.clock)
        self.nonces = Nonces(b"nonces", self.clock.wall)
        self.channel = Channel(self.store, self.contacts, self.nonces, Changes(), self.clock)
        self.glances = Glances(self.store, self.clock.boot)
        config = ServiceConfig(self.folder, {}, "http://127.0.0.1:1", retention_s=3600, live_window_s=30)
        self.watch = Watch(self.store, self.contacts, self.clock)
        self.rounds = Rounds(
            config, self.store, self.sessions, self.contacts, self.evidence, self.channel, self.glances, self.watch,
            Changes(), self.clock,
        )  # fmt: skip

    def register(self, *, running: bool = True, **asked: Any) -> Session:
        """A session with these settings of Init."""
        settings = ProctoringSettings(**asked)
        session = self.sessions.register(InitBody("k", "u", "g", settings, expiry_time=60))
        if running:
            session = changed(session, SessionChanged("running", self.clock.now_ms(), 0))
            with self.store.transaction() as db:
                save(db, session)
            self.contacts.heard(session.id)
        return session

    def put(self, session: Session, stream: Stream, seq: int, *, live_only: bool = False) -> bytes:
        kind = RecordKind.EVENTS if stream is Stream.EVENTS else RecordKind.MEDIA if seq else RecordKind.INIT
        header = Header(kind, stream, uuid.UUID(session.id), 0, seq, seq, 1, 0, GENESIS, "", live_only)
        sealed = seal(header, b"[]", X25519PublicKey.from_public_bytes(session.sealing_key))
        assert self.evidence.put(sealed, header, self.clock.now_ms())
        return sealed

    def once(self) -> None:
        asyncio.run(self.rounds.once())

    def files(self) -> set[str]:
        return {path.name for path in (self.folder / "records").rglob("*.*")}


class Wire:
    """An agent's connection to the channel, in memory: what is sent to it ends with `hang_up`."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.bodies: list[bytes] = []
        self.written = asyncio.Event()
        self._to_service: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.say(link.connected())

    def say(self, frame: bytes) -> None:
        """A frame for the service."""
        self._to_service.put_nowait({"type": "websocket.receive", "text": frame.decode()})

    def hang_up(self) -> None:
        self._to_service.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def receive(self) -> dict[str, Any]:
        return await self._to_service.get()

    async def send(self, message: dict[str, Any]) -> None:
        """A frame from the service; a new body is kept."""
        if message["type"] == "websocket.send":
            body, answers = self.link.receive(message["text"])
            self.bodies += [body] if body else []
            for each in answers:
                self.say(each)
            self.written.set()

    def socket(self) -> WebSocket:
        """The service's end, accepted."""
        opened = WebSocket({"type": "websocket"}, self.receive, self.send)  # type: ignore[arg-type] # plain dicts
        opened.application_state = opened.client_state = opened.client_state.CONNECTED
        return opened

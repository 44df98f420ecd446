"""How a session is put together: a new one after Init, or one that another agent left behind, from its folder."""

import asyncio
import base64
import contextlib
import logging
import random
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from secureproctor.agent.clock import boot_id, boot_us, wall_ms
from secureproctor.agent.delivery.backoff import Backoff
from secureproctor.agent.delivery.delivery import Delivery
from secureproctor.agent.delivery.departed import Departures
from secureproctor.agent.delivery.gaps import Gap, GapWatch
from secureproctor.agent.delivery.intake import Intake
from secureproctor.agent.delivery.room import Room
from secureproctor.agent.delivery.sealer import Position, Sealer
from secureproctor.agent.delivery.spool import Spool
from secureproctor.agent.delivery.uploader import Uploader
from secureproctor.agent.proctor.channel import ProctorChannel
from secureproctor.agent.proctor.protocol import FromService, ProctorProtocol
from secureproctor.agent.proctor.watch import LinkWatch
from secureproctor.agent.service_api import ServiceApi, SessionAccess
from secureproctor.agent.session.attestations import attestations_for
from secureproctor.agent.session.authorization import authorization_for
from secureproctor.agent.session.folder import Contact, Place, SessionFolder
from secureproctor.agent.session.history import History, replay
from secureproctor.agent.session.journal import Journal, Registered, read
from secureproctor.agent.session.lockdown import lockdown_for
from secureproctor.agent.session.recall import recall
from secureproctor.agent.session.session import Session, retention_left_s
from secureproctor.agent.session.sources import wanted_streams
from secureproctor.contract.channel import Heartbeat
from secureproctor.contract.errors import Refusal
from secureproctor.contract.events import Detail
from secureproctor.contract.http import InitData
from secureproctor.contract.link import Link
from secureproctor.contract.record import RecordError, parse, record_hash
from secureproctor.contract.streams import Stream

log = logging.getLogger(__name__)

CONTACT_KEPT_US = 500_000
"""How much earlier than the true deadline a session may expire whose agent was killed."""
AWAY_US = 6_000_000
"""A service that is there is heard every KEEP_ALIVE_S: after a longer silence it has come back."""


@dataclass(frozen=True, slots=True)
class Ears:
    """Who is told what happens in a session; `trouble` to `cause` as in delivery.Witness."""

    take: Callable[[Session, FromService], Awaitable[None] | None]
    heartbeat: Callable[[Session], Heartbeat]
    changed: Callable[[], None]
    trouble: Callable[[Session, str], None]
    squeezed: Callable[[Session, str, bool], None]
    happened: Callable[[Session, str, Stream, Detail], None]
    cause: Callable[[Session, Gap], str]


@dataclass(slots=True)
class _Witness:
    """Tells the ears of which session the delivery speaks; the session is made after its delivery."""

    ears: Ears
    session: Session = field(init=False)

    def trouble(self, why: str) -> None:
        self.ears.trouble(self.session, why)

    def squeezed(self, level: str, dropping: bool) -> None:
        self.ears.squeezed(self.session, level, dropping)

    def happened(self, kind: str, stream: Stream, detail: Detail) -> None:
        self.ears.happened(self.session, kind, stream, detail)

    def cause(self, gap: Gap) -> str:
        return self.ears.cause(self.session, gap)


@dataclass(slots=True)
class SessionMaker:
    """Makes sessions below `root`, one folder each."""

    root: Path
    client: httpx.AsyncClient
    loop: asyncio.AbstractEventLoop
    ears: Ears
    room: Callable[[], Room]
    retention_h: float
    """Hours for which undelivered evidence is kept after the end."""

    def new(self, api: ServiceApi, data: InitData) -> Session:
        """A session that begins now. Raises Refusal disk_full when its folder cannot be written."""
        try:
            folder = SessionFolder(self.root / uuid.UUID(data.session_id).hex)
            sealing_key(data)
        except ValueError as error:
            raise Refusal("service_puzzling", why=f"the session's id or its key cannot be used: {error}") from None
        try:
            journal, spool = Journal(folder.journal), self._spool(folder, data).open()
            journal.write(Registered(data, api.url, wall_ms()))
        except OSError as error:
            raise Refusal("disk_full", why=error.strerror, folder=folder.path) from None
        watch = LinkWatch(data.expiry_s * 1_000_000, boot_us())
        session = self._assemble(folder, journal, spool, api, data, watch, data.now_ms - wall_ms())
        session.caught_up.set()
        return session

    def left(self) -> list[tuple[SessionFolder, History]]:
        """The sessions that were left behind, the newest registration last. What cannot be read is told and kept."""
        found = []
        for path in sorted(self.root.iterdir()) if self.root.is_dir() else ():
            folder = SessionFolder(path)
            try:
                history = replay(read(folder.journal))
            except OSError:
                history = None
            if history is None:
                log.error("the folder %s holds no session that can be read; it is left as it is", path.name)
            elif history.over_ms is not None and retention_left_s(history.over_ms, self.retention_h, wall_ms()) <= 0:
                log.warning(
                    "evidence of a session that ended long ago is removed undelivered, as the retention time says"
                )
                folder.remove()
            else:
                found.append((folder, history))
        return sorted(found, key=lambda each: each[1].registered.at_ms)

    def restored(self, folder: SessionFolder, history: History) -> Session:
        """A session as it was left. Raises OSError when its folder cannot be read."""
        registered = history.registered
        data, api = registered.data, ServiceApi(registered.service_url, self.client)
        journal, spool = Journal(folder.journal), self._spool(folder, data).open()
        watch = LinkWatch(data.expiry_s * 1_000_000, _contact_us(folder))
        session = self._assemble(folder, journal, spool, api, data, watch, data.now_ms - registered.at_ms)
        recall(session, history)
        return session

    def _assemble(
        self,
        folder: SessionFolder,
        journal: Journal,
        spool: Spool,
        api: ServiceApi,
        data: InitData,
        watch: LinkWatch,
        skew_ms: int,
    ) -> Session:
        access = SessionAccess(api, data.session_id, data.token)
        witness = _Witness(self.ears)
        kept_us = 0

        def heard() -> None:
            nonlocal kept_us
            now_us = boot_us()
            silent_us = now_us - watch.last_contact_us
            watch.heard(now_us)
            if now_us - kept_us >= CONTACT_KEPT_US:
                kept_us = now_us
                with contextlib.suppress(OSError):  # the disk's trouble is the spool's to tell
                    folder.save_contact(Contact(now_us, wall_ms(), boot_id()))
            if silent_us >= AWAY_US:
                session.delivery.uploader.restored()

        def take(message: FromService) -> Awaitable[None] | None:
            return self.ears.take(session, message)

        channel = ProctorChannel(
            f"ws{api.url.removeprefix('http')}/v1/sessions/{data.session_id}/channel",
            access,
            ProctorProtocol(Link.restored(folder.link())),
            Backoff(random.random),
            take,
            lambda: self.ears.heartbeat(session),
            heard,
            folder.save_link,
        )
        delivery = self._delivery(folder, spool, api, data, access, heard, witness)
        session = Session(data, journal, delivery, channel, watch, wanted_streams(data.settings), skew_ms, folder)
        session.service, session.authorization = api.url, authorization_for(data.settings)
        session.lockdown, session.attestations = lockdown_for(data.settings), attestations_for(data)
        witness.session = session
        return session

    def _spool(self, folder: SessionFolder, data: InitData) -> Spool:
        return Spool(folder.spool, self.room(), session=uuid.UUID(data.session_id))

    def _delivery(
        self,
        folder: SessionFolder,
        spool: Spool,
        api: ServiceApi,
        data: InitData,
        access: SessionAccess,
        heard: Callable[[], None],
        witness: _Witness,
    ) -> Delivery:
        places = _places(folder, spool)
        sealer = Sealer(
            uuid.UUID(data.session_id), sealing_key(data), lambda: wall_ms() * 1000, not data.settings.recording
        )
        sealer.positions |= {
            stream: Position(at.epoch, at.seq, bytes.fromhex(at.head)) for stream, at in places.items()
        }
        address = f"{api.url}/v1/sessions/{data.session_id}/segments"
        uploader = Uploader(
            spool,
            self.client,
            address,
            access,
            heard,
            self.ears.changed,
            lambda key, kind, found: delivery.damaged(key, kind, found),
            Backoff(random.random),
        )
        gaps = GapWatch({stream: at.until_us for stream, at in places.items() if at.until_us})
        left = Departures(folder.departed(), folder.save_departed)
        delivery = Delivery(sealer, spool, uploader, Intake(self.loop), gaps, witness, folder.save_places, left)
        return delivery


def sealing_key(data: InitData) -> X25519PublicKey:
    """The service's key for the session. Raises ValueError."""
    return X25519PublicKey.from_public_bytes(base64.b64decode(data.sealing_key, validate=True))


def _places(folder: SessionFolder, spool: Spool) -> dict[Stream, Place]:
    """Where the streams are: as noted, or further when the agent died between a record and its note."""
    places = folder.places()
    for stream in Stream:
        place = places.get(stream)
        for key in spool.after(stream, place.epoch if place else 0, place.seq if place else 0):
            try:
                data = spool.read(key)
                header = parse(data).header
            except (OSError, RecordError) as error:
                log.error("the record %s cannot be read: %s", "/".join(map(str, key)), error)
                continue
            until_us = max(place.until_us if place else 0, header.start_us + header.duration_us)
            place = Place(header.epoch, header.seq + 1, record_hash(data).hex(), until_us)
        if place is not None:
            places[stream] = place
    return places


def _contact_us(folder: SessionFolder) -> int:
    """The last contact on this boot's clock; after a reboot, as long ago as the wall clock says."""
    contact = folder.contact()
    if contact is None:
        return boot_us()
    if contact.boot == boot_id() and contact.boot_us <= boot_us():
        return contact.boot_us
    return boot_us() - max(0, wall_ms() - contact.wall_ms) * 1000

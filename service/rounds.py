"""What the service does by itself, twice a second: end expired sessions and commands that came to nobody, drop live-only
evidence, notice who does not attest, purge what is too old."""

import asyncio
import logging

import apsw

from secureproctor.service import attested, ledger
from secureproctor.service.changes import Changes
from secureproctor.service.channel import Channel
from secureproctor.service.clock import Clock
from secureproctor.service.config import ServiceConfig
from secureproctor.service.contacts import Contacts
from secureproctor.service.evidence import Evidence
from secureproctor.service.glance import Glances
from secureproctor.service.session import Presence
from secureproctor.service.sessions import Sessions
from secureproctor.service.store import Store
from secureproctor.service.watch import Watch

log = logging.getLogger(__name__)

EVERY_S = 0.5
"""An expiry is noticed within this time."""
PURGE_EVERY = 120
"""Rounds between two looks for what is past the retention time."""


class Rounds:
    """The periodic work; `once` is one round."""

    def __init__(
        self,
        config: ServiceConfig,
        store: Store,
        sessions: Sessions,
        contacts: Contacts,
        evidence: Evidence,
        channel: Channel,
        glances: Glances,
        watch: Watch,
        changes: Changes,
        clock: Clock,
    ) -> None:
        self._config = config
        self._store = store
        self._sessions = sessions
        self._contacts = contacts
        self._evidence = evidence
        self._channel = channel
        self._glances = glances
        self._watch = watch
        self._changes = changes
        self._clock = clock
        self._presence: dict[str, Presence] = {}

    async def go(self) -> None:
        """Go the rounds until cancelled. A full disk stops a round, not the service."""
        count = 0
        while True:
            try:
                await self.once()
                if count % PURGE_EVERY == 0:
                    await self.purge()
            except (OSError, apsw.Error) as error:
                log.error("A round failed and will be tried again: %s", error)
            count += 1
            await asyncio.sleep(EVERY_S)

    async def once(self) -> None:
        """End what has expired, drop what was live only, look again at what changed, notice who went silent or attests
        nothing."""
        for session_id in await self._store.run(self._contacts.expired):
            await self._channel.expire(session_id)
        for session_id in await self._store.run(self._lapsed):
            await self._channel.lapse(session_id)
        before_ms = self._clock.now_ms() - int(self._config.live_window_s * 1000)
        for session_id in await self._store.run(self._evidence.drop_live, before_ms):
            self._changes.mark(session_id)
        for session_id in self._glances.due():
            self._changes.mark(session_id)
        alive = await self._store.run(self._sessions.alive)
        for session_id in await self._store.run(self._watch.look, alive):
            self._changes.mark(session_id)
        for session in alive:
            presence = self._channel.presence(session.id)
            if self._presence.get(session.id) != presence:
                self._presence[session.id] = presence
                self._changes.mark(session.id)

    async def purge(self) -> None:
        """Delete sessions that are past the retention time, and what is past its use."""
        await self._store.run(self._forget_used)
        old = await self._store.run(
            self._sessions.purge, self._clock.now_ms(), self._config.retention_s, self._evidence.purge
        )
        for session_id in old:
            self._channel.forget(session_id)
            self._contacts.forget(session_id)
            self._glances.forget(session_id)
            self._watch.forget(session_id)
            self._presence.pop(session_id, None)
            self._changes.mark(session_id)

    def _forget_used(self) -> None:
        with self._store.transaction() as db:
            attested.forget_used(db, self._clock.now_ms())

    def _lapsed(self) -> list[str]:
        with self._store.transaction() as db:
            return ledger.lapsed(db, self._clock.now_ms())

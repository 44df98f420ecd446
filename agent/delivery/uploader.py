"""From the spool to the service: PUT each record until the service says that it has it.

What goes next is lanes.py's decision, when is backoff.py's, and what an answer means is verdict.py's; how it is sent is
calls.py's business. Here requests begin, and what they came to is carried out. Only the service's own word takes a record
out of the spool: everything else, and no answer at all, means keep, and try again later.

After a restart, or an answer that never came, nobody knows what of a backlog the service has already. It is asked once,
before those bytes are sent again.
"""

import asyncio
import contextlib
import logging
import random as chance
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

import httpx
import msgspec

from secureproctor.agent.delivery.backoff import Backoff, Pace
from secureproctor.agent.delivery.calls import Calls
from secureproctor.agent.delivery.drain import Drain
from secureproctor.agent.delivery.examine import named
from secureproctor.agent.delivery.lanes import BACKLOG_AT_ONCE, Flight, Lanes
from secureproctor.agent.delivery.spool import Gone, Key, Spool
from secureproctor.agent.delivery.verdict import Outcome, Verdict, retry_after
from secureproctor.contract.http import StoredList
from secureproctor.contract.page import DrainStatus
from secureproctor.contract.streams import Stream

log = logging.getLogger(__name__)

LOOK_S = 0.5
"""While something waits for its time, a look is taken this often."""
RENEWALS = 3
"""So many fresh tokens in a row are tried before a 401 is a failure as any other."""
READINGS = 3
"""So often a file that cannot be read is tried, some time apart."""
ASK_AGAIN_S = 60.0
CHUNK = 64
"""Records that are acknowledged in one step of the loop."""


class Access(Protocol):
    """The session's token, and how it is renewed."""

    token: str

    async def renew(self) -> None:
        """Ask for a fresh token; the old one stays when there is no answer."""


@dataclass(slots=True)
class Uploader:
    """Delivers one session's spool.

    `heard` is called whenever the service itself answered: it is proof of the link. `damaged` is told once of a record
    that is not the one that was written: its key, the kind of fault and what was found, as in contract.events.
    """

    spool: Spool
    client: httpx.AsyncClient
    address: str
    access: Access
    heard: Callable[[], None]
    changed: Callable[[], None]
    damaged: Callable[[Key, str, str], None]
    backoff: Backoff
    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = chance.random
    _lanes: Lanes = field(init=False)
    _pace: Pace = field(init=False)
    _drain: Drain = field(default_factory=Drain)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _renewing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _renewals: int = 0
    _told: set[Key] = field(default_factory=set)
    _unsure: bool = True
    _asking: bool = False
    _asked_at: float = -inf

    def __post_init__(self) -> None:
        self._lanes = Lanes(self.spool.oldest)
        self._pace = Pace(self.backoff, self.random)

    def offer(self, key: Key) -> None:
        """A record was spooled just now: it goes by the live lane."""
        self._lanes.offer(key, self.clock())
        self.wake()

    def wake(self) -> None:
        """There is something new to look at."""
        self._wake.set()

    def restored(self) -> None:
        """The service was heard from elsewhere: what waits for the link need wait no longer."""
        self._pace.succeeded(self.clock())
        self.wake()

    @property
    def done(self) -> bool:
        """Whether nothing is left that sending could deliver."""
        return not self._lanes.in_flight and not self.spool.waiting[0]

    def progress(self, now: float) -> DrainStatus | None:
        """How far the backlog is, at a time of the uploader's clock; None when nothing waits but what is live."""
        records, size = self.spool.waiting
        return self._drain.status(now, size if records > self._lanes.live(now) else 0)

    async def run(self) -> None:
        """Deliver for ever; cancel to stop. What was not acknowledged stays in the spool."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._wake.clear()
                wait_s = self._begin(tasks)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()

    def _begin(self, tasks: asyncio.TaskGroup) -> float | None:
        """Begin all that may begin now; the seconds until the next look, None when only a wake can bring something."""
        now = self.clock()
        while self._pace.wait_s(now) == 0 and not self._renewing.locked():
            if self._should_ask(now):
                self._asking = True
                self._pace.began()
                tasks.create_task(self._ask(now))
                continue
            key = self._lanes.next(now, backlog=self._pace.backlog_wait_s(now) == 0 and not self._asking)
            if key is None:
                break
            data = self._taken(key, now)
            if data is not None:
                self._pace.began()
                self._lanes.began(key, len(data), now)
                tasks.create_task(self._deliver(key, data))
        if not self.spool.waiting[0]:
            return None
        return min([LOOK_S, *(each for each in (self._pace.wait_s(now), self._pace.backlog_wait_s(now)) if each > 0)])

    def _taken(self, key: Key, now: float) -> bytes | None:
        """A record's bytes; those of a damaged one too, because the service judges and records it."""
        try:
            data = self.spool.read(key)
        except Gone:
            if self.spool.forget(key):  # else it was given up for room meanwhile, and that is told
                self._tell_damaged(key, "missing", "")
            self._drop(key)
            return None
        except OSError as error:
            log.error("a record cannot be read: %s %s", named(key), error.strerror)
            if self._lanes.rest(key, now) >= READINGS:
                self._tell_damaged(key, "unreadable", "")
                self.spool.set_aside(key)
                self._drop(key)
            return None
        fault = self.spool.examine(key, data)
        if fault is not None:
            self._tell_damaged(key, fault.kind, fault.found)
        return data

    def _tell_damaged(self, key: Key, kind: str, found: str) -> None:
        if key not in self._told:
            self._told.add(key)
            self.damaged(key, kind, found)

    def _drop(self, key: Key) -> None:
        """The record no longer waits, for whatever reason."""
        self._lanes.dropped(key)
        self._told.discard(key)

    async def _deliver(self, key: Key, data: bytes) -> None:
        token, verdict = self.access.token, None
        try:
            verdict = await Calls(self.client, self.address).put(key, data, token)
        except (httpx.HTTPError, OSError) as error:
            log.info("a record waits for the service: %s %s", type(error).__name__, error)
        finally:
            flight = self._lanes.ended(key)
        if verdict is None:
            self._no_answer(flight.began)
        else:
            if verdict.by_service:
                self.heard()
            await self._conclude(key, flight, verdict, token)
        self.changed()
        self.wake()

    async def _conclude(self, key: Key, flight: Flight, verdict: Verdict, token: str) -> None:
        now = self.clock()
        match verdict.outcome:
            case Outcome.ACKNOWLEDGED:
                self.spool.acknowledge(key)
                self._lanes.delivered(key, flight, now)
                if not flight.live:
                    self._drain.delivered(flight.began, now, flight.size)
                self._drop(key)
                self._through(now)
            case Outcome.SET_ASIDE:
                log.error("the service refuses a record for good: %s %s", named(key), verdict.said)
                self.spool.set_aside(key)
                self._drop(key)
                self._through(now)
            case Outcome.RENEW:
                await self._renew(flight.began, token)
            case Outcome.BUSY:
                log.info("the service has too much to do: %s", verdict.said)
                self._pace.failed(flight.began, now, verdict.retry_after_s)
            case Outcome.PUZZLING:
                log.warning("a record waits for a better answer: %s %s", named(key), verdict.said)
                self._lanes.rest(key, now)
                self._pace.failed(flight.began, now, verdict.retry_after_s)

    def _through(self, now: float) -> None:
        self._renewals = 0
        self._pace.succeeded(now)

    def _no_answer(self, began: float) -> None:
        self._unsure = True
        self._lanes.lost_way()
        self._pace.failed(began, self.clock())

    async def _renew(self, began: float, token: str) -> None:
        """A fresh token, once for all requests that were refused with the same one."""
        async with self._renewing:
            if self.access.token == token and self._renewals < RENEWALS:
                self._renewals += 1
                await self.access.renew()
        if self.access.token == token:
            self._renewals = 0
            self._pace.failed(began, self.clock())
        else:
            self._pace.succeeded(self.clock())

    def _should_ask(self, now: float) -> bool:
        return (
            self._unsure
            and not self._asking
            and now >= self._asked_at + ASK_AGAIN_S
            and self.spool.waiting[0] > BACKLOG_AT_ONCE
        )

    async def _ask(self, began: float) -> None:
        """Ask what the service has, and acknowledge it."""
        try:
            stored = await self._stored(began)
            if stored is not None:
                await self._acknowledge(stored)
        except (httpx.HTTPError, OSError) as error:
            log.info("what the service has cannot be asked now: %s %s", type(error).__name__, error)
            if not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
                self._asked_at = self.clock()  # a list that does not come must not hold the records up
            self._pace.failed(began, self.clock())
        finally:
            self._asking = False
        self.changed()
        self.wake()

    async def _stored(self, began: float) -> StoredList | None:
        """The service's list; None when it gave none. Raises httpx.HTTPError and OSError."""
        token = self.access.token
        status, headers, body = await Calls(self.client, self.address).stored(token)
        if status == 401:
            await self._renew(began, token)
            return None
        self._asked_at = now = self.clock()
        try:
            stored = msgspec.json.decode(body, type=StoredList)
        except (ValueError, RecursionError):
            stored = None
        if stored is None or status != 200:
            # the records themselves will tell what is the matter
            self._pace.failed(began, now, retry_after(headers))
            return None
        self._unsure = False
        self.heard()
        self._through(now)
        return stored

    async def _acknowledge(self, stored: StoredList) -> None:
        """Take out of the spool what the list names, a few at a time: the loop has other work too."""
        acknowledged = 0
        for stream in Stream:
            for epoch, first, last in stored.streams.get(stream, []):
                for key in self.spool.after(stream, epoch, first):
                    if key > (stream, epoch, last):
                        break
                    self.spool.acknowledge(key)
                    self._drop(key)
                    acknowledged += 1
                    if acknowledged % CHUNK == 0:
                        await asyncio.sleep(0)

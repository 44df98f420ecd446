"""From the spool to the service: PUT each record until the service says that it has it.

The answers are a table. Only 201 and 200 are an acknowledgement, and 409 and 400 say that sending the same bytes again
can never help: those records are set aside, told and kept. Everything else, and no answer at all, means: keep, and try
again later; a record that the service would not take steps behind those that it has not seen, so that none blocks the rest.
"""

import asyncio
import enum
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from secureproctor.agent.delivery.backoff import Backoff
from secureproctor.agent.delivery.spool import Key, Spool
from secureproctor.contract.streams import Stream

log = logging.getLogger(__name__)

PARALLEL = 4
ORDER: tuple[Stream, ...] = (Stream.EVENTS, Stream.AUDIO, Stream.WEBCAM, Stream.SCREEN)
"""What is sent first: small and irreplaceable before large."""


class Outcome(enum.Enum):
    """What an answer means for the record."""

    ACKNOWLEDGED = "acknowledged"
    SET_ASIDE = "set aside"
    RENEW = "renew the token"
    LATER = "later"


OUTCOMES: dict[int, Outcome] = {
    200: Outcome.ACKNOWLEDGED,
    201: Outcome.ACKNOWLEDGED,
    400: Outcome.SET_ASIDE,
    401: Outcome.RENEW,
    409: Outcome.SET_ASIDE,
    413: Outcome.SET_ASIDE,
}


LONGEST_RETRY_AFTER_S = 120.0
BUSY = frozenset({429, 503})
"""Answers that say nothing about the record itself: the service has too much to do."""


class Access(Protocol):
    """The session's token, and how it is renewed."""

    token: str

    async def renew(self) -> None:
        """Ask for a fresh token; the old one stays when there is no answer."""


@dataclass(slots=True)
class Uploader:
    """Delivers one session's spool. `heard` is called whenever the service answered: it is proof of the link."""

    spool: Spool
    client: httpx.AsyncClient
    address: str
    access: Access
    heard: Callable[[], None]
    changed: Callable[[], None]
    backoff: Backoff
    set_aside: set[Key] = field(default_factory=set)
    _in_flight: set[Key] = field(default_factory=set)
    _puzzling: dict[Key, int] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """There is something new in the spool."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver for ever; cancel to stop. What was not acknowledged stays in the spool."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(PARALLEL):
                tasks.create_task(self._work())

    @property
    def done(self) -> bool:
        """Whether nothing is left that sending could deliver."""
        return not self._in_flight and next(self._candidates(), None) is None

    def _candidates(self) -> Iterator[Key]:
        for stream in ORDER:
            for key in self.spool.oldest(stream):
                if key not in self._in_flight and key not in self.set_aside:
                    yield key

    def _next(self) -> Key | None:
        unseen = (key for key in self._candidates() if key not in self._puzzling)
        return next(unseen, None) or min(self._candidates(), key=lambda key: self._puzzling.get(key, 0), default=None)

    async def _work(self) -> None:
        while True:
            key = self._next()
            if key is None:
                await self._wake.wait()
                self._wake.clear()
                continue
            self._in_flight.add(key)
            try:
                wait_s = await self._deliver(key)
                self.changed()
                self._wake.set()  # the next worker looks as well
                await asyncio.sleep(wait_s)  # with the record in flight, or the next worker would not wait
            finally:
                self._in_flight.discard(key)

    async def _deliver(self, key: Key) -> float:
        """Send a record once; the seconds to wait before the next attempt."""
        try:
            data = self.spool.read(key)
        except OSError as error:
            log.error("a record cannot be read: %s %s", "/".join(map(str, key)), error.strerror)
            self.set_aside.add(key)
            return 0.0
        stream, epoch, seq = key
        try:
            answer = await self.client.put(
                f"{self.address}/{stream}/{epoch}/{seq}",
                content=data,
                headers={"Authorization": f"Bearer {self.access.token}", "Content-Type": "application/octet-stream"},
            )
        except httpx.HTTPError as error:
            log.info("a record waits for the service: %s", type(error).__name__)
            return self.backoff.failed()
        self.heard()
        return await self._conclude(key, answer)

    async def _conclude(self, key: Key, answer: httpx.Response) -> float:
        match OUTCOMES.get(answer.status_code, Outcome.LATER):
            case Outcome.ACKNOWLEDGED:
                self.spool.acknowledge(key)
                self._puzzling.pop(key, None)
                self.backoff.succeeded()
                return 0.0
            case Outcome.SET_ASIDE:
                log.error("the service refuses a record for good: %s %s", "/".join(map(str, key)), answer.text[:300])
                self.set_aside.add(key)
                return 0.0
            case Outcome.RENEW:
                await self.access.renew()
                return self.backoff.failed()
            case Outcome.LATER:
                if answer.status_code not in BUSY:
                    self._puzzling[key] = self._puzzling.get(key, 0) + 1
                return self.backoff.failed(_retry_after(answer))


def _retry_after(answer: httpx.Response) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), LONGEST_RETRY_AFTER_S) if text.isdecimal() else None

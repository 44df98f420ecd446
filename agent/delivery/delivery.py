"""A session's evidence on its way out: intake → sealer → spool → uploader, as one thing to the conductor.

Events are gathered for a moment and sealed together; segments are sealed one by one as they come. Sealing and writing run
in a thread, one after the other, so that the event loop never waits for a disk.
"""

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from secureproctor.agent.delivery.gaps import GapWatch
from secureproctor.agent.delivery.intake import Intake
from secureproctor.agent.delivery.sealer import Sealed, Sealer
from secureproctor.agent.delivery.spool import Spool, SpoolFull
from secureproctor.agent.delivery.uploader import Uploader
from secureproctor.agent.session.folder import Place
from secureproctor.capture.media import Segment
from secureproctor.contract.events import Detail, Event
from secureproctor.contract.record import Header
from secureproctor.contract.streams import Stream

log = logging.getLogger(__name__)

GATHER_S = 1.0


@dataclass(slots=True)
class Delivery:
    """The way out of one session. `trouble` is told each time the disk begins or ceases to refuse ("" when it ceased)."""

    sealer: Sealer
    spool: Spool
    uploader: Uploader
    intake: Intake
    trouble: Callable[[str], None]
    gaps: GapWatch
    keep: Callable[[dict[Stream, Place]], None]
    """Stores where the streams are; called in the sealing thread, after each record. Raises OSError."""
    _events: list[Event] = field(default_factory=list)
    _sealing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _told: str = ""

    def take(self, segment: Segment) -> None:
        """Capture's sink; called from its threads."""
        if not self.intake.put(segment):
            log.error("a segment of %s found no room", segment.stream)

    def record(self, event: Event) -> None:
        """Put an event on the record; it is sealed within a second, or at `flush`."""
        self._events.append(event)

    async def run(self) -> None:
        """Work for ever; cancel to stop. Call `flush` first: what is not sealed yet would be lost."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.uploader.run())
            tasks.create_task(self._seal_segments())
            tasks.create_task(self._seal_events())

    async def flush(self) -> None:
        """Everything that was handed over so far is in the spool when this returns."""
        await self.intake.drained()
        await self._flush_events()

    def heads(self) -> dict[Stream, tuple[int, int, bytes]]:
        """The chain heads: stream → epoch, seq and hash of its last record."""
        return self.sealer.heads()

    async def _seal_segments(self) -> None:
        async with contextlib.aclosing(self.intake.segments()) as segments:
            async for segment in segments:
                self._note_gap(segment)
                await self._spool(functools.partial(self.sealer.segment, segment))

    def _note_gap(self, segment: Segment) -> None:
        gap = self.gaps.see(segment)
        if gap is not None:
            detail: Detail = {"cause": gap.cause}
            self.record(Event("gap", gap.start_us, self.sealer.wall_us() // 1000, gap.stream, gap.until_us, detail))

    async def _seal_events(self) -> None:
        while True:
            await asyncio.sleep(GATHER_S)
            await self._flush_events()

    async def _flush_events(self) -> None:
        if self._events:
            gathered, self._events = self._events, []
            await self._spool(functools.partial(self.sealer.events, gathered))

    async def _spool(self, make: Callable[[], Sealed]) -> None:
        async with self._sealing:
            try:
                await asyncio.to_thread(self._append, make)
            except SpoolFull as full:
                log.error("neither disk nor memory takes a record: %s", full.strerror)
        if self.spool.trouble != self._told:
            self._told = self.spool.trouble
            self.trouble(self._told)
        self.uploader.wake()

    def _append(self, make: Callable[[], Sealed]) -> None:
        before = dict(self.sealer.positions)
        sealed = make()
        try:
            self.spool.append(sealed)
        except SpoolFull:
            # the chain goes on without the record, and the gap is on the record
            self.sealer.positions |= before
            self.record(_dropped(sealed.header))
            raise
        places = {
            stream: Place(at.epoch, at.seq, at.head.hex(), self.gaps.until_us.get(stream, 0))
            for stream, at in list(self.sealer.positions.items())
        }
        try:
            self.keep(places)
        except OSError as error:  # the disk's trouble is told by the spool; a new agent reads the records themselves
            log.warning("where the streams are cannot be kept: %s", error.strerror)


def _dropped(header: Header) -> Event:
    until_us = header.start_us + header.duration_us
    return Event("gap", header.start_us, header.wall_us // 1000, header.stream, until_us, {"cause": "disk full"})

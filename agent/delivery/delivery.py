"""A session's evidence on its way out: intake → sealer → spool → uploader, as one thing to the conductor.

Events are gathered for a moment and sealed together; segments are sealed one by one as they come. Sealing and writing run
in a thread, one after the other, so that the event loop never waits for a disk. A still is waited for: whoever took it is
told when it is safe. What becomes of the evidence on the disk
(no room, given up, deleted, damaged) is told to `Witness`, and goes on the record as sealed events.
"""

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from secureproctor.agent.delivery.damage import Damage, event_of, merged
from secureproctor.agent.delivery.departed import Departures
from secureproctor.agent.delivery.gaps import Gap, GapWatch
from secureproctor.agent.delivery.intake import Intake
from secureproctor.agent.delivery.sealer import Sealed, Sealer
from secureproctor.agent.delivery.spool import Dropped, Key, Spool, SpoolFull
from secureproctor.agent.delivery.uploader import Uploader
from secureproctor.agent.session.folder import Place
from secureproctor.capture.media import Segment
from secureproctor.contract.events import Detail, Event
from secureproctor.contract.page import DepartedRow
from secureproctor.contract.record import Header
from secureproctor.contract.stills import StillInfo
from secureproctor.contract.streams import Stream

log = logging.getLogger(__name__)

GATHER_S = 1.0


class Witness(Protocol):
    """Who is told what becomes of a session's evidence on the disk, in the event loop."""

    def trouble(self, why: str) -> None:
        """The disk began to refuse evidence, or ("") ceased to."""

    def squeezed(self, level: str, dropping: bool) -> None:
        """The room for evidence asks for another quality, or began or ceased to ask for evidence to be given up."""

    def happened(self, kind: str, stream: Stream, detail: Detail) -> None:
        """Something is to go on the record."""

    def cause(self, gap: Gap) -> str:
        """Why there is no evidence, when no source has said so; empty when nobody knows."""


@dataclass(slots=True)
class Delivery:
    """The way out of one session."""

    sealer: Sealer
    spool: Spool
    uploader: Uploader
    intake: Intake
    gaps: GapWatch
    witness: Witness
    keep: Callable[[dict[Stream, Place]], None]
    """Stores where the streams are; called in the sealing thread, after each record. Raises OSError."""
    departures: Departures = field(default_factory=Departures)
    _heads: dict[Stream, tuple[int, int, bytes]] = field(init=False)
    _events: list[Event] = field(default_factory=list)
    _damaged: list[Damage] = field(default_factory=list)
    _dropped: list[Dropped] = field(default_factory=list)
    _sealing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _told: tuple[str, str, bool] = ("", "full", False)

    def __post_init__(self) -> None:
        self._heads = self.sealer.heads()
        self._dropped += self.spool.untold()  # what the agent before gave up, and died before it could say so
        self.spool.dropped = self._dropped.append
        self.spool.acknowledged = self.departures.delivered

    def take(self, segment: Segment) -> None:
        """Capture's sink; called from its threads."""
        if not self.intake.put(segment):
            log.error("a segment of %s found no room", segment.stream)

    def record(self, event: Event) -> None:
        """Put an event on the record; it is sealed within a second, or at `flush`."""
        self._events.append(event)

    async def still(self, info: StillInfo, jpeg: bytes, at_us: int = 0) -> None:
        """Put a picture on the record: it is in the spool, and on its way, when this returns. `at_us` is session time,
        0 before Start; `info.at_ms` says when it was taken.

        Raises SpoolFull (an OSError) when neither disk nor memory takes it, RecordError when it is too large. Who no longer
        waits for it, as a page that went away, does not stop it.
        """
        make = functools.partial(self.sealer.still, info, jpeg, at_us)
        await asyncio.shield(asyncio.ensure_future(self._spool(make)))

    def departed(self) -> tuple[DepartedRow, ...]:
        """What the service has acknowledged, by stream; also what it did while another agent was at work."""
        return self.departures.rows()

    def damaged(self, key: Key, kind: str, found: str) -> None:
        """The uploader's word on a record that is not what was written; it is on the record within a second."""
        log.error("the record %s on the disk is %s %s", "/".join(map(str, key)), kind, found)
        self._damaged.append(Damage(*key, kind, found))

    async def run(self) -> None:
        """Work for ever; cancel to stop. Call `flush` first: what is not sealed yet would be lost."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.uploader.run())
                tasks.create_task(self._seal_segments())
                tasks.create_task(self._seal_events())
        finally:
            self.departures.save()

    async def flush(self) -> None:
        """Everything that was handed over so far is in the spool when this returns."""
        await self.intake.drained()
        self._tell_damage()
        await self._flush_events()

    def heads(self) -> dict[Stream, tuple[int, int, bytes]]:
        """The chain heads: stream → epoch, seq and hash of its last record that is safe in the spool. One that a crash
        could still take back is not announced: it would be missed."""
        return self._heads

    async def _seal_segments(self) -> None:
        async with contextlib.aclosing(self.intake.segments()) as segments:
            async for segment in segments:
                gap = self.gaps.see(segment)
                if gap is not None:
                    self._record_gap(gap)
                    # before the evidence that ends it: an agent that dies between the two notices the gap again
                    await self._flush_events()
                await self._spool_if_possible(functools.partial(self.sealer.segment, segment))

    def _record_gap(self, gap: Gap) -> None:
        detail: Detail = {"cause": gap.cause or self.witness.cause(gap) or "unknown"}
        self.record(Event("gap", gap.start_us, self.sealer.wall_us() // 1000, gap.stream, gap.until_us, detail))

    async def _seal_events(self) -> None:
        while True:
            await asyncio.sleep(GATHER_S)
            self._tell_damage()
            await self._flush_events()
            self.departures.save()
            if len(self.spool.held):
                async with self._sealing:
                    await asyncio.to_thread(self.spool.write_down)
                self._tell_room()

    def _tell_damage(self) -> None:
        damaged, self._damaged = self._damaged, []
        for damage in merged(damaged):
            kind, detail = event_of(damage)
            self.witness.happened(kind, damage.stream, detail)

    async def _flush_events(self) -> None:
        given_up = [self._dropped.pop(0) for _ in range(len(self._dropped))]
        self._events += map(_given_up, given_up)
        if self._events:
            gathered, self._events = self._events, []
            bridging = [dropped.header.key for dropped in given_up if dropped.hash]
            await self._spool_if_possible(functools.partial(self.sealer.events, gathered), bridging)

    async def _spool_if_possible(self, make: Callable[[], Sealed], bridging: Sequence[Key] = ()) -> None:
        """What comes without anybody who waits for it: that there was no room is on the record (`_append`)."""
        try:
            await self._spool(make, bridging)
        except SpoolFull as full:
            log.error("neither disk nor memory takes a record: %s", full.strerror)

    async def _spool(self, make: Callable[[], Sealed], bridging: Sequence[Key] = ()) -> None:
        try:
            async with self._sealing:
                sealed = await asyncio.to_thread(self._append, make, bridging)
                self._heads = self.sealer.heads()
                self.uploader.offer(sealed.header.key)
        finally:
            self._tell_room()

    def _append(self, make: Callable[[], Sealed], bridging: Sequence[Key]) -> Sealed:
        before = dict(self.sealer.positions)
        sealed = make()
        try:
            self.spool.append(sealed, self._note_places)
        except SpoolFull:
            # the chain goes on without the record, and the gap is on the record
            self.sealer.positions |= before
            self._dropped.append(Dropped(sealed.header, b""))
            raise
        if sealed.header.key not in self.spool.held:  # what is only in memory would be gone with the agent
            for key in bridging:
                self.spool.bridged(key)
        return sealed

    def _note_places(self) -> None:
        places = {
            stream: Place(at.epoch, at.seq, at.head.hex(), self.gaps.until_us.get(stream, 0))
            for stream, at in list(self.sealer.positions.items())
        }
        try:
            self.keep(places)
        except OSError as error:  # the disk's trouble is told by the spool; a new agent reads the records themselves
            log.warning("where the streams are cannot be kept: %s", error.strerror)

    def _tell_room(self) -> None:
        spool, (trouble, level, dropping) = self.spool, self._told
        self._told = (spool.trouble, spool.level, spool.dropping)
        if spool.trouble != trouble:
            self.witness.trouble(spool.trouble)
        if (spool.level, spool.dropping) != (level, dropping):
            self.witness.squeezed(spool.level, spool.dropping)


def _given_up(dropped: Dropped) -> Event:
    """The gap record of evidence for which there was no room. A record that has been in the chain is named with its
    neighbours' hashes, so that the service can follow the chain over it."""
    header: Header = dropped.header
    detail: Detail = {"cause": "disk full"}
    if dropped.hash:
        link = {"hash": dropped.hash.hex(), "previous": header.previous.hex()}
        detail |= {"epoch": header.epoch, "seq": header.seq, **link}
    until_us = header.start_us + header.duration_us
    return Event("gap", header.start_us, header.wall_us // 1000, header.stream, until_us, detail)

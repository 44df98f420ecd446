"""Where sealed records wait for the service: one file a record, in one folder a session. This page is the design.

What holds, always:
- A record is here from `append` until `acknowledge`. Else it leaves only by a way that somebody is told of: given up for
  room (`dropped`), refused by the service for good (`set_aside`: kept, in a folder of its own), found gone (`forget`), or
  with the whole session past its retention time (`purge`). A record under the same key never overwrites one that waits.
- A file that has its final name is whole. It is the record's own bytes (SPR1, contract/record.py), sealed for the service;
  neither the agent nor the candidate can open it. Its name says stream, epoch and seq (shelf.py), so that the folder alone
  is the index: nothing is rebuilt after a crash, and nothing can contradict the files.
- Nothing here costs time by the length of the backlog but `open`, which reads the folder once; and memory hardly: four
  bytes a record (runs.py).

What is durable when:
- `append` returns after the bytes, then the name, then the folder were synchronised: a power cut leaves the whole record
  or nothing. While `trouble` is not empty, the record is in memory instead.
- `acknowledge` is not synchronised: a power cut may bring a record back, which is offered again; the service has it.
- A record that is given up leaves its header and hash, until `bridged` says that the gap is itself on the record: a crash in
  between loses neither (`untold`), and the chain is never broken without a reason given.

What can happen, and what is done:
    torn tail          a file without its final name; removed by `open`, as `append` never returned for it
    truncated, altered, another record in its place, another session's
                       `examine` names it, before it is sent; the agent cannot open records, so that a change of the sealed
                       body is found by the service
    deleted            `read` raises Gone; the caller tells it and `forget`s the key
    link, pipe, huge file, unreadable
                       never followed, waited for or read to its end: `read` raises OSError
    orphans            unfinished files are removed, strangers are left alone, neither is counted as evidence
    the folder vanished   it is made again for the next record; what was in it is Gone
    read-only disk, full disk, quota of the user
                       see below; everything recovers by itself with the next record, or by `write_down`
    two agents         agent/lock.py lets only one in. Were there two, each record is still whole: the worst is a part file
                       taken away, which is written again, and a record sent twice, which the service knows to be one
    a clock set back   there is no clock in it: order is epoch and seq, and age of files means nothing. The rate of writing
                       (room.py) is measured by a clock that cannot be set

When the disk runs short:
1. `level` goes down, so that less is captured (room.py).
2. No room, by quota or floor, or because the disk says so: the oldest video is given up, by the time of the record, and
   each one is told. Never an init record, without which an epoch is worth nothing; never events, stills or sound.
3. Still none, or a disk that takes nothing at all: the record is held in memory, up to MEMORY_LIMIT, and delivered from
   there; of what is held, too, the oldest video gives way. It is written down when the disk takes records again.
4. Only then a new record is refused: SpoolFull. What is small and irreplaceable is held even beyond the limit; not so a
   still, which whoever took it can take again.

`append` and `write_down` may run in one other thread than all the rest.
"""

import errno
import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from secureproctor.agent.delivery import examine as examining
from secureproctor.agent.delivery.examine import Fault, named
from secureproctor.agent.delivery.giving_up import VIDEO, Eldest, may_go
from secureproctor.agent.delivery.held import LIMIT as MEMORY_LIMIT
from secureproctor.agent.delivery.held import Held
from secureproctor.agent.delivery.room import Level, Room
from secureproctor.agent.delivery.sealer import Sealed
from secureproctor.agent.delivery.shelf import Dropped, Gone, Shelf
from secureproctor.agent.delivery.waiting import Key, Waiting
from secureproctor.contract.record import RecordError, RecordKind, parse, record_hash
from secureproctor.contract.streams import Stream

__all__ = ["MEMORY_LIMIT", "Dropped", "Fault", "Gone", "Key", "Spool", "SpoolFull"]

log = logging.getLogger(__name__)

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
TRIES = 3
"""How often a record is tried on a disk that says it is full: others may fill it as fast as evidence is given up."""
SLACK = 64 * 1024
"""Bytes given up beyond the record's own then: a file costs whole blocks, and its name and the journal some more."""
WRITTEN_DOWN_AT_ONCE = 4
"""So many held records are written beside a new one, which must not wait long."""


class SpoolFull(OSError):
    """Neither the disk nor the memory takes the record, and there is no older video to give up for it."""


def _nobody(_: Dropped) -> None:
    pass


def _uncounted(_key: Key, _size: int) -> None:
    pass


def _nothing() -> None:
    pass


@dataclass(slots=True)
class Spool:
    """The spool of one session. `dropped` is told of each record that is given up, in the thread that appends, and
    `acknowledged` of each that the service has, with its bytes, in the thread that says so."""

    folder: Path
    room: Room = field(default_factory=Room)
    dropped: Callable[[Dropped], None] = _nobody
    session: uuid.UUID | None = None
    """Whose records these are; None leaves that out of `examine`."""
    acknowledged: Callable[[Key, int], None] = _uncounted
    trouble: str = ""
    """Why the disk does not take records now; empty when it does."""
    aside: int = 0
    """Records that the service refused for good; they are kept in `aside/`."""
    held: Held = field(default_factory=Held)
    """Records in memory that the disk did not take."""
    _waiting: Waiting = field(default_factory=Waiting)
    _shelf: Shelf = field(init=False)
    _eldest: Eldest = field(init=False)
    _untold: dict[Key, bytes] = field(default_factory=dict)
    _judging: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._shelf = Shelf(self.folder)
        self._eldest = Eldest(self._shelf, self._waiting, self.held)

    def open(self) -> "Spool":
        """Make the folder, remove what was never finished, and find what waits. Raises OSError."""
        found = self._shelf.open()
        if found.unfinished or found.strangers:
            log.warning("the spool had %d unfinished files, %d strangers", len(found.unfinished), found.strangers)
        self._waiting.found(found.seqs, found.sizes)
        self._untold, self.aside = dict(sorted(found.dropped.items())), found.aside
        self._judge()
        return self

    # one thread: what comes in

    def append(self, sealed: Sealed, safe: Callable[[], None] = _nothing) -> None:
        """Take a record. It is durable when this returns, unless `trouble` says otherwise. Raises SpoolFull.

        `safe` is called when it is, and before anybody can deliver it: else it could be stored at the service, deleted
        here, and forgotten by an agent that dies before it has noted how far the stream has come.
        """
        key = sealed.header.key
        if key in self._waiting:
            log.error("a record with the key of one that waits: the older one is set aside: %s", named(key))
            self.set_aside(key)
        refusal = self._stored(sealed)
        if refusal is None:
            self.trouble = ""
            safe()
            self._waiting.put(key, len(sealed.data))
            self.write_down()
        else:
            self.trouble = refusal.strerror or str(refusal)
            self._hold(sealed, refusal)
            safe()
            self._waiting.put(key, len(sealed.data))
        self._judge()

    def write_down(self) -> None:
        """Write some of what is held in memory, if the disk takes it again. To be called now and then while something
        is `held` and nothing is appended.
        """
        for key in islice(self.held, WRITTEN_DOWN_AT_ONCE):
            data = self.held.get(key)
            if data is None:  # delivered in the meantime
                continue
            if self.room.lacking(len(data), self._usable()):
                return
            try:
                self._shelf.write(key, data)
            except OSError as error:
                self.trouble = error.strerror or str(error)
                return
            self.trouble = ""
            self.held.take(key)
            self._eldest.back(key)
            if key not in self._waiting:  # delivered while it was written
                self.acknowledge(key)

    # the other thread: what goes out

    def oldest(self, stream: Stream) -> Iterator[Key]:
        """What waits of a stream, oldest first. Lazy: what comes and goes between two steps is seen."""
        return self._waiting.from_(stream)

    def after(self, stream: Stream, epoch: int, seq: int) -> Iterator[Key]:
        """What waits of a stream from that place on, itself included; as `oldest`."""
        return self._waiting.from_(stream, epoch, seq)

    def read(self, key: Key) -> bytes:
        """A record's bytes, as they lie there. Raises Gone when its file is missing, OSError when it is unreadable."""
        held = self.held.get(key)
        return self._shelf.read(key) if held is None else held

    def examine(self, key: Key, data: bytes) -> Fault | None:
        """What is wrong with bytes read for a key, as far as the header tells."""
        return examining.examine(key, data, self.session)

    def acknowledge(self, key: Key) -> None:
        """The service has it; twice is harmless. A file that cannot be removed is offered again by the next agent."""
        size = self._waiting.take(key)
        if size is not None:
            self.acknowledged(key, size)
        self.held.take(key)
        try:
            self._shelf.remove(key)
        except OSError as error:
            log.warning("a delivered record cannot be removed: %s", error.strerror)

    def forget(self, key: Key) -> bool:
        """Its file is gone, and it waits no longer. False when it did not wait: it was acknowledged or given up meanwhile,
        and nobody took it away.
        """
        return self._waiting.take(key) is not None

    def set_aside(self, key: Key) -> None:
        """The service refuses it for good: keep it, where it is not offered again. What cannot be moved is offered again by
        the next agent.
        """
        self._waiting.take(key)
        held = self.held.take(key)
        try:
            if held is None:
                self._shelf.set_aside(key)
            else:
                self._shelf.write_aside(key, held)
            self.aside += 1
        except OSError as error:
            log.error("a refused record cannot be set aside: %s %s", named(key), error.strerror)

    def untold(self) -> Iterator[Dropped]:
        """What was given up, by this agent or the one before, and is not `bridged` yet."""
        for key, digest in list(self._untold.items()):
            try:
                yield self._shelf.dropped(key, digest)
            except (OSError, RecordError) as error:
                log.error("what was given up cannot be told: %s: %s", named(key), error)

    def bridged(self, key: Key) -> None:
        """That this record was given up is itself in a record of the events; twice is harmless."""
        digest = self._untold.pop(key, None)
        if digest is not None:
            try:
                self._shelf.forget(key, digest)
            except OSError as error:  # it is told again by the next agent
                log.warning("the note of a dropped record cannot be removed: %s", error.strerror)

    @property
    def waiting(self) -> tuple[int, int]:
        """Records and bytes that wait."""
        return self._waiting.totals()

    @property
    def level(self) -> Level:
        """The quality to capture with, by the room that is left."""
        return self.room.level

    @property
    def dropping(self) -> bool:
        """Whether evidence is being given up for want of room."""
        return self.room.dropping

    def room_status(self) -> tuple[int, float | None]:
        """Bytes that may still be written, and for how many seconds they last at the present rate, where that is known."""
        self._judge()
        return self.room.status(self._usable())

    def purge(self) -> None:
        """Remove the whole session's folder."""
        self._waiting.clear()
        self.held.clear()
        self._untold.clear()
        self._shelf.purge()

    # the disk, and what gives way

    def _stored(self, sealed: Sealed) -> OSError | None:
        """Write a record down, giving up what must be; None, or why that was not possible."""
        size = len(sealed.data)
        lacked = self.room.lacking(size, self._usable())
        if lacked and not self._give_up(lacked) and may_go(sealed.header):
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        refusal, tries = self._tried(sealed), 1
        while refusal and refusal.errno in NO_SPACE and tries < TRIES and self._give_up(size + SLACK):
            refusal, tries = self._tried(sealed), tries + 1
        if refusal is None:
            self.room.took(size, lacked > 0)
        return refusal

    def _tried(self, sealed: Sealed) -> OSError | None:
        try:
            self._shelf.write(sealed.header.key, sealed.data)
        except OSError as error:
            self.room.refused()
            return error
        return None

    def _give_up(self, size: int) -> bool:
        """Give up the oldest video until that many bytes are free; False when there is not so much of it."""
        while size > 0:
            try:
                given = self._eldest.give_up()
            except OSError as error:
                log.error("a record cannot be given up: %s", error.strerror)
                return False
            if given is None:
                return False
            dropped, freed = given
            size -= freed
            self._untold[dropped.header.key] = dropped.hash
            self._tell(dropped, freed)
        return True

    def _hold(self, sealed: Sealed, refusal: OSError) -> None:
        """Keep a record in memory, in place of the oldest video there if need be. Raises SpoolFull."""
        size, bounded = len(sealed.data), sealed.header.kind in (RecordKind.MEDIA, RecordKind.STILL)
        while bounded and self.held.size + size > MEMORY_LIMIT:
            oldest = next((key for key in self.held if key[0] in VIDEO and key[2] > 0), None)
            if oldest is None:
                self.room.gave_up(0)
                raise SpoolFull(refusal.errno, self.trouble) from refusal
            data = self.held.take(oldest)
            if data is not None and self._waiting.take(oldest) is not None:
                self._tell(Dropped(parse(data).header, record_hash(data)), len(data))
        self.held.put(sealed.header.key, sealed.data)

    def _tell(self, dropped: Dropped, freed: int) -> None:
        self.room.gave_up(freed)
        self.dropped(dropped)

    # the room

    def _usable(self) -> int:
        return self.room.usable(self.folder, self._spooled())

    def _spooled(self) -> int:
        return self.waiting[1] - self.held.size

    def _judge(self) -> None:
        with self._judging:
            self.room.judge(self._usable(), self._spooled())

"""The spool against a model, through every fault that a disk and a crash can bring: what was appended is never lost untold."""

import errno
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from secureproctor.agent.delivery import shelf
from secureproctor.agent.delivery import spool as spooling
from secureproctor.agent.delivery.room import Room
from secureproctor.agent.delivery.sealer import Sealed
from secureproctor.agent.delivery.spool import Dropped, Gone, Key, Spool, SpoolFull
from secureproctor.agent.durable import save
from secureproctor.contract.record import GENESIS, Header, RecordKind, parse, record_hash, seal
from secureproctor.contract.streams import MEDIA, Stream

PUBLIC = X25519PrivateKey.generate().public_key()
SESSION = uuid.UUID(int=1)
QUOTA, MEMORY = 6000, 2500
VIDEO = (Stream.SCREEN, Stream.WEBCAM)
OWN_KIND = {Stream.EVENTS: RecordKind.EVENTS, Stream.STILLS: RecordKind.STILL}
"""Streams of one epoch without an init record."""


class Killed(BaseException):
    """The process dies here: no `except OSError` may clean up after it."""


@contextmanager
def dying(owner: Any, name: str, *, before: bool) -> Iterator[None]:
    """The process dies in a call of the system, before or after it took effect."""
    real = getattr(owner, name)

    def die(*words: Any) -> Any:
        if not before:
            real(*words)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, die)
        yield


APPENDING = {
    "nothing is written": (Path, "open", True),
    "some is written": (os, "fsync", True),
    "all is written": (os, "fsync", False),
    "before the name": (Path, "replace", True),
    "after the name": (Path, "replace", False),
}
"""Where an append can die, and what of it a new agent may find: the record only once it has its name."""
GIVING_UP = {"before the rename": (Path, "replace", True), "before the cut": (os, "truncate", True)}
RECORDS = st.tuples(st.sampled_from((*VIDEO, *Stream)), st.integers(0, 900), st.sampled_from((False,) * 8 + (True,)))
"""Stream, size of the body, and whether an epoch begins."""
ERRORS = {"none": 0, "full": errno.ENOSPC, "quota": errno.EDQUOT, "read-only": errno.EROFS, "denied": errno.EACCES}


class SpoolModel(RuleBasedStateMachine):
    """A spool, and what should be in it: on the disk, in memory, aside; and what was told."""

    def __init__(self) -> None:
        super().__init__()
        self.root = tempfile.TemporaryDirectory(prefix="spool-model-")
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(spooling, "MEMORY_LIMIT", MEMORY)
        self.patch.setattr(spooling, "SLACK", 0)
        self.real_save = save
        self.patch.setattr(shelf, "save", self.save)
        self.error = 0
        self.now = 0
        self.on_disk: dict[Key, bytes] = {}
        self.in_memory: dict[Key, bytes] = {}
        self.aside = 0
        self.unbridged: list[Dropped] = []
        self.seqs: dict[tuple[Stream, int], int] = {}
        self.reopen()

    def save(self, path: Path, data: bytes, **_: Any) -> None:
        if self.error:
            raise OSError(self.error, os.strerror(self.error))
        self.real_save(path, data)

    def reopen(self) -> None:
        room = Room(QUOTA, 0, lambda _: 10**9, lambda _: 10**9, lambda: self.now)
        self.in_memory.clear()
        self.spool = Spool(Path(self.root.name) / "spool", room, self.was_dropped, SESSION).open()

    def was_dropped(self, dropped: Dropped) -> None:
        """Only video, the oldest there is where it lay, and with the hash of what it was."""
        key = dropped.header.key
        place = self.on_disk if key in self.on_disk else self.in_memory
        assert dropped.hash == record_hash(place[key])
        candidates = [parse(data).header for data in place.values()]
        may_go = [each for each in candidates if each.stream in VIDEO and each.kind is RecordKind.MEDIA]
        assert dropped.header == min(may_go, key=lambda header: header.start_us)
        if place is self.on_disk:
            self.unbridged.append(dropped)
        del place[key]

    def new(self, stream: Stream, size: int, new_epoch: bool) -> Sealed:
        epoch = max((epoch for of, epoch in self.seqs if of is stream), default=-1)
        if epoch < 0 or (new_epoch and stream not in OWN_KIND):
            epoch += 1
        seq = self.seqs.get((stream, epoch), 0)
        self.seqs[stream, epoch] = seq + 1
        self.now += 1_000_000
        kind = OWN_KIND.get(stream, RecordKind.MEDIA if seq else RecordKind.INIT)
        header = Header(kind, stream, SESSION, epoch, seq, self.now, 10**6, 0, GENESIS)
        return Sealed(header, seal(header, bytes(size), PUBLIC))

    @rule(records=st.lists(RECORDS, min_size=1, max_size=12))
    def append(self, records: list[tuple[Stream, int, bool]]) -> None:
        for stream, size, new_epoch in records:
            self.append_one(self.new(stream, size, new_epoch))

    def append_one(self, record: Sealed) -> None:
        key = record.header.key
        try:
            self.spool.append(record)
        except SpoolFull:
            assert record.header.kind in (RecordKind.MEDIA, RecordKind.STILL)
            self.seqs[key[0], key[1]] -= 1  # as the sealer does: the chain goes on without it
        else:
            (self.in_memory if key in self.spool.held else self.on_disk)[key] = record.data
        self.note_what_was_written_down()

    @rule()
    def write_down(self) -> None:
        self.spool.write_down()
        self.note_what_was_written_down()

    def note_what_was_written_down(self) -> None:
        for key in [key for key in self.in_memory if key not in self.spool.held]:
            self.on_disk[key] = self.in_memory.pop(key)

    @rule(error=st.sampled_from(("none",) * 4 + tuple(ERRORS)))
    def the_disk_answers(self, error: str) -> None:
        self.error = ERRORS[error]

    @precondition(lambda self: self.on_disk or self.in_memory)
    @rule(which=st.randoms(use_true_random=False))
    def acknowledge(self, which: Any) -> None:
        key = which.choice(sorted({**self.on_disk, **self.in_memory}))
        counted: list[tuple[Key, int]] = []
        self.spool.acknowledged = lambda *of: counted.append(of)
        for _ in range(2):
            self.spool.acknowledge(key)
        assert counted == [(key, len({**self.on_disk, **self.in_memory}[key]))]
        self.on_disk.pop(key, None)
        self.in_memory.pop(key, None)

    @precondition(lambda self: self.on_disk and not self.error)
    @rule(which=st.randoms(use_true_random=False))
    def set_aside(self, which: Any) -> None:
        key = which.choice(sorted(self.on_disk))
        self.spool.set_aside(key)
        del self.on_disk[key]
        self.aside += 1

    @precondition(lambda self: self.on_disk)
    @rule(which=st.randoms(use_true_random=False))
    def somebody_deletes_a_file(self, which: Any) -> None:
        key = which.choice(sorted(self.on_disk))
        stream, epoch, seq = key
        (self.spool.folder / f"{stream}-{epoch:06d}-{seq:010d}.record").unlink()
        with pytest.raises(Gone):
            self.spool.read(key)
        assert [self.spool.forget(key), self.spool.forget(key)] == [True, False]
        del self.on_disk[key]

    @precondition(lambda self: self.unbridged)
    @rule()
    def the_gap_is_on_the_record(self) -> None:
        self.spool.bridged(self.unbridged.pop(0).header.key)

    @rule()
    def the_agent_is_killed(self) -> None:
        self.reopen()

    @precondition(lambda self: not self.error)
    @rule(at=st.sampled_from(tuple(APPENDING)), stream=st.sampled_from((Stream.AUDIO, Stream.EVENTS)))
    def the_agent_is_killed_in_an_append(self, at: str, stream: Stream) -> None:
        """With room enough, so that it is the append itself in which it dies."""
        self.spool.room.quota_bytes = 10**9
        record = self.new(stream, 10, new_epoch=False)
        owner, name, before = APPENDING[at]
        with dying(owner, name, before=before), pytest.raises(Killed):
            self.spool.append(record)
        if at == "after the name":
            self.on_disk[record.header.key] = record.data
        else:
            self.seqs[record.header.stream, record.header.epoch] -= 1
        self.reopen()
        assert list(self.spool.folder.glob("*.part")) == []

    @precondition(lambda self: not self.error and any(key[0] in VIDEO and key[2] for key in self.on_disk))
    @rule(at=st.sampled_from(tuple(GIVING_UP)))
    def the_agent_is_killed_while_it_gives_up(self, at: str) -> None:
        """Before the rename the record waits as ever; after it, the next agent knows that it was given up."""
        self.spool.room = Room(0, 0)
        record = self.new(Stream.AUDIO, 0, new_epoch=False)
        owner, name, before = GIVING_UP[at]
        with dying(owner, name, before=before), pytest.raises(Killed):
            self.spool.append(record)
        self.seqs[record.header.stream, record.header.epoch] -= 1
        if at == "before the cut":
            video = [parse(data).header for data in self.on_disk.values()]
            may_go = [each for each in video if each.stream in VIDEO and each.kind is RecordKind.MEDIA]
            oldest = min(may_go, key=lambda header: header.start_us)
            self.unbridged.append(Dropped(oldest, record_hash(self.on_disk.pop(oldest.key))))
        self.reopen()

    @invariant()
    def the_spool_holds_what_the_model_holds(self) -> None:
        waiting = {**self.on_disk, **self.in_memory}
        for stream in Stream:
            keys = sorted(key for key in waiting if key[0] is stream)
            assert list(self.spool.oldest(stream)) == keys
            for at, (_, epoch, seq) in enumerate(keys):
                assert list(self.spool.after(stream, epoch, seq)) == keys[at:]
        assert {key: self.spool.read(key) for key in waiting} == waiting
        assert all(self.spool.examine(key, data) is None for key, data in waiting.items())
        assert self.spool.waiting == (len(waiting), sum(map(len, waiting.values())))
        assert self.spool.aside == self.aside
        assert sorted(self.spool.untold(), key=lambda each: each.header.start_us) == sorted(
            self.unbridged, key=lambda each: each.header.start_us
        )
        assert not set(self.in_memory) - set(self.spool.held)
        media = [data for key, data in self.in_memory.items() if key[0] in MEDIA and key[2]]
        assert sum(map(len, media)) <= MEMORY

    def teardown(self) -> None:
        self.patch.undo()
        self.spool.purge()
        assert not self.spool.folder.exists()
        self.root.cleanup()


SpoolModel.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestSpoolModel = SpoolModel.TestCase

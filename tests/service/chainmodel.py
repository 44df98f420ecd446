"""Chains of records as an agent seals them, for tests of what the service makes of them: no bytes, but true hashes."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from secureproctor.contract.channel import Head
from secureproctor.contract.events import Detail, Event
from secureproctor.contract.http import ProctoringSettings
from secureproctor.contract.record import GENESIS, RecordKind
from secureproctor.contract.streams import Stream
from secureproctor.service.evidence import StoredRecord
from secureproctor.service.report import Facts
from secureproctor.service.session import Session

S = 1_000_000
STARTED_MS = 1_700_000_000_000
SEGMENT_US = 2 * S


def sealed(record: StoredRecord, previous: bytes, content: str = "") -> StoredRecord:
    """The record chained to `previous`; other content gives another hash."""
    text = f"{record.stream}/{record.epoch}/{record.seq}/{previous.hex()}/{content}"
    return replace(record, previous=previous, hash=hashlib.sha256(text.encode()).digest())


def chain(stream: Stream, lengths: Sequence[int]) -> list[StoredRecord]:
    """An epoch for each length: an init and so many segments of 2 s (events have no init)."""
    records: list[StoredRecord] = []
    at_us, previous = 0, GENESIS
    for epoch, length in enumerate(lengths):
        for seq in range(length + 1):
            media = stream is not Stream.EVENTS
            kind = (RecordKind.MEDIA if seq else RecordKind.INIT) if media else RecordKind.EVENTS
            duration_us = SEGMENT_US if kind is RecordKind.MEDIA else 0
            blank = StoredRecord(
                stream, epoch, seq, kind, False, at_us if duration_us else 0, duration_us, 0, "avc1.42c01f", b"", b"", 100, 0,
                False,
            )  # fmt: skip
            records.append(sealed(blank, previous))
            previous = records[-1].hash
            at_us += duration_us
    return records


def head(record: StoredRecord) -> tuple[Stream, Head]:
    """The record as a heartbeat announces it."""
    return record.stream, Head(record.epoch, record.seq, record.hash.hex())


def given_up(record: StoredRecord) -> Event:
    """The agent's word that it gave a record up because the disk was full."""
    detail: Detail = {
        "cause": "disk full",
        "epoch": record.epoch,
        "seq": record.seq,
        "hash": record.hash.hex(),
        "previous": record.previous.hex(),
    }
    until_us = record.start_us + record.duration_us
    return Event("gap", record.start_us, STARTED_MS + record.start_us // 1000, record.stream, until_us, detail)


def session(running_us: int, through: bool = True) -> Session:
    """A session of the screen only that ran from 0."""
    return Session(
        "s", "u", "g", "", "", "k", ProctoringSettings(audio_proctoring=False), 300, STARTED_MS - 1000, b"", b"", "ended",
        "stopped", STARTED_MS, STARTED_MS + running_us // 1000, running_us, running_us=0, through=through,
    )  # fmt: skip


def facts(records: Sequence[StoredRecord], heads: Sequence[StoredRecord], running_us: int, **other: object) -> Facts:
    """The facts of a session whose agent has delivered all: these records, and a webcam without fault."""
    init, media = chain(Stream.WEBCAM, [1])
    base = Facts(
        session(running_us),
        [*records, init, replace(media, duration_us=running_us)],
        {},
        {},
        [],
        [head(record) for record in heads],
        [],
        [],
    )
    return replace(base, **other)  # type: ignore[arg-type] # the tests name fields

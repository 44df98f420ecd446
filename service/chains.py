"""Whether a stream's hash chain holds: from its first record, link by link, past every announced head. Pure.

A record is *sound* when it opens (so its header is the sealed one), is the one that was received, and is the one that its
successor names. Soundness is a record's own; a chain is verified when all records are sound, none is missing, and every
head that the agent ever announced lies in it.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from secureproctor.contract.channel import Head
from secureproctor.contract.record import GENESIS
from secureproctor.contract.report import ChainReport
from secureproctor.contract.streams import Stream
from secureproctor.service.evidence import StoredRecord

Key = tuple[Stream, int, int]
MAX_FAULTS = 20
"""More are counted, not listed."""


def key(record: StoredRecord) -> Key:
    """What names a record within its session."""
    return record.stream, record.epoch, record.seq


def verify_chain(
    stream: Stream, records: Sequence[StoredRecord], unopened: Mapping[Key, str], heads: Sequence[Head]
) -> tuple[ChainReport, set[Key]]:
    """The stream's chain, and the records that are not sound. `records` in order; `unopened` says why not."""
    faults = [f"{_name(record)}: {unopened[key(record)]}" for record in records if key(record) in unopened]
    unsound = {key(record) for record in records if key(record) in unopened}
    if records and records[0].previous != GENESIS:
        faults.append(f"What came before {_name(records[0])} is missing.")
    for before, after in pairwise(records):
        if after.previous == before.hash:
            continue
        if _follows(before, after):
            faults.append(f"{_name(before)} is not the one that {_name(after)} was chained to.")
            unsound.add(key(before))
        else:
            faults.append(f"Records between {_name(before)} and {_name(after)} are missing.")
    faults += _announced(records, heads)
    head = records[-1].hash.hex() if records else ""
    return ChainReport(stream, len(records), not faults, head, _listed(faults)), unsound


def _follows(before: StoredRecord, after: StoredRecord) -> bool:
    return after.epoch == before.epoch and after.seq == before.seq + 1


def _announced(records: Sequence[StoredRecord], heads: Sequence[Head]) -> list[str]:
    """The heads that the chain contradicts, and how far it falls short of the last one."""
    stored = {(record.epoch, record.seq): record for record in records}
    faults = [
        f"{_name(stored[head.epoch, head.seq])} is not the one that was announced."
        for head in heads
        if (head.epoch, head.seq) in stored and stored[head.epoch, head.seq].hash.hex() != head.hash
    ]
    last = max(((head.epoch, head.seq) for head in heads), default=None)
    if last and last not in stored:
        faults.append(f"Records up to {last[0]}/{last[1]} were announced; that one has not arrived.")
    return faults


def _listed(faults: Sequence[str]) -> tuple[str, ...]:
    more = len(faults) - MAX_FAULTS
    return tuple(faults) if more <= 0 else (*faults[:MAX_FAULTS], f"{more} more.")


def _name(record: StoredRecord) -> str:
    return f"Record {record.epoch}/{record.seq}"

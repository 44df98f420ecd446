"""Evidence that was offered and not taken: what lay in place of a record says what was done to it.

The agent sends what lies in its spool. Bytes that are no record, a record at another's address, or a second record for a
place that is filled are refused, and never become part of the evidence; that they were offered is itself a fact, and stays
with the session. One row for each place and kind, at most MAX_REFUSED for a session: a hostile agent fills no disk with them.
"""

from dataclasses import dataclass
from typing import Literal

import apsw

from secureproctor.contract.errors import Refusal
from secureproctor.contract.record import MAGIC, parse, record_hash
from secureproctor.contract.streams import Stream

MAX_REFUSED = 200
Kind = Literal["truncated", "altered", "misplaced", "second"]
REMEMBERED = frozenset({"record_malformed", "record_mismatch", "record_conflict"})
"""Refusals that say something of the evidence itself."""

_FIXED = 93
"""Where the codec string begins, and the byte before it is its length (the table in contract.record)."""
_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Refused:
    """One refused place. `found` is the address `session/stream/epoch/seq` that the bytes belong to, "" if they say none."""

    stream: Stream
    epoch: int
    seq: int
    kind: Kind
    found: str = ""
    hash: str = ""
    stored: str = ""
    times: int = 1


def refused(place: tuple[Stream, int, int], data: bytes, refusal: Refusal, stored: bytes | None = None) -> Refused:
    """What a refusal of REMEMBERED says of the bytes that were offered for a place; `stored` is the hash that lies there."""
    digest = record_hash(data).hex()
    match refusal.code:
        case "record_conflict":
            return Refused(*place, "second", hash=digest, stored=stored.hex() if stored else "")
        case "record_mismatch":
            header = parse(data).header
            return Refused(*place, "misplaced", "/".join(map(str, (header.session, *header.key))), digest)
        case _:
            return Refused(*place, damage(data), hash=digest)


def damage(data: bytes) -> Kind:
    """Whether bytes that are no record are the beginning of one, or something else."""
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        return "altered"
    if len(data) < _FIXED:
        return "truncated"
    body = _FIXED + data[_FIXED - 1] + _LENGTH
    promised = int.from_bytes(data[body - _LENGTH : body], "big")
    return "truncated" if len(data) < body + promised else "altered"


def note(db: apsw.Cursor, session_id: str, found: Refused, now_ms: int) -> None:
    """Keep a refusal; a repeated one is counted."""
    db.execute(
        "INSERT INTO refused SELECT id, ?, ?, ?, ?, ?, ?, ?, ?, 1 FROM sessions WHERE id = ? AND"
        " ((SELECT count(*) FROM refused WHERE session = id) < ? OR (id, ?, ?, ?, ?) IN"
        " (SELECT session, stream, epoch, seq, kind FROM refused)) ON CONFLICT DO UPDATE SET times = times + 1",
        (
            found.stream, found.epoch, found.seq, found.kind, found.found, found.hash, found.stored, now_ms, session_id,
            MAX_REFUSED, found.stream, found.epoch, found.seq, found.kind,
        ),
    )  # fmt: skip


def of(db: apsw.Cursor, session_id: str) -> list[Refused]:
    """What was refused in a session, in the order of the places."""
    rows = db.execute(
        "SELECT stream, epoch, seq, kind, found, hash, stored, times FROM refused WHERE session = ? ORDER BY 1, 2, 3, 4",
        (session_id,),
    )
    return [Refused(Stream(stream), *rest) for stream, *rest in rows]

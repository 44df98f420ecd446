"""What is wrong with bytes that lie where a record should, as far as its clear header tells. Pure.

The agent cannot open a record: a changed body, or a header whose changed fields still make sense, is found by the service,
which opens it and follows the hash chain. What can be told here is told at once, with the place where it was found.
"""

import uuid
from dataclasses import dataclass
from typing import Literal

from secureproctor.agent.delivery.waiting import Key
from secureproctor.contract.record import MAGIC, Header, RecordError, parse

_CODEC_LENGTH_AT = 92
_BODY_LENGTH_SIZE = 4
HEAD_BYTES = _CODEC_LENGTH_AT + 1 + 255 + _BODY_LENGTH_SIZE
"""The longest header there is (contract/record.py): so much of a file is read to learn what it is."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong. `found` says what lies there: the sizes, the reason, or which record ("stream/epoch/seq")."""

    kind: Literal["truncated", "altered", "misplaced"]
    found: str


def examine(key: Key, data: bytes, session: uuid.UUID | None) -> Fault | None:
    """Hold bytes against the key under which they lie; None when nothing is wrong with them. No session: any will do."""
    promised = _promised(data)
    if len(data) < promised and MAGIC.startswith(data[: len(MAGIC)]):
        return Fault("truncated", f"{len(data)} of at least {promised} bytes")
    try:
        header = parse(data).header
    except RecordError as error:
        return Fault("altered", str(error))
    if session is not None and header.session != session:
        return Fault("misplaced", f"{named(header.key)} of session {header.session}")
    return None if header.key == key else Fault("misplaced", named(header.key))


def peek(data: bytes) -> Header:
    """The header at the beginning of a record of which no more than HEAD_BYTES need be there. Raises RecordError."""
    head = data[: head_length(data)]
    return parse(head[:-_BODY_LENGTH_SIZE] + bytes(_BODY_LENGTH_SIZE)).header  # as if its body were empty


def head_length(data: bytes) -> int:
    """How long the header is; while the data ends before saying it, how long it is at least."""
    codec = data[_CODEC_LENGTH_AT] if len(data) > _CODEC_LENGTH_AT else 0
    return _CODEC_LENGTH_AT + 1 + codec + _BODY_LENGTH_SIZE


def named(key: Key) -> str:
    """A key for a person, and as it stands in the record's address."""
    return "/".join(map(str, key))


def _promised(data: bytes) -> int:
    """How long the record is by what its header says; while the data ends before saying it, how long it is at least."""
    head = head_length(data)
    return head if len(data) < head else head + int.from_bytes(data[head - _BODY_LENGTH_SIZE : head])

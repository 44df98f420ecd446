"""Segments, events and stills become records: numbered, chained, sealed. Nothing here touches a disk or a network.

A Sealer holds the chain heads of one session. An INIT segment begins an epoch of its stream. `previous` chains a stream's
records over all of its epochs, so that a missing epoch shows as well as a missing record.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from secureproctor.capture.media import Kind, Segment
from secureproctor.contract.events import Event
from secureproctor.contract.record import GENESIS, Header, RecordKind, record_hash, seal
from secureproctor.contract.stills import CODEC, StillInfo, pack
from secureproctor.contract.streams import Stream

KINDS: dict[Kind, RecordKind] = {Kind.INIT: RecordKind.INIT, Kind.MEDIA: RecordKind.MEDIA}


@dataclass(frozen=True, slots=True)
class Sealed:
    """A record with the header it was made from."""

    header: Header
    data: bytes


@dataclass(frozen=True, slots=True)
class Position:
    """Where a stream is: its epoch, the next seq, and the hash of its last record. Replaced as a whole."""

    epoch: int = -1
    seq: int = 0
    head: bytes = GENESIS


@dataclass(slots=True)
class Sealer:
    """Seals for one session. `wall_us` gives microseconds since 1970.

    Not for use from several threads at once, but `heads` may be asked while another thread seals.
    """

    session: uuid.UUID
    public_key: X25519PublicKey
    wall_us: Callable[[], int]
    live_only: bool = False
    positions: dict[Stream, Position] = field(default_factory=dict)

    def segment(self, segment: Segment) -> Sealed:
        """Seal a segment of capture."""
        if segment.kind is Kind.INIT:
            self._begin_epoch(segment.stream)
        kind = KINDS[segment.kind]
        return self._sealed(
            kind, segment.stream, segment.start_us, segment.duration_us, segment.codec, segment.payload, self.live_only
        )

    def events(self, events: list[Event]) -> Sealed:
        """Seal events, at least one. They are evidence also when the recording is off."""
        if Stream.EVENTS not in self.positions:
            self._begin_epoch(Stream.EVENTS)
        start, end = min(event.at_us for event in events), max(event.at_us for event in events)
        body = msgspec.json.encode(events)
        return self._sealed(
            RecordKind.EVENTS, Stream.EVENTS, start, end - start, "application/json", body, live_only=False
        )

    def still(self, info: StillInfo, jpeg: bytes, at_us: int = 0) -> Sealed:
        """Seal a picture, evidence also when the recording is off. `at_us` is session time, 0 before Start.

        Raises RecordError when the picture is too large.
        """
        body = pack(info, jpeg)
        if Stream.STILLS not in self.positions:
            self._begin_epoch(Stream.STILLS)
        return self._sealed(RecordKind.STILL, Stream.STILLS, at_us, 0, CODEC, body, live_only=False)

    def heads(self) -> dict[Stream, tuple[int, int, bytes]]:
        """The chain head of each stream: epoch and seq of its last record, and that record's hash."""
        # list(dict.items()) is one step for the interpreter, and so is reading a Position that is never half new
        return {stream: (at.epoch, at.seq - 1, at.head) for stream, at in list(self.positions.items()) if at.seq}

    def _begin_epoch(self, stream: Stream) -> None:
        before = self.positions.get(stream, Position())
        self.positions[stream] = Position(before.epoch + 1, 0, before.head)

    def _sealed(
        self,
        kind: RecordKind,
        stream: Stream,
        start_us: int,
        duration_us: int,
        codec: str,
        body: bytes,
        live_only: bool,
    ) -> Sealed:
        at = self.positions[stream]
        header = Header(
            kind,
            stream,
            self.session,
            at.epoch,
            at.seq,
            start_us,
            duration_us,
            self.wall_us(),
            at.head,
            codec,
            live_only,
        )
        data = seal(header, body, self.public_key)
        self.positions[header.stream] = Position(at.epoch, at.seq + 1, record_hash(data))
        return Sealed(header, data)

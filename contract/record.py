"""The sealed record: how a piece of evidence looks on the candidate's disk, on the wire and in the service's store.

    offset  size  field
    0       4     magic, the bytes "SPR1"
    4       1     kind: 1 init, 2 media, 3 events, 4 still
    5       1     stream: 1 screen, 2 webcam, 3 audio, 4 events, 5 stills
    6       2     flags: bit 0 live-only (Recording Off)
    8       16    session id (UUID)
    24      4     epoch: counts the runs of this stream's encoder, from 0
    28      8     seq: counts the records of this stream's epoch, from 0; seq 0 of a media stream is its init record
    36      8     start, microseconds of the session clock (signed)
    44      8     duration, microseconds
    52      8     wall clock at the sealing, microseconds since 1970
    60      32    previous: SHA-256 of the record before this one in the stream, over all epochs; zeros for the first
    92      1     length of the codec string
    93      n     codec, RFC 6381, ASCII
    93+n    4     length of the body
    97+n    m     body: HPKE (RFC 9180, base mode: X25519, HKDF-SHA256, AES-256-GCM), encapsulated key then ciphertext

Integers are big-endian. All bytes before the body are the *header*; it is bound to the body as HPKE's `info`, so that no
field can be changed without the body failing to open. (Binding by `info` enters the key schedule; RFC 9180 §8.1 allows it
in place of associated data, and it needs one call of the library.) Each body has an encapsulated key of its own: the agent
keeps no key with which anything that it sealed could be opened.

The *hash of a record* is the SHA-256 of all its bytes; chained by `previous`, it makes deletion, replacement, reordering
and replay visible. The last one of a stream is its *chain head*.
"""

import enum
import hashlib
import struct
import uuid
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from secureproctor.contract.streams import Stream

MAGIC = b"SPR1"
GENESIS = bytes(32)
"""What the first record of a stream names as its predecessor."""
LIVE_ONLY = 1
MAX_BODY = 32 * 1024 * 1024
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)

_FIXED = struct.Struct(">4sBBH16sIQqQQ32sB")
_BODY_LENGTH = struct.Struct(">I")
_STREAMS: dict[Stream, int] = {
    Stream.SCREEN: 1,
    Stream.WEBCAM: 2,
    Stream.AUDIO: 3,
    Stream.EVENTS: 4,
    Stream.STILLS: 5,
}
_STREAM_OF = {code: stream for stream, code in _STREAMS.items()}


class RecordError(ValueError):
    """These bytes are not a sealed record, or do not open with this key. The message says why, for a person."""


class RecordKind(enum.IntEnum):
    """What the body holds."""

    INIT = 1
    """ftyp and moov boxes: what a decoder needs before the first media record of the epoch."""
    MEDIA = 2
    """moof and mdat boxes that begin with a key frame; their tfdt is the session clock."""
    EVENTS = 3
    """A JSON array of `contract.events.Event`."""
    STILL = 4
    """One picture, as `contract.stills` packs it."""


@dataclass(frozen=True, slots=True)
class Header:
    """The clear part of a record; times in microseconds."""

    kind: RecordKind
    stream: Stream
    session: uuid.UUID
    epoch: int
    seq: int
    start_us: int
    duration_us: int
    wall_us: int
    previous: bytes
    codec: str = ""
    live_only: bool = False

    @property
    def key(self) -> tuple[Stream, int, int]:
        """What names the record within its session."""
        return self.stream, self.epoch, self.seq


@dataclass(frozen=True, slots=True)
class Record:
    """A parsed record: its header, the header's bytes and the sealed body."""

    header: Header
    header_bytes: bytes
    body: bytes


def seal(header: Header, plaintext: bytes, public_key: X25519PublicKey) -> bytes:
    """The record's bytes. Raises RecordError when a field does not fit."""
    head = _encode(header, len(plaintext))
    return head + SUITE.encrypt(plaintext, public_key, info=head)


def parse(data: bytes) -> Record:
    """Read a record's header; the body stays sealed. Raises RecordError on anything but one whole record."""
    if len(data) < _FIXED.size:
        raise RecordError("it is too short for a header")
    magic, kind, stream, flags, session, epoch, seq, start, duration, wall, previous, n = _FIXED.unpack_from(data)
    if magic != MAGIC:
        raise RecordError("it does not begin with SPR1")
    at = _FIXED.size + n
    if len(data) < at + _BODY_LENGTH.size:
        raise RecordError("it ends within its header")
    (length,) = _BODY_LENGTH.unpack_from(data, at)
    at += _BODY_LENGTH.size
    if len(data) != at + length:
        raise RecordError(f"its body has {len(data) - at} bytes, its header says {length}")
    if stream not in _STREAM_OF or kind not in RecordKind.__members__.values():
        raise RecordError("its kind or stream is not known")
    try:
        codec = data[_FIXED.size : _FIXED.size + n].decode("ascii")
    except UnicodeDecodeError:
        raise RecordError("its codec is not ASCII") from None
    header = Header(
        RecordKind(kind), _STREAM_OF[stream], uuid.UUID(bytes=session), epoch, seq, start, duration, wall, previous,
        codec, bool(flags & LIVE_ONLY),
    )  # fmt: skip
    return Record(header, data[:at], data[at:])


def unseal(record: Record, private_key: X25519PrivateKey) -> bytes:
    """The plaintext of a record. Raises RecordError when header or body were changed, or the key is another one."""
    try:
        return SUITE.decrypt(record.body, private_key, info=record.header_bytes)
    except (InvalidTag, ValueError):
        raise RecordError("it does not open: it was changed, or sealed for another key") from None


def record_hash(data: bytes) -> bytes:
    """SHA-256 of the whole record, 32 bytes: what the next record of the stream names as `previous`."""
    return hashlib.sha256(data).digest()


def _encode(header: Header, plaintext_length: int) -> bytes:
    if len(header.codec) > 255 or plaintext_length > MAX_BODY:
        raise RecordError(f"a codec of {len(header.codec)} or a body of {plaintext_length} bytes does not fit")
    if len(header.previous) != len(GENESIS):  # struct would pad or cut it in silence
        raise RecordError(f"a previous hash of {len(header.previous)} bytes does not fit")
    try:
        codec = header.codec.encode("ascii")
        fixed = _FIXED.pack(
            MAGIC, header.kind, _STREAMS[header.stream], LIVE_ONLY if header.live_only else 0, header.session.bytes,
            header.epoch, header.seq, header.start_us, header.duration_us, header.wall_us, header.previous, len(codec),
        )  # fmt: skip
    except (struct.error, UnicodeEncodeError) as error:
        raise RecordError(f"a field does not fit: {error}") from None
    return fixed + codec + _BODY_LENGTH.pack(plaintext_length + OVERHEAD)


OVERHEAD = 32 + 16
"""Bytes that sealing adds: the encapsulated X25519 key and the AES-GCM tag."""

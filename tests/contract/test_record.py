"""The sealed record: its bytes against a layout written by hand, and everything that must not open."""

import hashlib
import struct
import uuid
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from secureproctor.contract.record import (
    GENESIS,
    MAX_BODY,
    OVERHEAD,
    Header,
    RecordError,
    RecordKind,
    parse,
    record_hash,
    seal,
    unseal,
)
from secureproctor.contract.streams import Stream

KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
SESSION = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
HEADER = Header(
    RecordKind.MEDIA, Stream.AUDIO, SESSION, 3, 4_000_000_000_000, -1_500_000, 2_000_000, 1_700_000_000_000_000,
    bytes(range(100, 132)), "mp4a.40.2", True,
)  # fmt: skip

I64 = st.integers(-(2**63), 2**63 - 1)
U64 = st.integers(0, 2**64 - 1)
HEADERS = st.builds(
    Header,
    kind=st.sampled_from(RecordKind),
    stream=st.sampled_from(Stream),
    session=st.uuids(),
    epoch=st.integers(0, 2**32 - 1),
    seq=U64,
    start_us=I64,
    duration_us=U64,
    wall_us=U64,
    previous=st.binary(min_size=32, max_size=32),
    codec=st.text(st.characters(max_codepoint=127), max_size=255),
    live_only=st.booleans(),
)


def test_the_header_is_laid_out_as_the_table_says() -> None:
    """Built by hand, field by field, from the offsets in the module's docstring."""
    by_hand = bytearray(93 + 9 + 4)
    by_hand[0:4] = b"SPR1"
    by_hand[4], by_hand[5] = 2, 3
    by_hand[6:8] = (1).to_bytes(2, "big")
    by_hand[8:24] = bytes.fromhex("00112233445566778899aabbccddeeff")
    by_hand[24:28] = (3).to_bytes(4, "big")
    by_hand[28:36] = (4_000_000_000_000).to_bytes(8, "big")
    by_hand[36:44] = (-1_500_000).to_bytes(8, "big", signed=True)
    by_hand[44:52] = (2_000_000).to_bytes(8, "big")
    by_hand[52:60] = (1_700_000_000_000_000).to_bytes(8, "big")
    by_hand[60:92] = bytes(range(100, 132))
    by_hand[92] = 9
    by_hand[93:102] = b"mp4a.40.2"
    by_hand[102:106] = (5 + 48).to_bytes(4, "big")
    data = seal(HEADER, b"hello", PUBLIC)
    assert data[:106] == by_hand
    assert len(data) == 106 + 5 + 48


@settings(max_examples=60, deadline=None)
@given(HEADERS, st.binary(max_size=300))
def test_what_was_sealed_opens_again_with_every_field(header: Header, plaintext: bytes) -> None:
    record = parse(seal(header, plaintext, PUBLIC))
    assert record.header == header
    assert unseal(record, KEY) == plaintext


def test_the_key_names_the_record_within_its_session() -> None:
    assert HEADER.key == (Stream.AUDIO, 3, 4_000_000_000_000)


def test_every_body_is_sealed_with_a_key_of_its_own() -> None:
    first, second = (parse(seal(HEADER, b"same", PUBLIC)).body for _ in range(2))
    assert first[:32] != second[:32]
    assert first[32:] != second[32:]


def test_every_truncation_is_refused() -> None:
    data = seal(HEADER, b"hello", PUBLIC)
    for length in range(len(data)):
        with pytest.raises(RecordError):
            parse(data[:length])


def test_a_byte_too_many_is_refused() -> None:
    with pytest.raises(RecordError, match=r"its body has 54 bytes, its header says 53"):
        parse(seal(HEADER, b"hello", PUBLIC) + b"\0")


def test_every_flipped_bit_is_refused_when_it_is_read_or_when_it_is_opened() -> None:
    data = seal(HEADER, b"hello", PUBLIC)
    opened = []
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            unseal(parse(bytes(flipped)), KEY)
        except RecordError:
            continue
        opened.append(bit)
    # RFC 7748 §5: the receiver ignores the highest bit of an X25519 public key's last byte ...
    highest_bit_of_the_key = (106 + 31) * 8 + 7
    # ... but RFC 9180 puts the key's bytes into the derivation, so that even this bit does not open
    assert highest_bit_of_the_key < len(data) * 8
    assert opened == []


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(RecordError, match="does not open"):
        unseal(parse(seal(HEADER, b"hello", PUBLIC)), X25519PrivateKey.generate())


def test_a_body_shorter_than_what_sealing_adds_does_not_open() -> None:
    head = seal(HEADER, b"", PUBLIC)[:102]
    for length in (0, 1, 31, 32, OVERHEAD - 1):
        with pytest.raises(RecordError, match="does not open"):
            unseal(parse(head + struct.pack(">I", length) + bytes(length)), KEY)


def test_a_header_cannot_be_put_on_another_body() -> None:
    first = seal(HEADER, b"first", PUBLIC)
    second = seal(replace(HEADER, seq=5), b"other", PUBLIC)
    with pytest.raises(RecordError, match="does not open"):
        unseal(parse(first[:106] + second[106:]), KEY)


@pytest.mark.parametrize(
    ("offset", "value", "why"), [(0, 0, "SPR1"), (4, 0, "kind"), (4, 5, "kind"), (5, 0, "stream"), (5, 6, "stream")]
)
def test_an_unknown_kind_or_stream_is_refused_in_words(offset: int, value: int, why: str) -> None:
    data = bytearray(seal(HEADER, b"", PUBLIC))
    data[offset] = value
    with pytest.raises(RecordError, match=why):
        parse(bytes(data))


def test_a_codec_that_is_not_ascii_is_refused() -> None:
    data = bytearray(seal(HEADER, b"", PUBLIC))
    data[93] = 0xE9
    with pytest.raises(RecordError, match="ASCII"):
        parse(bytes(data))


@pytest.mark.parametrize(
    "changes",
    [
        {"codec": "a" * 256},
        {"codec": "véga"},
        {"epoch": 2**32},
        {"epoch": -1},
        {"seq": -1},
        {"duration_us": -1},
        {"start_us": 2**63},
        {"wall_us": 2**64},
        {"previous": bytes(31)},
        {"previous": bytes(33)},
    ],
    ids=str,
)
def test_a_field_that_does_not_fit_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(RecordError, match="fit"):
        seal(replace(HEADER, **changes), b"", PUBLIC)  # type: ignore[arg-type]  # wrong on purpose


def test_a_body_beyond_the_limit_is_refused() -> None:
    with pytest.raises(RecordError, match="fit"):
        seal(HEADER, bytes(MAX_BODY + 1), PUBLIC)


def test_the_hash_is_that_of_all_bytes_and_chains_the_records() -> None:
    """Leaving out, replacing and reordering records all show in `previous`."""
    chain, head = [], GENESIS
    for seq in range(4):
        data = seal(replace(HEADER, seq=seq, previous=head), b"%d" % seq, PUBLIC)
        chain.append(data)
        head = record_hash(data)
    assert record_hash(chain[0]) == hashlib.sha256(chain[0]).digest()

    def holds(records: list[bytes]) -> bool:
        before = [GENESIS, *map(record_hash, records[:-1])]
        return [parse(each).header.previous for each in records] == before

    assert holds(chain)
    assert not holds([chain[0], *chain[2:]])
    assert not holds([chain[0], chain[2], chain[1], chain[3]])
    assert not holds([chain[0], seal(replace(HEADER, seq=1), b"1", PUBLIC), *chain[2:]])

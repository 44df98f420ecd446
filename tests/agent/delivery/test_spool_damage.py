"""What hands on the candidate's disk can do to a record, and what the agent says of it before it is sent."""

import uuid
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.agent.delivery.examine import HEAD_BYTES, examine, peek
from secureproctor.agent.delivery.sealer import Sealed
from secureproctor.agent.delivery.spool import Fault, Key, Spool
from secureproctor.contract.record import GENESIS, Header, RecordError, RecordKind, parse, seal
from secureproctor.contract.streams import Stream

PUBLIC = X25519PrivateKey.generate().public_key()
SESSION = uuid.UUID(int=7)
KEY: Key = (Stream.WEBCAM, 3, 14)


def record(key: Key = KEY, session: uuid.UUID = SESSION, codec: str = "avc1.42e01f") -> Sealed:
    stream, epoch, seq = key
    header = Header(RecordKind.MEDIA, stream, session, epoch, seq, 28_000_000, 2_000_000, 0, GENESIS, codec)
    return Sealed(header, seal(header, b"evidence", PUBLIC))


WHOLE = record().data
HEADER = len(parse(WHOLE).header_bytes)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", session=SESSION).open()


def laid(spool: Spool, data: bytes) -> Fault | None:
    """Bytes in a record's place, as a new agent finds them."""
    (spool.folder / "webcam-000003-0000000014.record").write_bytes(data)
    again = Spool(spool.folder, session=SESSION).open()
    assert (list(again.oldest(Stream.WEBCAM)), again.waiting) == ([KEY], (1, len(data)))
    assert again.read(KEY) == data
    return again.examine(KEY, again.read(KEY))


def test_a_record_truncated_at_any_byte_is_named_so(spool: Spool) -> None:
    for length in range(len(WHOLE)):
        fault = laid(spool, WHOLE[:length])
        assert fault is not None
        assert (fault.kind, fault.found.split()[0]) == ("truncated", str(length))
    assert laid(spool, WHOLE) is None


def test_any_byte_of_the_header_changed_is_named_or_left_to_the_service(spool: Spool) -> None:
    """What the clear header alone can tell; times, flags and chain are bound to the sealed body, which the service opens."""
    told: dict[int, str] = {}
    for at in range(HEADER):
        changed = bytearray(WHOLE)
        changed[at] ^= 0x80
        fault = laid(spool, bytes(changed))
        if fault is not None:
            told[at] = fault.kind
    magic_kind_stream, session_epoch_seq, lengths = range(6), range(8, 36), [92, *range(HEADER - 4, HEADER)]
    assert {told[at] for at in magic_kind_stream} == {"altered"}
    assert {told[at] for at in session_epoch_seq} == {"misplaced"}
    assert {told[at] for at in lengths} <= {"truncated", "altered"}
    assert {told[at] for at in range(93, HEADER - 4)} == {"altered"}
    assert not set(told) & set(range(36, 92))


def test_bytes_behind_a_record_are_named(spool: Spool) -> None:
    assert laid(spool, WHOLE + b"x") == Fault("altered", "its body has 57 bytes, its header says 56")


def test_a_file_of_zeros_as_a_power_cut_can_leave_it_is_named(spool: Spool) -> None:
    fault = laid(spool, bytes(len(WHOLE)))
    assert fault == Fault("altered", "it does not begin with SPR1")


def test_another_record_in_its_place_is_named_with_what_it_is(spool: Spool) -> None:
    assert laid(spool, record((Stream.WEBCAM, 3, 13)).data) == Fault("misplaced", "webcam/3/13")
    assert laid(spool, record((Stream.SCREEN, 3, 14)).data) == Fault("misplaced", "screen/3/14")


def test_a_record_of_another_session_is_named_with_its_session(spool: Spool) -> None:
    other = uuid.UUID(int=8)
    assert laid(spool, record(session=other).data) == Fault("misplaced", f"webcam/3/14 of session {other}")


@given(st.binary(max_size=400) | st.binary(max_size=300).map(lambda tail: WHOLE[:60] + tail))
def test_no_bytes_at_all_make_it_stumble(data: bytes) -> None:
    fault = examine(KEY, data, SESSION)
    try:
        assert (fault is None) == (parse(data).header.key == KEY and parse(data).header.session == SESSION)
    except RecordError:
        assert fault is not None
        assert fault.kind in ("truncated", "altered")


@given(st.text("az19.", max_size=255))
def test_the_head_tells_what_the_whole_tells(codec: str) -> None:
    data = record(codec=codec).data
    assert peek(data[:HEAD_BYTES]) == parse(data).header
    for length in range(len(parse(data).header_bytes)):
        with pytest.raises(RecordError):
            peek(data[:length])

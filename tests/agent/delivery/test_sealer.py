"""The sealer: numbers, chain and heads as the service will check them."""

import sys
import uuid
from types import FrameType
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from secureproctor.agent.delivery import sealer as sealing
from secureproctor.agent.delivery.sealer import Sealed, Sealer
from secureproctor.capture.media import Kind, Segment
from secureproctor.contract.events import Event
from secureproctor.contract.record import GENESIS, RecordError, RecordKind, parse, record_hash, unseal
from secureproctor.contract.stills import CODEC, MAX_STILL, StillInfo, unpack
from secureproctor.contract.streams import Stream

KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
SESSION = uuid.UUID(int=7)
JPEG = b"\xff\xd8 a picture"


def segment(stream: Stream, kind: Kind, start_us: int = 0, payload: bytes = b"mp4") -> Segment:
    return Segment(stream, kind, start_us, 0 if kind is Kind.INIT else 2_000_000, "avc1.64001f", payload)


@pytest.fixture
def sealer() -> Sealer:
    return Sealer(SESSION, KEY.public_key(), lambda: 1_700_000_000_000_000)


def test_a_segment_becomes_a_record_that_the_service_opens(sealer: Sealer) -> None:
    sealer.segment(segment(Stream.SCREEN, Kind.INIT))
    sealed = sealer.segment(segment(Stream.SCREEN, Kind.MEDIA, 4_000_000, b"moof"))
    record = parse(sealed.data)
    assert record.header == sealed.header
    assert unseal(record, KEY) == b"moof"
    header = record.header
    assert (header.session, header.kind, header.key) == (SESSION, RecordKind.MEDIA, (Stream.SCREEN, 0, 1))
    assert (header.start_us, header.duration_us, header.codec) == (4_000_000, 2_000_000, "avc1.64001f")
    assert (header.wall_us, header.live_only) == (1_700_000_000_000_000, False)


def test_events_are_sealed_together_with_the_time_that_they_span(sealer: Sealer) -> None:
    events = [Event("paused", 9, 1), Event("check", -5, 2), Event("resumed", 20, 3)]
    record = parse(sealer.events(events).data)
    assert (record.header.kind, record.header.key) == (RecordKind.EVENTS, (Stream.EVENTS, 0, 0))
    assert (record.header.start_us, record.header.duration_us) == (-5, 25)
    assert msgspec.json.decode(unseal(record, KEY), type=list[Event]) == events


def test_a_still_is_sealed_with_what_it_shows_at_its_time(sealer: Sealer) -> None:
    info = StillInfo("photo", 1_700_000_000_000, 640, 480, ("too_dark",))
    made = [sealer.still(info, JPEG), sealer.still(info, JPEG, at_us=9)]
    records = [parse(each.data) for each in made]
    assert [unpack(unseal(record, KEY)) for record in records] == [(info, JPEG)] * 2
    headers = [record.header for record in records]
    assert [header.key for header in headers] == [(Stream.STILLS, 0, 0), (Stream.STILLS, 0, 1)]
    assert {(header.kind, header.codec, header.duration_us) for header in headers} == {(RecordKind.STILL, CODEC, 0)}
    assert [header.start_us for header in headers] == [0, 9]
    assert [header.previous for header in headers] == [GENESIS, record_hash(made[0].data)]


def test_a_still_that_is_too_large_is_refused_and_leaves_the_chain_as_it_was(sealer: Sealer) -> None:
    with pytest.raises(RecordError, match="does not fit"):
        sealer.still(StillInfo("photo", 0, 1, 1), bytes(MAX_STILL + 1))
    assert sealer.heads() == {}
    assert sealer.still(StillInfo("photo", 0, 1, 1), JPEG).header.key == (Stream.STILLS, 0, 0)


def test_a_recording_that_is_off_marks_media_but_neither_events_nor_stills(sealer: Sealer) -> None:
    sealer.live_only = True
    assert sealer.segment(segment(Stream.AUDIO, Kind.INIT)).header.live_only
    assert not sealer.events([Event("paused", 0, 0)]).header.live_only
    assert not sealer.still(StillInfo("webcam", 0, 1, 1), JPEG).header.live_only


def test_an_init_segment_begins_an_epoch_and_the_chain_goes_on(sealer: Sealer) -> None:
    kinds = (Kind.INIT, Kind.MEDIA, Kind.INIT, Kind.MEDIA, Kind.MEDIA)
    records = [sealer.segment(segment(Stream.WEBCAM, kind)) for kind in kinds]
    assert [(each.header.epoch, each.header.seq) for each in records] == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)]
    assert [each.header.previous for each in records] == [GENESIS, *(record_hash(each.data) for each in records[:-1])]


def test_a_stream_without_a_record_has_no_head(sealer: Sealer) -> None:
    assert sealer.heads() == {}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(Stream), st.booleans()), max_size=25))
def test_whatever_the_order_of_the_streams_each_has_a_chain_of_its_own(steps: list[tuple[Stream, bool]]) -> None:
    sealer = Sealer(SESSION, KEY.public_key(), lambda: 0)
    made: dict[Stream, list[Sealed]] = {}
    for stream, init in steps:
        if stream is Stream.EVENTS:
            sealed = sealer.events([Event("paused", 0, 0)])
        elif stream is Stream.STILLS:
            sealed = sealer.still(StillInfo("screen", 0, 1, 1), JPEG)
        else:
            sealed = sealer.segment(segment(stream, Kind.INIT if init or stream not in made else Kind.MEDIA))
        made.setdefault(stream, []).append(sealed)
    for records in made.values():
        before = [GENESIS, *(record_hash(each.data) for each in records[:-1])]
        assert [each.header.previous for each in records] == before
        assert len({each.header.key for each in records}) == len(records)
    assert sealer.heads() == {
        stream: (records[-1].header.epoch, records[-1].header.seq, record_hash(records[-1].data))
        for stream, records in made.items()
    }


def test_heads_asked_in_the_middle_of_a_sealing_are_never_half_new(sealer: Sealer) -> None:
    """The heartbeat asks in the event loop while a thread seals: between any two steps, seq and hash belong together."""
    seen: set[tuple[int, int, bytes]] = set()

    def look(frame: FrameType, event: str, argument: object) -> Any:
        frame.f_trace_opcodes = frame.f_code.co_filename == sealing.__file__
        if event == "opcode":
            seen.update(sealer.heads().values())
        return look

    hashes, before = {}, sys.gettrace()
    sys.settrace(look)
    try:
        for kind in (Kind.INIT, Kind.MEDIA, Kind.INIT):
            sealed = sealer.segment(segment(Stream.SCREEN, kind))
            hashes[sealed.header.epoch, sealed.header.seq] = record_hash(sealed.data)
    finally:
        sys.settrace(before)
    assert seen == {(epoch, seq, head) for (epoch, seq), head in hashes.items()}

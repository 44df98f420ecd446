"""From capture's threads to the spool: the bounded hand-over, its order, and the flush before the end."""

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from secureproctor.agent.delivery import intake as taking
from secureproctor.agent.delivery import spool as spooling
from secureproctor.agent.delivery.delivery import Delivery
from secureproctor.agent.delivery.departed import Departures
from secureproctor.agent.delivery.gaps import Gap, GapWatch
from secureproctor.agent.delivery.intake import Intake
from secureproctor.agent.delivery.sealer import Sealed, Sealer
from secureproctor.agent.delivery.spool import Dropped, Key, Spool, SpoolFull
from secureproctor.agent.session.folder import SessionFolder
from secureproctor.capture.media import Kind, Segment
from secureproctor.contract.events import Detail, Event
from secureproctor.contract.page import DepartedRow
from secureproctor.contract.record import RecordError, parse, unseal
from secureproctor.contract.stills import MAX_STILL, StillInfo, unpack
from secureproctor.contract.streams import Stream

JPEG = b"\xff\xd8 a picture"
PHOTO = StillInfo("photo", 1_700_000_000_000, 640, 480)
KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))


def segment(number: int, stream: Stream = Stream.SCREEN) -> Segment:
    return Segment(stream, Kind.MEDIA if number else Kind.INIT, number, 0, "avc1.64001f", b"%d" % number)


class Rested:
    """An uploader that delivers nothing."""

    def __init__(self) -> None:
        self.offered: list[Key] = []

    def offer(self, key: Key) -> None:
        self.offered.append(key)

    async def run(self) -> None:
        await asyncio.Event().wait()


@dataclass
class Noted:
    """The witness: what it was told, in order."""

    troubles: list[str] = field(default_factory=list)
    squeezes: list[tuple[str, bool]] = field(default_factory=list)
    events: list[tuple[str, str, Detail]] = field(default_factory=list)
    why: str = ""

    def trouble(self, why: str) -> None:
        self.troubles.append(why)

    def squeezed(self, level: str, dropping: bool) -> None:
        self.squeezes.append((level, dropping))

    def happened(self, kind: str, stream: Stream, detail: Detail) -> None:
        self.events.append((kind, stream, detail))

    def cause(self, gap: Gap) -> str:
        return self.why


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
def troubles(noted: Noted) -> list[str]:
    return noted.troubles


@pytest.fixture
async def delivery(tmp_path: Path, noted: Noted) -> AsyncIterator[Delivery]:
    uploader: Any = Rested()
    sealer = Sealer(uuid.UUID(int=1), KEY.public_key(), lambda: 0)
    intake = Intake(asyncio.get_running_loop())
    folder = SessionFolder(tmp_path)
    spool = Spool(folder.spool, session=uuid.UUID(int=1)).open()
    left = Departures((), folder.save_departed, lambda: 77)
    delivery = Delivery(sealer, spool, uploader, intake, GapWatch(), noted, folder.save_places, left)
    work = asyncio.create_task(delivery.run())
    yield delivery
    assert not work.done(), work.result()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


def bodies(delivery: Delivery, stream: Stream) -> list[bytes]:
    return [unseal(parse(delivery.spool.read(key)), KEY) for key in delivery.spool.oldest(stream)]


# the hand-over


async def test_segments_come_out_of_the_intake_in_their_order() -> None:
    intake = Intake(asyncio.get_running_loop())
    thread = threading.Thread(target=lambda: [intake.put(segment(number)) for number in range(200)])
    thread.start()
    found: list[int] = []
    async for each in intake.segments():
        found.append(each.start_us)
        if len(found) == 200:
            break
    thread.join()
    assert found == list(range(200))


async def test_a_full_intake_refuses_after_its_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "PATIENCE_S", 0.01)
    intake = Intake(asyncio.get_running_loop())
    taken = [intake.put(segment(number)) for number in range(taking.CAPACITY + 3)]
    assert taken == [True] * taking.CAPACITY + [False] * 3


async def test_a_waiting_thread_gets_room_as_soon_as_there_is_some() -> None:
    intake = Intake(asyncio.get_running_loop())
    for number in range(taking.CAPACITY):
        intake.put(segment(number))
    waiting = asyncio.create_task(asyncio.to_thread(intake.put, segment(99)))
    segments = intake.segments()
    await anext(segments)
    assert await waiting
    await segments.aclose()


def test_handing_over_to_an_agent_that_has_ended_is_harmless() -> None:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(asyncio.sleep(0))
    intake = Intake(loop)
    loop.close()
    assert intake.put(segment(0))


# the way to the spool


async def test_flush_returns_when_everything_handed_over_before_is_in_the_spool(delivery: Delivery) -> None:
    """From three threads at once, with events between."""

    def capture(stream: Stream) -> None:
        for number in range(20):
            delivery.take(segment(number, stream))

    streams = (Stream.SCREEN, Stream.WEBCAM, Stream.AUDIO)
    delivery.record(Event("session_started", 0, 0))
    await asyncio.gather(*(asyncio.to_thread(capture, stream) for stream in streams))
    delivery.record(Event("session_ended", 1, 1))
    await delivery.flush()
    for stream in streams:
        assert bodies(delivery, stream) == [b"%d" % number for number in range(20)]
    (events,) = bodies(delivery, Stream.EVENTS)
    assert [event.kind for event in msgspec.json.decode(events, type=list[Event])] == [
        "session_started",
        "session_ended",
    ]
    assert delivery.heads()[Stream.SCREEN][:2] == (0, 19)


async def test_flush_without_anything_to_flush_returns(delivery: Delivery) -> None:
    await delivery.flush()
    await delivery.flush()
    assert delivery.spool.waiting == (0, 0)


async def test_events_are_sealed_by_themselves_after_a_moment(delivery: Delivery, eventually: Any) -> None:
    delivery.record(Event("paused", 0, 0))
    await eventually(lambda: delivery.spool.waiting[0] == 1)


async def test_each_record_is_offered_to_the_uploader(delivery: Delivery) -> None:
    delivery.take(segment(0))
    delivery.take(segment(1))
    await delivery.flush()
    assert delivery.uploader.offered == [(Stream.SCREEN, 0, 0), (Stream.SCREEN, 0, 1)]  # type: ignore[attr-defined]  # the fake's


async def events(delivery: Delivery) -> list[Event]:
    await delivery.flush()
    return [each for body in bodies(delivery, Stream.EVENTS) for each in msgspec.json.decode(body, type=list[Event])]


async def test_a_gap_that_no_source_explains_gets_the_cause_that_the_agents_clocks_know(
    delivery: Delivery, noted: Noted
) -> None:
    for start_us in (0, 1):
        delivery.take(segment(start_us))
    await delivery.flush()
    noted.why = "machine asleep"
    delivery.take(segment(10_000_000))
    await delivery.flush()
    noted.why = ""
    delivery.take(segment(20_000_000))
    await delivery.flush()
    delivery.gaps.interrupted(Stream.SCREEN, "missing")
    noted.why = "machine asleep"
    delivery.take(segment(30_000_000))
    causes = [event.detail["cause"] for event in await events(delivery)]
    assert causes == ["machine asleep", "unknown", "missing"]


async def test_a_gap_is_on_the_record_before_the_evidence_that_ends_it(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent that dies in between notices the gap again; the other way round it would be forgotten."""
    written: list[Stream] = []
    append = Spool.append

    def noting(spool: Spool, sealed: Sealed, *rest: Any) -> None:
        written.append(sealed.header.stream)
        append(spool, sealed, *rest)

    monkeypatch.setattr(Spool, "append", noting)
    for start_us in (0, 1, 10_000_000):
        delivery.take(segment(start_us))
    await delivery.flush()
    assert written == [Stream.SCREEN, Stream.SCREEN, Stream.EVENTS, Stream.SCREEN]


async def test_evidence_that_is_given_up_is_on_the_record_with_its_place_in_the_chain(
    delivery: Delivery, noted: Noted
) -> None:
    delivery.take(segment(0))
    await delivery.flush()
    first = parse(delivery.spool.read((Stream.SCREEN, 0, 0))).header
    delivery.spool.dropped(Dropped(first, b"\x11" * 32))
    [event] = await events(delivery)
    assert (event.kind, event.stream, event.at_us) == ("gap", "screen", 0)
    assert event.detail == {
        "cause": "disk full", "epoch": 0, "seq": 0, "hash": "11" * 32, "previous": "00" * 32,
    }  # fmt: skip


async def test_a_deleted_folder_is_one_event_and_not_thousands(delivery: Delivery, noted: Noted) -> None:
    for seq in (3, 1, 2, 7):
        delivery.damaged((Stream.SCREEN, 0, seq), "missing", "")
    delivery.damaged((Stream.AUDIO, 0, 5), "misplaced", "audio/0/2")
    await delivery.flush()
    assert noted.events == [
        ("record_damaged", Stream.AUDIO, {"epoch": 0, "seq": 5, "kind": "misplaced", "found": "audio/0/2"}),
        ("record_missing", Stream.SCREEN, {"epoch": 0, "seq": 1, "count": 3}),
        ("record_missing", Stream.SCREEN, {"epoch": 0, "seq": 7, "count": 1}),
    ]


async def test_trouble_of_the_disk_is_told_when_it_begins_and_when_it_ends(
    delivery: Delivery, troubles: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuses)
        for number in (0, 1):
            delivery.take(segment(number))
            await delivery.flush()
        assert troubles == ["No space left on device"]
    delivery.take(segment(2))
    await delivery.flush()
    assert troubles == ["No space left on device", ""]
    assert bodies(delivery, Stream.SCREEN) == [b"0", b"1", b"2"]


async def test_whoever_waits_for_the_intake_goes_on_although_its_taker_has_ended() -> None:
    """A defect there must not keep a session from ending."""
    intake = Intake(asyncio.get_running_loop())
    segments = intake.segments()
    intake.put(segment(0))
    await anext(segments)
    waiting = asyncio.create_task(intake.drained())
    await asyncio.sleep(0)
    await segments.aclose()
    async with asyncio.timeout(10):
        await waiting
        await intake.drained()


async def test_delivery_goes_on_after_a_record_that_nothing_takes(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def full(*_: Any) -> None:
            raise SpoolFull

        patch.setattr(Spool, "append", full)
        delivery.take(segment(0))
        await delivery.flush()
    delivery.take(segment(1))
    await delivery.flush()
    assert bodies(delivery, Stream.SCREEN) == [b"1"]


# stills


async def test_a_still_is_in_the_spool_and_offered_when_it_returns(delivery: Delivery, tmp_path: Path) -> None:
    await delivery.still(PHOTO, JPEG)
    await delivery.still(PHOTO, JPEG, at_us=5)
    assert [unpack(body) for body in bodies(delivery, Stream.STILLS)] == [(PHOTO, JPEG)] * 2
    assert delivery.uploader.offered == [(Stream.STILLS, 0, 0), (Stream.STILLS, 0, 1)]  # type: ignore[attr-defined]  # the fake's
    assert delivery.heads()[Stream.STILLS][:2] == (0, 1)
    assert SessionFolder(tmp_path).places()[Stream.STILLS].seq == 2


async def test_who_no_longer_waits_for_a_still_does_not_stop_it(delivery: Delivery, eventually: Any) -> None:
    """The page may go away just then; two threads must never seal at once."""
    waiting = asyncio.create_task(delivery.still(PHOTO, JPEG))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await delivery.still(PHOTO, JPEG)
    await eventually(lambda: len(bodies(delivery, Stream.STILLS)) == 2)


async def test_a_still_that_nothing_takes_is_refused_and_the_chain_goes_on(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be held in memory, but within the limit there, and older video gives way to it."""

    def refuses(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    await delivery.still(PHOTO, JPEG)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuses)
        patch.setattr(spooling, "MEMORY_LIMIT", 500)
        for number in (0, 1):
            delivery.take(segment(number))
        await delivery.flush()
        await delivery.still(PHOTO, JPEG)
        assert len(bodies(delivery, Stream.SCREEN)) == 1, "the init record, without which there is no video"
        with pytest.raises(SpoolFull):
            await delivery.still(PHOTO, JPEG)
    await delivery.still(PHOTO, JPEG)
    assert [key[2] for key in delivery.spool.oldest(Stream.STILLS)] == [0, 1, 2]
    headers = [parse(delivery.spool.read(key)).header for key in delivery.spool.oldest(Stream.STILLS)]
    assert len({header.previous for header in headers}) == 3


async def test_a_picture_that_is_too_large_for_a_record_is_refused(delivery: Delivery) -> None:
    with pytest.raises(RecordError):
        await delivery.still(PHOTO, bytes(MAX_STILL + 1))
    assert delivery.heads() == {}


# what has left


async def test_what_the_service_acknowledged_has_departed_and_nothing_else(
    delivery: Delivery, tmp_path: Path, eventually: Any
) -> None:
    for number in (0, 1):
        delivery.take(segment(number))
    await delivery.still(PHOTO, JPEG)
    await delivery.flush()
    sizes = {key: len(delivery.spool.read(key)) for stream in Stream for key in delivery.spool.oldest(stream)}
    assert delivery.departed() == ()
    for key in ((Stream.SCREEN, 0, 1), (Stream.STILLS, 0, 0), (Stream.STILLS, 0, 0)):
        delivery.spool.acknowledge(key)
    delivery.spool.set_aside((Stream.SCREEN, 0, 0))
    rows = (
        DepartedRow("screen", 1, sizes[Stream.SCREEN, 0, 1], 77, 77),
        DepartedRow("stills", 1, sizes[Stream.STILLS, 0, 0], 77, 77),
    )
    assert delivery.departed() == rows
    await eventually(lambda: SessionFolder(tmp_path).departed() == rows)

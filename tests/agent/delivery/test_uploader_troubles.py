"""The uploader when something is wrong: damaged evidence, refused tokens, lost answers, a link that is gone or stands still."""

import asyncio
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from secureproctor.agent.delivery import calls
from secureproctor.agent.delivery.lanes import BACKLOG_AT_ONCE
from secureproctor.agent.delivery.sealer import Sealed
from secureproctor.contract.http import StoredList
from secureproctor.contract.record import GENESIS, Header, RecordKind, seal
from secureproctor.contract.streams import Stream

if TYPE_CHECKING:
    from tests.agent.delivery.conftest import Answer, Upload

Reply = Callable[..., "Answer"]
Say = Callable[..., bytes]
Key = tuple[Stream, int, int]


def put_in(upload: "Upload", stream: Stream, seq: int, body: bytes = b"evidence") -> Key:
    """A real record, so that nothing is wrong with it."""

    header = Header(RecordKind.MEDIA, stream, uuid.UUID(int=1), 0, seq, 0, 0, 0, GENESIS)
    upload.spool.append(Sealed(header, seal(header, body, X25519PrivateKey.generate().public_key())))
    return header.key


def file_of(upload: "Upload", stream: Stream) -> Any:
    return next(upload.spool.folder.glob(f"{stream}*"))


async def test_a_record_whose_file_is_gone_is_told_and_does_not_hold_up_the_others(
    resting: "Upload", eventually: Any
) -> None:
    lost, taken = put_in(resting, Stream.EVENTS, 0), put_in(resting, Stream.SCREEN, 0)
    file_of(resting, Stream.EVENTS).unlink()
    resting.start()
    await eventually(lambda: resting.uploader.done)
    assert (resting.damaged, resting.acknowledged) == ([(lost, "missing", "")], [taken])


async def test_a_damaged_record_is_told_once_and_sent_all_the_same(
    resting: "Upload", replying: Reply, eventually: Any
) -> None:
    """The service judges and records it; here a service that is slow to do so."""
    key = put_in(resting, Stream.SCREEN, 0)
    path = file_of(resting, Stream.SCREEN)
    path.write_bytes(path.read_bytes()[:-5])
    resting.service.script["screen/0/0"] = [replying(500), replying(500), replying(400)]
    resting.start()
    await eventually(lambda: resting.uploader.done)
    ((told, kind, _),) = resting.damaged
    assert (told, kind) == (key, "truncated")
    assert (len(resting.service.puts), resting.spool.aside) == (3, 1)


async def test_a_file_that_cannot_be_read_is_put_aside_after_some_tries(resting: "Upload", eventually: Any) -> None:
    lost, taken = put_in(resting, Stream.EVENTS, 0), put_in(resting, Stream.SCREEN, 0)
    path = file_of(resting, Stream.EVENTS)
    path.unlink()
    path.mkdir()
    resting.start()
    await eventually(lambda: resting.uploader.done)
    assert (resting.damaged, resting.acknowledged) == ([(lost, "unreadable", "")], [taken])


async def test_a_token_that_many_requests_found_expired_is_renewed_once(
    resting: "Upload", replying: Reply, eventually: Any
) -> None:
    for seq in range(8):
        resting.service.script[f"screen/0/{seq}"] = [replying(401), replying(201)]
        put_in(resting, Stream.SCREEN, seq)
    resting.service.gate.clear()
    resting.start()
    await eventually(lambda: resting.service.at_once == 8)
    resting.service.gate.set()
    await eventually(lambda: resting.uploader.done)
    assert resting.access.renewals == 1


@pytest.mark.parametrize("stubborn", [True, False], ids=["no fresh token", "fresh tokens that are refused"])
async def test_a_token_that_stays_refused_is_asked_for_ever_more_slowly(
    upload: "Upload", replying: Reply, stubborn: bool, eventually: Any
) -> None:
    upload.access.stubborn = stubborn
    upload.service.otherwise = replying(401)
    key = put_in(upload, Stream.SCREEN, 0)
    upload.uploader.wake()
    await eventually(lambda: upload.uploader.backoff.failures >= 1)
    upload.service.otherwise = replying(201)
    await eventually(lambda: upload.uploader.done)
    assert upload.acknowledged == [key]


async def test_what_the_service_has_already_is_not_sent_again(resting: "Upload", saying: Say, eventually: Any) -> None:
    keys = [put_in(resting, stream, seq) for stream in (Stream.SCREEN, Stream.AUDIO) for seq in range(30)]
    runs = {"screen": [(0, 0, 9), (0, 20, 40), (7, 0, 99)], "audio": [(0, 5, 5)], "smell": [(0, 0, 9)]}
    resting.service.listed = saying(200, msgspec.json.encode({"streams": runs}))
    resting.start()
    await eventually(lambda: resting.uploader.done)
    assert resting.service.asked == 1
    sent = {f"screen/0/{seq}" for seq in range(10, 20)} | {f"audio/0/{seq}" for seq in range(30) if seq != 5}
    assert sorted(resting.service.paths()) == sorted(sent)
    assert sorted(resting.acknowledged) == sorted(keys)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"streams":{"screen":[[0,0]]}}', b'{"streams":{"screen":[[0,0,59,1]]}}', b'{"stre'],
    ids=["empty", "portal", "short run", "long run", "cut"],
)
@pytest.mark.parametrize("status", [200, 404, 500])
async def test_a_list_that_is_not_understood_acknowledges_nothing(
    resting: "Upload", saying: Say, status: int, body: bytes, eventually: Any
) -> None:
    keys = [put_in(resting, Stream.SCREEN, seq) for seq in range(20)]
    resting.service.listed = saying(status, body)
    resting.start()
    await eventually(lambda: resting.uploader.done)
    assert sorted(resting.service.paths()) == sorted("/".join(map(str, key)) for key in keys)


async def test_a_list_in_an_error_acknowledges_nothing(resting: "Upload", saying: Say, eventually: Any) -> None:
    for seq in range(20):
        put_in(resting, Stream.SCREEN, seq)
    resting.service.listed = saying(503, msgspec.json.encode(StoredList({"screen": [(0, 0, 99)]})))
    resting.start()
    await eventually(lambda: resting.uploader.done)
    assert len(resting.service.puts) == 20


async def test_few_records_are_sent_without_asking(resting: "Upload", eventually: Any) -> None:
    for seq in range(BACKLOG_AT_ONCE):
        put_in(resting, Stream.SCREEN, seq)
    resting.start()
    await eventually(lambda: resting.uploader.done)
    assert (resting.service.asked, len(resting.service.puts)) == (0, BACKLOG_AT_ONCE)


async def test_while_the_service_is_away_one_request_asks_for_all(
    resting: "Upload", saying: Say, replying: Reply, eventually: Any
) -> None:
    """The first failure may be that of many; from then on they go one by one."""
    resting.service.otherwise = b""
    for seq in range(BACKLOG_AT_ONCE):
        put_in(resting, Stream.SCREEN, seq)
    resting.start()
    await eventually(lambda: resting.uploader.backoff.failures >= 2)
    resting.service.most_at_once = 0
    await eventually(lambda: resting.uploader.backoff.failures >= 6)
    assert resting.service.most_at_once == 1
    resting.service.otherwise = replying(201)
    await eventually(lambda: resting.uploader.done)
    assert resting.heard


async def test_news_from_elsewhere_end_the_wait_at_once(
    resting: "Upload", monkeypatch: pytest.MonkeyPatch, eventually: Any
) -> None:
    monkeypatch.setattr("secureproctor.agent.delivery.backoff.FIRST_S", 3600)
    monkeypatch.setattr("secureproctor.agent.delivery.backoff.LONGEST_S", 3600)
    address, resting.uploader.address = resting.uploader.address, "http://127.0.0.1:1/segments"
    put_in(resting, Stream.SCREEN, 0)
    resting.start()
    await eventually(lambda: resting.uploader.backoff.failures)
    resting.uploader.address = address
    resting.uploader.wake()
    await asyncio.sleep(0)
    assert not resting.service.puts
    resting.uploader.restored()
    await eventually(lambda: resting.uploader.done)


async def test_a_connection_that_stands_still_is_noticed(
    resting: "Upload", monkeypatch: pytest.MonkeyPatch, eventually: Any
) -> None:
    """The other end takes nothing any more: more than all buffers hold is never written."""
    monkeypatch.setattr(calls, "STALLED_S", 0.2)

    async def stand_still(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            writer.close()

    stalled = await asyncio.start_server(stand_still, "127.0.0.1", 0, limit=1024)
    address, resting.uploader.address = (
        resting.uploader.address,
        f"http://127.0.0.1:{stalled.sockets[0].getsockname()[1]}/s",
    )
    key = put_in(resting, Stream.SCREEN, 0, bytes(16 * 1024 * 1024))
    resting.start()
    await eventually(lambda: resting.uploader.backoff.failures)
    resting.uploader.address = address
    stalled.close()
    await eventually(lambda: resting.uploader.done)
    assert resting.acknowledged == [key]


async def test_an_answer_that_never_ends_is_not_read_to_its_end(
    upload: "Upload", saying: Say, replying: Reply, eventually: Any
) -> None:
    upload.service.script["screen/0/0"] = [saying(200, bytes(8 * 1024 * 1024)), replying(201)]
    put_in(upload, Stream.SCREEN, 0)
    upload.uploader.wake()
    await eventually(lambda: upload.uploader.done)
    assert len(upload.service.puts) == 2


async def test_the_progress_of_a_backlog_is_told_and_live_records_alone_are_none(
    upload: "Upload", eventually: Any
) -> None:
    clock = upload.uploader.clock
    upload.service.gate.clear()
    upload.uploader.offer(put_in(upload, Stream.SCREEN, 100))
    assert upload.uploader.progress(clock()) is None
    for seq in range(100):
        put_in(upload, Stream.SCREEN, seq, bytes(20_000))
    before = upload.uploader.progress(clock())
    assert before is not None
    assert (before.total_bytes, before.left_bytes, before.bytes_per_s) == (upload.spool.waiting[1],) * 2 + (0.0,)
    upload.service.gate.set()
    upload.uploader.wake()
    await eventually(lambda: len(upload.acknowledged) > 10)
    moving = upload.uploader.progress(clock())
    assert moving is not None
    assert moving.total_bytes > moving.left_bytes
    assert moving.bytes_per_s > 0
    assert moving.left_s is not None
    await eventually(lambda: upload.uploader.done)
    assert upload.uploader.progress(clock()) is None

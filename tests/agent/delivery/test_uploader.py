"""The uploader against a real server on loopback: only an acknowledgement deletes, and everything else keeps."""

import asyncio
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from secureproctor.agent.delivery.lanes import BACKLOG_AT_ONCE, LIVE_AT_ONCE
from secureproctor.agent.delivery.sealer import Sealed
from secureproctor.contract.record import GENESIS, Header, RecordKind
from secureproctor.contract.streams import Stream

if TYPE_CHECKING:
    from tests.agent.delivery.conftest import Answer, Upload

Reply = Callable[..., "Answer"]
Say = Callable[..., bytes]


def put_in(upload: "Upload", stream: Stream, seq: int, data: bytes = b"record") -> tuple[Stream, int, int]:
    header = Header(RecordKind.MEDIA, stream, uuid.UUID(int=1), 0, seq, 0, 0, 0, GENESIS)
    upload.spool.append(Sealed(header, data))
    return header.key


async def test_a_record_is_put_to_its_address_and_deleted_when_acknowledged(upload: "Upload", eventually: Any) -> None:
    put_in(upload, Stream.AUDIO, 5, b"\x00sealed\xff")
    upload.uploader.wake()
    await eventually(lambda: upload.uploader.done)
    (put,) = upload.service.puts
    assert (put.path, put.token, put.body) == ("audio/0/5", "token-0", b"\x00sealed\xff")
    assert upload.spool.waiting == (0, 0)
    assert list(upload.spool.folder.glob("audio*")) == []
    assert len(upload.heard) == 1


@pytest.mark.parametrize("status", [200, 201])
async def test_stored_and_already_there_are_acknowledgements(
    upload: "Upload", replying: Reply, status: int, eventually: Any
) -> None:
    upload.service.otherwise = replying(status)
    put_in(upload, Stream.SCREEN, 0)
    upload.uploader.wake()
    await eventually(lambda: upload.spool.waiting == (0, 0))


@pytest.mark.parametrize("status", [202, 204, 302, 403, 404, 408, 410, 429, 500, 502, 503, 507])
async def test_any_other_answer_keeps_the_record_until_it_is_acknowledged(
    upload: "Upload", replying: Reply, status: int, eventually: Any
) -> None:
    upload.service.script["screen/0/0"] = [replying(status), replying(status), replying(201)]
    key = put_in(upload, Stream.SCREEN, 0)
    upload.uploader.wake()
    await eventually(lambda: len(upload.service.puts) == 2)
    assert upload.spool.read(key) == b"record"
    await eventually(lambda: upload.uploader.done)
    assert (len(upload.service.puts), upload.acknowledged) == (3, [key])


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"no http at all\r\n\r\n",
        b"HTTP/1.1 201",
        b"HTTP/1.1 banana\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nab",
        b"HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"\xff\x00" * 100,
    ],
    ids=["closed", "no http", "half a line", "no number", "half a body", "no gzip", "bytes"],
)
async def test_an_answer_that_cannot_be_understood_keeps_the_record(
    upload: "Upload", replying: Reply, said: bytes, eventually: Any
) -> None:
    """Even when it begins with 201: an answer is one when it is whole."""
    upload.service.script["screen/0/0"] = [said, said, replying(201)]
    key = put_in(upload, Stream.SCREEN, 0)
    upload.uploader.wake()
    await eventually(lambda: upload.uploader.done)
    assert (len(upload.service.puts), upload.acknowledged) == (3, [key])


async def test_nobody_at_the_address_keeps_the_record_until_somebody_is(upload: "Upload", eventually: Any) -> None:
    upload.uploader.address = "http://127.0.0.1:1/segments"
    key = put_in(upload, Stream.SCREEN, 0)
    upload.uploader.wake()
    await eventually(lambda: upload.uploader.backoff.failures > 2)
    assert (upload.spool.read(key), upload.heard, upload.uploader.done) == (b"record", [], False)
    upload.uploader.address = upload.service.address
    await eventually(lambda: upload.uploader.done)


@pytest.mark.parametrize("status", [400, 409, 413])
async def test_a_record_that_is_refused_for_good_is_set_aside_and_kept(
    upload: "Upload", replying: Reply, status: int, eventually: Any
) -> None:
    upload.service.script["screen/0/0"] = [replying(status)]
    _, taken = put_in(upload, Stream.SCREEN, 0), put_in(upload, Stream.SCREEN, 1)
    upload.uploader.wake()
    await eventually(lambda: upload.uploader.done)
    assert (upload.spool.aside, upload.acknowledged) == (1, [taken])
    assert [path.read_bytes() for path in upload.spool.folder.glob("aside/*")] == [b"record"]
    assert upload.service.paths().count("screen/0/0") == 1


@pytest.mark.parametrize("status", [400, 409, 413])
async def test_a_refusal_that_the_service_did_not_write_keeps_the_record(
    upload: "Upload", replying: Reply, saying: Say, status: int, eventually: Any
) -> None:
    """A proxy on the way has limits and opinions of its own."""
    upload.service.script["screen/0/0"] = [saying(status, b"<html>nginx</html>"), replying(201)]
    key = put_in(upload, Stream.SCREEN, 0)
    upload.uploader.wake()
    await eventually(lambda: upload.uploader.done)
    assert (upload.spool.aside, upload.acknowledged) == (0, [key])


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>Welcome to the hotel</html>", b"{}", b'{"status":"stored","hash":"' + b"0" * 64 + b'"}', b"[" * 9999],
    ids=["empty", "portal", "no fields", "another hash", "nested"],
)
@pytest.mark.parametrize("status", [200, 201])
async def test_a_success_without_the_hash_of_the_record_is_no_acknowledgement(
    upload: "Upload", replying: Reply, saying: Say, status: int, body: bytes, eventually: Any
) -> None:
    upload.service.script["screen/0/0"] = [saying(status, body), replying(201)]
    key = put_in(upload, Stream.SCREEN, 0)
    upload.uploader.wake()
    await eventually(lambda: upload.uploader.done)
    assert (len(upload.service.puts), upload.acknowledged) == (2, [key])


async def test_a_captive_portal_is_no_proof_of_the_link(upload: "Upload", saying: Say, eventually: Any) -> None:
    upload.service.otherwise = saying(200, b"<html>Please log in</html>")
    put_in(upload, Stream.SCREEN, 0)
    upload.uploader.wake()
    await eventually(lambda: len(upload.service.puts) == 3)
    assert (upload.heard, upload.acknowledged) == ([], [])


async def test_an_expired_token_is_renewed_and_the_record_sent_again(
    upload: "Upload", replying: Reply, eventually: Any
) -> None:
    upload.service.script["screen/0/0"] = [replying(401), replying(201)]
    put_in(upload, Stream.SCREEN, 0)
    upload.uploader.wake()
    await eventually(lambda: upload.uploader.done)
    assert [put.token for put in upload.service.puts] == ["token-0", "token-1"]
    assert upload.access.renewals == 1


async def test_the_wait_is_never_shorter_than_the_service_asked_for(
    upload: "Upload", replying: Reply, eventually: Any
) -> None:
    upload.service.script["screen/0/0"] = [replying(429, Retry_After="1"), replying(201)]
    put_in(upload, Stream.SCREEN, 0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    upload.uploader.wake()
    await eventually(lambda: upload.uploader.done)
    assert loop.time() - began >= 1


@pytest.mark.parametrize("retry_after", ["0", "soon", "-5", "", "Wed, 21 Oct 2099 07:28:00 GMT"])
async def test_a_wait_that_is_no_number_of_seconds_is_the_agents_own(
    upload: "Upload", replying: Reply, retry_after: str, eventually: Any
) -> None:
    upload.service.script["screen/0/0"] = [replying(503, Retry_After=retry_after), replying(201)]
    put_in(upload, Stream.SCREEN, 0)
    upload.uploader.wake()
    await eventually(lambda: upload.uploader.done)
    assert len(upload.service.puts) == 2


async def test_a_wait_until_a_date_is_measured_by_the_services_own_clock(
    upload: "Upload", replying: Reply, eventually: Any
) -> None:
    """Both lie in the past of this machine: only their difference counts."""
    dates = {"Date": "Wed, 21 Oct 2015 07:28:00 GMT", "Retry_After": "Wed, 21 Oct 2015 07:28:01 GMT"}
    upload.service.script["screen/0/0"] = [replying(503, **dates), replying(201)]
    put_in(upload, Stream.SCREEN, 0)
    upload.uploader.wake()
    await eventually(lambda: upload.uploader.done)
    first, second = upload.service.puts
    assert second.at - first.at >= 1


async def test_the_wait_that_the_service_asked_for_is_everybodys(
    upload: "Upload", replying: Reply, eventually: Any
) -> None:
    """Not even news from elsewhere, or a live record, shortens it."""
    upload.service.otherwise = replying(429, Retry_After="1")
    put_in(upload, Stream.SCREEN, 0)
    upload.uploader.wake()
    await eventually(lambda: upload.uploader.backoff.failures)
    upload.service.otherwise = replying(201)
    for seq in range(1, 9):
        upload.uploader.offer(put_in(upload, Stream.SCREEN, seq))
    upload.uploader.restored()
    await eventually(lambda: upload.uploader.done)
    assert upload.service.puts[1].at - upload.service.puts[0].at >= 1


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (Stream.EVENTS, Stream.STILLS),
        (Stream.STILLS, Stream.AUDIO),
        (Stream.AUDIO, Stream.WEBCAM),
        (Stream.WEBCAM, Stream.SCREEN),
    ],
    ids=str,
)
async def test_small_and_irreplaceable_goes_live_before_large(
    resting: "Upload", first: Stream, then: Stream, eventually: Any
) -> None:
    for seq in reversed(range(LIVE_AT_ONCE)):
        resting.uploader.offer(put_in(resting, then, seq))
        resting.uploader.offer(put_in(resting, first, seq))
    resting.service.gate.clear()
    resting.start()
    await eventually(lambda: len(resting.service.puts) == LIVE_AT_ONCE)
    assert sorted(resting.service.paths()) == [f"{first}/0/{seq}" for seq in range(LIVE_AT_ONCE)]
    resting.service.gate.set()
    await eventually(lambda: resting.uploader.done)
    assert sorted(resting.service.paths()[LIVE_AT_ONCE:]) == [f"{then}/0/{seq}" for seq in range(LIVE_AT_ONCE)]


async def test_a_live_record_overtakes_the_backlog(upload: "Upload", eventually: Any) -> None:
    upload.service.gate.clear()
    for seq in range(60):
        put_in(upload, Stream.SCREEN, seq, bytes(16_000))
    upload.uploader.wake()
    await eventually(lambda: upload.service.puts)
    upload.uploader.offer(put_in(upload, Stream.SCREEN, 60))
    await eventually(lambda: "screen/0/60" in upload.service.paths())
    assert len(upload.service.puts) < 10
    upload.service.gate.set()
    await eventually(lambda: upload.uploader.done)


async def test_no_more_than_the_agreed_number_is_on_its_way_and_nothing_twice(
    upload: "Upload", eventually: Any
) -> None:
    keys = [put_in(upload, Stream.SCREEN, seq) for seq in range(60)]
    upload.service.gate.clear()
    upload.uploader.wake()
    await eventually(lambda: upload.service.at_once == BACKLOG_AT_ONCE)
    upload.service.gate.set()
    await eventually(lambda: upload.uploader.done)
    assert upload.service.most_at_once == BACKLOG_AT_ONCE
    assert sorted(upload.acknowledged) == keys
    assert len(upload.service.puts) == len(keys)


async def test_a_record_on_its_way_is_not_done(upload: "Upload", eventually: Any) -> None:
    upload.service.gate.clear()
    put_in(upload, Stream.SCREEN, 0)
    upload.uploader.wake()
    await eventually(lambda: upload.service.puts)
    assert not upload.uploader.done


async def test_records_that_are_never_taken_do_not_hold_up_the_others(
    upload: "Upload", replying: Reply, eventually: Any
) -> None:
    """Many of them, at the head of the queue."""
    for seq in range(10):
        upload.service.script[f"events/0/{seq}"] = [replying(500)]
        put_in(upload, Stream.EVENTS, seq)
    for seq in range(10):
        put_in(upload, Stream.SCREEN, seq)
    upload.uploader.wake()
    await eventually(lambda: len(upload.acknowledged) == 10)
    assert not upload.uploader.done


async def test_what_comes_while_it_rests_is_delivered_when_it_is_woken(upload: "Upload", eventually: Any) -> None:
    for seq in range(5):
        put_in(upload, Stream.SCREEN, seq)
        upload.uploader.wake()
        await eventually(lambda: upload.uploader.done)
    assert upload.service.paths() == [f"screen/0/{seq}" for seq in range(5)]

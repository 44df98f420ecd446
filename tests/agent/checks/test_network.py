"""The service and its clock, asked over real loopback connections."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import httpx
import msgspec
import pytest

from secureproctor.agent.checks.check import CheckContext
from secureproctor.agent.checks.network import Answer, causes_of, judged_clock
from secureproctor.agent.checks.run import CHECKS, run_checks
from secureproctor.contract.http import Health
from secureproctor.contract.page import CheckResult

MakeContext = Callable[..., CheckContext]
Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]
Serving = Callable[[Reply], AbstractAsyncContextManager[str]]
HttpReply = Callable[..., Reply]

NETWORK = tuple(check for check in CHECKS if check.id in {"clock_difference", "service_reachable"})
NOW_MS = 1_750_000_000_000
HEALTH = msgspec.json.encode(Health("stand-in", "1.2", NOW_MS))


async def clock_and_service(make_context: MakeContext, url: str, **changes: object) -> tuple[CheckResult, CheckResult]:
    clock, service = await run_checks(make_context(service_url=url, **changes), NETWORK)
    return clock, service


def assert_unreachable(results: tuple[CheckResult, CheckResult], code: str) -> None:
    """The service failed with this code; the clock could not be checked, for the same reason, and both say what to do."""
    clock, service = results
    assert (service.status, service.code) == ("failed", code)
    assert (clock.status, clock.code) == ("could_not_check", "could_not_check")
    assert clock.seen == service.seen
    assert service.remedy
    assert "Service reachable" in clock.remedy


async def test_a_service_that_answers_passes_and_is_named(
    make_context: MakeContext, serving: Serving, http_reply: HttpReply
) -> None:
    async with serving(http_reply(HEALTH)) as url:
        clock, service = await clock_and_service(make_context, url + "/", wall_ms=lambda: NOW_MS)
    assert (service.status, service.seen) == ("passed", "stand-in 1.2 answered in 0 ms.")
    assert (clock.status, clock.code, clock.remedy) == ("passed", "ok", "")


@pytest.mark.parametrize(
    ("ahead_s", "status"),
    [
        (0, "passed"),
        (29, "passed"),
        (-29, "passed"),
        (31, "warned"),
        (-299, "warned"),
        (301, "failed"),
        (-7200, "failed"),
    ],
)
async def test_the_clock_is_compared_with_the_services(
    make_context: MakeContext, serving: Serving, http_reply: HttpReply, ahead_s: int, status: str
) -> None:
    async with serving(http_reply(HEALTH)) as url:
        clock, service = await clock_and_service(make_context, url, wall_ms=lambda: NOW_MS + ahead_s * 1000)
    assert clock.status == status
    assert ("ahead of" if ahead_s > 0 else "behind") in clock.seen
    assert service.status == "passed"


def test_half_the_round_trip_is_taken_off() -> None:
    answer = Answer(Health("s", "1", NOW_MS + 20_000), sent_ms=NOW_MS, received_ms=NOW_MS + 40_000)
    assert answer.clock_ahead_s == 0


@pytest.mark.parametrize(
    ("ahead_s", "words"),
    [(1.25, "1.2 s ahead of"), (-200.0, "3 min behind"), (-7500.0, "2 h 5 min behind")],
)
def test_a_clock_difference_reads_like_a_sentence(ahead_s: float, words: str) -> None:
    assert words in judged_clock(ahead_s).seen


async def test_a_port_where_nobody_listens_refuses(make_context: MakeContext) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port, and it refuses
        assert_unreachable(
            await clock_and_service(make_context, f"http://127.0.0.1:{bound.getsockname()[1]}"), "refused"
        )


async def test_a_server_that_hangs_times_out(make_context: MakeContext, serving: Serving) -> None:
    async def hang(_: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(hang) as url:
        assert_unreachable(await clock_and_service(make_context, url, answer_s=0.2), "timeout")


async def test_a_server_that_trickles_times_out_as_a_whole(make_context: MakeContext, serving: Serving) -> None:
    """Each byte comes within the time-out of a read; only the limit over the whole call ends it."""

    async def trickle(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Endless: ")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)  # the pace of the trickle, not a wait for something

    async with serving(trickle) as url:
        assert_unreachable(await clock_and_service(make_context, url, answer_s=0.3), "timeout")


@pytest.mark.parametrize(
    ("body", "status", "more"),
    [
        (b"<html>Log in to the Wi-Fi</html>", "200 OK", ""),
        (b'{"service": "x"}', "200 OK", ""),
        (b"\xff", "200 OK", ""),
        (b"", "302 Found", "Location: http://127.0.0.1:1/login\r\n"),
        (HEALTH, "503 Service Unavailable", ""),
        (b"not gzip", "200 OK", "Content-Encoding: gzip\r\n"),
    ],
    ids=["log-in page", "other JSON", "bytes", "redirect", "503", "broken encoding"],
)
async def test_whatever_is_no_health_is_a_wrong_answer(
    make_context: MakeContext, serving: Serving, http_reply: HttpReply, body: bytes, status: str, more: str
) -> None:
    async with serving(http_reply(body, status, more)) as url:
        assert_unreachable(await clock_and_service(make_context, url), "wrong_answer")


async def test_a_server_that_speaks_no_http_is_a_wrong_answer(make_context: MakeContext, serving: Serving) -> None:
    async def greet(writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n")
        await writer.drain()

    async with serving(greet) as url:
        assert_unreachable(await clock_and_service(make_context, url), "wrong_answer")


async def test_a_port_without_tls_is_no_secure_connection(make_context: MakeContext) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert_unreachable(await clock_and_service(make_context, f"https://127.0.0.1:{port}"), "tls")


async def test_a_name_that_cannot_be_looked_up_is_told_apart(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the resolver is replaced, so that no name leaves this computer; the chain of exceptions is httpx's own."""

    def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    results = await clock_and_service(make_context, "https://proctoring.invalid")
    assert_unreachable(results, "name_unknown")
    assert "proctoring.invalid" in results[1].seen


@pytest.mark.parametrize("url", ["proctoring.example.org", "ftp://127.0.0.1", "http://127.0.0.1:port", ""])
async def test_what_is_no_address_says_so(make_context: MakeContext, url: str) -> None:
    assert_unreachable(await clock_and_service(make_context, url), "address")


async def test_a_connection_that_is_cut_is_unreachable(make_context: MakeContext) -> None:
    def cut(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("Connection reset by peer", request=request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(cut)) as client:
        results = await clock_and_service(make_context, "http://127.0.0.1:1", client=client)
    assert_unreachable(results, "unreachable")


async def test_no_check_closes_the_callers_client(make_context: MakeContext) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        await clock_and_service(make_context, "http://127.0.0.1:1", client=client)
        assert not client.is_closed


def test_the_causes_of_a_group_are_all_seen() -> None:
    inner = ConnectionRefusedError()
    outer = OSError("all attempts failed")
    outer.__cause__ = ExceptionGroup("several addresses", [TimeoutError(), inner])
    assert inner in list(causes_of(outer))

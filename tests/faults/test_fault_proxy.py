"""The fault proxy by itself, between a client and an echo: each kind of weather is what it says."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from secureproctor.demo.weather import DOWN, FAIR, SILENT, FaultProxy, Weather, http_answer
from tests.faults.certificates import DAY, Authority

PATIENCE_S = 10.0


@asynccontextmanager
async def echo_behind(proxy: FaultProxy) -> AsyncIterator[int]:
    """The port of the proxy before a server that sends back what comes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, proxy.running() as port:
        proxy.target_port = server.sockets[0].getsockname()[1]
        yield port


async def exchange(port: int, data: bytes, context: ssl.SSLContext | None = None) -> bytes:
    """Send, and read as much again or to the end."""
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        try:
            writer.write(data)
            return await reader.read(-1) if not data else await reader.readexactly(len(data))
        finally:
            writer.close()


async def test_fair_weather_carries_bytes_both_ways_and_counts_them() -> None:
    proxy = FaultProxy(0)
    async with echo_behind(proxy) as port:
        assert await exchange(port, bytes(100_000)) == bytes(100_000)
        assert proxy.carried == 100_000


async def test_delay_makes_bytes_late_without_making_them_few() -> None:
    loop, proxy = asyncio.get_running_loop(), FaultProxy(0, Weather(delay_s=0.2))
    async with echo_behind(proxy) as port:
        began = loop.time()
        await exchange(port, bytes(1_000_000))
        took_s = loop.time() - began
    assert 0.4 <= took_s < 61 * 0.2, "each of the sixty pieces waited for the one before it"


async def test_jitter_never_changes_the_order_of_bytes() -> None:
    text = b"".join(b"%06d" % n for n in range(50_000))
    async with echo_behind(FaultProxy(0, Weather(jitter_s=0.05))) as port:
        assert await exchange(port, text) == text


async def test_a_rate_is_shared_by_all_connections() -> None:
    loop, proxy = asyncio.get_running_loop(), FaultProxy(0, Weather(rate=100_000))
    async with echo_behind(proxy) as port:
        began = loop.time()
        await asyncio.gather(*(exchange(port, bytes(30_000)) for _ in range(2)))
        assert loop.time() - began >= 0.59


@pytest.mark.parametrize("weather", [DOWN, Weather(answer=b"no")], ids=["refused", "answered"])
async def test_connections_that_are_open_already_do_not_survive(weather: Weather) -> None:
    proxy = FaultProxy(0)
    async with echo_behind(proxy) as port, asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"a")
        assert await reader.readexactly(1) == b"a"
        proxy.change(weather)
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.close()


async def test_a_silent_link_holds_bytes_until_it_speaks_again() -> None:
    proxy = FaultProxy(0)
    async with echo_behind(proxy) as port, asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        proxy.change(SILENT)
        writer.write(b"a")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(1), 0.3)
        proxy.change(FAIR)
        assert await reader.readexactly(1) == b"a"
        writer.close()


async def test_a_connection_is_reset_in_the_middle_of_what_it_carries() -> None:
    proxy = FaultProxy(0, Weather(reset_after=20_000))
    async with echo_behind(proxy) as port, asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(bytes(50_000))
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(50_000)
        writer.close()
    assert 0 < proxy.carried <= 20_000


async def test_an_answer_stands_for_the_services() -> None:
    answer = http_answer(503, "Retry-After: 3\r\n", b"busy")
    async with echo_behind(FaultProxy(0, Weather(answer=answer))) as port, asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"PUT / HTTP/1.1\r\n\r\n")
        said = await reader.read(-1)
        writer.close()
    assert said.startswith(b"HTTP/1.1 503 ")
    assert b"Content-Length: 4\r\n" in said
    assert b"Retry-After: 3\r\n" in said
    assert said.endswith(b"\r\n\r\nbusy")


async def test_tls_is_ended_at_the_proxy_and_a_wrong_certificate_is_refused(tmp_path: Path) -> None:
    own = Authority.made(tmp_path)
    stranger = Authority.made(tmp_path, "stranger")
    trusting = ssl.create_default_context(cafile=str(own.file))
    proxy = FaultProxy(0, tls=own.context("127.0.0.1"))
    wrong = [stranger.context("127.0.0.1"), own.context("127.0.0.1", -DAY), own.context("192.0.2.1")]
    async with echo_behind(proxy) as port:
        assert await exchange(port, b"sealed", trusting) == b"sealed"
        for certificate in wrong:
            proxy.change(Weather(certificate=certificate))
            with pytest.raises(ssl.SSLCertVerificationError):
                await exchange(port, b"sealed", trusting)
        proxy.change(FAIR)
        assert await exchange(port, b"sealed", trusting) == b"sealed"

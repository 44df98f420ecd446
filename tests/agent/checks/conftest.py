"""A context with an own client, and a stand-in for the service on a free loopback port."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from secureproctor.agent.checks.check import CheckContext
from secureproctor.contract.streams import MEDIA

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]
Serving = Callable[[Reply], AbstractAsyncContextManager[str]]
MakeContext = Callable[..., CheckContext]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def make_context(tmp_path: Path) -> AsyncIterator[MakeContext]:
    """Makes a context from keyword arguments; what is not given is that of an exam with all streams."""
    async with httpx.AsyncClient(trust_env=False) as client:

        def make(**changes: object) -> CheckContext:
            values: dict[str, object] = {
                "service_url": "http://127.0.0.1:1",
                "spool_dir": tmp_path,
                "expiry_s": 300,
                "streams": frozenset(MEDIA),
                "client": client,
                "platform": "linux",
            }
            return CheckContext(**{**values, **changes})  # type: ignore[arg-type]  # the tests' own values

        yield make


@pytest.fixture
def serving() -> Serving:
    """Serves one kind of reply on a free port and yields the address; all connections are closed at the end."""

    @asynccontextmanager
    async def serve(reply: Reply) -> AsyncIterator[str]:
        talks: set[asyncio.Task[None]] = set()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await reader.readuntil(b"\r\n\r\n")
                await reply(writer)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass  # the client gave up, as some tests want it to
            finally:
                writer.close()

        def began(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talks.add(asyncio.create_task(talk(reader, writer)))

        server = await asyncio.start_server(began, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for task in talks:
                task.cancel()
            await asyncio.gather(*talks, return_exceptions=True)
            await server.wait_closed()

    return serve


@pytest.fixture
def http_reply() -> Callable[..., Reply]:
    """A reply of these bytes with this status, as JSON if it is JSON."""

    def make(body: bytes, status: str = "200 OK", more: str = "") -> Reply:
        async def reply(writer: asyncio.StreamWriter) -> None:
            head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}\r\n"
            writer.write(head.encode() + body)
            await writer.drain()

        return reply

    return make

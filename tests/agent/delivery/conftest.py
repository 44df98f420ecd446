"""A service on a free loopback port that answers each PUT as the test has written it down."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from secureproctor.agent.delivery import backoff
from secureproctor.agent.delivery.backoff import Backoff
from secureproctor.agent.delivery.spool import Spool
from secureproctor.agent.delivery.uploader import Uploader

STORED = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


def answer(status: int, **headers: object) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n{lines}\r\n".encode()


@dataclass(slots=True)
class Put:
    """A request as it came."""

    path: str
    token: str
    body: bytes


@dataclass(slots=True)
class FakeService:
    """Plays `script` by path: each request takes the next answer, the last one for ever.

    After an answer that does not end with its head it closes; after b"" without a word.
    """

    script: dict[str, list[bytes]] = field(default_factory=dict)
    otherwise: bytes = STORED
    puts: list[Put] = field(default_factory=list)
    port: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    talks: set[asyncio.Task[None]] = field(default_factory=set)
    at_once: int = 0
    most_at_once: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/segments"

    def paths(self) -> list[str]:
        return [put.path for put in self.puts]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._began, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            for task in self.talks:
                task.cancel()
            await asyncio.gather(*self.talks, return_exceptions=True)
            await server.wait_closed()

    def _began(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.talks.add(asyncio.create_task(self._talk(reader, writer)))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has closed
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        body = await reader.readexactly(int(headers["content-length"]))
        path = first.split(" ")[1].removeprefix("/segments/")
        self.puts.append(Put(path, headers["authorization"].removeprefix("bearer "), body))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.gate.wait()
        self.at_once -= 1
        left = self.script.get(path, [])
        said = (left.pop(0) if len(left) > 1 else left[0]) if left else self.otherwise
        writer.write(said)
        await writer.drain()
        return said.endswith(b"\r\n\r\n")


@dataclass(slots=True)
class FakeAccess:
    """A token with a number that counts its renewals."""

    token: str = "token-0"
    renewals: int = 0

    async def renew(self) -> None:
        self.renewals += 1
        self.token = f"token-{self.renewals}"


@dataclass(slots=True)
class Upload:
    """An uploader at work, with everything around it."""

    service: FakeService
    spool: Spool
    access: FakeAccess
    uploader: Uploader
    acknowledged: list[Any]
    heard: list[None]


@pytest.fixture
async def service() -> AsyncIterator[FakeService]:
    service = FakeService()
    service.gate.set()
    async with service.listening():
        yield service


@pytest.fixture
def replying() -> Callable[..., bytes]:
    return answer


@pytest.fixture
async def upload(service: FakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Upload]:
    """The uploader runs; its waits are a fiftieth of the real ones."""
    monkeypatch.setattr(backoff, "FIRST_S", 0.01)
    monkeypatch.setattr(backoff, "LONGEST_S", 0.1)
    acknowledged: list[Any] = []

    class NotedSpool(Spool):
        def acknowledge(self, key: Any) -> None:
            acknowledged.append(key)
            super().acknowledge(key)

    heard: list[None] = []
    spool, access = NotedSpool(tmp_path / "spool").open(), FakeAccess()
    async with httpx.AsyncClient(trust_env=False) as client:
        uploader = Uploader(
            spool, client, service.address, access, lambda: heard.append(None), lambda: None, Backoff(lambda: 0.5)
        )
        work = asyncio.create_task(uploader.run())
        yield Upload(service, spool, access, uploader, acknowledged, heard)
        assert not work.done(), work.result()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

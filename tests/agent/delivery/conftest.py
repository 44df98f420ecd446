"""A service on a free loopback port that answers each request as the test has written it down."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
import pytest

from secureproctor.agent.delivery import backoff, uploader
from secureproctor.agent.delivery.backoff import Backoff
from secureproctor.agent.delivery.spool import Key, Spool
from secureproctor.agent.delivery.uploader import Uploader
from secureproctor.contract.errors import ErrorAnswer, ErrorInfo
from secureproctor.contract.http import Stored, StoredList

Answer = bytes | Callable[[bytes], bytes]
"""What is said; or what is made of the request's body."""


def raw(status: int, body: bytes = b"", **headers: object) -> bytes:
    """An answer with any body."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


def answer(status: int, **headers: object) -> Answer:
    """What the service says with a status: the record's hash, or an error."""
    if status in {200, 201}:
        return lambda body: raw(
            status, msgspec.json.encode(Stored("stored", hashlib.sha256(body).hexdigest())), **headers
        )
    return raw(status, msgspec.json.encode(ErrorAnswer(ErrorInfo("whatever", "No."))), **headers)


@dataclass(slots=True)
class Put:
    """A request as it came."""

    path: str
    token: str
    body: bytes
    at: float


@dataclass(slots=True)
class FakeService:
    """Plays `script` by path: each request takes the next answer, the last one for ever. After b"" it closes without a
    word, and so after an answer with fewer bytes than it promised.
    """

    script: dict[str, list[Answer]] = field(default_factory=dict)
    otherwise: Answer = field(default_factory=lambda: answer(201))
    listed: Answer = field(default_factory=lambda: raw(200, msgspec.json.encode(StoredList({}))))
    puts: list[Put] = field(default_factory=list)
    asked: int = 0
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
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if first.startswith("GET"):
            self.asked += 1
            return await self._say(writer, self.listed, body)
        path = first.split(" ")[1].removeprefix("/segments/")
        now = asyncio.get_running_loop().time()
        self.puts.append(Put(path, headers["authorization"].removeprefix("bearer "), body, now))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.gate.wait()
        self.at_once -= 1
        left = self.script.get(path, [])
        return await self._say(writer, (left.pop(0) if len(left) > 1 else left[0]) if left else self.otherwise, body)

    async def _say(self, writer: asyncio.StreamWriter, said: Answer, body: bytes) -> bool:
        data = said if isinstance(said, bytes) else said(body)
        writer.write(data)
        await writer.drain()
        head, _, rest = data.partition(b"\r\n\r\n")
        return f"Content-Length: {len(rest)}\r\n".encode() in head + b"\r\n"


@dataclass(slots=True)
class FakeAccess:
    """A token with a number that counts its renewals; `stubborn` never gives a fresh one."""

    token: str = "token-0"
    renewals: int = 0
    stubborn: bool = False

    async def renew(self) -> None:
        self.renewals += 1
        if not self.stubborn:
            self.token = f"token-{self.renewals}"


@dataclass(slots=True)
class Upload:
    """An uploader at work, with everything around it."""

    service: FakeService
    spool: Spool
    access: FakeAccess
    uploader: Uploader
    acknowledged: list[Key]
    heard: list[None]
    damaged: list[tuple[Key, str, str]]
    work: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        self.work.append(asyncio.create_task(self.uploader.run()))


@pytest.fixture
async def service() -> AsyncIterator[FakeService]:
    service = FakeService()
    service.gate.set()
    async with service.listening():
        yield service


@pytest.fixture
def replying() -> Callable[..., Answer]:
    return answer


@pytest.fixture
def saying() -> Callable[..., bytes]:
    return raw


@pytest.fixture
async def resting(service: FakeService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Upload]:
    """The uploader waits to be started; its waits are a fraction of the real ones."""
    monkeypatch.setattr(backoff, "FIRST_S", 0.01)
    monkeypatch.setattr(backoff, "LONGEST_S", 0.1)
    monkeypatch.setattr(backoff, "SHORTEST_S", 0.002)
    monkeypatch.setattr(backoff, "RESUME_SPREAD_S", 0.05)
    monkeypatch.setattr(uploader, "LOOK_S", 0.01)
    monkeypatch.setattr("secureproctor.agent.delivery.lanes.REST_S", 0.02)
    acknowledged: list[Key] = []

    class NotedSpool(Spool):
        def acknowledge(self, key: Key) -> None:
            acknowledged.append(key)
            Spool.acknowledge(self, key)

    heard: list[None] = []
    damaged: list[tuple[Key, str, str]] = []
    spool, access = NotedSpool(tmp_path / "spool").open(), FakeAccess()
    async with httpx.AsyncClient(trust_env=False) as client:
        made = Uploader(
            spool,
            client,
            service.address,
            access,
            lambda: heard.append(None),
            lambda: None,
            lambda *told: damaged.append(told),
            Backoff(lambda: 0.5),
            random=lambda: 0.5,
        )
        upload = Upload(service, spool, access, made, acknowledged, heard, damaged)
        yield upload
        for work in upload.work:
            assert not work.done(), work.result()
            work.cancel()
        await asyncio.gather(*upload.work, return_exceptions=True)


@pytest.fixture
async def upload(resting: Upload) -> Upload:
    """The uploader runs."""
    resting.start()
    return resting

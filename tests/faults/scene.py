"""A whole session to be disturbed: desk, agent and service as processes that can be killed and started again, and a page.

The service stands at the far end of the network, under a fixed address: nobody else is in these namespaces. The agent
reaches it over the link, and where wanted through a fault proxy that also ends its TLS.
"""

import asyncio
import functools
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import msgspec
import psutil

from secureproctor.contract.channel import CommandKind
from secureproctor.contract.page import Registered, Status
from secureproctor.contract.record import RecordKind, parse, record_hash
from secureproctor.contract.streams import MEDIA
from secureproctor.demo.desk import desk
from secureproctor.demo.program import running
from secureproctor.demo.stage import PUBLIC_KEY, AgentProcess, Program, agent
from secureproctor.demo.weather import FaultProxy
from tests.faults.certificates import Authority
from tests.faults.console import Console
from tests.faults.network import FAR, Network, network, small_disk
from tests.faults.page import Page, Told, open_page

PORT = 8400
READY_S = 60.0
SEAM_US = 50_000
"""By so much two encoders may overlap."""
LIGHT = ["--screen-fps", "4", "--screen-preset", "ultrafast", "--webcam-fps", "5", "--segment-s", "1"]
"""Several sessions share the machine's two cores."""


class Ready(msgspec.Struct):
    """What the service writes when it listens."""

    proctor_key: str


class Arrival(msgspec.Struct, frozen=True):
    """A record as the service stored it. Session time and sealing time in microseconds, arrival in milliseconds."""

    stream: str
    epoch: int
    seq: int
    kind: int
    start_us: int
    duration_us: int
    wall_us: int
    received_ms: int
    hash: str

    @property
    def late_s(self) -> float:
        """From its sealing to its arrival."""
        return self.received_ms / 1e3 - self.wall_us / 1e6


@dataclass(slots=True)
class Counterpart:
    """The service on one data folder and port, from kill to start."""

    folder: Path
    environment: dict[str, str]
    network: Network
    stack: AsyncExitStack
    public_url: str
    url: str = f"http://{FAR}:{PORT}"
    private_key: str = field(default_factory=lambda: secrets.token_hex(16))
    proctor_key: str = ""
    program: Program | None = None
    starts: int = 0

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        self.starts += 1
        ready, log = self.folder / f"service-{self.starts}.json", self.folder / f"service-{self.starts}.log"
        words = f"-m secureproctor.service --host {FAR} --port {PORT} --public-url {self.public_url or self.url}"
        words += f" --data {self.folder / 'service'} --ready-file {ready} --key {PUBLIC_KEY}:{self.private_key}"
        argv = [*self.network.far, sys.executable, *words.split()]
        process = self.stack.enter_context(running(argv, self.environment, log))
        self.program = Program("The service", process, log)
        await _until_there(ready, self.program)
        self.proctor_key = msgspec.json.decode(ready.read_bytes(), type=Ready).proctor_key

    async def kill(self) -> None:
        """`kill -9`."""
        assert self.program is not None
        self.program.process.kill()
        await asyncio.to_thread(self.program.process.wait)

    @property
    def console(self) -> Console:
        """The way of the proctor and of the exam's server."""
        reach = functools.partial(self.network.connected_there, PORT)
        return Console(self.url, reach, self.proctor_key, self.private_key)

    def arrivals(self, session_id: str) -> list[Arrival]:
        """All records of a session in the order of their chains, from the files of the service."""
        files = (self.folder / "service" / "records" / session_id).glob("*/*.spr")
        return sorted((_arrival(file) for file in files), key=lambda each: (each.stream, each.epoch, each.seq))


@dataclass(slots=True)
class Candidate:
    """The candidate's computer: an agent on one state folder, from kill to start, and the page at it."""

    folder: Path
    environment: dict[str, str]
    options: list[str]
    stack: AsyncExitStack
    origin: str
    private_key: str
    told: list[Told] = field(default_factory=list)
    process: AgentProcess | None = None
    starts: int = 0

    async def start(self) -> None:
        """Start the agent, and wait until it listens."""
        self.starts += 1
        (self.folder / "runtime" / "agent.json").unlink(missing_ok=True)
        logs = self.folder / f"agent-{self.starts}"
        logs.mkdir()
        starting = agent(self.folder, self.environment, self.options, logs=logs)
        self.process = await self.stack.enter_async_context(starting)

    async def kill(self) -> int:
        """`kill -9`; the moment, in milliseconds since 1970."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        at_ms = time.time_ns() // 1_000_000
        await asyncio.to_thread(self.process.program.process.wait)
        return at_ms

    async def stand_still(self, seconds: float) -> None:
        """Stop the agent and all that belongs to it, as sleep does; then let it go on."""
        assert self.process is not None
        whole = psutil.Process(self.process.pid)
        every = [whole, *whole.children(recursive=True)]
        for each in every:
            each.suspend()
        await asyncio.sleep(seconds)
        for each in every:
            each.resume()

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Page]:
        """The exam's page, as long as the block lasts."""
        assert self.process is not None
        async with open_page(self.process.address, self.origin, self.private_key, self.told) as page:
            yield page

    @property
    def sessions(self) -> Path:
        """Where the agent keeps its sessions."""
        return self.folder / "state" / "sessions"

    def spool(self, session_id: str) -> Path:
        """The folder of a session's records that wait."""
        return self.sessions / session_id.replace("-", "") / "spool"

    @property
    def logs(self) -> str:
        """All that the agents said."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("agent-*/agent.log")))


@dataclass(slots=True)
class Scene:
    """What a course plays with."""

    network: Network
    service: Counterpart
    candidate: Candidate
    proxy: FaultProxy
    authority: Authority

    async def begin(self, page: Page, user: str, expiry_s: int = 300) -> Registered:
        """From Init until the session runs and its first evidence has arrived."""
        registered = await page.init(user, expiry_s)
        await page.check_and_start()
        await self.arrived(registered.session_id, 1)
        return registered

    async def commanded(self, session_id: str, kind: CommandKind, within_s: float = 20) -> str:
        """How a proctor's command ended; `unanswered` when it did not in time."""
        try:
            return (await self.service.console.command(session_id, kind, within_s)).status
        except TimeoutError:
            return "unanswered"

    async def left(self, within_s: float = READY_S) -> list[str]:
        """What is still in the agent's folder of sessions, after as long as it may take to clear it."""
        deadline = time.monotonic() + within_s
        while names := [path.name for path in await asyncio.to_thread(list, self.candidate.sessions.iterdir())]:
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.1)
        return names

    async def arrived(self, session_id: str, media: int, within_s: float = READY_S) -> None:
        """Wait until the service has so many media records of each stream."""
        deadline = time.monotonic() + within_s
        while min(_media_records(self.service.arrivals(session_id)).values()) < media:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{_media_records(self.service.arrivals(session_id))} records arrived")
            await asyncio.sleep(0.1)


@asynccontextmanager
async def scene(
    *, proxied: bool = False, options: Sequence[str] = (), disk_mb: int | None = None
) -> AsyncIterator[Scene]:
    """Everything but the session; only within `in_own_network`.

    With `proxied` the agent speaks TLS to the fault proxy. With `disk_mb` its state has a small disk of its own.
    """
    async with AsyncExitStack() as stack:
        net = stack.enter_context(network())  # before the desk, whose camera needs the loopback
        pc = stack.enter_context(desk(size=(1280, 720), fps=10))
        authority = Authority.made(pc.folder)
        environment = {name: value for name, value in pc.environment.items() if not name.lower().endswith("_proxy")}
        environment["SSL_CERT_FILE"] = str(authority.file)
        proxy = FaultProxy(PORT, target_host=FAR, tls=authority.context("127.0.0.1"))
        url = f"https://127.0.0.1:{await stack.enter_async_context(proxy.running())}" if proxied else ""
        service = Counterpart(pc.folder, environment, net, stack, url)
        await service.start()
        words = ["--service-url", url or service.url, "--test-camera", str(pc.camera_url), *LIGHT, *options]
        if disk_mb:
            stack.enter_context(small_disk(pc.folder / "state", disk_mb))
        candidate = Candidate(pc.folder, environment, words, stack, url or service.url, service.private_key)
        await candidate.start()
        yield Scene(net, service, candidate, proxy, authority)


def caught_up(status: Status) -> bool:
    """Whether the agent hears the service, and no more waits than what has just been captured."""
    return status.link.online and status.waiting_segments <= 2 * len(MEDIA)


def faults_in(arrivals: Sequence[Arrival]) -> list[str]:
    """What is wrong with what was stored: a record that is missing in its epoch, or a time that is there twice."""
    return [*holes_in(arrivals), *doubles_in(arrivals)]


def holes_in(arrivals: Sequence[Arrival]) -> list[str]:
    """Records that are not there though later ones of their epoch are."""
    found = [f"{each.stream} {each.epoch} begins at {each.seq}" for each in arrivals[:1] if each.seq]
    for before, after in pairwise(arrivals):
        same = (before.stream, before.epoch) == (after.stream, after.epoch)
        if after.seq != (before.seq + 1 if same else 0):
            found.append(f"{after.stream} {after.epoch}/{after.seq} does not follow what is before it")
    return found


def doubles_in(arrivals: Sequence[Arrival]) -> list[str]:
    """Times that two records of a stream hold."""
    media = [each for each in arrivals if each.kind == RecordKind.MEDIA]
    return [
        f"{after.stream} {after.epoch}/{after.seq} begins before the one before it ends"
        for before, after in pairwise(media)
        if before.stream == after.stream and before.start_us + before.duration_us - after.start_us > SEAM_US
    ]


def _arrival(file: Path) -> Arrival:
    data = file.read_bytes()
    header = parse(data).header
    return Arrival(
        header.stream,
        header.epoch,
        header.seq,
        header.kind,
        header.start_us,
        header.duration_us,
        header.wall_us,
        file.stat().st_mtime_ns // 1_000_000,
        record_hash(data).hex(),
    )


def _media_records(arrivals: Sequence[Arrival]) -> dict[str, int]:
    return {
        stream: sum(each.stream == stream and each.kind == RecordKind.MEDIA for each in arrivals) for stream in MEDIA
    }


async def _until_there(path: Path, program: Program) -> None:
    deadline = time.monotonic() + READY_S
    while not await asyncio.to_thread(path.exists):
        if not program.alive or time.monotonic() > deadline:
            raise program.failed("program_failed", "did not start")
        await asyncio.sleep(0.02)

"""Service and agent as programs that a test can kill and start again where they were: same folder, same port."""

import secrets
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from secureproctor.agent.local.pairing import Pairing
from secureproctor.demo.program import DeskError, running
from secureproctor.demo.stage import PUBLIC_KEY, Program
from secureproctor.demo.supervision import lasting_port

READY_S = 60.0
LIGHT = ("--screen-fps", "4", "--screen-preset", "ultrafast", "--webcam-fps", "5", "--segment-s", "1")
"""The machine has little to spare for many sessions in a row."""
T = TypeVar("T", bound=msgspec.Struct)


class Ready(msgspec.Struct):
    """What the service writes when it listens."""

    url: str
    proctor_key: str
    console_url: str


@dataclass(slots=True)
class Lasting:
    """A program at its place. `announced` is the file that it writes when it can be reached."""

    name: str
    words: Sequence[str]
    environment: Mapping[str, str]
    announced: Path
    log: Path
    _life: ExitStack = field(default_factory=ExitStack)
    _program: Program | None = None

    def start(self, said: type[T]) -> T:
        """Start it; what it announces. Raises DeskError with its own words when it does not come up."""
        self.announced.unlink(missing_ok=True)  # who was killed leaves it
        argv = [sys.executable, "-m", *self.words]
        process = self._life.enter_context(running(argv, self.environment, self.log))
        self._program = program = Program(self.name, process, self.log)
        deadline = time.monotonic() + READY_S
        while not self.announced.exists():
            if not program.alive or time.monotonic() > deadline:
                raise program.failed("program_failed", "did not start")
            time.sleep(0.01)
        return msgspec.json.decode(self.announced.read_bytes(), type=said)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running.process.pid

    @property
    def said(self) -> str:
        """All that it has written to its log."""
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """`kill -9`."""
        self._running.process.kill()
        self._running.process.wait()

    def end(self) -> None:
        """End it as a person would; harmless when it is gone already."""
        self._life.close()

    @property
    def _running(self) -> Program:
        if self._program is None:
            raise DeskError("not_started", f"{self.name} was not started.", "Start it.")
        return self._program


@dataclass(slots=True)
class Service:
    """The service: where it is, and its keys."""

    program: Lasting
    private_key: str
    ready: Ready = field(default_factory=lambda: Ready("", "", ""))

    def start(self) -> None:
        """Start it, the first time or again."""
        self.ready = self.program.start(Ready)

    @property
    def url(self) -> str:
        """Its address."""
        return self.ready.url

    @property
    def proctor_key(self) -> str:
        """What opens the console as a super proctor."""
        return self.ready.proctor_key


@dataclass(slots=True)
class Agent:
    """The agent: where it listens, and the token for local programs."""

    program: Lasting
    pairing: Pairing = field(default_factory=lambda: Pairing("", "", 0))

    def start(self) -> None:
        """Start it, the first time or again."""
        self.pairing = self.program.start(Pairing)

    @property
    def address(self) -> str:
        """Its WebSocket's address."""
        return self.pairing.address

    @property
    def port(self) -> int:
        """Its port on 127.0.0.1."""
        return int(self.address.partition("//")[2].partition("/")[0].rpartition(":")[2])


@contextmanager
def service(folder: Path, environment: Mapping[str, str], *options: str) -> Iterator[Service]:
    """The service as long as the block lasts."""
    private_key, ready = secrets.token_hex(16), folder / "service.json"
    words = f"secureproctor.service --port {lasting_port()} --data {folder / 'service'} --ready-file {ready}"
    words += f" --key {PUBLIC_KEY}:{private_key}"
    program = Lasting("The service", [*words.split(), *options], environment, ready, folder / "service.log")
    made = Service(program, private_key)
    try:
        made.start()
        yield made
    finally:
        program.end()


@contextmanager
def agent(folder: Path, environment: Mapping[str, str], service_url: str, *options: str) -> Iterator[Agent]:
    """The agent as long as the block lasts."""
    words = f"secureproctor.agent agent --local-port {lasting_port()} --service-url {service_url}"
    words += f" --state-dir {folder / 'state'} --runtime-dir {folder / 'runtime'}"
    announced = folder / "runtime" / "agent.json"
    program = Lasting("The agent", [*words.split(), *LIGHT, *options], environment, announced, folder / "agent.log")
    made = Agent(program)
    try:
        made.start()
        yield made
    finally:
        program.end()

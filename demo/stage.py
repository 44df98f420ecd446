"""The stage of a course: the real service and the real agent, each a process of its own, with folders of their own.

Both are started as a user would start them, and are ended in reverse order however the course ends. Should one of them end
by itself meanwhile, the course is broken off with a sentence instead of waiting for something that cannot come.
"""

import asyncio
import json
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from secureproctor.demo.program import DeskError, running

READY_S = 30.0
LOOK_S = 0.2
"""How often a look is taken at whether the programs are still there."""
PUBLIC_KEY = "demo"
FORM = {"publicKey": PUBLIC_KEY, "userId": "candidate-1", "groupName": "physics-101", "userName": "Eileen Collins"}
"""What the demo page is filled in with, by the ids of its fields."""
OPERATOR = "The SecureProctor demo"
"""Who runs the service, as the candidate is told before they agree."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Program:
    """A running program and its log; `name` begins a sentence."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def raise_if_dead(self) -> None:
        """Raise DeskError `program_died`."""
        if not self.alive:
            raise self.failed("program_died", "ended in the middle of the course")

    def failed(self, code: str, what: str) -> DeskError:
        """The error of a program that has ended, or that stays silent; with its last words."""
        ended = "" if self.alive else f" (exit code {self.process.returncode})"
        last = " | ".join(self.log.read_text(errors="replace").splitlines()[-3:])
        return DeskError(
            code, f"{self.name} {what}{ended}: {last or 'it said nothing'}.", f"Its messages are in {self.log}."
        )


@dataclass(frozen=True, slots=True)
class Service:
    """The running service: its address, the proctors' key, the exam's private key, its process id."""

    url: str
    proctor_key: str
    private_key: str
    pid: int
    program: Program


@dataclass(frozen=True, slots=True)
class AgentProcess:
    """The running agent: the address of its loopback API, its process id and its log."""

    address: str
    pid: int
    log: Path
    program: Program


@asynccontextmanager
async def service(
    folder: Path, environment: Mapping[str, str], options: Sequence[str] = (), *, logs: Path | None = None
) -> AsyncIterator[Service]:
    """The service as long as the block lasts. Raises DeskError when it does not come up."""
    private_key = secrets.token_hex(16)
    ready, log = folder / "service.json", (logs or folder) / "service.log"
    argv = [sys.executable, "-m", "secureproctor.service", "--port", "0", "--data", str(folder / "service")]
    argv += ["--key", f"{PUBLIC_KEY}:{private_key}", "--ready-file", str(ready)]
    argv += ["--operator", OPERATOR, *options]
    with running(argv, environment, log) as process:
        program = Program("The service", process, log)
        said = await read_when_there(ready, program)
        yield Service(str(said["url"]), str(said["proctor_key"]), private_key, process.pid, program)


@contextmanager
def agent_program(
    folder: Path,
    environment: Mapping[str, str],
    options: list[str],
    *,
    before: list[str] | None = None,
    logs: Path | None = None,
) -> Iterator[Program]:
    """The agent's process as long as the block lasts; `before` are words that go before its command line."""
    log = (logs or folder) / "agent.log"
    announcement(folder).unlink(missing_ok=True)  # an agent that was killed leaves it
    argv = [*(before or []), sys.executable, "-m", "secureproctor.agent", "agent", "--local-port", "0"]
    argv += ["--state-dir", str(folder / "state"), "--runtime-dir", str(folder / "runtime"), *options]
    with running(argv, environment, log) as process:
        yield Program("The agent", process, log)


async def announced(folder: Path, program: Program) -> AgentProcess:
    """An agent that was just started, once it can be reached. Raises DeskError when it does not come up."""
    said = await read_when_there(announcement(folder), program)
    return AgentProcess(str(said["address"]), int(str(said["pid"])), program.log, program)


@asynccontextmanager
async def agent(
    folder: Path,
    environment: Mapping[str, str],
    options: list[str],
    *,
    before: list[str] | None = None,
    logs: Path | None = None,
) -> AsyncIterator[AgentProcess]:
    """The agent as long as the block lasts. Raises DeskError when it does not come up."""
    with agent_program(folder, environment, options, before=before, logs=logs) as program:
        yield await announced(folder, program)


class Needed(Protocol):
    """What a course cannot go on without."""

    def raise_if_dead(self) -> None:
        """Raise DeskError when it is gone for good."""


async def while_alive(needed: Sequence[Needed], playing: Coroutine[Any, Any, T]) -> T:
    """What `playing` gives. Raises DeskError as soon as something that it needs is gone."""
    task = asyncio.create_task(playing)
    try:
        while not task.done():
            await asyncio.wait([task], timeout=LOOK_S)
            _raise_for_dead(needed)
        if task.exception() is not None:
            # a page may notice the end of a program before the kernel has put the process away
            await asyncio.sleep(LOOK_S)
            _raise_for_dead(needed)
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _raise_for_dead(needed: Sequence[Needed]) -> None:
    for each in needed:
        each.raise_if_dead()


def announcement(folder: Path) -> Path:
    """Where an agent says how it is reached."""
    return folder / "runtime" / "agent.json"


async def read_when_there(path: Path, program: Program) -> dict[str, object]:
    """What a program that was just started says of itself in a file. Raises DeskError when it ends, or never says it."""
    deadline = time.monotonic() + READY_S
    said = read(path)
    while said is None:
        if not program.alive or time.monotonic() > deadline:
            raise program.failed("program_failed", "did not start")
        await asyncio.sleep(0.02)
        said = read(path)
    return said


def read(path: Path) -> dict[str, object] | None:
    """What a program says of itself in a file; None while it has not."""
    if not path.exists():
        return None
    said: dict[str, object] = json.loads(path.read_text())
    return said

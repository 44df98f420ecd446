"""The stage of a course: the real service and the real agent, each a process of its own, with folders of their own.

Both are started as a user would start them, and are ended in reverse order however the course ends.
"""

import asyncio
import json
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from secureproctor.demo.program import DeskError, running

READY_S = 30.0
PUBLIC_KEY = "demo"


@dataclass(frozen=True, slots=True)
class Service:
    """The running service: its address, the proctors' key, the exam's keys, its process id."""

    url: str
    proctor_key: str
    private_key: str
    pid: int


@dataclass(frozen=True, slots=True)
class AgentProcess:
    """The running agent: the address of its loopback API, its process id and its log."""

    address: str
    pid: int
    log: Path


@asynccontextmanager
async def service(folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Service]:
    """The service as long as the block lasts. Raises DeskError when it does not come up."""
    private_key = secrets.token_hex(16)
    ready, log = folder / "service.json", folder / "service.log"
    argv = [sys.executable, "-m", "secureproctor.service", "--port", "0", "--data", str(folder / "service")]
    argv += ["--key", f"{PUBLIC_KEY}:{private_key}", "--ready-file", str(ready)]
    with running(argv, environment, log) as process:
        said = await _read_when_there(ready, lambda: process.poll() is None, "The service", log)
        yield Service(str(said["url"]), str(said["proctor_key"]), private_key, process.pid)


@asynccontextmanager
async def agent(
    folder: Path, environment: Mapping[str, str], options: list[str], *, before: list[str] | None = None
) -> AsyncIterator[AgentProcess]:
    """The agent as long as the block lasts; `before` are words that go before its command line."""
    log = folder / "agent.log"
    argv = [*(before or []), sys.executable, "-m", "secureproctor.agent", "agent", "--local-port", "0"]
    argv += ["--state-dir", str(folder / "state"), "--runtime-dir", str(folder / "runtime"), *options]
    with running(argv, environment, log) as process:
        said = await _read_when_there(
            folder / "runtime" / "agent.json", lambda: process.poll() is None, "The agent", log
        )
        yield AgentProcess(str(said["address"]), int(str(said["pid"])), log)


async def _read_when_there(path: Path, alive: Callable[[], bool], who: str, log: Path) -> dict[str, object]:
    deadline = time.monotonic() + READY_S
    said = _read(path)
    while said is None:
        if not alive() or time.monotonic() > deadline:
            raise _did_not_start(who, log)
        await asyncio.sleep(0.02)
        said = _read(path)
    return said


def _read(path: Path) -> dict[str, object] | None:
    if not path.exists():
        return None
    said: dict[str, object] = json.loads(path.read_text())
    return said


def _did_not_start(who: str, log: Path) -> DeskError:
    last = " | ".join(log.read_text(errors="replace").splitlines()[-3:])
    return DeskError("program_failed", f"{who} did not start: {last or 'it said nothing'}.", "See the message above.")

"""Where a measurement takes place, and how a program is put there: what every measured program has in common."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from secureproctor.benchmarks.figures import Outcome
from secureproctor.benchmarks.recorded import recorded
from secureproctor.demo.desk import Desk
from secureproctor.demo.program import did_not_start, end, running
from secureproctor.demo.stage import READY_S, Service


@dataclass(frozen=True, slots=True)
class Place:
    """The desk, the service, and what brings the scene onto the screen from its beginning."""

    desk: Desk
    service: Service
    show: Callable[[], Awaitable[None]]

    def folder(self) -> Path:
        """A new folder that goes with the desk."""
        return Path(tempfile.mkdtemp(dir=self.desk.folder, prefix="bench-"))


@dataclass(frozen=True, slots=True)
class Subject:
    """A program that captures now. `finish` ends it and says what came out."""

    pid: int
    finish: Callable[[], Awaitable[Outcome]]


Opener = Callable[[Place], AbstractAsyncContextManager[Subject]]
"""Brings the scene up, starts to capture, and leaves nothing running afterwards."""


def program(argv: Callable[[Place, Path], list[str]]) -> Opener:
    """A program that captures from its start to SIGTERM and writes files into the folder that it is given."""

    @asynccontextmanager
    async def opened(place: Place) -> AsyncIterator[Subject]:
        folder = place.folder()
        log = folder.with_suffix(".log")
        await place.show()
        with running(argv(place, folder), place.desk.environment, log) as process:

            async def finish() -> Outcome:
                end(process)
                return Outcome(recorded(folder))

            await _until_delivering(folder, lambda: process.poll() is None, log)
            yield Subject(process.pid, finish)

    return opened


async def _until_delivering(folder: Path, alive: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while not _size(folder):
        if not alive() or time.monotonic() > deadline:
            raise did_not_start("The program to be measured", log)
        await asyncio.sleep(0.02)


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.iterdir())

"""An agent with a supervisor: whenever it is killed it is started again at once, on the same folders and the same port.

That is what a service manager, a guardian or a secure browser does for it. An agent that ends by itself is not started
again: it had a reason, and the course is broken off with its words.
"""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

from secureproctor.demo.account import Life
from secureproctor.demo.program import DeskError
from secureproctor.demo.stage import AgentProcess, Program, announced

LOOK_S = 0.02
BEFORE_KILLS_S, AFTER_KILLS_S = 5.0, 10.0
"""Of the running time, what is left in peace: a session has to begin, and the last agent has to come back."""
PORTS = range(20_000, 32_000)
"""Below those that the system gives to outgoing connections: one of them could take the port while no agent holds it."""


@dataclass(slots=True)
class Supervised:
    """The agent of the moment, started in `folder` by `start`.

    `lives` grows with each start; `first` is how the first one was reached.
    """

    folder: Path
    start: Callable[[], AbstractContextManager[Program]]
    lives: list[Life] = field(default_factory=list)
    first: asyncio.Future[AgentProcess] = field(default_factory=asyncio.Future)
    keeping: asyncio.Future[None] | None = None
    _program: Program | None = None

    def kill(self) -> None:
        """SIGKILL, at whatever the agent is doing; nothing while there is none."""
        if self._program is not None and self._program.alive:
            self._program.process.kill()
            self.lives[-1].killed = time.time()

    def raise_if_dead(self) -> None:
        """Raise what ended the supervision."""
        if self.keeping is not None and self.keeping.done():
            self.keeping.result()

    async def keep(self) -> None:
        """Start the agent again and again; cancel to stop."""
        while True:
            life = Life(time.time())
            with self.start() as program:
                self._program = program
                self.lives.append(life)
                try:
                    await self._live(program, life)
                except DeskError:
                    if life.killed is None:
                        raise

    async def _live(self, program: Program, life: Life) -> None:
        process = await announced(self.folder, program)
        life.up = time.time()
        if not self.first.done():
            self.first.set_result(process)
        while program.alive:  # noqa: ASYNC110 - an end of a process that is ours to reap tells nobody
            await asyncio.sleep(LOOK_S)
        program.raise_if_dead()


@asynccontextmanager
async def supervised(folder: Path, start: Callable[[], AbstractContextManager[Program]]) -> AsyncIterator[Supervised]:
    """A supervisor and its agent as long as the block lasts. Raises DeskError when the agent does not come up."""
    supervisor = Supervised(folder, start)
    supervisor.keeping = asyncio.create_task(supervisor.keep())
    try:
        while not supervisor.first.done():
            supervisor.raise_if_dead()
            await asyncio.sleep(LOOK_S)
        yield supervisor
    finally:
        supervisor.keeping.cancel()
        await asyncio.gather(supervisor.keeping, return_exceptions=True)


def lasting_port() -> int:
    """A port of 127.0.0.1 that nobody listens at, for an agent that is to be found again where it was."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise DeskError("no_port", "No port on 127.0.0.1 is free.", "End other programs, and try again.")


def moments(seed: int, kills: int, within_s: float) -> list[float]:
    """When to kill: at random distances, the last at the end, so that an agent is met at any age, also while it starts."""
    chance = random.Random(seed)
    distances = [chance.uniform(0.1, 1.0) for _ in range(kills)]
    scale = within_s / sum(distances)
    return [scale * at for at in accumulate(distances)]

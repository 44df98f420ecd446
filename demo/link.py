"""The link between agent and service on the stage: a proxy whose weather a story changes, and what it can carry."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from secureproctor.demo.terms import MBIT
from secureproctor.demo.weather import FAIR, SILENT, FaultProxy, Weather

QUIET_S = 0.3
PATIENCE_S = 5.0
LOOK_S = 0.02
COPY_S = 3.0
WARM_UP_S = 0.5
LINES = 2
"""Connections of the plain copy: while one waits for a turn of this process the other has bytes under way."""
PIECE = b"\0" * 65536


@dataclass(slots=True)
class Link:
    """The running proxy and its address."""

    proxy: FaultProxy
    url: str

    async def cut(self) -> float:
        """Silence; nobody is told. The time of the last contact, by the wall clock.

        It begins between two exchanges, so that both ends had their last contact at the same moment.
        """
        carried, contact, deadline = self.proxy.carried, time.time(), time.monotonic() + PATIENCE_S
        seen = False
        while not (seen and time.time() - contact >= QUIET_S) and time.monotonic() < deadline:
            await asyncio.sleep(LOOK_S)
            if self.proxy.carried != carried:
                seen, carried, contact = True, self.proxy.carried, time.time()
        self.proxy.change(SILENT)
        return contact

    def mend(self, rate_mbit: float) -> None:
        """The link is back, and carries so much each way; 0: all it can."""
        self.proxy.change(weather(rate_mbit))


def weather(rate_mbit: float) -> Weather:
    """A fair link of that rate each way; 0: without a limit."""
    return Weather(rate=rate_mbit * MBIT) if rate_mbit else FAIR


@asynccontextmanager
async def link(service_url: str) -> AsyncIterator[Link]:
    """A link to the service as long as the block lasts."""
    scheme, _, port = service_url.rpartition(":")
    proxy = FaultProxy(int(port))
    async with proxy.running() as own_port:
        yield Link(proxy, f"{scheme}:{own_port}")


class _Sink(asyncio.Protocol):
    """Counts what arrives."""

    arrived = 0

    def data_received(self, data: bytes) -> None:
        """Some of it."""
        self.arrived += len(data)


async def capacity(rate_mbit: float) -> float:
    """What a plain copy through such a link carries when nothing else is on it, in bytes per second."""
    sink = _Sink()
    server = await asyncio.get_running_loop().create_server(lambda: sink, "127.0.0.1", 0)
    proxy = FaultProxy(server.sockets[0].getsockname()[1], weather(rate_mbit))
    async with server, proxy.running() as port:
        lines = [asyncio.create_task(_copy(port)) for _ in range(LINES)]
        try:
            await asyncio.sleep(WARM_UP_S)
            before, begun = sink.arrived, time.monotonic()
            await asyncio.sleep(COPY_S)
            return (sink.arrived - before) / (time.monotonic() - begun)
        finally:
            for line in lines:
                line.cancel()
            await asyncio.gather(*lines, return_exceptions=True)


async def _copy(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while True:
            writer.write(PIECE)
            await writer.drain()
    finally:
        writer.transport.abort()

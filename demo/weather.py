"""A network between agent and service whose weather can be changed: a TCP proxy on loopback, without rights and without delay.

A `Weather` says what the link does; it holds for bytes from the moment on at which it is set, also on connections that are
open already. Namespaces with a real link between them are the tests' business (tests/faults); this one runs everywhere.
"""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

PIECE = 16 * 1024


@dataclass(frozen=True, slots=True)
class Weather:
    """What the link does. Rates in bytes per second each way, delays in seconds each way.

    `refuse`: connections are refused, open ones reset. `silent`: bytes go nowhere and nobody is told (half-open).
    `reset_after`: a connection is reset when it has carried so many bytes towards the service. `answer`: each connection
    gets these bytes as the service's answer to its first request, and is closed.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    rate: float | None = None
    refuse: bool = False
    silent: bool = False
    reset_after: int | None = None
    answer: bytes | None = None


FAIR = Weather()
DOWN = Weather(refuse=True)
SILENT = Weather(silent=True)


def http_answer(status: int, headers: str = "", body: bytes = b"") -> bytes:
    """An HTTP answer for `Weather.answer`."""
    return (
        f"HTTP/1.1 {status} Fault\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n".encode() + body
    )


@dataclass(slots=True)
class Pipe:
    """A shared way of limited rate: who sends books the time that its bytes take."""

    free_at: float = 0.0

    def book(self, size: int, rate: float, now: float) -> float:
        """Seconds to wait until the bytes are through."""
        self.free_at = max(self.free_at, now) + size / rate
        return self.free_at - now


@dataclass(slots=True)
class FaultProxy:
    """The proxy. Set `weather` at any time by `change`."""

    target_port: int
    weather: Weather = FAIR
    carried: int = 0
    """Bytes that went towards the service."""
    _connections: set[asyncio.StreamWriter] = field(default_factory=set)
    _up: Pipe = field(default_factory=Pipe)
    _down: Pipe = field(default_factory=Pipe)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _random: random.Random = field(default_factory=lambda: random.Random(0))

    def change(self, weather: Weather) -> None:
        """From now on the link is like that."""
        self.weather = weather
        self._changed.set()
        self._changed = asyncio.Event()
        if weather.refuse:
            for writer in list(self._connections):
                _reset(writer)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Listen on a free port of 127.0.0.1, which is given, while the block lasts."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=PIECE)
        try:
            port: int = server.sockets[0].getsockname()[1]
            yield port
        finally:
            server.close()
            for writer in list(self._connections):
                _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            if self.weather.refuse:
                _reset(writer)
            elif self.weather.answer is not None:
                await self._answer(reader, writer, self.weather.answer)
            else:
                await self._carry(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._connections.discard(writer)
            _reset(writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
        await reader.read(PIECE)
        writer.write(answer)
        await writer.drain()
        writer.write_eof()
        while await reader.read(PIECE):  # the client must get the answer, not a reset for what it still sends
            pass

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        self._connections.add(far_writer)
        ways = [
            asyncio.create_task(self._one_way(reader, far_writer, self._up, upwards=True)),
            asyncio.create_task(self._one_way(far_reader, writer, self._down, upwards=False)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._connections.discard(far_writer)
            _reset(far_writer)

    async def _one_way(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pipe: Pipe, *, upwards: bool
    ) -> None:
        loop, sent = asyncio.get_running_loop(), 0
        while piece := await reader.read(PIECE):
            weather = self.weather
            while weather.silent:  # nothing moves, and nobody is told; TCP's own buffers fill behind it
                await self._changed.wait()
                weather = self.weather
            wait_s = weather.delay_s + weather.jitter_s * self._random.random()
            if weather.rate:
                wait_s += pipe.book(len(piece), weather.rate, loop.time())
            if wait_s:
                await asyncio.sleep(wait_s)
            if upwards and weather.reset_after is not None and sent + len(piece) > weather.reset_after:
                return
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
            self.carried += len(piece) if upwards else 0


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a TCP reset, as a link that breaks does: SO_LINGER 0."""
    sock = writer.get_extra_info("socket")
    if sock is not None and not writer.transport.is_closing():
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()

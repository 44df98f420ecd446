"""A network between agent and service whose weather can be changed: a TCP proxy on loopback, without rights and without delay.

A `Weather` says what the link does; it holds for bytes from the moment on at which it is set, also on connections that are
open already. Namespaces with a real link between them are the tests' business (tests/faults); this one runs everywhere.

Each way of a connection is a reader and a writer with a short queue between them. A delay is an appointment in that queue
and not a pause of the reader, so that it makes bytes late without making them few, as distance does.
"""

import asyncio
import contextlib
import random
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

PIECE = 16 * 1024
UNDER_WAY = 64
"""Pieces that a way holds at most: a megabyte is on its way when a reader does not read."""


@dataclass(frozen=True, slots=True)
class Weather:
    """What the link does. Rates in bytes per second each way, delays in seconds each way.

    `refuse`: connections are refused, open ones reset. `silent`: bytes go nowhere and nobody is told (half-open).
    `reset_after`: a connection is reset when it has carried so many bytes towards the service from now on. `answer`:
    connections get these bytes as the service's answer to their next request, and are closed. `certificate`: new
    connections are shown this one instead of the service's; only where the proxy speaks TLS.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    rate: float | None = None
    refuse: bool = False
    silent: bool = False
    reset_after: int | None = None
    answer: bytes | None = None
    certificate: ssl.SSLContext | None = None

    @property
    def breaks(self) -> bool:
        """Whether connections that are open already do not survive it."""
        return self.refuse or self.answer is not None or self.certificate is not None


FAIR = Weather()
DOWN = Weather(refuse=True)
SILENT = Weather(silent=True)


def http_answer(status: int, headers: str = "", body: bytes = b"") -> bytes:
    """An HTTP answer for `Weather.answer`; each of the headers ends with CRLF."""
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
    """The proxy. Set `weather` at any time by `change`.

    With `tls` it ends the TLS of its clients, and speaks plainly to the service.
    """

    target_port: int
    weather: Weather = FAIR
    carried: int = 0
    """Bytes that went towards the service."""
    target_host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    _connections: set[asyncio.StreamWriter] = field(default_factory=set)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)
    _up: Pipe = field(default_factory=Pipe)
    _down: Pipe = field(default_factory=Pipe)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _changes: int = 0
    _random: random.Random = field(default_factory=lambda: random.Random(0))

    def change(self, weather: Weather) -> None:
        """From now on the link is like that."""
        self.weather = weather
        self._changes += 1
        self._changed.set()
        self._changed = asyncio.Event()
        if weather.breaks:
            for writer in list(self._connections):
                _reset(writer)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Listen on a free port of 127.0.0.1, which is given, while the block lasts."""
        if self.tls is not None:
            self.tls.sni_callback = self._show
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=PIECE, ssl=self.tls)
        try:
            port: int = server.sockets[0].getsockname()[1]
            yield port
        finally:
            server.close()
            for task in list(self._serving):
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    def _show(self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, own: ssl.SSLContext) -> None:
        """Choose the certificate at the handshake; it is asked also by clients that name no server."""
        connection.context = self.weather.certificate or own

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        weather = self.weather
        try:
            if weather.refuse:
                return
            if weather.answer is not None:
                await _answer(reader, writer, weather.answer)
            else:
                await self._carry(reader, writer)
        except (OSError, asyncio.IncompleteReadError):  # ssl.SSLError is an OSError
            pass
        finally:
            self._connections.discard(writer)
            _reset(writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self.target_host, self.target_port, limit=PIECE)
        self._connections.add(far_writer)
        up, down = asyncio.Queue[_Piece](UNDER_WAY), asyncio.Queue[_Piece](UNDER_WAY)
        ways = [
            asyncio.create_task(each)
            for each in (
                self._read(reader, up, self._up),
                self._write(up, far_writer, upwards=True),
                self._read(far_reader, down, self._down),
                self._write(down, writer, upwards=False),
            )
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._connections.discard(far_writer)
            _reset(far_writer)

    async def _read(self, reader: asyncio.StreamReader, queue: "asyncio.Queue[_Piece]", pipe: Pipe) -> None:
        """Take what comes, each piece with the time at which it is to arrive; never before the one ahead of it."""
        loop, due = asyncio.get_running_loop(), 0.0
        while data := await reader.read(PIECE):
            weather, now = self.weather, loop.time()
            wait_s = weather.delay_s + weather.jitter_s * self._random.random()
            if weather.rate:
                wait_s += pipe.book(len(data), weather.rate, now)
            due = max(due, now + wait_s)
            await queue.put(_Piece(due, data))
        await queue.put(_Piece(due, b""))
        await asyncio.Event().wait()  # the writer ends the connection, once the last bytes are through

    async def _write(self, queue: "asyncio.Queue[_Piece]", writer: asyncio.StreamWriter, *, upwards: bool) -> None:
        loop, changes, sent = asyncio.get_running_loop(), self._changes, 0
        while (piece := await queue.get()).data:
            await asyncio.sleep(piece.due - loop.time())
            while self.weather.silent:  # nothing moves, and nobody is told; TCP's own buffers fill behind it
                await self._changed.wait()
            if changes != self._changes:
                changes, sent = self._changes, 0
            limit = self.weather.reset_after
            if upwards and limit is not None and sent + len(piece.data) > limit:
                writer.write(piece.data[: max(0, limit - sent)])
                await writer.drain()
                return
            sent += len(piece.data)
            writer.write(piece.data)
            await writer.drain()
            self.carried += len(piece.data) if upwards else 0


@dataclass(frozen=True, slots=True)
class _Piece:
    """Bytes on their way, and when they are due on the loop's clock; no bytes are the end."""

    due: float
    data: bytes


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
    await reader.read(PIECE)
    writer.write(answer)
    await writer.drain()
    if writer.can_write_eof():  # TLS cannot
        writer.write_eof()
    while await reader.read(PIECE):  # the client must get the answer, not a reset for what it still sends
        pass


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a TCP reset, as a link that breaks does: SO_LINGER 0."""
    sock = writer.get_extra_info("socket")
    if sock is not None and not writer.transport.is_closing():
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()

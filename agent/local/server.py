"""The loopback WebSocket that pages and paired programs talk to. It moves frames; the rules are door.py's and routes.py's.

Bounded on every side: connections, size and rate of messages, and what waits for a slow reader, who is dropped.
"""

import asyncio
import contextlib
import http
import logging
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from secureproctor.agent.local import rpc
from secureproctor.agent.local.door import Visitor, admit
from secureproctor.agent.local.routes import Desk, Route
from secureproctor.contract.errors import ErrorAnswer, Refusal
from secureproctor.contract.page import PATH, PageEvent

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 16
MAX_MESSAGE = 128 * 1024
CALLS_PER_SECOND = 50
WAITING_FRAMES = 256


class PortTaken(OSError):
    """Another program, perhaps another agent, listens at the agent's port."""


@dataclass(slots=True, eq=False)
class Page:
    """A connection: who it is and the frames that wait for it."""

    visitor: Visitor
    socket: ServerConnection
    frames: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(WAITING_FRAMES))

    def write(self, frame: str) -> None:
        """Queue a frame; a reader that lets too many wait is dropped."""
        try:
            self.frames.put_nowait(frame)
        except asyncio.QueueFull:
            log.warning("a page reads too slowly and is dropped")
            self.socket.transport.abort()


@dataclass(slots=True)
class LocalServer:
    """The loopback API. `came` and `left` are told each page's origin."""

    desk: Desk
    pairing: str
    origins: Callable[[], Collection[str]]
    came: Callable[[str], None]
    left: Callable[[str], None]
    pages: set[Page] = field(default_factory=set)
    # weak: a handshake may fail after the door has let it in
    _visitors: WeakKeyDictionary[ServerConnection, Visitor] = field(default_factory=WeakKeyDictionary)

    @contextlib.asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[int]:
        """Listen while the body runs; gives the port. Raises PortTaken."""
        try:
            server = await serve(
                self._converse,
                "127.0.0.1",
                port,
                process_request=self._at_the_door,
                max_size=MAX_MESSAGE,
                compression=None,
                ping_interval=20,
                close_timeout=1,
            )
        except OSError as error:
            raise PortTaken(error.errno, error.strerror) from error
        async with server:
            yield _port(server)

    @property
    def page_origins(self) -> list[str]:
        """The origins of the pages that are connected now."""
        return [page.visitor.origin for page in self.pages if page.visitor.is_page]

    def tell(self, event: PageEvent) -> None:
        """Send a notification to every connection."""
        frame = rpc.event(event)
        for page in list(self.pages):
            page.write(frame)

    def _at_the_door(self, socket: ServerConnection, request: Request) -> Response | None:
        try:
            self._visitors[socket] = self._admitted(request, socket.local_address[1])
        except Refusal as refusal:
            log.info("a connection was refused: %s", refusal.message)
            return _refused(socket, refusal)
        return None

    def _admitted(self, request: Request, port: int) -> Visitor:
        if request.path != PATH:
            raise Refusal("not_found")
        if len(self.pages) >= MAX_CONNECTIONS:
            raise Refusal("busy")
        return admit(
            host=request.headers.get("Host", ""),
            port=port,
            origin=request.headers.get("Origin"),
            authorization=request.headers.get("Authorization", ""),
            origins=self.origins(),
            pairing=self.pairing,
        )

    async def _converse(self, socket: ServerConnection) -> None:
        page = Page(self._visitors.pop(socket), socket)
        self.pages.add(page)
        self.came(page.visitor.origin)
        writer = asyncio.create_task(_write(page))
        calls: set[asyncio.Task[None]] = set()
        try:
            await self._read(page, calls)
        except ConnectionClosed:
            pass
        finally:
            self.pages.discard(page)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self.left(page.visitor.origin)

    async def _read(self, page: Page, calls: set[asyncio.Task[None]]) -> None:
        loop = asyncio.get_running_loop()
        allowance, last = float(CALLS_PER_SECOND), loop.time()
        async for frame in page.socket:
            now = loop.time()
            allowance, last = min(CALLS_PER_SECOND, allowance + (now - last) * CALLS_PER_SECOND) - 1, now
            if allowance < 0:
                await page.socket.close(1008, "too many messages")
                return
            try:
                request_id, method, route, params = rpc.read_call(frame)
            except rpc.RpcError as error:
                page.write(error.frame)
                continue
            # a call may take as long as Stop; the next one must not wait behind it
            task = asyncio.create_task(self._answer(page, request_id, route, params), name=f"call {method}")
            calls.add(task)
            task.add_done_callback(calls.discard)

    async def _answer(self, page: Page, request_id: int | str, route: Route, params: msgspec.Struct) -> None:
        try:
            value = await route.handle(self.desk, page.visitor, params)
        except Refusal as refusal:
            page.write(rpc.refused(request_id, refusal))
        except Exception:
            log.exception("a call failed")
            page.write(rpc.refused(request_id, Refusal("internal")))
        else:
            page.write(rpc.result(request_id, value))


def _refused(socket: ServerConnection, refusal: Refusal) -> Response:
    response = socket.respond(http.HTTPStatus(refusal.status), "")
    response.body = msgspec.json.encode(ErrorAnswer(refusal.info))
    for name, value in {"Content-Length": str(len(response.body)), "Content-Type": "application/json"}.items():
        del response.headers[name]
        response.headers[name] = value
    return response


async def _write(page: Page) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await page.socket.send(await page.frames.get())


def _port(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port

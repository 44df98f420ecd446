"""The loopback WebSocket that pages and paired programs talk to. It moves frames; the rules are door.py's and routes.py's.

Bounded on every side, so that nobody who may knock can shut out the page that holds the session: handshakes under way
(doorstep.py), connections, also those of one origin, size and rate of messages, calls under way, and what waits for a slow
reader (outbox.py), who is dropped. Who may act when several pages are there is holder.py's business.
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
from secureproctor.agent.local.door import (
    BROWSER_PID,
    MAX_FRAME_MESSAGE,
    MAX_MESSAGE,
    PAGE_ORIGIN,
    Visitor,
    admit,
)
from secureproctor.agent.local.doorstep import doorstep
from secureproctor.agent.local.outbox import Outbox, Overfull
from secureproctor.agent.local.routes import Desk, Route
from secureproctor.contract.errors import ErrorAnswer, Refusal
from secureproctor.contract.page import PATH, PageEvent

log = logging.getLogger(__name__)

HANDSHAKE_S = 5.0
MAX_CONNECTIONS = 16
MAX_OF_ONE_ORIGIN = 8
CALLS_PER_SECOND = 50
MAX_CALLS = 16
"""Calls of one connection that are under way."""
MAX_LEFT_CALLS = 64
"""Calls that go on although their page has left: a Stop goes on, and is not to be asked for again."""
FEW_FRAMES = 2
"""With more frames waiting, a page is behind, and is spared what is for the moment only."""
QUIET_S = 10.0


class PortTaken(OSError):
    """Another program, perhaps another agent, listens at the agent's port."""


@dataclass(slots=True, eq=False)
class Page:
    """A connection: who it is, the frames that wait for it, and its calls that are under way."""

    visitor: Visitor
    socket: ServerConnection
    outbox: Outbox = field(default_factory=Outbox)
    calls: set[asyncio.Task[None]] = field(default_factory=set)

    def write(self, frame: str) -> None:
        """Queue a frame; a reader that lets too many wait is dropped."""
        try:
            self.outbox.put(frame)
        except Overfull:
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
    _left_calls: dict[asyncio.Task[None], None] = field(default_factory=dict)  # oldest first
    _looking: asyncio.TimerHandle | None = None
    _quiet_until: float = 0.0

    @contextlib.asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[int]:
        """Listen while the body runs; gives the port. Raises PortTaken."""
        try:
            server = await serve(
                self._converse,
                "127.0.0.1",
                port,
                process_request=self._at_the_door,
                create_connection=doorstep(),
                open_timeout=HANDSHAKE_S,
                max_size=MAX_MESSAGE,
                compression=None,
                ping_interval=20,
                close_timeout=1,
            )
        except OSError as error:
            raise PortTaken(error.errno, error.strerror) from error
        try:
            async with server:
                yield _port(server)
        finally:
            await self._close()

    @property
    def page_origins(self) -> list[str]:
        """The origins of the pages that are connected now."""
        return [page.visitor.origin for page in self.pages if page.visitor.is_page]

    def tell(self, event: PageEvent) -> None:
        """Send a notification to every connection."""
        frame = rpc.event(event)
        for page in list(self.pages):
            page.write(frame)

    def tell_one(self, visitor: Visitor, event: PageEvent) -> None:
        """Send a notification to one visitor, if still there."""
        for page in [each for each in self.pages if each.visitor is visitor]:
            page.write(rpc.event(event))

    def tell_holder(self, event: PageEvent) -> None:
        """Send what is for the moment only to the page that holds the session, and to programs, unless they are behind."""
        holds = self.desk.holder.holds
        for page in [each for each in self.pages if holds(each.visitor) and len(each.outbox) <= FEW_FRAMES]:
            page.write(rpc.event(event))

    def _at_the_door(self, socket: ServerConnection, request: Request) -> Response | None:
        try:
            visitor = self._visitors[socket] = self._admitted(request, socket)
        except Refusal as refusal:
            self._log(refusal)
            return _refused(socket, refusal)
        if visitor.paired:
            socket.protocol.max_message_size = MAX_FRAME_MESSAGE
        return None

    def _admitted(self, request: Request, socket: ServerConnection) -> Visitor:
        if request.path != PATH:
            raise Refusal("not_found")
        visitor = admit(
            host=request.headers.get("Host", ""),
            port=socket.local_address[1],
            origin=request.headers.get("Origin"),
            authorization=request.headers.get("Authorization", ""),
            origins=self.origins(),
            pairing=self.pairing,
            page_origin=request.headers.get(PAGE_ORIGIN),
            browser_pid=request.headers.get(BROWSER_PID),
            peer_port=socket.remote_address[1],
        )
        alike = sum(page.visitor.origin == visitor.origin for page in self.pages)
        if len(self.pages) >= MAX_CONNECTIONS or alike >= MAX_OF_ONE_ORIGIN:
            raise Refusal("too_many_pages")
        return visitor

    def _log(self, refusal: Refusal) -> None:
        """One line now and then: a page that knocks for ever must not fill the log."""
        now = asyncio.get_running_loop().time()
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET_S
            log.info("a connection was refused: %s", refusal.message)

    async def _converse(self, socket: ServerConnection) -> None:
        page = Page(self._visitors.pop(socket), socket)
        self.pages.add(page)
        self.came(page.visitor.origin)
        writer = asyncio.create_task(_write(page))
        try:
            await self._read(page)
        except ConnectionClosed:
            pass
        finally:
            self.pages.discard(page)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self._gone(page)

    def _gone(self, page: Page) -> None:
        for task in page.calls:
            self._left_calls[task] = None
            task.add_done_callback(lambda done: self._left_calls.pop(done, None))
        for task in list(self._left_calls)[: max(0, len(self._left_calls) - MAX_LEFT_CALLS)]:
            task.cancel()
        self.desk.holder.gone(page.visitor)
        self._look()
        self.left(page.visitor.origin)

    def _look(self) -> None:
        """Let the holder's place go to the next page when it was kept long enough."""
        if self._looking is not None:
            self._looking.cancel()
        pause_s = self.desk.holder.look()
        self._looking = None if pause_s is None else asyncio.get_running_loop().call_later(pause_s, self._look)

    async def _close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        calls = list(self._left_calls)
        for task in calls:
            task.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    async def _read(self, page: Page) -> None:
        loop = asyncio.get_running_loop()
        allowance, last = float(CALLS_PER_SECOND), loop.time()
        async for frame in page.socket:
            now = loop.time()
            allowance, last = min(CALLS_PER_SECOND, allowance + (now - last) * CALLS_PER_SECOND) - 1, now
            if allowance < 0:
                await page.socket.close(1008, "too many messages")
                return
            self._take(page, frame)

    def _take(self, page: Page, frame: str | bytes) -> None:
        try:
            request_id, method, route, params = rpc.read_call(frame)
        except rpc.RpcError as error:
            page.write(error.frame)
            return
        try:
            self._allow(page, route)
        except Refusal as refusal:
            page.write(rpc.refused(request_id, refusal))
            return
        # a call may take as long as Stop; the next one must not wait behind it
        task = asyncio.create_task(self._answer(page, request_id, route, params), name=f"call {method}")
        page.calls.add(task)
        task.add_done_callback(page.calls.discard)

    def _allow(self, page: Page, route: Route) -> None:
        if len(page.calls) >= MAX_CALLS:
            raise Refusal("too_many_calls", limit=MAX_CALLS)
        if not route.holds:
            return
        holder = self.desk.holder
        if not holder.knows(page.visitor):  # a page of its own making, that never says hello
            holder.greeted(page.visitor, "")
        if not holder.holds(page.visitor):
            raise Refusal("held_elsewhere")

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
            await page.socket.send(await page.outbox.get())


def _port(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port

"""The socket of the proctor channel: connects, reconnects, moves frames. What they mean is protocol.py's business."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from secureproctor.agent.delivery.backoff import Backoff
from secureproctor.agent.delivery.uploader import Access
from secureproctor.agent.outside import websocket_way
from secureproctor.agent.proctor.protocol import FromService, ProctorProtocol
from secureproctor.contract.channel import KEEP_ALIVE_S, LINK_LOST_AFTER_S, MAX_MESSAGE, Heartbeat
from secureproctor.contract.link import LinkError, Snapshot

log = logging.getLogger(__name__)


class _Direct(connect):
    """Follows no redirect: the service makes none, and whoever else answers is not to be told anything."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """The refusal, as it came."""
        return exc


@dataclass(slots=True)
class ProctorChannel:
    """The channel of one session. `obey` is awaited for each new message, in order; `heard` at each frame."""

    address: str
    access: Access
    protocol: ProctorProtocol
    backoff: Backoff
    obey: Callable[[FromService], Awaitable[None]]
    heartbeat: Callable[[], Heartbeat]
    heard: Callable[[], None]
    keep: Callable[[Snapshot], None]
    """Stores the link's state: before a message is told, and after one that came was acted on. Raises OSError."""
    _frames: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    _obeying: asyncio.Future[None] | None = None

    def send(self, message: msgspec.Struct) -> None:
        """Send a message now, or when there is a connection again."""
        frame = self.protocol.send(message)
        self._keep()
        if frame is not None:
            self._frames.put_nowait(frame)

    def _keep(self) -> None:
        try:
            self.keep(self.protocol.link.snapshot())
        except OSError as error:
            log.error("the state of the proctor channel cannot be kept: %s", error.strerror)

    @property
    def settled(self) -> bool:
        """Whether the service has acknowledged all messages."""
        return not self.protocol.link.waiting

    async def run(self) -> None:
        """Keep a connection for ever; cancel to stop."""
        while True:
            try:
                async with _Direct(
                    self.address,
                    **websocket_way(self.address),
                    additional_headers={"Authorization": f"Bearer {self.access.token}"},
                    max_size=MAX_MESSAGE,
                    open_timeout=5,
                    ping_interval=None,  # the heartbeats of the protocol do it, and carry more
                    close_timeout=1,
                ) as socket:
                    self.backoff.succeeded()
                    await self._converse(socket)
            except InvalidStatus as error:
                log.info("the proctor channel was refused with status %d", error.response.status_code)
                if error.response.status_code == 401:
                    await self.access.renew()
            except (OSError, WebSocketException, LinkError) as error:
                log.info("the proctor channel is gone: %s", error)
            finally:
                self.protocol.disconnected()
            await asyncio.sleep(self.backoff.failed())

    async def _converse(self, socket: ClientConnection) -> None:
        if self._obeying is not None:
            await self._obeying  # what came by the last connection, first
        self._frames = asyncio.Queue()  # what the last connection did not write is sent again from the link
        await socket.send(self.protocol.connected().decode())
        tasks = [asyncio.create_task(each) for each in (self._read(socket), self._write(socket), self._beat())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _read(self, socket: ClientConnection) -> None:
        while True:
            # a peer that went away without a word: the heartbeats' answers are missing
            frame = await asyncio.wait_for(socket.recv(), LINK_LOST_AFTER_S)
            message, answers = self.protocol.receive(frame)
            self.heard()
            for answer in answers:
                self._frames.put_nowait(answer)
            if message is not None:
                # shielded: a connection that breaks meanwhile must not leave a session half ended
                self._obeying = asyncio.ensure_future(self.obey(message))
                await asyncio.shield(self._obeying)
            # acted on first, then noted: a command that comes again after a crash is known by its id
            self._keep()

    async def _write(self, socket: ClientConnection) -> None:
        while True:
            frame = await self._frames.get()
            await socket.send(frame.decode())

    async def _beat(self) -> None:
        while True:
            frame = self.protocol.momentary(self.heartbeat())
            if frame is not None:
                self._frames.put_nowait(frame)
            await asyncio.sleep(KEEP_ALIVE_S if frame is not None else 0.05)

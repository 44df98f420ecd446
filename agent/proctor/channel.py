"""The socket of the proctor channel: connects, reconnects, moves frames. What they mean is protocol.py's business.

A message that came is made durable before anything is written that acknowledges it: `take` notes it, then the link's state is
kept, and only then others have their turn. What is left to do for it is awaited, before the next one is read.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from secureproctor.agent.delivery.backoff import Backoff
from secureproctor.agent.delivery.uploader import Access
from secureproctor.agent.outside import websocket_way
from secureproctor.agent.proctor.pace import Pace
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
    """The channel of one session. `take` is called for each new message, in order; `heard` at each frame."""

    address: str
    access: Access
    protocol: ProctorProtocol
    backoff: Backoff
    take: Callable[[FromService], Awaitable[None] | None]
    """Notes a message, and gives back what is left to do for it."""
    heartbeat: Callable[[], Heartbeat]
    heard: Callable[[], None]
    keep: Callable[[Snapshot], None]
    """Stores the link's state, before anything is written that follows from it. Raises OSError."""
    pace: Pace = field(default_factory=Pace)
    _frames: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    _obeying: asyncio.Future[None] | None = None

    def send(self, message: msgspec.Struct) -> None:
        """Send a message now, or when there is a connection again. When ten thousand wait already, it is dropped."""
        try:
            frame = self.protocol.send(message)
        except LinkError as error:  # a service that takes nothing any more must keep nobody from ending
            log.error("a message for the service is dropped: %s", error)
            return
        self._keep()
        if frame is not None:
            self._frames.put_nowait(frame)

    def offer(self, message: msgspec.Struct) -> None:
        """Send a message that can be done without: not while many wait already."""
        if not self.protocol.crowded:
            self.send(message)

    def _keep(self) -> None:
        try:
            self.keep(self.protocol.link.snapshot())
        except OSError as error:
            log.error("the state of the proctor channel cannot be kept: %s", error.strerror)

    @property
    def ready(self) -> bool:
        """Whether there is a connection by which messages go out now."""
        return self.protocol.ready

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
            work = None if message is None else self.take(message)
            if work is not None:
                self._obeying = asyncio.ensure_future(work)
            self._keep()
            self.heard()
            for answer in answers:
                self._frames.put_nowait(answer)
            if work is not None and self._obeying is not None:
                # shielded: a connection that breaks meanwhile must not leave a session half ended
                await asyncio.shield(self._obeying)
            if (wait_s := self.pace.wait_s(time.monotonic())) > 0:
                await asyncio.sleep(wait_s)  # what is not read the service cannot send

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

"""The outgoing side of one WebSocket: frames are queued and never waited for, so that one slow reader holds up nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.websockets import WebSocket, WebSocketDisconnect

MAX_QUEUED = 4096
REPLACED = 4000
"""Close code: a newer connection of the same session took over."""
OVERRUN = 4001
"""Close code: the peer did not read what was sent."""
BROKEN = 1002
"""Close code (RFC 6455 §7.4.1): the peer broke the protocol."""
REFUSED = 1008
"""Close code (RFC 6455 §7.4.1): the peer may not do this."""


class Line:
    """Frames on their way out. Closed, it takes nothing more."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[bytes | int] = asyncio.Queue()
        self._closing = False

    @property
    def waiting(self) -> int:
        """How many frames the peer has not taken yet."""
        return self._queue.qsize()

    def write(self, frame: bytes) -> None:
        """Queue a frame."""
        if self._closing:
            return
        if self._queue.qsize() >= MAX_QUEUED:
            self.close(OVERRUN)
            return
        self._queue.put_nowait(frame)

    def close(self, code: int) -> None:
        """Close the connection after what is queued."""
        if not self._closing:
            self._closing = True
            self._queue.put_nowait(code)

    async def pump(self, websocket: WebSocket) -> None:
        """Write what is queued until the line is closed or the peer is gone."""
        try:
            while not isinstance(item := await self._queue.get(), int):
                await websocket.send_text(item.decode())
            await websocket.close(item)
        except WebSocketDisconnect:
            self._closing = True


@asynccontextmanager
async def pumped(websocket: WebSocket) -> AsyncIterator[Line]:
    """A line for as long as the block reads from the socket; afterwards it is closed normally and flushed."""
    line = Line()
    pump = asyncio.create_task(line.pump(websocket))
    try:
        yield line
        line.close(1000)
        await asyncio.wait([pump], timeout=1)
    finally:
        pump.cancel()
        await asyncio.wait([pump])


async def frames(websocket: WebSocket) -> AsyncIterator[str | bytes]:
    """What the peer sends, until it is gone."""
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        text = message.get("text")
        yield message["bytes"] if text is None else text

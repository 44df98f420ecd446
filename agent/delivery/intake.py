"""The one bounded hand-over from capture's threads to the agent's event loop.

A capture thread that runs ahead of the disk waits here, for at most PATIENCE_S; then the segment is refused, and the caller
records the gap. Memory stays bounded whatever the disk does.
"""

import asyncio
import contextlib
import queue
from collections.abc import AsyncGenerator

from secureproctor.capture.media import Segment

CAPACITY = 64
PATIENCE_S = 2.0


class Intake:
    """Segments in from any thread, out in the event loop that made it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._segments: queue.Queue[Segment] = queue.Queue(CAPACITY)
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._abandoned = False

    def put(self, segment: Segment) -> bool:
        """Hand over a segment from a capture thread; False when there was no room in time."""
        try:
            self._segments.put(segment, timeout=PATIENCE_S)
        except queue.Full:
            return False
        with contextlib.suppress(RuntimeError):  # the loop is closed: the agent is ending, and nobody takes segments
            self._loop.call_soon_threadsafe(self._arrived.set)
        return True

    async def segments(self) -> AsyncGenerator[Segment, None]:
        """Segments as they come, without end."""
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                with contextlib.suppress(queue.Empty):
                    while True:
                        yield self._segments.get_nowait()
                self._idle.set()
        finally:
            self._abandoned = True
            self._idle.set()

    async def drained(self) -> None:
        """Return when all that was put before has been taken *and* dealt with: the taker has come back for more.

        When the taker has ended nobody would come back: a session must be able to end also then.
        """
        if self._abandoned:
            return
        self._idle.clear()
        self._arrived.set()
        await self._idle.wait()

"""The frames that wait for a visitor who reads slowly: bounded in number and in bytes, whatever is in them."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

MAX_FRAMES = 256
MAX_BYTES = 4 * 1024 * 1024


class Overfull(Exception):
    """The reader lets too much wait."""


@dataclass(slots=True)
class Outbox:
    """First in, first out. A single frame may be longer than MAX_BYTES: a report is, and goes alone."""

    _frames: deque[str] = field(default_factory=deque)
    _filled: asyncio.Event = field(default_factory=asyncio.Event)
    _bytes: int = 0

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, frame: str) -> None:
        """Let a frame wait. Raises Overfull."""
        if len(self._frames) >= MAX_FRAMES or (self._frames and self._bytes + len(frame) > MAX_BYTES):
            raise Overfull
        self._frames.append(frame)
        self._bytes += len(frame)
        self._filled.set()

    async def get(self) -> str:
        """The oldest frame, as soon as there is one."""
        await self._filled.wait()
        frame = self._frames.popleft()
        self._bytes -= len(frame)
        if not self._frames:
            self._filled.clear()
        return frame

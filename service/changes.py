"""Who wants to know that a session changed: consoles listen, everything else marks. Many marks become one.

Beside it, who wants to know of each record that arrived (`following`): the live view, which cannot do with one mark for many.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from secureproctor.contract.streams import Stream


@dataclass(frozen=True, slots=True)
class Arrival:
    """A record that is stored since now."""

    session_id: str
    stream: Stream
    epoch: int
    seq: int


class Listener:
    """The sessions that changed since they were last taken, in the order of their first change."""

    def __init__(self) -> None:
        self._dirty: dict[str, None] = {}
        self._woken = asyncio.Event()

    def mark(self, session_id: str) -> None:
        """This session changed."""
        self._dirty[session_id] = None
        self._woken.set()

    def wake(self) -> None:
        """Look again, though no session changed."""
        self._woken.set()

    async def taken(self) -> list[str]:
        """Wait for a change and take all of them."""
        await self._woken.wait()
        self._woken.clear()
        changed, self._dirty = list(self._dirty), {}
        return changed


class Changes:
    """Spreads each change to all listeners; to be used from the event loop only."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._followers: list[Callable[[Arrival], None]] = []

    def mark(self, session_id: str) -> None:
        """Tell every listener."""
        for listener in self._listeners:
            listener.mark(session_id)

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """A listener for as long as the block lasts."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def arrived(self, arrival: Arrival) -> None:
        """Tell every follower of a new record."""
        for tell in self._followers:
            tell(arrival)

    @contextmanager
    def following(self, tell: Callable[[Arrival], None]) -> Iterator[None]:
        """`tell` is called with each new record for as long as the block lasts; it must not block."""
        self._followers.append(tell)
        try:
            yield
        finally:
            self._followers.remove(tell)

"""Connections that have not yet asked for anything: how many may stand at the door at once.

A handshake takes milliseconds. A flood of connections that never finish theirs would use up the file descriptors that the
spool needs, and keep the exam's page out; so when too many stand there, the one that stood longest has to go, not the one
that comes.
"""

from asyncio import BaseTransport
from typing import Any

from websockets.asyncio.server import ServerConnection

MAX_WAITING = 32


def doorstep(limit: int = MAX_WAITING) -> type[ServerConnection]:
    """Connections for one server, of which at most `limit` are in their handshake at the same time."""
    waiting: dict[ServerConnection, None] = {}

    class Newcomer(ServerConnection):
        """A connection that counts until its handshake is over."""

        def connection_made(self, transport: BaseTransport) -> None:
            super().connection_made(transport)
            waiting[self] = None
            if len(waiting) > limit:
                oldest = next(iter(waiting))
                del waiting[oldest]
                oldest.transport.abort()

        async def handshake(self, *args: Any, **options: Any) -> None:
            try:
                await super().handshake(*args, **options)
            finally:
                waiting.pop(self, None)

    return Newcomer

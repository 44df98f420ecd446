"""The demo as a proctor who looks on: a console's WebSocket, by which it sees a session and can command it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import assert_never

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from secureproctor.contract.channel import CommandKind
from secureproctor.contract.console import (
    Failed,
    Hello,
    Issue,
    Issued,
    SessionDetail,
    SessionGone,
    SessionSnapshot,
    ToConsole,
    Welcome,
)

TICK_S = 0.5


@dataclass(slots=True)
class Onlooker:
    """`seen` is the newest snapshot: of any session, or of the one that is followed.

    `refused` says why a command was refused, empty when none was.
    """

    _line: ClientConnection
    seen: SessionSnapshot | None = None
    followed: str = ""
    refused: str = ""

    async def until(
        self, reached: Callable[[SessionSnapshot], bool], within_s: float, show: Callable[[], None] = lambda: None
    ) -> bool:
        """Whether a snapshot came in time for which `reached` holds; `show` is called every half second or more often."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while self.seen is None or not reached(self.seen):
            left_s = deadline - loop.time()
            if left_s <= 0:
                return False
            await self._look(min(left_s, TICK_S))
            show()
        return True

    async def order(self, kind: CommandKind) -> None:
        """Send the followed session a command."""
        await self._line.send(msgspec.json.encode(Issue(self.followed, kind)), text=True)

    async def _look(self, within_s: float) -> None:
        try:
            frame = await asyncio.wait_for(self._line.recv(), within_s)
        except TimeoutError:
            return
        message: ToConsole = msgspec.json.decode(frame, type=ToConsole)
        match message:
            case SessionSnapshot():
                if self.followed in ("", message.session_id):
                    self.seen = message
            case Failed():
                self.refused = message.error.message
            case Welcome() | SessionDetail() | SessionGone() | Issued():
                pass  # what was ordered shows in the session's state
            case _:
                assert_never(message)


@asynccontextmanager
async def onlooker(service_url: str, proctor_key: str) -> AsyncIterator[Onlooker]:
    """An onlooker as long as the block lasts. Raises OSError and websockets' exceptions when the service is not there."""
    async with connect(f"ws{service_url.removeprefix('http')}/v1/proctor") as line:
        await line.send(msgspec.json.encode(Hello(proctor_key)), text=True)
        yield Onlooker(line)

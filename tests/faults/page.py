"""The exam's page as the tests play it: it calls, and notes down all that it is told."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from secureproctor.benchmarks.page import Frame
from secureproctor.contract.http import InitBody, ProctoringSettings
from secureproctor.contract.page import (
    AutoAcknowledgement,
    CheckResults,
    Conversation,
    Hello,
    Message,
    PageEvent,
    Registered,
    Sent,
    SignedRequest,
    Status,
)
from secureproctor.contract.signing import sign_body
from secureproctor.demo.program import DeskError
from secureproctor.demo.stage import PUBLIC_KEY

GROUP = "faults"
TAB = "exam"
"""All pages of a course are one tab, loaded again."""
PATIENCE_S = 90.0
T = TypeVar("T", bound=msgspec.Struct)


class Told(msgspec.Struct, frozen=True):
    """A notification, and when it came, in milliseconds since 1970."""

    at_ms: int
    event: PageEvent


@dataclass(slots=True)
class Page:
    """A connection to the agent; its calls raise DeskError with the agent's own words. `told` may outlive it."""

    socket: ClientConnection
    private_key: str
    told: list[Told]
    _answers: dict[int, "asyncio.Future[Frame]"] = field(default_factory=dict)
    _calls: int = 0

    async def init(self, user: str, expiry_s: int) -> Registered:
        """Register, signed as an exam's server would."""
        body = msgspec.json.encode(InitBody(PUBLIC_KEY, user, GROUP, ProctoringSettings(), expiry_s))
        return await self.call("init", Registered, SignedRequest(body.decode(), sign_body(self.private_key, body)))

    async def check_and_start(self) -> None:
        """Check System and Start, with commands acknowledged by the agent itself."""
        results = await self.call("checkSystem", CheckResults)
        failed = [each for each in results.checks if each.status == "failed"]
        if failed:
            raise DeskError(failed[0].code, failed[0].seen, failed[0].remedy)
        await self.call("enableAutoAcknowledgement", Status, AutoAcknowledgement())
        await self.call("start", Status)

    async def status(self) -> Status:
        """The agent's status."""
        return await self.call("hello", Status)

    async def stop(self) -> Status:
        """Stop; the agent answers when the evidence is delivered."""
        return await self.call("stop", Status)

    async def say(self, text: str) -> None:
        """Write to the proctor; it goes when it can."""
        await self.call("sendMessage", Sent, Message(text))

    async def conversation(self) -> Conversation:
        """All that was said, by either side."""
        return await self.call("conversation", Conversation)

    async def until(self, holds: Callable[[Status], bool], within_s: float = PATIENCE_S) -> Status:
        """The first status for which it holds; after `within_s` the last one, for the test to say what it lacks."""
        deadline = time.monotonic() + within_s
        while True:
            status = await self.status()
            if holds(status) or time.monotonic() > deadline:
                return status
            await asyncio.sleep(0.1)

    async def call(self, method: str, kind: type[T], params: msgspec.Struct | None = None) -> T:
        """A call and its answer."""
        self._calls = number = self._calls + 1
        request = {"jsonrpc": "2.0", "id": number, "method": method} | ({"params": params} if params else {})
        self._answers[number] = answer = asyncio.get_running_loop().create_future()
        await self.socket.send(msgspec.json.encode(request).decode())
        frame = await asyncio.wait_for(answer, PATIENCE_S)
        if frame.error is not None:
            info = frame.error.data
            raise DeskError(info.code, info.message, info.remedy)
        return msgspec.json.decode(frame.result, type=kind)

    async def listen(self) -> None:
        """Read until the agent goes; calls that wait then fail."""
        with suppress(ConnectionClosed):
            async for data in self.socket:
                frame = msgspec.json.decode(data, type=Frame)
                if answer := self._answers.pop(frame.id, None):
                    answer.set_result(frame)
                else:
                    self.told.append(
                        Told(time.time_ns() // 1_000_000, msgspec.json.decode(frame.params, type=PageEvent))
                    )
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(DeskError("agent_gone", "The agent went away.", "See its log."))


@asynccontextmanager
async def open_page(address: str, origin: str, private_key: str, told: list[Told]) -> AsyncIterator[Page]:
    """A page that is open as long as the block lasts."""
    async with connect(address, origin=Origin(origin), proxy=None) as socket:
        page = Page(socket, private_key, told)
        listening = asyncio.create_task(page.listen())
        try:
            await page.call("hello", Status, Hello(TAB))
            yield page
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

"""The exam's page and the proctor's console as the tests play them: they call, and note down all that they are told."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from secureproctor.benchmarks.page import Frame, WholeReport
from secureproctor.contract.channel import FINAL
from secureproctor.contract.console import Failed, Hello, Issue, Issued, SessionSnapshot, ToConsole
from secureproctor.contract.http import InitBody, ProctoringSettings
from secureproctor.contract.page import AutoAcknowledgement, CheckResults, PageEvent, Registered, SignedRequest, Status
from secureproctor.contract.report import CommandReport, Report
from secureproctor.contract.signing import joined_values, sign_body
from secureproctor.demo.program import DeskError
from secureproctor.demo.stage import PUBLIC_KEY

GROUP = "faults"
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
            yield page
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Console:
    """The proctor and the exam's server, who reach the service by a way of their own."""

    url: str
    proctor_key: str
    private_key: str

    async def command(self, session_id: str, kind: str, within_s: float = PATIENCE_S) -> CommandReport:
        """Send a command, and return how it ended. Raises TimeoutError when it does not."""
        async with (
            asyncio.timeout(within_s),
            connect(f"ws{self.url.removeprefix('http')}/v1/proctor", proxy=None, max_queue=None) as socket,
        ):
            request = uuid.uuid4().hex
            await socket.send(msgspec.json.encode(Hello(self.proctor_key)).decode())
            issue = msgspec.convert(
                {"session_id": session_id, "kind": kind, "request": request, "type": "command"}, Issue
            )
            await socket.send(msgspec.json.encode(issue).decode())
            issued = ""
            async for data in socket:
                match msgspec.json.decode(data, type=ToConsole):
                    case Issued(request=of, id=command) if of == request:
                        issued = command
                    case Failed(error=error):
                        raise DeskError(error.code, error.message, error.remedy)
                    case SessionSnapshot(session_id=of, commands=commands) if of == session_id:
                        for each in commands:
                            if each.id == issued and each.status in FINAL:
                                return each
        raise DeskError("service_gone", "The service closed the console.", "See its log.")

    async def report(self, user: str) -> Report:
        """The report of a user's newest session, as of now."""
        query = {"publicKey": PUBLIC_KEY, "groupName": GROUP, "userId": user, "reportFormat": "json"}
        headers = {"Authorization": sign_body(self.private_key, joined_values(query).encode())}
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
            answer = await client.get(f"{self.url}/v2/report/", params=query, headers=headers)
        return msgspec.json.decode(answer.raise_for_status().content, type=WholeReport).report

    async def report_when(self, user: str, holds: Callable[[Report], bool], within_s: float = PATIENCE_S) -> Report:
        """The first report for which it holds; after `within_s` the last one, for the test to say what it lacks."""
        deadline = time.monotonic() + within_s
        while True:
            report = await self.report(user)
            if holds(report) or time.monotonic() > deadline:
                return report
            await asyncio.sleep(0.3)

"""The proctor, who reaches the service by a way of their own, and the exam's server, as the tests play them."""

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect

from secureproctor.benchmarks.page import WholeReport
from secureproctor.contract.channel import FINAL, CommandKind
from secureproctor.contract.console import (
    Failed,
    FromConsole,
    Hello,
    Issue,
    Issued,
    Open,
    Say,
    SessionDetail,
    ToConsole,
)
from secureproctor.contract.report import CommandReport, Report
from secureproctor.contract.signing import joined_values, sign_body
from secureproctor.demo.program import DeskError
from secureproctor.demo.stage import PUBLIC_KEY
from tests.faults.page import GROUP, PATIENCE_S


@dataclass(frozen=True, slots=True)
class Line:
    """A console's connection."""

    connection: ClientConnection

    async def send(self, message: FromConsole) -> None:
        """Say something to the service."""
        await self.connection.send(msgspec.json.encode(message).decode())

    async def heard(self) -> AsyncIterator[ToConsole]:
        """All that the service says. Raises DeskError with its words when it refuses something, or goes away."""
        async for data in self.connection:
            message: ToConsole = msgspec.json.decode(data, type=ToConsole)
            if isinstance(message, Failed):
                raise DeskError(message.error.code, message.error.message, message.error.remedy)
            yield message
        raise DeskError("service_gone", "The service closed the console.", "See its log.")

    async def order(self, session_id: str, kind: CommandKind, argument: str = "") -> str:
        """Send a command; its id, once the service has taken it."""
        request = uuid.uuid4().hex
        await self.send(Issue(session_id, kind, request=request, argument=argument))
        async for message in self.heard():
            if isinstance(message, Issued) and message.request == request:
                return message.id
        raise AssertionError  # heard() has raised

    async def say(self, session_id: str, text: str) -> None:
        """Write to the candidate; returns once the service has it."""
        await self.send(Say(session_id, text))
        async for detail in self._details(session_id):
            if any(each.text == text for each in detail.chat):
                return

    async def ended(self, session_id: str, command: str) -> CommandReport:
        """A command as it ended."""
        async for detail in self._details(session_id):
            for each in detail.commands:
                if each.id == command and each.status in FINAL:
                    return each
        raise AssertionError  # as above

    async def _details(self, session_id: str) -> AsyncIterator[SessionDetail]:
        await self.send(Open(session_id))
        async for message in self.heard():
            if isinstance(message, SessionDetail) and message.session_id == session_id:
                yield message


@dataclass(frozen=True, slots=True)
class Console:
    """Where the service is, how a proctor reaches it, and what it knows its proctors and the exam's server by."""

    url: str
    reach: Callable[[], socket.socket]
    proctor_key: str
    private_key: str

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """A connection as long as the block lasts."""
        address = f"ws{self.url.removeprefix('http')}/v1/proctor"
        reached = await asyncio.to_thread(self.reach)
        async with connect(address, sock=reached, max_queue=None, max_size=None) as connection:
            line = Line(connection)
            await line.send(Hello(self.proctor_key))
            yield line

    async def command(self, session_id: str, kind: CommandKind, within_s: float = PATIENCE_S) -> CommandReport:
        """Send a command, and return how it ended. Raises TimeoutError when it does not."""
        async with asyncio.timeout(within_s), self.line() as line:
            return await line.ended(session_id, await line.order(session_id, kind))

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

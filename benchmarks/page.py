"""The exam's page without a browser: the calls of contract.page over the agent's loopback WebSocket.

A browser would do the same and take far more of the processor than what is measured beside it. The Origin is the
service's, whose pages may always talk to the agent, so the agent treats this as the page that it stands for.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from secureproctor.contract.errors import ErrorInfo
from secureproctor.contract.http import InitBody, ProctoringSettings, ReportLink, UserMetaData
from secureproctor.contract.page import CheckResults, Registered, SignedQuery, SignedRequest, Status
from secureproctor.contract.report import Report
from secureproctor.contract.signing import joined_values, sign_body
from secureproctor.demo.program import DeskError
from secureproctor.demo.stage import PUBLIC_KEY, Service

GROUP, USER = "benchmarks", "candidate-1"
_T = TypeVar("_T", bound=msgspec.Struct)


class Fault(msgspec.Struct):
    """Why a call was refused."""

    data: ErrorInfo


class Frame(msgspec.Struct):
    """An answer, or (without an id) a notification."""

    id: int = 0
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: Fault | None = None
    params: msgspec.Raw = msgspec.Raw(b"null")


class WholeReport(msgspec.Struct):
    """contract.http.ReportAnswer when the report was asked for as JSON."""

    data: ReportLink
    report: Report


@dataclass(slots=True)
class ExamPage:
    """A connection to the agent. Its calls follow each other; each raises DeskError with the agent's own words."""

    socket: ClientConnection
    private_key: str
    _calls: int = 0

    async def init(self) -> Registered:
        """Register, signed as an exam's server would."""
        body = msgspec.json.encode(
            InitBody(PUBLIC_KEY, USER, GROUP, ProctoringSettings(), user_meta_data=UserMetaData("Eileen Collins"))
        )
        request = SignedRequest(body.decode(), sign_body(self.private_key, body))
        return await self._call("init", Registered, request)

    async def hello(self) -> Status:
        """The agent's status."""
        return await self._call("hello", Status)

    async def check_system(self) -> None:
        """Check System; DeskError when a check fails."""
        results = await self._call("checkSystem", CheckResults)
        failed = [each for each in results.checks if each.status == "failed"]
        if failed:
            raise DeskError(failed[0].code, failed[0].seen, failed[0].remedy)

    async def start(self) -> None:
        """Start; returns when each source has delivered its first picture or sound."""
        await self._call("start", Status)

    async def stop(self) -> None:
        """Stop; returns when the evidence is delivered."""
        await self._call("stop", Status)

    async def report(self) -> tuple[Report, str]:
        """The report, and the address at which its recordings can be had."""
        query = {"publicKey": PUBLIC_KEY, "groupName": GROUP, "userId": USER, "reportFormat": "json"}
        signed = SignedQuery(query, sign_body(self.private_key, joined_values(query).encode()))
        answer = await self._call("report", WholeReport, signed)
        return answer.report, answer.data.url

    async def _call(self, method: str, kind: type[_T], params: msgspec.Struct | None = None) -> _T:
        self._calls = number = self._calls + 1
        call = {"jsonrpc": "2.0", "id": number, "method": method} | ({"params": params} if params else {})
        await self.socket.send(msgspec.json.encode(call).decode())
        async for frame in self.socket:
            answer = msgspec.json.decode(frame, type=Frame)
            if answer.id != number:
                continue  # a notification
            if answer.error is not None:
                info = answer.error.data
                raise DeskError(info.code, info.message, info.remedy)
            return msgspec.json.decode(answer.result, type=kind)
        raise DeskError("agent_gone", f"The agent went away during {method}.", "See its log.")


@asynccontextmanager
async def exam_page(address: str, service: Service) -> AsyncIterator[ExamPage]:
    """A page that is open as long as the block lasts."""
    async with connect(address, origin=Origin(service.url)) as socket:
        yield ExamPage(socket, service.private_key)

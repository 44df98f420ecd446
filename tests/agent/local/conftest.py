"""The loopback API at work on the stage of a session: a real server at a real socket, and callers of each kind."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from secureproctor.agent.local.browser_desk import BrowserDesk
from secureproctor.agent.local.door import BROWSER_PID, PAGE_ORIGIN
from secureproctor.agent.local.holder import Holder
from secureproctor.agent.local.routes import Desk
from secureproctor.agent.local.server import LocalServer
from secureproctor.agent.session.status import view
from secureproctor.capture.handed import HandedFrames
from secureproctor.contract.http import InitData
from secureproctor.contract.page import PATH, HolderEvent, SignedQuery, SignedRequest

if TYPE_CHECKING:
    from tests.agent.conftest import Stage

PAGE, OTHER, PAIRING = "https://exam.example", "https://other.example", "pairing-token"
INIT = {"body": "{}", "authorization": "signature"}


@dataclass(slots=True)
class FakeApi:
    """The service's HTTP API, in its place."""

    data: InitData
    refusal: Exception | None = None
    asked: list[msgspec.Struct] = field(default_factory=list)

    async def init(self, request: SignedRequest) -> InitData:
        self.asked.append(request)
        if self.refusal is not None:
            raise self.refusal
        return self.data

    async def report(self, query: SignedQuery) -> msgspec.Raw:
        self.asked.append(query)
        return msgspec.Raw(b'{"data":{"url":"https://exam.example/report/1"},"extra":[1,2]}')


class Caller:
    """A page or a program: calls by number, notifications aside."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket, self.events, self.number = socket, [], 0  # type: ignore[var-annotated]  # a list of JSON objects

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        self.number += 1
        await self.socket.send(json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}))
        while "id" not in (frame := await self.next()):
            pass
        assert frame["id"] == self.number
        return frame

    async def next(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await asyncio.wait_for(self.socket.recv(), 5))
        if "method" in frame:
            self.events.append(frame["params"])
        return frame

    async def result(self, method: str, **params: Any) -> dict[str, Any]:
        answer = await self.call(method, **params)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    async def told(self, kind: str) -> dict[str, Any]:
        """The next notification of a kind."""
        while (params := (await self.next()).get("params", {})).get("type") != kind:
            pass
        return dict(params)

    @property
    def holding(self) -> list[bool]:
        """What it was told of holding the session."""
        return [event["holding"] for event in self.events if event["type"] == "holder"]

    async def refused(self, method: str, **params: Any) -> str:
        code: str = (await self.call(method, **params))["error"]["data"]["code"]
        return code


@dataclass(slots=True)
class House:
    """The server at work on the stage's conductor."""

    stage: "Stage"
    api: FakeApi
    server: LocalServer
    port: int
    visits: list[str]
    clients: AsyncExitStack
    records: list[tuple[str, bool]]

    async def page(
        self,
        origin: str | None = PAGE,
        token: str = "",
        path: str = PATH,
        speaks_for: str = "",
        browser_pid: int = 0,
        **options: Any,
    ) -> Caller:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if browser_pid:
            headers[BROWSER_PID] = str(browser_pid)
        if speaks_for:
            headers[PAGE_ORIGIN] = speaks_for
        address = f"ws://127.0.0.1:{self.port}{path}"
        socket = connect(address, origin=origin, additional_headers=headers, **{"close_timeout": 0.2, **options})  # type: ignore[arg-type]  # a plain text will do
        return Caller(await self.clients.enter_async_context(socket))

    async def program(self) -> Caller:
        return await self.page(origin=None, token=PAIRING)

    async def tab(self, name: str, origin: str = PAGE) -> Caller:
        """A page that has said hello."""
        page = await self.page(origin)
        await page.result("hello", tab=name)
        return page

    async def refused(self, **request: Any) -> tuple[int, str]:
        with pytest.raises(InvalidStatus) as caught:
            await self.page(**request)
        response = caught.value.response
        return response.status_code, json.loads(response.body)["error"]["code"]


@pytest.fixture
async def house(stage: "Stage") -> AsyncIterator[House]:
    await stage.registered()
    data = stage.session.data
    stage.conductor.session = None
    stage.conductor.state = type(stage.conductor.state)("idle")
    visits: list[str] = []
    api: Any = FakeApi(data)
    records: list[tuple[str, bool]] = []
    holder = Holder(
        lambda visitor, holding: server.tell_one(visitor, HolderEvent(holding)),
        lambda origin, taken_over: records.append((origin, taken_over)),
    )
    desk = Desk(
        stage.conductor,
        stage.obedience,
        api,
        BrowserDesk(stage.browser, HandedFrames()),
        lambda: view(stage.conductor, "agent", 0, stage.obedience.automatic),
        holder,
    )
    server = LocalServer(
        desk,
        PAIRING,
        lambda: {PAGE, OTHER},
        lambda origin: visits.append(f"+{origin}"),
        lambda origin: visits.append(f"-{origin}"),
    )
    stage.conductor.tell = server.tell
    async with AsyncExitStack() as clients, server.listening(0) as port:
        yield House(stage, api, server, port, visits, clients, records)

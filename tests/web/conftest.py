"""Small stand-ins around a real Chromium: a site that serves service/web, and an agent that speaks contract/page.py.

Both listen at random loopback ports in threads of their own. The agent reads every call with the contract's own types, so a
page that sends anything else fails here.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from secureproctor.contract import console, http
from secureproctor.contract import page as contract
from secureproctor.contract.errors import Refusal

WEB = Path(__file__).parents[2] / "service" / "web"
PAGES = {"/demo": "demo.html", "/console": "console.html", "/secureproctor.js": "secureproctor.js"}
POLICY = (
    "default-src 'self'; media-src 'self' blob:; worker-src blob:; connect-src 'self' ws://127.0.0.1:*; "
    "style-src 'self'; script-src 'self'"
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PARAMS: dict[str, type[Any]] = {
    "init": contract.SignedRequest,
    "report": contract.SignedQuery,
    "enableAutoAcknowledgement": contract.AutoAcknowledgement,
    "pauseAck": contract.Acknowledgement,
    "resumeAck": contract.Acknowledgement,
    "endAck": contract.Acknowledgement,
    "sendMessage": contract.Message,
    "visibility": contract.Visibility,
}
IDLE = contract.Status(agent="agent 0.1", state="idle")
REGISTERED = contract.Registered("token-1", "session-1", 300, http.ProctoringSettings(), ())
CHECKS = contract.CheckResults(
    False,
    (
        contract.CheckResult("camera", "Camera", "passed", "ok", "1280×720 pictures"),
        contract.CheckResult("microphone", "Microphone", "failed", "silent", "only silence", "Unmute the microphone."),
        contract.CheckResult(
            "screen", "Screen", "could_not_check", "no_display", "no answer", "Log in to the desktop."
        ),
    ),
)
LINK = http.ReportLink("https://exam.example/report/session-1?access=a", "https://exam.example/r.json", 0, 88.0, "high")


def wait_until(condition: Callable[[], object], what: str, seconds: float = 10.0) -> None:
    """Poll a condition that needs nothing of the page; pages are waited for by Playwright."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.01)


class Call(msgspec.Struct):
    """A JSON-RPC request."""

    jsonrpc: str
    id: int
    method: str
    params: msgspec.Raw = msgspec.Raw(b"{}")


@dataclass
class FakeAgent:
    """Answers from `answers`; a Refusal there is raised, None there means silence. `calls` holds what came, decoded."""

    calls: list[tuple[str, Any]] = field(default_factory=list)
    status: contract.Status = IDLE
    answers: dict[str, Any] = field(default_factory=dict)
    port: int = 0
    connections: set[ServerConnection] = field(default_factory=set)
    _server: Server | None = None
    _thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}{contract.PATH}"

    def open(self) -> None:
        self._server = serve(self._converse, "127.0.0.1", self.port, compression=None)
        self.port = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server = self._thread = None

    def drop(self) -> None:
        """Break all connections; the agent itself stays."""
        for connection in list(self.connections):
            connection.close()

    def tell(self, event: contract.PageEvent) -> None:
        frame = msgspec.json.encode({"jsonrpc": "2.0", "method": "event", "params": event}).decode()
        for connection in list(self.connections):
            connection.send(frame)

    def become(self, **changes: Any) -> None:
        """Change the status, and tell it."""
        self.status = msgspec.structs.replace(self.status, **changes)
        self.tell(self.status)

    def named(self, method: str) -> list[Any]:
        """The params of all calls of a method."""
        return [params for name, params in self.calls if name == method]

    def _converse(self, connection: ServerConnection) -> None:
        self.connections.add(connection)
        try:
            for frame in connection:
                self._answer(connection, msgspec.json.decode(frame, type=Call))
        except ConnectionClosed:
            pass
        finally:
            self.connections.discard(connection)

    def _answer(self, connection: ServerConnection, call: Call) -> None:
        assert call.method in contract.METHODS
        params = msgspec.json.decode(call.params, type=PARAMS.get(call.method, dict))
        self.calls.append((call.method, params))
        answer = self.answers.get(call.method, self.status)
        if answer is None:
            return
        content: dict[str, Any] = {"result": answer}
        if isinstance(answer, Refusal):
            error = {"code": contract.RPC_CODES["refused"], "message": answer.message, "data": answer.info}
            content = {"error": error}
        connection.send(msgspec.json.encode({"jsonrpc": "2.0", "id": call.id, **content}).decode())


@dataclass
class Site:
    """Serves the pages under their policy; `files` are further answers, by path; `heard` is what consoles said."""

    url: str = ""
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    heard: list[Any] = field(default_factory=list)
    snapshots: list[Any] = field(default_factory=list)
    key: str = "proctor+key/1="
    consoles: list[WebSocket] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop | None = None

    def tell(self, message: console.ToConsole) -> None:
        """Send something to every console."""
        for websocket in self.consoles:
            self._await(websocket.send_text(msgspec.json.encode(message).decode()))

    def hang_up(self) -> None:
        """Break the consoles' connections."""
        for websocket in list(self.consoles):
            self._await(websocket.close())

    def _await(self, sending: Coroutine[Any, Any, None]) -> None:
        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(sending, self.loop).result(5)

    def app(self) -> Starlette:
        return Starlette(routes=[WebSocketRoute("/v1/proctor", self.proctor), Route("/{path:path}", self.serve)])

    async def serve(self, request: Request) -> Response:
        path = request.url.path
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
        if path in self.files:
            media_type, content = self.files[path]
            return Response(content, media_type=media_type)
        name = "report.html" if path.startswith("/report/") else PAGES.get(path, path.removeprefix("/web/"))
        found = WEB / name
        return FileResponse(found, headers=headers) if found.is_file() else Response(status_code=404)

    async def proctor(self, websocket: WebSocket) -> None:
        self.loop = asyncio.get_running_loop()
        await websocket.accept()
        self.consoles.append(websocket)
        try:
            while True:
                message = msgspec.json.decode(await websocket.receive_text(), type=console.FromConsole)
                self.heard.append(message)
                for answer in self._answers(message):
                    await websocket.send_text(msgspec.json.encode(answer).decode())
        except WebSocketDisconnect:
            pass
        finally:
            self.consoles.remove(websocket)

    def _answers(self, message: Any) -> list[Any]:
        match message:
            case console.Hello(key):
                return self.snapshots if key == self.key else [console.Failed(Refusal("proctor_key_invalid").info)]
            case console.Issue(kind="resume"):
                return [console.Failed(Refusal("field_invalid", field="kind", why="not now").info, message.request)]
            case console.Issue():
                return [console.Issued(message.request, "command-9")]
            case _:
                return []


@pytest.fixture
def agent() -> Iterator[FakeAgent]:
    """An agent that listens."""
    fake = FakeAgent(
        answers={
            "init": REGISTERED,
            "checkSystem": CHECKS,
            "report": http.ReportAnswer(LINK, msgspec.Raw(b'{"schema":1}')),
            "sendMessage": contract.Sent("chat-1"),
        }
    )
    fake.open()
    yield fake
    fake.close()


@dataclass
class Door:
    """The one server of all tests; each test hangs its own site behind it."""

    url: str
    site: Site

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.site.app()(scope, receive, send)


@pytest.fixture(scope="session")
def door() -> Iterator[Door]:
    """A server, which takes a fifth of a second to come and go."""
    listener = socket.create_server(("127.0.0.1", 0))
    made = Door(f"http://127.0.0.1:{listener.getsockname()[1]}", Site())
    server = uvicorn.Server(uvicorn.Config(made, log_level="warning", ws="websockets-sansio", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    wait_until(lambda: server.started, "the site")
    yield made
    server.force_exit = server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def site(door: Door) -> Site:
    """A site of its own for each test."""
    door.site = Site(door.url)
    return door.site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Not for the whole run: while it is open, the event loop of this thread counts as running."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A tab that is closed before the site; the test fails when anything went wrong in it that its console tells."""
    faults: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = context.new_page()
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("console", lambda message: faults.append(message.text) if _is_fault(message) else None)
    yield tab
    context.close()
    assert faults == []


def _is_fault(message: ConsoleMessage) -> bool:
    """An agent that is away on purpose is told by the browser itself, and cannot be kept from it."""
    return message.type in ("error", "warning") and "WebSocket connection to 'ws://127.0.0.1" not in message.text


@pytest.fixture
def until() -> Callable[..., None]:
    """Polls a condition with a deadline."""
    return wait_until

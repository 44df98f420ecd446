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

from secureproctor.contract import attestation, console, http
from secureproctor.contract import page as contract
from secureproctor.contract.errors import ErrorAnswer, Refusal

WEB = Path(__file__).parents[2] / "service" / "web"
PAGES = {"/demo": "demo.html", "/console": "console.html"}
PAGES |= {f"/{name}": name for name in ("secureproctor.js", "authorization.js")}
POLICY = (
    "default-src 'self'; media-src 'self' blob:; worker-src blob:; connect-src 'self' ws://127.0.0.1:*; "
    "style-src 'self'; script-src 'self'; img-src 'self' data: blob:"
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
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f6"
    "45400000000049454e44ae426082"
)
"""The smallest picture, a PNG."""
PARAMS: dict[str, type[Any]] = {
    "hello": contract.Hello,
    "init": contract.SignedRequest,
    "report": contract.SignedQuery,
    "enableAutoAcknowledgement": contract.AutoAcknowledgement,
    "pauseAck": contract.Acknowledgement,
    "resumeAck": contract.Acknowledgement,
    "endAck": contract.Acknowledgement,
    "sendMessage": contract.Message,
    "chatRead": contract.ChatRead,
    "consent": contract.Consent,
    "startPreview": contract.Picture,
    "takePhoto": contract.Picture,
    "quit": contract.Quit,
    "attest": contract.Attest,
    "visibility": contract.Visibility,
}
BROWSERS_OWN = {"attach", "beat", "handFrame"}
"""Methods of the secure browser, of which a page has none."""
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
    """Answers from `answers`; a Refusal there is raised, None there means silence, and a function is asked with the params.

    `calls` holds what came, decoded.
    """

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

    def ask(self, kind: Any, request: str, text: str = "", left_s: float = 30.0) -> None:
        """A pause, resume or end takes effect and waits for its acknowledgement."""
        self.become(pending=(*self.status.pending, contract.PendingRequest(kind, request, text, left_s)))
        self.tell(contract.RequestEvent(kind, request, text, left_s=left_s))

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
        answer = answer(params) if callable(answer) else answer
        if answer is None:
            return
        content: dict[str, Any] = {"result": answer}
        if isinstance(answer, Refusal):
            error = {"code": contract.RPC_CODES["refused"], "message": answer.message, "data": answer.info}
            content = {"error": error}
        connection.send(msgspec.json.encode({"jsonrpc": "2.0", "id": call.id, **content}).decode())


@dataclass
class Site:
    """Serves the pages under their policy; `files` are further answers, by path; `heard` is what consoles said.

    `snapshots` and `details` is what it tells consoles at Hello and Open, `passwords` and `accounts` whom it lets in,
    `watched` what the live view asked for last. `silent`: messages are not confirmed.
    """

    url: str = ""
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    heard: list[Any] = field(default_factory=list)
    snapshots: list[Any] = field(default_factory=list)
    details: dict[str, console.SessionDetail] = field(default_factory=dict)
    key: str = "proctor+key/1="
    role: console.Role = "super"
    passwords: dict[str, str] = field(default_factory=lambda: {"ada": "right"})
    accounts: dict[str, console.ProctorAccount] = field(default_factory=dict)
    consoles: list[WebSocket] = field(default_factory=list)
    viewers: list[WebSocket] = field(default_factory=list)
    watched: tuple[console.Watched, ...] = ()
    silent: bool = False
    loop: asyncio.AbstractEventLoop | None = None

    def tell(self, message: console.ToConsole) -> None:
        """Send something to every console; a page that asks for a detail later is told the same."""
        if isinstance(message, console.SessionDetail):
            self.details = {**self.details, message.session_id: message}
        for websocket in self.consoles:
            self._await(websocket.send_text(msgspec.json.encode(message).decode()))

    def push(self, header: console.LiveHeader, content: bytes) -> None:
        """Send a segment to every console that watches."""
        text = msgspec.json.encode(header)
        for websocket in self.viewers:
            self._await(websocket.send_bytes(len(text).to_bytes(4, "big") + text + content))

    def hang_up(self) -> None:
        """Break the consoles' connections."""
        for websocket in [*self.consoles, *self.viewers]:
            self._await(websocket.close())

    def _await(self, sending: Coroutine[Any, Any, None]) -> None:
        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(sending, self.loop).result(5)

    def app(self) -> Starlette:
        routes = [
            WebSocketRoute("/v1/proctor", self.proctor),
            WebSocketRoute("/v1/proctor/live", self.live),
            Route("/v1/proctor/login", self.log_in, methods=["POST"]),
            Route("/v1/proctors", self.listed),
            Route("/v1/proctors/{name}", self.account, methods=["PUT", "DELETE"]),
            Route("/{path:path}", self.serve, methods=["GET", "POST"]),
        ]
        return Starlette(routes=routes)

    async def serve(self, request: Request) -> Response:
        path = request.url.path
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
        if path in self.files or path.endswith("/thumbnail.jpg"):  # every candidate has a picture
            media_type, content = self.files.get(path, ("image/png", PIXEL))
            return Response(content, media_type=media_type)
        name = "report.html" if path.startswith("/report/") else PAGES.get(path, path.removeprefix("/web/"))
        found = WEB / name
        return FileResponse(found, headers=headers) if found.is_file() else Response(status_code=404)

    async def log_in(self, request: Request) -> Response:
        who = msgspec.json.decode(await request.body(), type=console.LogIn)
        if self.passwords.get(who.name) != who.password:
            return refused(Refusal("login_failed"))
        return Response(msgspec.json.encode(console.LoggedIn(f"token-{who.name}", who.name, self.role, 2**52)))

    async def listed(self, request: Request) -> Response:
        if not self._known(request.headers.get("Authorization", "").removeprefix("Bearer ")):
            return refused(Refusal("login_needed"))
        return Response(msgspec.json.encode(console.ProctorAccounts(tuple(self.accounts.values()))))

    async def account(self, request: Request) -> Response:
        name = request.path_params["name"]
        if request.method == "DELETE":
            if len(self.accounts) == 1:
                return refused(Refusal("last_super"))
            del self.accounts[name]
            return Response(status_code=204)
        change = msgspec.json.decode(await request.body(), type=console.ProctorChange)
        self.heard.append(change)
        self.accounts[name] = console.ProctorAccount(name, change.role, change.groups, change.disabled)
        return Response(msgspec.json.encode(self.accounts[name]))

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

    async def live(self, websocket: WebSocket) -> None:
        await websocket.accept()
        hello = msgspec.json.decode(await websocket.receive_text(), type=console.Hello)
        assert self._known(hello.token or hello.key)
        self.viewers.append(websocket)
        try:
            while True:
                self.watched = msgspec.json.decode(await websocket.receive_text(), type=console.Watch).watched
        except WebSocketDisconnect:
            self.watched = ()
        finally:
            self.viewers.remove(websocket)

    def _known(self, secret: str) -> bool:
        return secret == self.key or secret.removeprefix("token-") in self.passwords

    def _answers(self, message: Any) -> list[Any]:
        match message:
            case console.Hello(key, token):
                if not self._known(token or key):
                    return [console.Failed(Refusal("login_needed" if token else "proctor_key_invalid").info)]
                name = token.removeprefix("token-") or "the link"
                return [console.Welcome(name, self.role, (), time.time_ns() // 1_000_000), *self.snapshots]
            case console.Open(session_id) if session_id in self.details:
                return [self.details[session_id]]
            case console.Issue(kind="resume"):
                return [console.Failed(Refusal("field_invalid", field="kind", why="not now").info, message.request)]
            case console.Issue():
                return [console.Issued(message.request, "command-9")]
            case console.Say(text="refused"):
                return [console.Failed(Refusal("chat_full").info, message.request)]
            case console.Say() if not self.silent:
                return [console.Issued(message.request, "chat-9")]
            case _:
                return []


def refused(refusal: Refusal) -> Response:
    """As the service says no."""
    return Response(msgspec.json.encode(ErrorAnswer(refusal.info)), refusal.status)


# what the browser's extension does for a page, by its exact messages; the port is a WebSocket to the agent
EXTENSION = """(url) => {
    let port = null, waiting = [];
    const say = (content) => postMessage({source: "secureproctor-extension", ...content}, "/");
    const connect = () => {
        const opened = port = new WebSocket(url);
        opened.onopen = () => waiting.splice(0).forEach((frame) => opened.send(frame));
        opened.onmessage = ({data}) => say({frame: JSON.parse(data)});
        opened.onclose = () => {
            port = null;
            waiting = [];
            say({closed: {code: "agent_gone", message: "The agent is gone.", remedy: "Start it."}});
        };
    };
    addEventListener("message", ({source, data}) => {
        if (globalThis.uninstalled || source !== window || data?.source !== "secureproctor-page") return;
        if (data.hello) return say({hello: 1, version: "1.0"});
        if (!port) connect();
        const frame = JSON.stringify(data.frame);
        if (port.readyState === WebSocket.OPEN) port.send(frame);
        else waiting.push(frame);
    });
}"""
# evaluates a call of the test's own words: {value}, or the error's fields
TOLD = """async (call) => {
    try { return {value: await (0, eval)(call)}; }
    catch ({name, code, message, remedy, number, field}) { return {name, code, message, remedy, number, field}; }
}"""


@dataclass
class ExamPage:
    """A page with nothing but the library."""

    page: Page
    url: str
    agent: FakeAgent

    def load(self) -> None:
        """Load it, again or the first time."""
        self.page.goto(self.url)

    def extend(self) -> None:
        """Install the extension, for the pages that are loaded from now on."""
        self.page.add_init_script(f"({EXTENSION})({msgspec.json.encode(self.agent.url).decode()})")

    def connect(self, *kinds: str, **options: Any) -> None:
        """Make `proctor`, and let it listen, to these kinds from the beginning: `heard` holds each event with its kind."""
        self.page.evaluate(
            """([kinds, options]) => {
                globalThis.proctor = new SecureProctor(options);
                globalThis.heard = [];
                globalThis.listen = (kind) => proctor.setListener(kind, (event) => heard.push([kind, event]));
                kinds.forEach(listen);
            }""",
            [kinds, {"agentUrl": self.agent.url, **options}],
        )

    def told(self, call: str) -> dict[str, Any]:
        """What a call gives: its value, or the error's fields."""
        answer: dict[str, Any] = self.page.evaluate(TOLD, call)
        return answer

    def heard(self, count: int) -> list[Any]:
        """The events when there are so many."""
        self.page.wait_for_function("(count) => heard.length >= count", arg=count)
        events: list[Any] = self.page.evaluate("heard")
        return events


@pytest.fixture
def exam(page: Page, site: Site, agent: FakeAgent) -> ExamPage:
    """A page with nothing but the library, loaded."""
    site.files["/exam"] = (
        "text/html",
        b"<!doctype html><link rel=icon href=/web/icon.svg><script src=/secureproctor.js></script>",
    )
    made = ExamPage(page, f"{site.url}/exam", agent)
    made.load()
    return made


@pytest.fixture
def agent() -> Iterator[FakeAgent]:
    """An agent that listens."""
    fake = FakeAgent(
        answers={
            "init": REGISTERED,
            "checkSystem": CHECKS,
            "report": http.ReportAnswer(LINK, msgspec.Raw(b'{"schema":1}')),
            "sendMessage": contract.Sent("chat-1"),
            "conversation": contract.Conversation(()),
            "departed": contract.Departed("https://proctoring.example", ()),
            "attest": contract.Attested(attestation.HEADER, "head.claims.signature", 1_700_000_020_000),
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


# the texts with less than 4.5:1 to their ground (WCAG 2.2, 1.4.3), by the formula of WCAG; what is disabled is exempt
CONTRAST = """(root) => {
    const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const behind = (each) => {
        for (let at = each; at; at = at.parentElement) {
            const colour = rgb(getComputedStyle(at).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return light(colour);
        }
        return 1;
    };
    const texts = [...document.querySelectorAll(`${root} *`)].filter((each) =>
        each.checkVisibility({visibilityProperty: true}) && !each.closest(":disabled") &&
        [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
    return texts.map((each) => [ratio(light(rgb(getComputedStyle(each).color)), behind(each)), each.textContent.slice(0, 60)])
        .filter(([found]) => found < 4.5);
}"""


@pytest.fixture
def faint(page: Page) -> Callable[[str], list[Any]]:
    """The texts under a selector that can hardly be read, with their contrast."""
    return lambda root: page.evaluate(CONTRAST, root)


@pytest.fixture
def until() -> Callable[..., None]:
    """Polls a condition with a deadline."""
    return wait_until

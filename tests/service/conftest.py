"""A real service process on a free port, and an agent and a console as they would talk to it."""

import base64
import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from secureproctor.contract.channel import (
    Backlog,
    Chat,
    ChatMark,
    Command,
    Head,
    Heartbeat,
    KeepAlive,
    ServiceEnded,
    ToAgent,
)
from secureproctor.contract.console import (
    Failed,
    Hello,
    Issued,
    LoggedIn,
    Open,
    SessionDetail,
    SessionGone,
    SessionSnapshot,
    ToConsole,
    Welcome,
)
from secureproctor.contract.http import InitAnswer, InitData
from secureproctor.contract.link import Link
from secureproctor.contract.record import GENESIS, Header, RecordKind, record_hash, seal
from secureproctor.contract.signing import sign_body
from secureproctor.contract.stills import StillInfo, pack
from secureproctor.contract.streams import Stream
from tests.service.house import House

PUBLIC, PRIVATE = "exam-public", "exam-private"
OWN_KIND = {Stream.EVENTS: RecordKind.EVENTS, Stream.STILLS: RecordKind.STILL}
JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
DEADLINE_S = 30.0
IN_TIME_S = 20.0


@dataclass(slots=True)
class Server:
    """A service process. `stop` ends it as an operator would."""

    process: subprocess.Popen[str]
    url: str
    proctor_key: str
    ready: dict[str, Any]
    http: httpx.Client

    @property
    def socket_url(self) -> str:
        return self.url.replace("http://", "ws://")

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """The exit code and what stood on stderr."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=DEADLINE_S)
        self.http.close()
        return self.process.returncode, errors

    def register(self, **changes: object) -> "Candidate":
        answer = self.init(**changes)
        assert answer.status_code == 200, answer.text
        return Candidate(self, msgspec.json.decode(answer.content, type=InitAnswer).data)

    def init(self, **changes: object) -> httpx.Response:
        body = {
            "publicKey": PUBLIC,
            "userId": f"user-{uuid.uuid4()}",
            "groupName": "group",
            "userMetaData": {"name": "Ada", "email": "ada@example.org"},
            **changes,
        }
        content = json.dumps({name: value for name, value in body.items() if value is not None}).encode()
        return self.http.post("/v1/init", content=content, headers={"Authorization": sign_body(PRIVATE, content)})

    def console(self, key: str | None = None, *, token: str = "") -> "Console":
        """A console by the key of the link (this service's, unless another is given), or by a token of log-in."""
        key = "" if token else self.proctor_key if key is None else key
        return Console(f"{self.socket_url}/v1/proctor", Hello(key, token))

    def account(self, name: str, *, by: str = "", **change: object) -> httpx.Response:
        """Make or change a proctor's account, as the holder of the link, or with another's token."""
        headers = {"Authorization": f"Bearer {by or self.proctor_key}"}
        return self.http.put(f"/v1/proctors/{name}", content=json.dumps(change), headers=headers)

    def log_in(self, name: str, password: str) -> httpx.Response:
        return self.http.post("/v1/proctor/login", content=json.dumps({"name": name, "password": password}))

    def token_of(self, name: str, password: str) -> str:
        answer = self.log_in(name, password)
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=LoggedIn).token


@dataclass(slots=True)
class Candidate:
    """An agent's evidence: seals records of a proper chain and puts them."""

    server: Server
    data: InitData
    previous: dict[Stream, bytes] = field(default_factory=dict)
    heads: dict[str, Head] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.data.session_id

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.data.token}"}

    def seal(
        self,
        stream: Stream,
        seq: int,
        *,
        epoch: int = 0,
        start_us: int = 0,
        duration_us: int = 0,
        payload: bytes = b"moof",
        live_only: bool = False,
        previous: bytes | None = None,
    ) -> bytes:
        kind = OWN_KIND.get(stream) or (RecordKind.INIT if seq == 0 else RecordKind.MEDIA)
        codec = "mp4a.40.2" if stream is Stream.AUDIO else "avc1.42c01f"
        header = Header(
            kind, stream, uuid.UUID(self.id), epoch, seq, start_us, duration_us, 1_700_000_000_000_000 + start_us,
            previous or self.previous.get(stream, GENESIS), codec, live_only,
        )  # fmt: skip
        sealed = seal(header, payload, X25519PublicKey.from_public_bytes(base64.b64decode(self.data.sealing_key)))
        self.previous[stream] = record_hash(sealed)
        self.heads[stream] = Head(epoch, seq, record_hash(sealed).hex())
        return sealed

    def path(self, stream: Stream, seq: int, epoch: int = 0) -> str:
        return f"/v1/sessions/{self.id}/segments/{stream}/{epoch}/{seq}"

    def put(self, sealed: bytes, stream: Stream, seq: int, epoch: int = 0) -> httpx.Response:
        return self.server.http.put(self.path(stream, seq, epoch), content=sealed, headers=self.authorization)

    def record(self, stream: Stream, seq: int, **how: Any) -> bytes:
        """Seal and put; the sealed bytes."""
        sealed = self.seal(stream, seq, **how)
        answer = self.put(sealed, stream, seq, how.get("epoch", 0))
        assert answer.status_code == 201, answer.text
        return sealed

    def still(self, seq: int, of: Any = "photo", jpeg: bytes = JPEG, **how: Any) -> bytes:
        """Seal and put a picture."""
        info = StillInfo(of, 1_700_000_000_000 + seq, 640, 480, **how)
        return self.record(Stream.STILLS, seq, payload=pack(info, jpeg))

    def channel(self, link: Link | None = None) -> "AgentChannel":
        return AgentChannel(self, link or Link())


def closing_code(socket: ClientConnection) -> int | None:
    """Read what still comes, until the peer closes: its close code."""
    try:
        while True:
            socket.recv(timeout=IN_TIME_S)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


class AgentChannel:
    """One connection of an agent; the link outlives it."""

    def __init__(self, candidate: Candidate, link: Link) -> None:
        self.link = link
        self.candidate = candidate

    def __enter__(self) -> "AgentChannel":
        self._open = ExitStack()
        address = f"{self.candidate.server.socket_url}/v1/sessions/{self.candidate.id}/channel"
        self.socket = self._open.enter_context(connect(address, additional_headers=self.candidate.authorization))
        self.socket.send(self.link.connected().decode())
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def tell(self, body: msgspec.Struct) -> None:
        self.socket.send(self.link.send(body).decode())

    def beat(
        self,
        state: str = "running",
        at_us: int | None = 0,
        backlog: int = 0,
        quality: str = "full",
        attestation: str = "",
    ) -> None:
        waiting = Backlog(backlog, backlog * 1000)
        beat = Heartbeat(state, 1_700_000_000_000, at_us, waiting, self.candidate.heads, quality, attestation)
        self.socket.send(self.link.momentary(beat).decode())

    def next(self) -> Command | Chat | ChatMark | ServiceEnded | KeepAlive:
        """The next body that is new; TimeoutError when none comes."""
        until = time.monotonic() + IN_TIME_S
        while True:
            body = self.frame(max(until - time.monotonic(), 0))
            if body is not None:
                message: Command | Chat | ChatMark | ServiceEnded | KeepAlive = msgspec.json.decode(body, type=ToAgent)
                return message

    def frame(self, timeout_s: float = IN_TIME_S) -> bytes | None:
        """Take one frame and answer it; its body, if that is new."""
        body, answers = self.link.receive(self.socket.recv(timeout=timeout_s))
        for each in answers:
            self.socket.send(each.decode())
        return body

    def nonce(self) -> str:
        """The nonce of an answer to a heartbeat that is sent for it."""
        self.beat()
        answer: KeepAlive = self.expect(KeepAlive)
        return answer.nonce

    def closed(self) -> int | None:
        return closing_code(self.socket)

    def expect(self, kind: type[Any]) -> Any:
        while not isinstance(body := self.next(), kind):
            pass
        return body

    def settle(self) -> None:
        """Wait until the service has acknowledged everything."""
        while self.link.waiting:
            self.frame()  # a Resume acknowledges, too


Told = Welcome | SessionSnapshot | SessionDetail | SessionGone | Issued | Failed


class Console:
    """A proctor's console."""

    def __init__(self, address: str, hello: Hello) -> None:
        self._address = address
        self._hello = hello
        self.shown: dict[str, SessionSnapshot] = {}
        """The last snapshot of each session that was taken from the connection."""

    def __enter__(self) -> "Console":
        self._open = ExitStack()
        self.socket = self._open.enter_context(
            connect(self._address, max_queue=None)
        )  # closing waits for what is unread
        self.send(self._hello)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def send(self, message: msgspec.Struct) -> None:
        self.socket.send(msgspec.json.encode(message).decode())

    def next(self, timeout_s: float = IN_TIME_S) -> Told:
        message: Told = msgspec.json.decode(self.socket.recv(timeout=timeout_s), type=ToConsole)
        if isinstance(message, SessionSnapshot):
            self.shown[message.session_id] = message
        return message

    def closed(self) -> int | None:
        return closing_code(self.socket)

    def expect(self, kind: type[Any] | tuple[type[Any], ...], until: Callable[[Any], bool] = lambda _: True) -> Any:
        """The next message of a kind that fits; all others are passed over."""
        while not (isinstance(message := self.next(), kind) and until(message)):
            pass
        return message

    def answer(self) -> Issued | Failed:
        answer: Issued | Failed = self.expect((Issued, Failed))
        return answer

    def snapshot(self, session_id: str, until: Callable[[SessionSnapshot], bool] = lambda _: True) -> SessionSnapshot:
        shown: SessionSnapshot = self.expect(SessionSnapshot, lambda s: s.session_id == session_id and until(s))
        return shown

    def open(self, session_id: str, until: Callable[[SessionDetail], bool] = lambda _: True) -> SessionDetail:
        """Open a candidate's page; its first detail that fits. The snapshot that belongs to it is in `shown`."""
        self.send(Open(session_id))
        return self.detail(session_id, until)

    def detail(self, session_id: str, until: Callable[[SessionDetail], bool] = lambda _: True) -> SessionDetail:
        """The next detail of an opened session that fits."""
        shown: SessionDetail = self.expect(SessionDetail, lambda s: s.session_id == session_id and until(s))
        return shown


Launch = Callable[..., Server]


def launched(data: Path, folder: Path, *options: str) -> Server:
    ready_file = folder / f"ready-{uuid.uuid4()}"
    command = [sys.executable, "-W", "error", "-m", "secureproctor.service", "--port", "0", "--data", str(data)]
    command += ["--ready-file", str(ready_file), "--key", f"{PUBLIC}:{PRIVATE}", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + DEADLINE_S
    while not ready_file.exists():  # the service says by this file that it listens; there is nothing else to wait on
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            raise AssertionError(process.communicate()[1])
        time.sleep(0.01)
    ready = json.loads(ready_file.read_text())
    http = httpx.Client(base_url=ready["url"], timeout=DEADLINE_S, trust_env=False)
    return Server(
        process, ready["url"], ready["proctor_key"], {**ready, "mode": ready_file.stat().st_mode & 0o777}, http
    )


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A service of its own that ends well."""
    service = launched(folder / "data", folder)
    try:
        yield service
    finally:
        code, errors = service.stop()
    assert code == 0
    assert "Traceback" not in errors, errors


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One service for the tests of a file."""
    with running(tmp_path_factory.mktemp("own-service")) as service:
        yield service


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One service for all tests that leave it as they found it."""
    with running(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """The parts of a service of the test's own, without a network."""
    built = House(tmp_path / "data")
    yield built
    built.store.close()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Starts services of the test's own; `data` stays the same from one to the next."""
    with ExitStack() as stack:

        def start(*options: str, data: Path = tmp_path / "data") -> Server:
            service = launched(data, tmp_path, *options)
            stack.callback(service.stop)
            return service

        yield start

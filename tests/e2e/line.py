"""The proctor's side without a browser: a console's WebSocket, by which a test sees what the service knows of a session."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec
from websockets.sync.client import ClientConnection, connect

from secureproctor.contract.console import (
    Failed,
    FromConsole,
    Hello,
    Issue,
    Issued,
    Open,
    Read,
    Say,
    SessionDetail,
    SessionGone,
    SessionSnapshot,
    ToConsole,
    Welcome,
)
from secureproctor.contract.report import CommandReport
from tests.e2e.house import PATIENCE_S, until
from tests.e2e.programs import Service

LOOK_S = 0.05


@dataclass(slots=True)
class Line:
    """A console that is open at one session; what the service tells is kept by session."""

    socket: ClientConnection
    snapshots: dict[str, SessionSnapshot] = field(default_factory=dict)
    details: dict[str, SessionDetail] = field(default_factory=dict)
    answers: dict[str, Issued | Failed] = field(default_factory=dict)
    failures: list[Failed] = field(default_factory=list)
    welcome: Welcome | None = None

    def send(self, message: FromConsole) -> None:
        """Say something to the service."""
        self.socket.send(msgspec.json.encode(message).decode())

    def order(self, session: str, kind: str, *, text: str = "", argument: str = "") -> str:
        """Send a command; its id. Raises AssertionError when the service does not take it."""
        answer = self.answer(session, kind, text=text, argument=argument)
        assert isinstance(answer, Issued), answer
        return answer.id

    def refused(self, session: str, kind: str) -> str:
        """Send a command that nobody obeys: why service or agent refuse it, in words."""
        match self.answer(session, kind):
            case Failed(error=error):
                return error.message
            case Issued(id=order):
                return self.command(session, order, "refused").reason

    def answer(self, session: str, kind: str, *, text: str = "", argument: str = "") -> Issued | Failed:
        """Send a command; what the service says to it."""
        request = uuid.uuid4().hex
        asked = {"session_id": session, "kind": kind, "text": text, "argument": argument, "request": request}
        self.send(msgspec.convert({"type": "command", **asked}, Issue))
        answer = until(lambda: self.look().answers.get(request), bool, f"the service's answer to {kind}")
        assert answer is not None
        return answer

    def say(self, session: str, text: str) -> None:
        """Write to the candidate."""
        self.send(Say(session, text))

    def read(self, session: str, message: str) -> None:
        """Mark the candidate's messages as read, up to this one."""
        self.send(Read(session, message))

    def snapshot(self, session: str, holds: Callable[[SessionSnapshot], object] = bool) -> SessionSnapshot:
        """The first snapshot of a session for which it holds."""
        seen = until(lambda: self.look().snapshots.get(session), lambda it: it and holds(it), "a snapshot")
        assert seen is not None
        return seen

    def detail(self, session: str, holds: Callable[[SessionDetail], object] = bool) -> SessionDetail:
        """The first detail of a session for which it holds."""
        if session not in self.details:
            self.send(Open(session))
        seen = until(lambda: self.look().details.get(session), lambda it: it and holds(it), "a detail")
        assert seen is not None
        return seen

    def command(self, session: str, command: str, *statuses: str) -> CommandReport:
        """A command as soon as it has one of the statuses."""
        detail = self.detail(session, lambda it: any(c.id == command and c.status in statuses for c in it.commands))
        return next(each for each in detail.commands if each.id == command)

    def look(self) -> "Line":
        """Take all that has come."""
        try:
            while True:
                self._take(msgspec.json.decode(self.socket.recv(LOOK_S), type=ToConsole))
        except TimeoutError:
            return self

    def _take(self, message: ToConsole) -> None:
        match message:
            case SessionSnapshot(session_id=session):
                self.snapshots[session] = message
            case SessionDetail(session_id=session):
                self.details[session] = message
            case SessionGone(session_id=session):
                self.snapshots.pop(session, None)
            case Issued(request=request):
                self.answers[request] = message
            case Failed(request=request):
                self.answers[request] = message
                self.failures.append(message)
            case Welcome():
                self.welcome = message


@contextmanager
def line(service: Service, *, token: str = "") -> Iterator[Line]:
    """A line as long as the block lasts: of a log-in's `token`, or of the link that the service printed."""
    address = f"ws{service.url.removeprefix('http')}/v1/proctor"
    # who looks seldom leaves much unread; in a bounded queue it would hold up the ping and the close
    with connect(address, proxy=None, max_size=None, max_queue=None, open_timeout=PATIENCE_S) as socket:
        made = Line(socket)
        made.send(Hello("" if token else service.proctor_key, token))
        yield made

"""The messages between a proctor's console and the service, as tagged JSON over one WebSocket (`/v1/proctor`).

The first frame of the console is `Hello` with the proctor's key. The service answers with one `Snapshot` of each session
that is not older than the retention time, and then sends a snapshot whenever one changed.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from secureproctor.contract.channel import CHAT_LENGTH, CommandKind
from secureproctor.contract.errors import ErrorInfo
from secureproctor.contract.report import ChatReport, CommandReport


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """Console → service: the proctor's key."""

    key: str


class Issue(msgspec.Struct, frozen=True, tag="command"):
    """Console → service: a command for a session. `request` is the console's own mark, repeated in the answer."""

    session_id: str
    kind: CommandKind
    text: Annotated[str, Meta(max_length=CHAT_LENGTH)] = ""
    request: str = ""


class Say(msgspec.Struct, frozen=True, tag="chat"):
    """Console → service: a chat message for a candidate."""

    session_id: str
    text: Annotated[str, Meta(min_length=1, max_length=CHAT_LENGTH)]


class StreamState(msgspec.Struct, frozen=True):
    """How much of a stream has arrived."""

    segments: int
    bytes: int
    last_ms: int


class SessionSnapshot(msgspec.Struct, frozen=True, tag="session"):
    """Service → console: all that the console shows of a session. `access` opens its report and its media.

    While the link is offline, `offline_s` says for how long nothing was heard, and `expires_in_s` when the service ends the
    session if it stays so (None when it does not run); both in seconds, at the moment of the snapshot.
    """

    session_id: str
    user_id: str
    user_name: str
    group_name: str
    state: str
    end_reason: str
    link: Literal["online", "offline", "never"]
    heard_ms: int | None
    started_ms: int | None
    expiry_s: int
    backlog_segments: int
    streams: dict[str, StreamState]
    commands: list[CommandReport]
    chat: list[ChatReport]
    access: str
    pause_resume: bool = True
    end_test: bool = True
    offline_s: float | None = None
    expires_in_s: float | None = None


class Issued(msgspec.Struct, frozen=True, tag="issued"):
    """Service → console: the command was taken, with its id."""

    request: str
    id: str


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Service → console: something was refused."""

    error: ErrorInfo
    request: str = ""


FromConsole = Hello | Issue | Say
ToConsole = SessionSnapshot | Issued | Failed

"""The messages between a proctor's console and the service, as tagged JSON over one WebSocket (`/v1/proctor`).

The first frame of the console is `Hello`, and the service's answer `Welcome`. Then the service sends one `SessionSnapshot` of
each session that this proctor may see, and again whenever one changed, at most a few times a second. What only one
candidate's page shows is sent as `SessionDetail` of the sessions that the console has opened (`Open`, `Shut`).
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from secureproctor.contract.channel import CHAT_LENGTH, AuthorizationStep, CommandKind
from secureproctor.contract.errors import ErrorInfo
from secureproctor.contract.lockdown import RuleStatus
from secureproctor.contract.msb import BrowserIdentity
from secureproctor.contract.report import (
    ChatReport,
    CommandReport,
    EventReport,
    FlagReport,
    IdentityReport,
    StillReport,
)

Role = Literal["proctor", "super"]
"""A proctor sees the groups that were assigned to them; a super proctor sees all, and manages the proctors' accounts."""

SessionId = Annotated[str, Meta(max_length=64)]


class LogIn(msgspec.Struct, frozen=True):
    """`POST /v1/proctor/login`."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    password: Annotated[str, Meta(min_length=1, max_length=256)]


class LoggedIn(msgspec.Struct, frozen=True):
    """Its answer; `token` goes into Hello, and as Authorization: Bearer into /v1/proctors."""

    token: str
    name: str
    role: Role
    expires_ms: int


class ProctorAccount(msgspec.Struct, frozen=True):
    """A proctor. `groups` are the group names that they see; empty means all."""

    name: str
    role: Role
    groups: tuple[str, ...] = ()
    disabled: bool = False


class ProctorAccounts(msgspec.Struct, frozen=True):
    """`GET /v1/proctors`, for super proctors."""

    proctors: tuple[ProctorAccount, ...]


class ProctorChange(msgspec.Struct, frozen=True):
    """`PUT /v1/proctors/{name}`: makes or changes an account; an empty password leaves it as it is."""

    role: Role = "proctor"
    password: Annotated[str, Meta(max_length=256)] = ""
    groups: Annotated[tuple[Annotated[str, Meta(max_length=256)], ...], Meta(max_length=100)] = ()
    disabled: bool = False


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """Console → service: a token of log-in, or the key of the link that the service printed (a super proctor)."""

    key: str = ""
    token: str = ""


class Issue(msgspec.Struct, frozen=True, tag="command"):
    """Console → service: a command for a session. `request` is the console's own mark, repeated in the answer."""

    session_id: SessionId
    kind: CommandKind
    text: Annotated[str, Meta(max_length=CHAT_LENGTH)] = ""
    request: str = ""
    argument: Annotated[str, Meta(max_length=32)] = ""


class Say(msgspec.Struct, frozen=True, tag="chat"):
    """Console → service: a chat message for a candidate. `request` as in Issue: with one, the message is answered."""

    session_id: SessionId
    text: Annotated[str, Meta(min_length=1, max_length=CHAT_LENGTH)]
    request: str = ""


class Read(msgspec.Struct, frozen=True, tag="read"):
    """Console → service: the proctor has read the candidate's messages up to this one."""

    session_id: SessionId
    id: Annotated[str, Meta(max_length=64)]


class Open(msgspec.Struct, frozen=True, tag="open"):
    """Console → service: send SessionDetail of this session, now and whenever it changes."""

    session_id: SessionId


class Shut(msgspec.Struct, frozen=True, tag="shut"):
    """Console → service: no more SessionDetail of this session."""

    session_id: SessionId


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """Service → console: who the service takes this proctor for, and its clock (milliseconds since 1970)."""

    name: str
    role: Role
    groups: tuple[str, ...]
    now_ms: int


class StreamState(msgspec.Struct, frozen=True):
    """How much of a stream has arrived, and the place of its newest record. `coverage_pct` is of the running time so far,
    None before it or for what is not media."""

    segments: int
    bytes: int
    last_ms: int
    coverage_pct: float | None = None
    epoch: int = 0
    seq: int = 0


class SessionSnapshot(msgspec.Struct, frozen=True, tag="session"):
    """Service → console: all that the wall shows of a session. `access` opens its report and its media.

    While the link is offline, `offline_s` says for how long nothing was heard, and `expires_in_s` when the service ends the
    session if it stays so (None when it does not run); both in seconds, at the moment of the snapshot. `flags` are those of
    now, the newest last; the report may judge otherwise when all evidence is there. `unread` counts the candidate's messages
    that no proctor has read; `open_commands` those that have not come to an end.
    """

    session_id: str
    user_id: str
    user_name: str
    group_name: str
    state: str
    end_reason: str
    link: Literal["online", "offline", "never"]
    heard_ms: int | None
    registered_ms: int
    started_ms: int | None
    ended_ms: int | None
    expiry_s: int
    backlog_segments: int
    backlog_bytes: int
    streams: dict[str, StreamState]
    access: str
    pause_resume: bool = True
    end_test: bool = True
    authorization: bool = False
    authorization_step: AuthorizationStep | Literal[""] = ""
    offline_s: float | None = None
    expires_in_s: float | None = None
    flags: tuple[FlagReport, ...] = ()
    unread: int = 0
    open_commands: int = 0
    quality: str = "full"
    lockdown: str = "off"
    """Its phase, as in contract.lockdown.PHASES."""
    stopping: int = 0
    """How many rules keep the exam from starting."""
    away: int = 0
    browser: str = ""
    """`` without a secure browser, else its proof: `signature`, `path`, `none`."""
    attested_s: float | None = None
    """Seconds since the last good attestation; None when there was none, or nothing is to be attested."""


class SessionDetail(msgspec.Struct, frozen=True, tag="detail"):
    """Service → console: what one candidate's page shows beyond the snapshot. The events are the newest, oldest first."""

    session_id: str
    commands: list[CommandReport]
    chat: list[ChatReport]
    events: list[EventReport]
    stills: list[StillReport]
    identity: IdentityReport
    settings: dict[str, str | bool]
    rules: tuple[RuleStatus, ...] = ()
    browser: BrowserIdentity | None = None


class SessionGone(msgspec.Struct, frozen=True, tag="gone"):
    """Service → console: the session is not kept any longer, or not this proctor's any more."""

    session_id: str


class Issued(msgspec.Struct, frozen=True, tag="issued"):
    """Service → console: the command or the message was taken, with its id; it is on the service's disk."""

    request: str
    id: str


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Service → console: something was refused."""

    error: ErrorInfo
    request: str = ""


class Watched(msgspec.Struct, frozen=True):
    """A stream of a session that a console looks at."""

    session_id: SessionId
    stream: Literal["screen", "webcam", "audio"]


class Watch(msgspec.Struct, frozen=True, tag="watch"):
    """Console → service on `/v1/proctor/live`, after a Hello there: all that is watched from now on; it replaces what was.

    The service answers with binary frames: four bytes with the length of a JSON text (big-endian), the text (`LiveHeader`),
    and the bytes of an init or media segment as it came from the agent, opened. Each stream begins with its init and its
    newest segment. A console that reads too slowly misses segments, never frames in between.
    """

    watched: Annotated[tuple[Watched, ...], Meta(max_length=64)]


class LiveHeader(msgspec.Struct, frozen=True):
    """What a binary frame holds. Times in microseconds; `start_us` is of the session clock, `wall_us` the sealing's."""

    session_id: str
    stream: str
    kind: Literal["init", "media"]
    epoch: int
    seq: int
    codec: str
    start_us: int
    duration_us: int
    wall_us: int


FromConsole = Hello | Issue | Say | Read | Open | Shut
ToConsole = Welcome | SessionSnapshot | SessionDetail | SessionGone | Issued | Failed

"""The messages of the proctor channel, as tagged JSON.

Every frame is an `Envelope`. Numbered bodies (n > 0) are delivered in order, at least once by the link, and taken once by
the receiver (contract.link); unnumbered ones (n = 0) are for the moment: `Resume`, `Heartbeat`, `KeepAlive`. Unknown body
types from a newer peer are acknowledged and ignored.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from secureproctor.contract.events import Detail

KEEP_ALIVE_S = 5.0
LINK_LOST_AFTER_S = 15.0
MAX_MESSAGE = 256 * 1024
CHAT_LENGTH = 4000

CommandKind = Literal["pause", "resume", "end"]
CommandStatus = Literal["received", "applied", "acknowledged", "failed", "refused", "expired"]
STATUS_ORDER: tuple[CommandStatus, ...] = ("received", "applied", "acknowledged")
FINAL: frozenset[CommandStatus] = frozenset({"acknowledged", "failed", "refused", "expired"})

COMMANDS: dict[str, str] = {
    "pause": "Pause the test. Refused when Pause/Resume was switched off at Init.",
    "resume": "Resume the test. Refused when Pause/Resume was switched off at Init.",
    "end": "End the test. Refused when End test was switched off at Init.",
}
"""Every command and its meaning."""


class Command(msgspec.Struct, frozen=True, tag="command"):
    """Service → agent. `issued_ms` is the service's wall clock; past `lifetime_s` it is reported as expired, not obeyed."""

    id: str
    kind: CommandKind
    issued_ms: int
    lifetime_s: float = 300.0
    text: str = ""


class CommandUpdate(msgspec.Struct, frozen=True, tag="command_update"):
    """Agent → service: how far a command came. `at_ms` is wall time, `at_us` session time (None before Start)."""

    id: str
    status: CommandStatus
    at_ms: int
    at_us: int | None = None
    by: str = ""
    reason: str = ""


class Chat(msgspec.Struct, frozen=True, tag="chat"):
    """A message between candidate and proctor, either way."""

    id: str
    sender: Literal["proctor", "candidate"]
    text: Annotated[str, Meta(min_length=1, max_length=CHAT_LENGTH)]
    at_ms: int


class ProctorError(msgspec.Struct, frozen=True, tag="error"):
    """Service → agent → page: something went wrong at the proctor's side that the candidate is to know."""

    code: str
    message: str
    remedy: str = ""


class SessionChanged(msgspec.Struct, frozen=True, tag="session"):
    """Agent → service: the session's state changed. `at_us` is session time (None before Start)."""

    state: str
    at_ms: int
    at_us: int | None = None
    reason: str = ""


class EventSeen(msgspec.Struct, frozen=True, tag="event"):
    """Agent → service: an event for the proctor's eyes now; the evidence is the sealed record that also holds it."""

    kind: str
    at_ms: int
    stream: str = ""
    detail: Detail = {}


class ServiceEnded(msgspec.Struct, frozen=True, tag="service_ended"):
    """Service → agent: the service ended the session by its own clock."""

    reason: str


class Backlog(msgspec.Struct, frozen=True):
    """What waits on the candidate's disk."""

    segments: int
    bytes: int


class Head(msgspec.Struct, frozen=True):
    """The chain head of a stream: the last sealed record's place and its hash in hexadecimal."""

    epoch: int
    seq: int
    hash: str


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """Agent → service, every KEEP_ALIVE_S."""

    state: str
    at_ms: int
    at_us: int | None
    backlog: Backlog
    heads: dict[str, Head]


class KeepAlive(msgspec.Struct, frozen=True, tag="keep_alive"):
    """Either way; the service answers each heartbeat with one."""

    at_ms: int


class Resume(msgspec.Struct, frozen=True, tag="resume"):
    """The first frame of either peer on a new connection: the number up to which it has taken the other's messages."""

    heard: int


ToAgent = Command | Chat | ProctorError | ServiceEnded | KeepAlive | Resume
ToService = CommandUpdate | Chat | SessionChanged | EventSeen | Heartbeat | KeepAlive | Resume


class Envelope(msgspec.Struct, frozen=True):
    """A frame: its number (0: unnumbered), the highest number taken from the peer, and the body as raw JSON."""

    n: int
    ack: int
    body: msgspec.Raw

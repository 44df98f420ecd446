"""The messages of the proctor channel, as tagged JSON.

Every frame is an `Envelope`. Numbered bodies (n > 0) are delivered in order, at least once by the link, and taken once by
the receiver (contract.link); unnumbered ones (n = 0) are for the moment: `Resume`, `Heartbeat`, `KeepAlive`. Unknown body
types from a newer peer are acknowledged and ignored. A body of a known type that cannot be read is acknowledged, too, and
answered: a command whose id can be read by `refused`, anything else by `Unreadable`.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from secureproctor.contract.events import Detail
from secureproctor.contract.lockdown import RULES, Phase, RuleStatus
from secureproctor.contract.msb import BrowserIdentity

KEEP_ALIVE_S = 5.0
LINK_LOST_AFTER_S = 15.0
MAX_MESSAGE = 256 * 1024
CHAT_LENGTH = 4000

CommandKind = Literal["pause", "resume", "end", "authorize", "reject", "resubmit", "quality", "snapshot", "override"]
CommandStatus = Literal["received", "applied", "unacknowledged", "acknowledged", "failed", "refused", "expired"]
STATUS_ORDER: tuple[CommandStatus, ...] = ("received", "applied", "unacknowledged", "acknowledged")
"""A command's way. `unacknowledged`: it took effect, and nobody acknowledged it in time; that may still happen."""
FINAL: frozenset[CommandStatus] = frozenset({"acknowledged", "failed", "refused", "expired"})

REMIND_EVERY_S = 10.0
"""A page that has not acknowledged is asked again so often."""
ACKNOWLEDGE_WITHIN_S = 30.0
"""A command that the page has not acknowledged so long after it took effect is told to the proctor as unacknowledged."""


@dataclass(frozen=True, slots=True)
class CommandRule:
    """What a command means. `asks_page`: the exam page acknowledges it; all others the agent acknowledges by itself.

    `arguments` are the values that `Command.argument` may have; a kind without any takes none.
    """

    meaning: str
    lifetime_s: float
    arguments: tuple[str, ...] = ()
    asks_page: bool = False


COMMANDS: dict[CommandKind, CommandRule] = {
    "pause": CommandRule("Pause the test. Refused when Pause/Resume was off at Init.", 300, asks_page=True),
    "resume": CommandRule("Resume the test. Refused when Pause/Resume was off at Init.", 300, asks_page=True),
    "end": CommandRule("End the test. Refused when End test was off at Init.", 24 * 3600, asks_page=True),
    "authorize": CommandRule("The candidate may start.", 3600),
    "reject": CommandRule("The candidate may not start, for the reason in `text`; the session ends.", 3600),
    "resubmit": CommandRule(
        "The candidate is to show photo or ID card again; `text` says why.", 3600, ("photo", "id_card", "both")
    ),
    "quality": CommandRule("Capture in another quality from the next segment on.", 3600, ("full", "reduced", "least")),
    "snapshot": CommandRule("Take a picture in full resolution now; it comes as a still.", 60, ("screen", "webcam")),
    "override": CommandRule(
        "Let the exam go on without a rule of the lockdown that is required; `text` says why.", 3600, tuple(RULES)
    ),
}
"""Every command. Its lifetime counts from its issue: past it, it is reported as expired, and not obeyed."""


class Command(msgspec.Struct, frozen=True, tag="command"):
    """Service → agent. `issued_ms` is the service's wall clock; `by` is the proctor's name.

    `kind` is one of COMMANDS; an agent answers one that it does not know with `refused`, since the service may be newer.
    """

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    kind: Annotated[str, Meta(max_length=32)]
    issued_ms: int
    lifetime_s: float = 300.0
    text: Annotated[str, Meta(max_length=CHAT_LENGTH)] = ""
    argument: Annotated[str, Meta(max_length=32)] = ""
    by: Annotated[str, Meta(max_length=128)] = ""


class CommandUpdate(msgspec.Struct, frozen=True, tag="command_update"):
    """Agent → service: how far a command came. `at_ms` is wall time, `at_us` session time (None before Start)."""

    id: str
    status: CommandStatus
    at_ms: int
    at_us: int | None = None
    by: str = ""
    reason: str = ""


class Chat(msgspec.Struct, frozen=True, tag="chat"):
    """A message between candidate and proctor, either way. `by` is the proctor's name."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    sender: Literal["proctor", "candidate"]
    text: Annotated[str, Meta(min_length=1, max_length=CHAT_LENGTH)]
    at_ms: int
    by: Annotated[str, Meta(max_length=128)] = ""


class ChatMark(msgspec.Struct, frozen=True, tag="chat_mark"):
    """Either way: the message with this id, which the other side wrote, was delivered (it is on the receiver's disk) or read
    (a person had it before their eyes). `at_ms` is wall time."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    mark: Literal["delivered", "read"]
    at_ms: int


class Unreadable(msgspec.Struct, frozen=True, tag="unreadable"):
    """Agent → service: a message of a known type that could not be read was passed over."""

    kind: str
    reason: str


AuthorizationStep = Literal["consent", "capture", "submitted", "authorized", "rejected"]


class AuthorizationChanged(msgspec.Struct, frozen=True, tag="authorization"):
    """Agent → service: how far authorization came. `wanted` is what the candidate is still to show (`photo`, `id_card`)."""

    step: AuthorizationStep
    at_ms: int
    wanted: tuple[str, ...] = ()


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
    quality: str = "full"
    attestation: str = ""
    """A contract.attestation JWS for the newest nonce; empty while there is none, or nothing to attest."""


class KeepAlive(msgspec.Struct, frozen=True, tag="keep_alive"):
    """Either way; the service answers each heartbeat with one. `nonce` is what the next attestation is to state."""

    at_ms: int
    nonce: str = ""


class SessionKey(msgspec.Struct, frozen=True, tag="session_key"):
    """Agent → service: the key by which this agent signs attestations from now on (Ed25519, 32 bytes as base64url). An agent
    that came back has another one."""

    x: Annotated[str, Meta(min_length=43, max_length=43)]
    at_ms: int


class LockdownChanged(msgspec.Struct, frozen=True, tag="lockdown"):
    """Agent → service: how the lockdown and each rule stand. Sent when it changed, at most once a second."""

    phase: Phase
    rules: tuple[RuleStatus, ...]
    at_ms: int
    browser: BrowserIdentity | None = None
    away: int = 0
    """How often the candidate has left the exam window."""


class Resume(msgspec.Struct, frozen=True, tag="resume"):
    """The first frame of either peer on a new connection: the number up to which it has taken the other's messages."""

    heard: int


ToAgent = Command | Chat | ChatMark | ProctorError | ServiceEnded | KeepAlive | Resume
ToService = (
    CommandUpdate
    | Chat
    | ChatMark
    | Unreadable
    | AuthorizationChanged
    | SessionChanged
    | EventSeen
    | SessionKey
    | LockdownChanged
    | Heartbeat
    | KeepAlive
    | Resume
)


class Envelope(msgspec.Struct, frozen=True):
    """A frame: its number (0: unnumbered), the highest number taken from the peer, and the body as raw JSON."""

    n: int
    ack: int
    body: msgspec.Raw

"""What the exam's page and the agent say to each other: JSON-RPC 2.0 over a WebSocket on 127.0.0.1.

The page calls the methods of METHODS; the agent answers and sends notifications `event` whose params are one of EVENTS.
Positional params are not used. An error's `data` is a contract.errors.ErrorInfo. secureproctor.js wraps all of it.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from secureproctor.contract.channel import CHAT_LENGTH
from secureproctor.contract.errors import ErrorInfo
from secureproctor.contract.http import ProctoringSettings

DEFAULT_PORT = 46317
PATH = "/v1/page"

METHODS: dict[str, str] = {
    "hello": "Who is there (→ Status). The page may call it at any time to see the state again.",
    "init": "Register: the signed request as the exam's server made it (SignedRequest → Registered).",
    "checkSystem": "Check camera, microphone, screen and more (→ CheckResults). Needs Init.",
    "start": "Start proctoring (→ Status). Needs a Check System without a failed check.",
    "stop": "Stop proctoring (→ Status); resolves when all evidence is at the service, or says what still waits.",
    "report": "Fetch the report: a signed request like Init's (SignedQuery → contract.http.ReportAnswer).",
    "enableAutoAcknowledgement": "Whether the agent acknowledges pause, resume and end by itself (AutoAcknowledgement).",
    "pauseAck": "Acknowledge the pause request (Acknowledgement).",
    "resumeAck": "Acknowledge the resume request (Acknowledgement).",
    "endAck": "Acknowledge the end request (Acknowledgement).",
    "sendMessage": "Send a chat message to the proctor (Message → Sent).",
    "visibility": "Tell whether the page is visible and focused (Visibility); secureproctor.js does it by itself.",
}
"""Every method of the page, and its meaning."""

RPC_CODES: dict[str, int] = {
    "parse": -32700,
    "request": -32600,
    "method": -32601,
    "params": -32602,
    "refused": -32000,
}
"""JSON-RPC error codes; `refused` is every expected refusal, told apart by the ErrorInfo's code."""


class SignedRequest(msgspec.Struct, frozen=True):
    """Init: the exact text of the body, and its signature by either scheme of contract.signing."""

    body: Annotated[str, Meta(max_length=65536)]
    authorization: str = ""
    query: dict[str, str] = {}


class SignedQuery(msgspec.Struct, frozen=True):
    """Report: the query's parameters (groupName, publicKey, reportFormat, userId and perhaps ak, ts, asgn)."""

    query: dict[str, str]
    authorization: str = ""


class AutoAcknowledgement(msgspec.Struct, frozen=True):
    """On: requests are acknowledged as soon as they took effect."""

    enabled: bool = True


class Acknowledgement(msgspec.Struct, frozen=True):
    """Which request; empty: the latest one of the kind."""

    id: str = ""


class Message(msgspec.Struct, frozen=True):
    """A chat message for the proctor."""

    text: Annotated[str, Meta(min_length=1, max_length=CHAT_LENGTH)]


class Sent(msgspec.Struct, frozen=True):
    """The id of a chat message that was taken; it is delivered also when the link is away now."""

    id: str


class Visibility(msgspec.Struct, frozen=True):
    """What the page knows of itself."""

    visible: bool
    focused: bool


class LinkStatus(msgspec.Struct, frozen=True):
    """The link to the service. `offline_s` is how long it has been gone, since `offline_since_ms` (milliseconds since 1970,
    0 while online); `expires_in_s` is how long it may still be gone before the session ends."""

    online: bool
    offline_s: float = 0.0
    expires_in_s: float | None = None
    offline_since_ms: int = 0


class RoomStatus(msgspec.Struct, frozen=True):
    """Room for evidence on the candidate's disk.

    `lasts_s` is how long it takes evidence at the present rate, None while the rate is not known. `level` is the quality
    that is captured now, since a disk that runs short lowers it: `full`, `reduced` or `least`. `dropping`: there was no
    room even so, and the oldest video has been given up.
    """

    free_bytes: int = 0
    lasts_s: float | None = None
    level: Literal["full", "reduced", "least"] = "full"
    dropping: bool = False


class DrainStatus(msgspec.Struct, frozen=True):
    """A backlog on its way to the service: what waited when it began to move, what of it still waits, and how fast it goes.
    `left_s` is None while the rate is not known."""

    total_bytes: int
    left_bytes: int
    bytes_per_s: float = 0.0
    left_s: float | None = None


class Status(msgspec.Struct, frozen=True, tag="status"):
    """The agent as the candidate may always see it. `capturing` is what is captured now.

    `survivable_s` is for how long from now the session and its evidence survive without the service: the lesser of the
    session expiry time and of the room on the disk; None while no session runs.
    """

    agent: str
    state: str
    session_id: str = ""
    paused: bool = False
    capturing: tuple[str, ...] = ()
    test_sources: tuple[str, ...] = ()
    link: LinkStatus = LinkStatus(online=False)
    waiting_segments: int = 0
    waiting_bytes: int = 0
    running_s: float = 0.0
    end_reason: str = ""
    auto_acknowledgement: bool = False
    pending: tuple[str, ...] = ()
    survivable_s: float | None = None
    room: RoomStatus = RoomStatus()
    drain: DrainStatus | None = None


class Registered(msgspec.Struct, frozen=True):
    """The answer of init. `not_enforced` names settings that were asked for and have no effect in this version."""

    token: str
    session_id: str
    expiry_s: int
    settings: ProctoringSettings
    not_enforced: tuple[str, ...]


class CheckResult(msgspec.Struct, frozen=True):
    """One check: `passed`, `warned`, `failed` or `could_not_check`; what was seen; what to do."""

    id: str
    name: str
    status: Literal["passed", "warned", "failed", "could_not_check"]
    code: str
    seen: str
    remedy: str = ""


class CheckResults(msgspec.Struct, frozen=True):
    """All checks in the order that the candidate sees; `ok` when none failed."""

    ok: bool
    checks: tuple[CheckResult, ...]


class ErrorEvent(msgspec.Struct, frozen=True, tag="error"):
    """Something went wrong: at the proctor's side, in a source, on the link."""

    error: ErrorInfo


class ChatEvent(msgspec.Struct, frozen=True, tag="chat"):
    """A message from the proctor."""

    id: str
    text: str
    at_ms: int


class RequestEvent(msgspec.Struct, frozen=True, tag="request"):
    """A pause, resume or end request took effect; `acknowledged` when the agent has acknowledged it already."""

    kind: Literal["pause", "resume", "end"]
    id: str
    text: str = ""
    acknowledged: bool = False


EVENTS: dict[str, str] = {
    "error": "ErrorEvent",
    "chat": "ChatEvent",
    "request": "RequestEvent (pause, resume, end)",
    "status": "Status, whenever it changed and every second while the link is away or evidence waits",
}
"""Every notification, by the `type` in its params."""

PageEvent = ErrorEvent | ChatEvent | RequestEvent | Status

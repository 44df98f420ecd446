"""What the exam's page and the agent say to each other: JSON-RPC 2.0 over a WebSocket on 127.0.0.1.

The page calls the methods of METHODS; the agent answers and sends notifications `event` whose params are one of EVENTS.
Positional params are not used. An error's `data` is a contract.errors.ErrorInfo. secureproctor.js wraps all of it.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from secureproctor.contract.channel import CHAT_LENGTH, AuthorizationStep
from secureproctor.contract.errors import ErrorInfo
from secureproctor.contract.http import ProctoringSettings, Url
from secureproctor.contract.lockdown import Phase, RuleStatus
from secureproctor.contract.msb import BrowserIdentity
from secureproctor.contract.stills import Identity

DEFAULT_PORT = 46317
PATH = "/v1/page"

METHODS: dict[str, str] = {
    "hello": "Who is there (Hello → Status). The page may call it at any time to see the state again.",
    "init": "Register: the signed request as the exam's server made it (SignedRequest → Registered).",
    "checkSystem": "Check camera, microphone, screen and more (→ CheckResults). Needs Init.",
    "consent": "The candidate agrees to the terms of Status.authorization, or does not (Consent → Status).",
    "startPreview": "Open the camera and send PreviewEvents (Picture → Status). Needs consent; ends by itself.",
    "stopPreview": "Close the camera of the preview (→ Status).",
    "takePhoto": "Take the candidate's photo or ID card (Picture → Shot). Again: it replaces the one before.",
    "submitAuthorization": "Hand the pictures to the proctor, who decides (→ Status).",
    "start": "Start proctoring (→ Status). Needs a Check System without a failed check, and authorization if it is on.",
    "stop": "Stop proctoring (→ Status); resolves when all evidence is at the service, or says what still waits.",
    "report": "Fetch the report: a signed request like Init's (SignedQuery → contract.http.ReportAnswer).",
    "enableAutoAcknowledgement": "Whether the agent acknowledges pause, resume and end by itself (AutoAcknowledgement).",
    "pauseAck": "Acknowledge the pause request (Acknowledgement).",
    "resumeAck": "Acknowledge the resume request (Acknowledgement).",
    "endAck": "Acknowledge the end request (Acknowledgement).",
    "sendMessage": "Send a chat message to the proctor (Message → Sent).",
    "chatRead": "The candidate has read the proctor's messages up to this one (ChatRead → Status).",
    "conversation": "All chat messages of the session, oldest first (→ Conversation).",
    "departed": "What has left this computer (→ Departed).",
    "takeOver": "Become the page that holds the session; another one that held it is told (→ Status).",
    "quit": "End the exam with its quit password (Quit → Status).",
    "attest": "An attestation for an exam request (Attest → Attested).",
    "attach": "The secure browser introduces itself (Attach → Attached). For the browser, not for pages.",
    "beat": "The secure browser lives; without it for BROWSER_SILENT_S it is told as silent (Beat → BeatAnswer).",
    "handFrame": "A picture of a window that other programs cannot see (HandedFrame → FrameTaken). For the browser.",
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


class Hello(msgspec.Struct, frozen=True):
    """`tab` tells tabs apart, and stays the same when a tab is loaded again: any text that the page made up."""

    tab: Annotated[str, Meta(max_length=64)] = ""


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


class Consent(msgspec.Struct, frozen=True):
    """Whether the candidate agrees."""

    accepted: bool


class Picture(msgspec.Struct, frozen=True):
    """Which picture it is to be."""

    of: Identity


class Shot(msgspec.Struct, frozen=True):
    """A picture that was taken and not yet submitted. `jpeg` is base64; `hints` are codes of contract.stills.HINTS."""

    of: Identity
    jpeg: str
    width: int
    height: int
    at_ms: int
    hints: tuple[str, ...] = ()


class Message(msgspec.Struct, frozen=True):
    """A chat message for the proctor."""

    text: Annotated[str, Meta(min_length=1, max_length=CHAT_LENGTH)]


class Sent(msgspec.Struct, frozen=True):
    """The id of a chat message that was taken; it is delivered also when the link is away now."""

    id: str


class ChatRead(msgspec.Struct, frozen=True):
    """The last message that was read."""

    id: Annotated[str, Meta(max_length=64)]


class ChatMessage(msgspec.Struct, frozen=True):
    """A message of the conversation, of either side, with its marks in milliseconds since 1970 (None: not yet)."""

    id: str
    sender: Literal["proctor", "candidate"]
    text: str
    at_ms: int
    by: str = ""
    delivered_ms: int | None = None
    read_ms: int | None = None


class Conversation(msgspec.Struct, frozen=True):
    """The chat of the session, oldest first; a very long one begins with what is kept of it."""

    messages: tuple[ChatMessage, ...]


class DepartedRow(msgspec.Struct, frozen=True):
    """What has left this computer, of a kind: `screen`, `webcam`, `audio`, `events`, `stills` or `chat`. Times in
    milliseconds since 1970, of the first and the last that was delivered."""

    what: str
    pieces: int
    bytes: int
    first_ms: int
    last_ms: int


class Departed(msgspec.Struct, frozen=True):
    """Where to, and what. The pieces of `screen` to `stills` were sealed: only the service can open them."""

    service: str
    rows: tuple[DepartedRow, ...]


class Visibility(msgspec.Struct, frozen=True):
    """What the page knows of itself."""

    visible: bool
    focused: bool


BROWSER_BEAT_S = 5.0
BROWSER_SILENT_S = 15.0


class Quit(msgspec.Struct, frozen=True):
    """The quit password of the exam's MSB Key."""

    password: Annotated[str, Meta(min_length=1, max_length=256)]


class Attest(msgspec.Struct, frozen=True):
    """For which address. `once`: good for one request to exactly this address; else for its origin, while it is fresh."""

    url: Url
    once: bool = False


class Attested(msgspec.Struct, frozen=True):
    """A header for the request, and when it is to be renewed."""

    header: str
    value: str
    expires_ms: int


class Attach(msgspec.Struct, frozen=True):
    """Who the browser says it is. `window` is the system's handle of the exam window (X11 window id, HWND, CGWindowID), 0 when
    the browser does not know it; `hides_window`: capture by others does not see it, and it hands over frames."""

    product: Annotated[str, Meta(min_length=1, max_length=128)]
    version: Annotated[str, Meta(max_length=64)] = ""
    window: Annotated[int, Meta(ge=0)] = 0
    hides_window: bool = False


class Attached(msgspec.Struct, frozen=True):
    """Who the operating system says it is, and what the exam allows: the rest of the launch hand-shake. `start_url` and
    `allowed_urls` are those of the MSB Key, and empty before Init."""

    browser: BrowserIdentity
    beat_s: float = BROWSER_BEAT_S
    start_url: str = ""
    allowed_urls: tuple[str, ...] = ()


class Beat(msgspec.Struct, frozen=True):
    """A beat of the browser; `window` as in Attach, when it changed."""

    n: int
    window: Annotated[int, Meta(ge=0)] = 0


class BeatAnswer(msgspec.Struct, frozen=True):
    """The agent's beat: a browser that does not get one for BROWSER_SILENT_S knows that the agent is gone."""

    n: int
    state: str
    phase: Phase


class HandedFrame(msgspec.Struct, frozen=True):
    """A picture of the browser's window: base64 of a JPEG or a PNG. `at_ms` is when it was taken."""

    image: Annotated[str, Meta(max_length=8 * 1024 * 1024)]
    at_ms: int


class FrameTaken(msgspec.Struct, frozen=True):
    """Whether the frame goes into the recording now, and after how many seconds the next one is wanted."""

    taken: bool
    next_s: float


class ProgramAsked(msgspec.Struct, frozen=True):
    """A forbidden program that the candidate is asked to close; `left_s` until it is closed for them, None: never."""

    program: str
    category: str
    left_s: float | None = None


class LockdownStatus(msgspec.Struct, frozen=True):
    """The lockdown as the candidate may always see it. `tolerance_left` is how often the exam window may still be left."""

    phase: Phase = "off"
    rules: tuple[RuleStatus, ...] = ()
    away: int = 0
    tolerance_left: int | None = None
    asked: tuple[ProgramAsked, ...] = ()
    assistive: tuple[str, ...] = ()
    browser: BrowserIdentity | None = None
    quit_password: bool = False


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


class PendingRequest(msgspec.Struct, frozen=True):
    """A request that took effect and waits for the page's acknowledgement. `left_s`: until the proctor is told of its lack
    (negative: was told)."""

    kind: Literal["pause", "resume", "end"]
    id: str
    text: str = ""
    left_s: float = 0.0


class ConsentTerms(msgspec.Struct, frozen=True):
    """What the candidate is asked to agree to: what is captured (`screen`, `webcam`, `audio`, `photo`, `id_card`), for whom,
    by which service, and for how many hours it is kept there. `live_only`: nothing is recorded, it is only watched."""

    captures: tuple[str, ...]
    exam: str
    operator: str
    service: str
    kept_h: float
    live_only: bool = False


class AuthorizationStatus(msgspec.Struct, frozen=True):
    """How far authorization came. `wanted` is what is still to be shown, `taken` what was taken and not yet submitted;
    `text` are the proctor's words with the last decision."""

    step: AuthorizationStep
    terms: ConsentTerms
    wanted: tuple[Identity, ...] = ()
    taken: tuple[Identity, ...] = ()
    text: str = ""
    preview: bool = False


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
    pending: tuple[PendingRequest, ...] = ()
    survivable_s: float | None = None
    room: RoomStatus = RoomStatus()
    drain: DrainStatus | None = None
    authorization: AuthorizationStatus | None = None
    quality: Literal["full", "reduced", "least"] = "full"
    lockdown: LockdownStatus = LockdownStatus()


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
    """A message from the proctor; `by` is the proctor's name."""

    id: str
    text: str
    at_ms: int
    by: str = ""


class ChatMarkEvent(msgspec.Struct, frozen=True, tag="chat_mark"):
    """The candidate's message with this id was delivered to the service, or read by a proctor."""

    id: str
    mark: Literal["delivered", "read"]
    at_ms: int


class AuthorizationEvent(msgspec.Struct, frozen=True, tag="authorization"):
    """The proctor decided, in words; for `resubmit`, `wanted` is what is to be shown again."""

    decision: Literal["authorized", "rejected", "resubmit"]
    text: str = ""
    wanted: tuple[Identity, ...] = ()


class PreviewEvent(msgspec.Struct, frozen=True, tag="preview"):
    """What the camera sees now, some times a second, with its hints. To whom reads slowly fewer are sent."""

    of: Identity
    jpeg: str
    width: int
    height: int
    hints: tuple[str, ...] = ()


class HolderEvent(msgspec.Struct, frozen=True, tag="holder"):
    """Whether this page holds the session. One that does not sees everything and can change nothing, until `takeOver`."""

    holding: bool


class WarningEvent(msgspec.Struct, frozen=True, tag="warning"):
    """The candidate did what the exam does not allow, and is told so. `left` is what remains of a tolerance, `left_s` the time
    until something follows; None where there is none."""

    kind: Literal["left_window", "tolerance_exceeded", "program", "displays", "browser_gone"]
    text: str
    times: int = 0
    left: int | None = None
    left_s: float | None = None


class RequestEvent(msgspec.Struct, frozen=True, tag="request"):
    """A pause, resume or end request took effect; `acknowledged` when the agent has acknowledged it already. `reminder`
    counts how often the page has been asked again; `left_s`: until the proctor is told that nobody acknowledged it."""

    kind: Literal["pause", "resume", "end"]
    id: str
    text: str = ""
    acknowledged: bool = False
    reminder: int = 0
    left_s: float = 0.0


EVENTS: dict[str, str] = {
    "error": "ErrorEvent",
    "chat": "ChatEvent",
    "chat_mark": "ChatMarkEvent",
    "authorization": "AuthorizationEvent",
    "preview": "PreviewEvent, between startPreview and stopPreview",
    "holder": "HolderEvent, after the first hello and whenever it changes",
    "request": "RequestEvent (pause, resume, end)",
    "warning": "WarningEvent: the candidate left the window, a forbidden program runs, …",
    "status": "Status, whenever it changed and every second while the link is away or evidence waits",
}
"""Every notification, by the `type` in its params."""

PageEvent = (
    ErrorEvent
    | ChatEvent
    | ChatMarkEvent
    | AuthorizationEvent
    | PreviewEvent
    | HolderEvent
    | RequestEvent
    | WarningEvent
    | Status
)

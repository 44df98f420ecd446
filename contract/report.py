"""The report of a session: a versioned schema, made by the service, read by people and programs.

Times: `*_ms` are milliseconds since 1970, `*_s` seconds of the session clock (0 is the Start).
"""

import msgspec

from secureproctor.contract.events import Detail

SCHEMA = 1


class Gap(msgspec.Struct, frozen=True):
    """A time without evidence of a stream; `cause` is `unknown` where no record explains it."""

    stream: str
    start_s: float
    end_s: float
    cause: str


class StreamReport(msgspec.Struct, frozen=True):
    """What there is of a stream. `coverage_pct` is the share of the running time that verified records cover."""

    stream: str
    segments: int
    bytes: int
    covered_s: float
    coverage_pct: float
    codec: str
    playlist: str = ""


class ChainReport(msgspec.Struct, frozen=True):
    """Whether a stream's chain holds from its first record to its announced head; `faults` says where it does not."""

    stream: str
    records: int
    verified: bool
    head: str
    faults: tuple[str, ...] = ()


class FlagReport(msgspec.Struct, frozen=True):
    """A conclusion of the service. `confidence` is 0 to 1; `evidence` points to events by index."""

    flag: str
    start_s: float
    end_s: float
    confidence: float
    evidence: tuple[int, ...] = ()
    note: str = ""


class EventReport(msgspec.Struct, frozen=True):
    """A fact that the agent recorded."""

    kind: str
    at_s: float
    at_ms: int
    stream: str = ""
    until_s: float | None = None
    detail: Detail = {}


class CommandReport(msgspec.Struct, frozen=True):
    """A proctor command and how far it came; the times are those of the agent's answers, None where there is none."""

    id: str
    kind: str
    status: str
    issued_ms: int
    sent_ms: int | None = None
    received_ms: int | None = None
    applied_ms: int | None = None
    acknowledged_ms: int | None = None
    acknowledged_by: str = ""
    reason: str = ""


class ChatReport(msgspec.Struct, frozen=True):
    """A chat message."""

    sender: str
    text: str
    at_ms: int


class Credibility(msgspec.Struct, frozen=True):
    """The credibility index: 0 to 100 and a band, with each deduction that made it."""

    score: float
    band: str
    computed: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """The whole report."""

    schema: int
    session_id: str
    user_id: str
    group_name: str
    user_name: str
    user_email: str
    state: str
    end_reason: str
    registered_ms: int
    started_ms: int | None
    ended_ms: int | None
    running_s: float
    expiry_s: int
    settings: dict[str, str | bool]
    not_enforced: tuple[str, ...]
    verified: bool
    streams: tuple[StreamReport, ...]
    chains: tuple[ChainReport, ...]
    gaps: tuple[Gap, ...]
    flags: tuple[FlagReport, ...]
    events: tuple[EventReport, ...]
    commands: tuple[CommandReport, ...]
    chat: tuple[ChatReport, ...]
    credibility: Credibility
    identity: str = "No identity check was made in this version."

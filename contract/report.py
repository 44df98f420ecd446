"""The report of a session: a versioned schema, made by the service, read by people and programs.

Times: `*_ms` are milliseconds since 1970, `*_s` seconds of the session clock (0 is the Start). The running time begins
later, when all sources deliver.
"""

import msgspec

from secureproctor.contract.events import Detail
from secureproctor.contract.lockdown import RuleStatus
from secureproctor.contract.msb import BrowserIdentity

SCHEMA = 3


TAMPERING: dict[str, str] = {
    "deleted": "Records were removed before they arrived; what came before and after them is there.",
    "truncated": "A record was cut short before it arrived.",
    "altered": "Bytes of a record were changed before it arrived.",
    "replaced": "Another record lies in a record's place; what the agent said of the true one shows it.",
    "reordered": "Records were exchanged with each other.",
    "replayed": "A record of another place or of another session was offered for this one.",
    "withheld": "Records that the agent had announced, or that its running time promised, never came.",
    "unreadable": "The candidate's disk could not give a record back. By itself that is no tampering.",
    "spoilt": "The service's own copy was changed or lost after it had arrived. That is no fault of the candidate.",
}
"""Every kind of finding and its meaning."""
BLAMELESS = frozenset({"unreadable", "spoilt"})
"""Findings that raise no EVIDENCE_TAMPERED."""


class Finding(msgspec.Struct, frozen=True):
    """Something was done to records `seq` to `until_seq` (None: nobody knows how many) of an epoch of a stream.

    `kind` is one of TAMPERING. `source` says who saw it: `agent` (the agent found it on its disk), `upload` (the service
    refused it), `chain` (the records beside it name another one), `head` (the agent had announced another one),
    `record` (it does not open), `coverage` (time without a record and without a cause) or `store` (the service's disk).
    """

    kind: str
    stream: str
    epoch: int
    seq: int
    until_seq: int | None
    sentence: str
    source: str


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
    """Whether a stream's chain holds from its first record to its announced head; `faults` says where it does not.

    `waiting` says what has not arrived yet: no fault, but nothing is verified before it is there.
    """

    stream: str
    records: int
    verified: bool
    head: str
    faults: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


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
    """A proctor command and how far it came; the times are those of the agent's answers, None where there is none.

    `issued_by` is the proctor; `expires_ms` is the end of its lifetime.
    """

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
    text: str = ""
    argument: str = ""
    issued_by: str = ""
    expires_ms: int | None = None
    unacknowledged_ms: int | None = None


class ChatReport(msgspec.Struct, frozen=True):
    """A chat message. `by` is the proctor's name; the marks are None until they came."""

    sender: str
    text: str
    at_ms: int
    id: str = ""
    by: str = ""
    delivered_ms: int | None = None
    read_ms: int | None = None


class StillReport(msgspec.Struct, frozen=True):
    """A single picture; `of` as in contract.stills. `url` opens it, relative to the service."""

    of: str
    at_ms: int
    epoch: int
    seq: int
    width: int
    height: int
    hints: tuple[str, ...]
    url: str
    request: str = ""


class IdentityReport(msgspec.Struct, frozen=True):
    """Who the candidate is, as far as it was looked at. `step` is `off` without authorization, else an AuthorizationStep.

    `photo` and `id_card` are the newest that were submitted. `reference` opens the exam's own photo of the candidate, and
    `reference_error` says why there is none although one was named. `decided_by` is the proctor; `text` their words.
    """

    step: str = "off"
    wanted: tuple[str, ...] = ()
    consent_ms: int | None = None
    submitted_ms: int | None = None
    decided_ms: int | None = None
    decided_by: str = ""
    text: str = ""
    photo: StillReport | None = None
    id_card: StillReport | None = None
    reference: str = ""
    reference_error: str = ""


class LockdownReport(msgspec.Struct, frozen=True):
    """How the machine was locked: each rule as the agent told it last, the secure browser, and how it was attested.

    `locked_s` is the part of the running time in which the lockdown was applied; `away` how often the exam window was left,
    for `away_s` seconds altogether. `attested` counts the good attestations, `missed_s` is the time for which the agent
    was heard and did not attest.
    """

    phase: str = "off"
    rules: tuple[RuleStatus, ...] = ()
    browser: BrowserIdentity | None = None
    locked_s: float = 0.0
    away: int = 0
    away_s: float = 0.0
    attested: int = 0
    missed_s: float = 0.0


class Credibility(msgspec.Struct, frozen=True):
    """The credibility index: 0 to 100 and a band, with each deduction that made it."""

    score: float
    band: str
    computed: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True):
    """The whole report. The running time is `running_s` long, from `running_from_s` to `running_until_s`."""

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
    identity: IdentityReport = IdentityReport()
    stills: tuple[StillReport, ...] = ()
    running_from_s: float = 0.0
    running_until_s: float = 0.0
    tampering: tuple[Finding, ...] = ()
    lockdown: LockdownReport = LockdownReport()

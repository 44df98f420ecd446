"""A session as the service knows it, and how what the agent says changes it. Pure.

The agent's word moves the state, with one exception: what the service has ended stays ended. What comes later (a session
that ran on without a link, and tells of it afterwards) still fills in when it began and ended by its own clock.
"""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from secureproctor.contract.channel import AuthorizationChanged, Heartbeat, SessionChanged
from secureproctor.contract.http import ProctoringSettings
from secureproctor.contract.stills import Identity

RUNNING = frozenset({"running", "paused"})
OVER = frozenset({"ending", "draining", "ended"})
STATES = frozenset({"registered", "checked", "awaiting_authorization", "ready"}) | RUNNING | OVER
QUALITIES = frozenset({"full", "reduced", "least"})
IDENTITY: tuple[str, ...] = get_args(Identity)

Presence = Literal["online", "offline", "never"]


@dataclass(frozen=True, slots=True)
class Session:
    """One row. `started_ms` is the wall time of the session clock's 0; `*_us` are times of that clock.

    The running time begins at `running_us`, when all sources delivered, and not at the clock's 0, when they were opened.
    `through`: the agent has said that all its evidence is delivered; what is missing then does not come any more.
    `step` is how far authorization came ("" before its first word), `wanted` what is still to be shown, in words.
    """

    id: str
    user_id: str
    group_name: str
    user_name: str
    user_email: str
    public_key: str
    settings: ProctoringSettings
    expiry_s: int
    registered_ms: int
    sealing_key: bytes
    wrapped_key: bytes
    state: str = "registered"
    end_reason: str = ""
    started_ms: int | None = None
    ended_ms: int | None = None
    ended_us: int | None = None
    contact_us: int | None = None
    heard_ms: int | None = None
    backlog: int = 0
    running_us: int | None = None
    through: bool = False
    backlog_bytes: int = 0
    quality: str = "full"
    step: str = ""
    wanted: str = ""
    consent_ms: int | None = None
    submitted_ms: int | None = None

    @property
    def last_ms(self) -> int:
        """When the session was last alive, for the retention time."""
        return max(self.registered_ms, self.ended_ms or 0, self.heard_ms or 0)


def changed(session: Session, message: SessionChanged) -> Session:
    """The session after its agent said so. An unknown state changes nothing."""
    if message.state not in STATES:
        return session
    after = session
    if message.state in RUNNING and session.started_ms is None:
        after = replace(after, started_ms=message.at_ms - (message.at_us or 0) // 1000, running_us=message.at_us)
    if message.state in OVER and session.ended_us is None:
        after = replace(after, ended_ms=session.ended_ms or message.at_ms, ended_us=message.at_us)
    after = replace(after, through=session.through or message.state == "ended")
    if session.state == "ended":
        return after
    reason = message.reason or session.end_reason if message.state in OVER else ""
    return replace(after, state=message.state, end_reason=reason)


def beaten(session: Session, beat: Heartbeat) -> Session:
    """The session after a heartbeat: how far its clock ran, and what waits on the candidate's disk."""
    quality = beat.quality if beat.quality in QUALITIES else session.quality
    after = replace(session, backlog=beat.backlog.segments, backlog_bytes=beat.backlog.bytes, quality=quality)
    if beat.state in RUNNING and beat.at_us is not None:
        after = replace(after, contact_us=max(beat.at_us, session.contact_us or 0))
    return after


def stepped(session: Session, message: AuthorizationChanged) -> Session:
    """The session after its agent said how far authorization came. The first step beyond consent tells of consent."""
    wanted = " ".join(of for of in IDENTITY if of in message.wanted)
    after = replace(session, step=message.step, wanted=wanted)
    if message.step in ("capture", "submitted", "authorized") and session.consent_ms is None:
        after = replace(after, consent_ms=message.at_ms)
    return replace(after, submitted_ms=message.at_ms) if message.step == "submitted" else after


def ended(session: Session, reason: str, now_ms: int) -> Session:
    """The session as the service itself ends it."""
    return replace(session, state="ended", end_reason=reason, ended_ms=now_ms)

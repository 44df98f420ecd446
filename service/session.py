"""A session as the service knows it, and how what the agent says changes it. Pure.

The agent's word moves the state, with one exception: what the service has ended stays ended. What comes later (a session
that ran on without a link, and tells of it afterwards) still fills in when it began and ended by its own clock.
"""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from secureproctor.contract.channel import AuthorizationChanged, Heartbeat, LockdownChanged, SessionChanged
from secureproctor.contract.http import ProctoringSettings
from secureproctor.contract.lockdown import stopping
from secureproctor.contract.stills import Identity

RUNNING = frozenset({"running", "paused"})
OVER = frozenset({"ending", "draining", "ended"})
STATES = frozenset({"registered", "checked", "awaiting_authorization", "ready"}) | RUNNING | OVER
QUALITIES = frozenset({"full", "reduced", "least"})
MAX_AWAY = 1_000_000
IDENTITY: tuple[str, ...] = get_args(Identity)

Presence = Literal["online", "offline", "never"]


@dataclass(frozen=True, slots=True)
class Session:
    """One row. `started_ms` is the wall time of the session clock's 0; `*_us` are times of that clock.

    The running time begins at `running_us`, when all sources delivered, and not at the clock's 0, when they were opened.
    `through`: the agent has said that all its evidence is delivered; what is missing then does not come any more.
    `step` is how far authorization came ("" before its first word), `wanted` what is still to be shown, in words.
    `zero_ms` is this service's wall clock at the session clock's 0, by its first heartbeat. `phase`, `stopping` rules, `away`
    and `browser` (its proof) are of the lockdown as told last; `attested` counts its good attestations.
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
    zero_ms: int | None = None
    phase: str = "off"
    stopping: int = 0
    away: int = 0
    browser: str = ""
    attested: int = 0
    attested_ms: int | None = None

    @property
    def is_attesting(self) -> bool:
        """Whether its agent is to attest the lockdown now: it runs, and the machine is not given back for a pause."""
        lifted = self.state == "paused" and self.phase == "lifted"
        return self.settings.locked and self.state in RUNNING and not lifted

    def session_us(self, service_ms: int) -> int:
        """A time of this service's wall clock on the session's clock; the candidate's wall clock may be another one."""
        zero_ms = self.started_ms if self.zero_ms is None else self.zero_ms
        return (service_ms - (zero_ms or 0)) * 1000

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


def beaten(session: Session, beat: Heartbeat, now_ms: int) -> Session:
    """The session after a heartbeat: how far its clock ran, and what waits on the candidate's disk."""
    quality = beat.quality if beat.quality in QUALITIES else session.quality
    after = replace(session, backlog=beat.backlog.segments, backlog_bytes=beat.backlog.bytes, quality=quality)
    if beat.state in RUNNING and beat.at_us is not None:
        zero_ms = now_ms - beat.at_us // 1000 if session.zero_ms is None else session.zero_ms
        after = replace(after, contact_us=max(beat.at_us, session.contact_us or 0), zero_ms=zero_ms)
    return replace(after, heard_ms=now_ms)


def locked(session: Session, told: LockdownChanged) -> Session:
    """The session after its agent said how the lockdown stands."""
    proof = told.browser.proof if told.browser else ""
    away = min(max(told.away, 0), MAX_AWAY)
    return replace(session, phase=told.phase, stopping=len(stopping(told.rules)), away=away, browser=proof)


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

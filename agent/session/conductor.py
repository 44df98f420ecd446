"""Takes the session from state to state: looks up the transition, writes it to the journal, performs its effects, tells.

The conductor is the only one who changes a session. What calls it: the page (agent/local/routes.py), the proctor
(agent/proctor/obedience.py), the sources and the pulse. One lock makes their effects follow each other.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from secureproctor.agent.clock import SessionClock, boot_id, boot_us, wall_ms
from secureproctor.agent.delivery.room import Level
from secureproctor.agent.session import draining
from secureproctor.agent.session.authorization import Authorization, events_of
from secureproctor.agent.session.capturing import CaptureFactory, Capturing
from secureproctor.agent.session.journal import (
    AuthorizationMoved,
    KeyVerified,
    QualityAsked,
    RuleOverridden,
    Started,
    StateEntered,
)
from secureproctor.agent.session.locking import Locking
from secureproctor.agent.session.machine import ENDINGS, LIVE, OVER, Effect, NotNow, State, Trigger, next_transition
from secureproctor.agent.session.recording import record_in
from secureproctor.agent.session.remedies import REMEDIES, SQUEEZED
from secureproctor.agent.session.session import Session, SessionFactory
from secureproctor.agent.session.sources import SOURCE_EVENTS, lost_error
from secureproctor.agent.session.viewing import Viewing
from secureproctor.agent.session.wakefulness import Absence, ClockSet
from secureproctor.agent.supervisor import Supervisor
from secureproctor.capture.media import SourceReport, SourceState
from secureproctor.contract.channel import AuthorizationChanged, AuthorizationStep, SessionChanged
from secureproctor.contract.errors import Refusal
from secureproctor.contract.events import Detail
from secureproctor.contract.http import InitData, ProctoringSettings
from secureproctor.contract.page import AuthorizationEvent, CheckResult, ErrorEvent, PageEvent

log = logging.getLogger(__name__)

STOP_PATIENCE_S = 30.0

Checks = Callable[[ProctoringSettings, int], Awaitable[tuple[CheckResult, ...]]]
DECISIONS: dict[AuthorizationStep, tuple[Trigger, str]] = {
    "authorized": (Trigger.AUTHORIZE, "Authorize"),
    "rejected": (Trigger.REJECT, "Reject"),
}
"""What a proctor's decision does, and how it is called."""


@dataclass(slots=True)
class Conductor:
    """Holds the state and the session. `tell` reaches every page; `changed` is called when the status may have changed."""

    factory: SessionFactory
    open_capture: CaptureFactory
    checks: Checks
    supervisor: Supervisor
    tell: Callable[[PageEvent], None]
    changed: Callable[[], None]
    viewing: Viewing
    locking: Locking
    test_sources: tuple[str, ...] = ()
    retention_h: float = 72.0
    state: State = State.IDLE
    session: Session | None = None
    at_work: list[Session] = field(default_factory=list)
    """The present session, and those that are over and deliver what is left of them."""
    capturing: Capturing = field(init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _drained: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.capturing = Capturing(self.open_capture, self.source_reported, record_in)

    # what the page asks for

    def require_register(self) -> None:
        """Raise Refusal not_now unless a session can be registered now."""
        self._require(Trigger.REGISTER, "Init")

    async def register(self, data: InitData, key: KeyVerified | None = None) -> None:
        """A new session, with its MSB Key if it has one. Raises Refusal not_now while another one runs."""
        async with self._lock:
            self._require(Trigger.REGISTER, "Init")
            if self.session is not None and self.state not in OVER:
                await self._discard(self.session)
            self.session = session = self.factory(data)
            self._drained.clear()
            self._set_to_work(session)
            self.locking.begin(session, key)
            await self._take(session, Trigger.REGISTER)
            self._announce_authorization(session)
        for name in data.not_enforced:
            self.record("setting_not_enforced", detail={"setting": name})

    async def resume(self, session: Session, state: State) -> None:
        """Go on with a session that another agent left behind in a state; what was captured then is in its spool."""
        async with self._lock:
            self.session, self.state = session, state
            self._set_to_work(session)
            self.locking.take_over(session, state)
            session.note(StateEntered(state, wall_ms(), session.since_us(state, boot_us()), session.end_reason))
            for stream in session.streams:
                session.delivery.gaps.interrupted(stream, "agent restarted")
            self.record("agent_restarted", detail={"state": state})
            await session.delivery.flush()  # it is to stay on the record however soon this agent dies
            if state in LIVE and session.watch.left_s(boot_us()) <= 0:
                await self._end(session, Trigger.EXPIRE, session.expiry_us())
            elif state in LIVE and (state is State.RUNNING or session.data.settings.capture_while_paused):
                await self.capturing.reopen(session)
            elif state is State.AWAITING_AUTHORIZATION:
                await self._conclude(session)
            elif state is State.ENDING:
                await session.delivery.flush()
                await self._take(session, Trigger.SEALED)
            elif state is State.DRAINING:
                await self._perform(session, Effect.DRAIN)
            self._announce(session)
            self._announce_authorization(session)
        self.changed()

    def deliver_left(self, session: Session) -> None:
        """Deliver the evidence of a session that is over and was left behind, beside whatever goes on now."""
        self._set_to_work(session)
        session.tasks.append(self.supervisor.start("drain", self._drain(session)))

    async def check_system(self) -> tuple[CheckResult, ...]:
        """Run the checks; they decide whether Start is possible."""
        session = self._current("Check System")
        self._require(Trigger.CHECKS_FAILED, "Check System")
        await self.viewing.stop()  # the check looks at the camera by itself
        results = await self.checks(session.data.settings, session.data.expiry_s)
        for each in results:
            detail: Detail = {"id": each.id, "status": each.status, "code": each.code, "seen": each.seen}
            self.record("check", detail=detail)
        passed = all(each.status != "failed" for each in results)
        async with self._lock:
            self._require(Trigger.CHECKS_FAILED, "Check System")
            if self.session is not session:  # a page registered anew meanwhile: these results are not the new session's
                raise Refusal("not_now", call="Check System", state=self.state, remedy="Check again.")
            to_start = Trigger.CHECKS_PASSED if session.may_start else Trigger.CHECKS_PASSED_UNAUTHORIZED
            await self._take(session, to_start if passed else Trigger.CHECKS_FAILED)
        return results

    async def start(self) -> None:
        """Begin to capture, then lock. Returns when every source delivers and the lockdown is in place; raises Refusal
        source_failed, rules_not_enforceable or lockdown_failed when not, and browser_unproven."""
        async with self._lock:
            session = self._current("Start")
            self._require(Trigger.START, "Start")
            if session.lockdown is not None:
                session.lockdown.require_browser()
            # after a Start that failed the clock goes on: what was captured then must not lie upon what comes now
            clock = session.clock or SessionClock(boot_us())
            session.note(Started(clock.origin_us, wall_ms(), boot_id()))
            session.begin(clock)
            self._record_start(session)
            try:
                await self._take(session, Trigger.START)
            except Refusal:
                await self._take(session, Trigger.START_FAILED)
                raise
            session.running_since_us = session.session_us(boot_us())
            paused = session.data.settings.initial_state == "paused"
            await self._take(session, Trigger.STARTED_PAUSED if paused else Trigger.STARTED)

    async def stop(self) -> None:
        """End the session; returns when all evidence is delivered, or after a while with some still waiting."""
        self._current("Stop")
        if self.state not in OVER:
            await self.end(Trigger.STOP, "Stop")
        await self.delivered(STOP_PATIENCE_S)

    async def delivered(self, patience_s: float) -> None:
        """Wait until the ended session's evidence is delivered, or for `patience_s`."""
        try:
            await asyncio.wait_for(self._drained.wait(), patience_s)
        except TimeoutError:
            log.warning("evidence still waits for the service")

    # what anybody may cause

    async def end(self, trigger: Trigger, call: str, command: str = "") -> None:
        """End the session for the trigger's reason, perhaps by a proctor's command. Raises Refusal when there is nothing to
        end."""
        async with self._lock:
            session = self._current(call)
            self._require(trigger, call)
            ended_us = session.session_us(boot_us())
            if trigger is Trigger.EXPIRE and ended_us is not None:
                ended_us = min(ended_us, session.expiry_us() or ended_us)  # a computer that slept notices it late
            await self._end(session, trigger, ended_us, command)

    async def pull(self, trigger: Trigger, by: str, command: str = "") -> None:
        """Pause or resume. Raises Refusal not_now."""
        async with self._lock:
            session = self._current(str(trigger).capitalize())
            self._require(trigger, str(trigger).capitalize())
            await self._take(session, trigger, command)
            self.record("paused" if trigger is Trigger.PAUSE else "resumed", detail={"by": by})

    async def decide(self, step: AuthorizationStep, text: str, by: str, command: str) -> None:
        """Authorize or reject the candidate. Raises Refusal not_now, or command_refused while there is nothing to decide."""
        async with self._lock:
            trigger, call = DECISIONS[step]
            session, authorization = self._at_desk(trigger, call)
            self.authorization_moved(session, authorization.decided(step, wall_ms(), text, by, command))
            await self._conclude(session)

    def ask_again(self, pictures: str, text: str, by: str, command: str) -> None:
        """Ask the candidate for pictures once more. Raises Refusal as `decide` does."""
        session, authorization = self._at_desk(Trigger.AUTHORIZE, "Resubmit")
        self.authorization_moved(session, authorization.asked_again(pictures, wall_ms(), text, by, command))
        self.tell(AuthorizationEvent("resubmit", text, authorization.wanted))

    def authorization_moved(self, session: Session, entry: AuthorizationMoved) -> None:
        """Authorization came to another step: into the journal, to the proctor and before the candidate's eyes."""
        assert session.authorization is not None  # noqa: S101 - it made the entry
        before = session.authorization.step
        session.note(entry)
        session.authorization.apply(entry)
        for kind, detail in events_of(entry, before, session.terms):
            record_in(session, kind, detail=detail)
        self._announce_authorization(session)
        self.changed()

    def requalify(self, level: Level, command: str) -> None:
        """Capture in the quality that the proctor asks for, unless the disk allows less. Raises Refusal not_now."""
        session = self._current("Quality")
        if self.state in OVER:
            raise Refusal("not_now", call="Quality", state=self.state, remedy=REMEDIES[self.state])
        session.note(QualityAsked(level, command))
        session.quality = level
        self.capturing.fit(session, "proctor")
        self.changed()

    async def override(self, entry: RuleOverridden) -> None:
        """Let the exam go on without a rule of the lockdown. Raises Refusal not_now or command_refused."""
        session = self._current("Override")
        if self.state in OVER:
            raise Refusal("not_now", call="Override", state=self.state, remedy=REMEDIES[self.state])
        await self.locking.override(session, entry)
        if self.state in LIVE:  # a lockdown that could not be applied again may be possible now
            await self.locking.relock(session, "overridden")

    def record(
        self, kind: str, stream: str = "", detail: Detail | None = None, span_us: tuple[int, int] | None = None
    ) -> None:
        """Put an event on the session's record, and before the proctor's eyes: of now, or of a time of the boot clock.
        Without a session, nothing."""
        if self.session is not None:
            record_in(self.session, kind, stream, detail, span_us)

    def noticed(self, news: Absence | ClockSet) -> None:
        """The agent was away for a while, or somebody set the computer's clock."""
        match news:
            case Absence(kind, since_us, until_us):
                self.record(kind, span_us=(since_us, until_us))
            case ClockSet(_, by_us):
                self.record("clock_changed", detail={"by_s": round(by_us / 1e6, 1)})

    def squeezed(self, session: Session, level: str, dropping: bool) -> None:
        """The room for evidence on the disk changed what can be captured and kept."""
        if session is self.session and self.state not in OVER:
            self.capturing.fit(session, "disk")
        if session is self.session and not session.closed:
            free, _ = session.delivery.spool.room_status()
            kind = "disk_short" if dropping or level != "full" else "disk_recovered"
            self.record(kind, detail={"level": level, "dropping": dropping, "free": free})
            if kind == "disk_short":
                self.tell(ErrorEvent(Refusal("disk_short", what=SQUEEZED[dropping], folder=session.folder.path).info))
            self.changed()

    def source_reported(self, report: SourceReport) -> None:
        """A source started, was lost, or came back."""
        detail: Detail = {"code": report.code, "detail": report.detail}
        self.record(SOURCE_EVENTS[report.state], report.stream, detail=detail)
        if report.state is SourceState.LOST and self.state in LIVE:
            self.tell(ErrorEvent(lost_error(report)))
        if report.state is SourceState.LOST and self.session is not None:
            self.session.delivery.gaps.interrupted(report.stream, report.code or "stalled")
        self.changed()

    # transitions and effects

    def _set_to_work(self, session: Session) -> None:
        session.tasks = [
            self.supervisor.start("delivery", session.delivery.run()),
            self.supervisor.start("proctor channel", session.channel.run()),
        ]
        self.at_work.append(session)

    async def _conclude(self, session: Session) -> None:
        """Do what the proctor has decided. Also what was decided just before another agent died."""
        authorization = session.authorization
        if authorization is None or authorization.step not in DECISIONS:
            return
        decision: Literal["authorized", "rejected"] = "authorized" if authorization.step == "authorized" else "rejected"
        self.tell(AuthorizationEvent(decision, authorization.text))
        trigger, _ = DECISIONS[authorization.step]
        if trigger in ENDINGS:
            await self._end(session, trigger, None)
        else:
            await self._take(session, trigger)

    async def _end(self, session: Session, trigger: Trigger, ended_us: int | None, command: str = "") -> None:
        session.end_reason, session.ended_us, session.over_ms = ENDINGS[trigger], ended_us, wall_ms()
        session.taken.clear()
        await self._take(session, trigger, command)
        if self.state is State.ENDING:
            self.record("session_ended", detail={"reason": session.end_reason})
            await session.delivery.flush()
            await self._take(session, Trigger.SEALED)

    def _current(self, call: str) -> Session:
        if self.session is None:
            raise Refusal("not_now", call=call, state=self.state, remedy=REMEDIES[State.IDLE])
        return self.session

    def _at_desk(self, trigger: Trigger, call: str) -> tuple[Session, Authorization]:
        session = self._current(call)
        self._require(trigger, call)
        if session.authorization is None:
            raise Refusal("not_now", call=call, state=self.state, remedy="The exam does without authorization.")
        return session, session.authorization

    def _require(self, trigger: Trigger, call: str) -> None:
        try:
            next_transition(self.state, trigger)
        except NotNow:
            remedy = REMEDIES.get(self.state, "")
            raise Refusal("not_now", call=call, state=self.state, remedy=remedy) from None

    async def _take(self, session: Session, trigger: Trigger, command: str = "") -> None:
        """Go one transition. Raises Refusal when an effect of Start is not possible; those after it are left out."""
        transition = next_transition(self.state, trigger)
        reason = ENDINGS.get(trigger, "")
        since_us = session.since_us(transition.to, boot_us())
        session.note(StateEntered(transition.to, wall_ms(), since_us, reason or session.end_reason, command))
        self.state = transition.to
        self._announce(session)
        for effect in transition.effects:
            await self._perform(session, effect)
        self.changed()

    async def _perform(self, session: Session, effect: Effect) -> None:
        match effect:
            case Effect.OPEN_SOURCES:
                await self.capturing.begin(session)
            case Effect.LOCK:
                await self.locking.lock(session)
            case Effect.UNLOCK:
                await self.locking.unlock(session)
            case Effect.LIFT:
                await self.locking.pause(session)
            case Effect.RELOCK:
                await self.locking.resume(session)
            case Effect.CLOSE_SOURCES:
                await self.capturing.close(session)
            case Effect.CLOSE_PREVIEW:
                await self.viewing.stop()
            case Effect.HOLD_EVIDENCE if not session.data.settings.capture_while_paused:
                for stream in session.streams:
                    session.delivery.gaps.interrupted(stream, "paused")
                await self.capturing.close(session)
            case Effect.RELEASE_EVIDENCE if not session.data.settings.capture_while_paused:
                await self.capturing.reopen(session)
            case Effect.SEAL_LAST:
                if session.clock is None:
                    session.begin(SessionClock(boot_us()))
                await session.delivery.flush()
            case Effect.DRAIN:
                session.tasks.append(self.supervisor.start("drain", self._drain(session)))
            case Effect.HOLD_EVIDENCE | Effect.RELEASE_EVIDENCE:
                pass  # evidence goes on while the test is paused: the pause is on the record

    async def _drain(self, session: Session) -> None:
        """Deliver what is left of a session that is over, as long as it is kept; then leave no trace of it on the disk."""
        complete = await draining.delivered(session, self.retention_h)
        if self.session is session:
            async with self._lock:
                if self.state is State.DRAINING:
                    await self._take(session, Trigger.DRAINED)
            self._drained.set()
        await draining.answered(session)
        await self._discard(session)
        if not complete:
            log.warning("evidence is removed undelivered, as the retention time says")
            session.folder.remove()

    async def _discard(self, session: Session) -> None:
        """Give back what the session holds. Evidence that the service refused for good stays on the disk."""
        for task in session.tasks:
            if task is not asyncio.current_task():
                task.cancel()
        if session is self.session:
            await self.viewing.stop()
        await self.capturing.close(session)
        await self.locking.unlock(session)  # one that was only checked has a guard, too
        session.closed = True
        session.taken.clear()
        self.at_work.remove(session)
        session.journal.close()
        if session.delivery.uploader.done and not session.delivery.spool.aside:
            session.folder.remove()

    def _announce(self, session: Session) -> None:
        at_us = session.since_us(self.state, boot_us())
        session.channel.send(SessionChanged(self.state, wall_ms(), at_us, session.end_reason))

    def _announce_authorization(self, session: Session) -> None:
        if session.authorization is not None:
            step, wanted = session.authorization.step, session.authorization.wanted
            session.channel.send(AuthorizationChanged(step, wall_ms(), wanted))

    def _record_start(self, session: Session) -> None:
        streams = sorted(session.streams)
        self.record("session_started", detail={"sources": " ".join(streams)})
        for source in self.test_sources:
            self.record("test_source", detail={"source": source})

"""Takes the session from state to state: looks up the transition, writes it to the journal, performs its effects, tells.

The conductor is the only one who changes a session. What calls it: the page (agent/local/routes.py), the proctor
(agent/proctor/obedience.py), the sources and the pulse. One lock makes their effects follow each other.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from secureproctor.agent.clock import SessionClock, boot_id, boot_us, wall_ms
from secureproctor.agent.session.journal import Started, StateEntered
from secureproctor.agent.session.machine import ENDINGS, LIVE, OVER, Effect, NotNow, State, Trigger, next_transition
from secureproctor.agent.session.session import Capture, Pending, Session, SessionFactory, retention_left_s
from secureproctor.agent.session.sources import SOURCE_EVENTS, lost_error, remedy_for
from secureproctor.agent.session.wakefulness import Absence, ClockSet
from secureproctor.agent.supervisor import Supervisor
from secureproctor.capture.media import Clock, ReportSink, SegmentSink, SourceReport, SourceState
from secureproctor.contract.channel import EventSeen, SessionChanged
from secureproctor.contract.errors import Refusal
from secureproctor.contract.events import Detail
from secureproctor.contract.http import InitData, ProctoringSettings
from secureproctor.contract.page import CheckResult, ErrorEvent, PageEvent
from secureproctor.contract.streams import Stream

log = logging.getLogger(__name__)

START_PATIENCE_S = 12.0
STOP_PATIENCE_S = 30.0
LINGER_S = 30.0

CaptureFactory = Callable[[frozenset[Stream], Clock, SegmentSink, ReportSink], Capture]
Checks = Callable[[ProctoringSettings, int], Awaitable[tuple[CheckResult, ...]]]

REMEDIES: dict[State, str] = {
    State.IDLE: "Register with Init first.",
    State.REGISTERED: "Pass Check System first.",
    State.STARTING: "Wait until proctoring has started.",
    State.RUNNING: "Stop the present session first.",
    State.PAUSED: "Stop the present session first.",
    State.ENDING: "The session is over; register anew.",
    State.DRAINING: "The session is over; register anew.",
    State.ENDED: "The session is over; register anew.",
}
SQUEEZED: dict[bool, str] = {
    False: "pictures are recorded in a lower quality",
    True: "the oldest pictures that wait for the service are given up",
}
"""What a candidate is told, by whether evidence is given up."""


@dataclass(slots=True)
class Conductor:
    """Holds the state and the session. `tell` reaches every page; `changed` is called when the status may have changed."""

    factory: SessionFactory
    open_capture: CaptureFactory
    checks: Checks
    supervisor: Supervisor
    tell: Callable[[PageEvent], None]
    changed: Callable[[], None]
    test_sources: tuple[str, ...] = ()
    retention_h: float = 72.0
    state: State = State.IDLE
    session: Session | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _drained: asyncio.Event = field(default_factory=asyncio.Event)

    # what the page asks for

    def require_register(self) -> None:
        """Raise Refusal not_now unless a session can be registered now."""
        self._require(Trigger.REGISTER, "Init")

    async def register(self, data: InitData) -> None:
        """A new session. Raises Refusal not_now while another one runs."""
        async with self._lock:
            self._require(Trigger.REGISTER, "Init")
            if self.session is not None and self.state not in OVER:
                await self._discard(self.session)
            self.session = session = self.factory(data)
            self._drained.clear()
            self._set_to_work(session)
            await self._take(session, Trigger.REGISTER)
        for name in data.not_enforced:
            self.record("setting_not_enforced", detail={"setting": name})

    async def resume(self, session: Session, state: State) -> None:
        """Go on with a session that another agent left behind in a state; what was captured then is in its spool."""
        async with self._lock:
            self.session, self.state = session, state
            self._set_to_work(session)
            session.note(StateEntered(state, wall_ms(), session.since_us(state, boot_us()), session.end_reason))
            for stream in session.streams:
                session.delivery.gaps.interrupted(stream, "agent restarted")
            self.record("agent_restarted", detail={"state": state})
            await session.delivery.flush()  # it is to stay on the record however soon this agent dies
            if state in LIVE and session.watch.left_s(boot_us()) <= 0:
                await self._end(session, Trigger.EXPIRE, session.expiry_us())
            elif state in LIVE and (state is State.RUNNING or session.data.settings.capture_while_paused):
                await self._reopen_sources(session)
            elif state is State.ENDING:
                await session.delivery.flush()
                await self._take(session, Trigger.SEALED)
            elif state is State.DRAINING:
                await self._perform(session, Effect.DRAIN)
            self._announce(session)
        self.changed()

    def deliver_left(self, session: Session) -> None:
        """Deliver the evidence of a session that is over and was left behind, beside whatever goes on now."""
        self._set_to_work(session)
        session.tasks.append(self.supervisor.start("drain", self._drain(session)))

    async def check_system(self) -> tuple[CheckResult, ...]:
        """Run the checks; they decide whether Start is possible."""
        session = self._current("Check System")
        self._require(Trigger.CHECKS_PASSED, "Check System")
        results = await self.checks(session.data.settings, session.data.expiry_s)
        for each in results:
            detail: Detail = {"id": each.id, "status": each.status, "code": each.code, "seen": each.seen}
            self.record("check", detail=detail)
        passed = all(each.status != "failed" for each in results)
        async with self._lock:
            self._require(Trigger.CHECKS_PASSED, "Check System")
            if self.session is not session:  # a page registered anew meanwhile: these results are not the new session's
                raise Refusal("not_now", call="Check System", state=self.state, remedy="Check again.")
            await self._take(session, Trigger.CHECKS_PASSED if passed else Trigger.CHECKS_FAILED)
        return results

    async def start(self) -> None:
        """Begin to capture. Returns when every source delivers; raises Refusal source_failed when one does not."""
        async with self._lock:
            session = self._current("Start")
            self._require(Trigger.START, "Start")
            # after a Start that failed the clock goes on: what was captured then must not lie upon what comes now
            clock = session.clock or SessionClock(boot_us())
            session.note(Started(clock.origin_us, wall_ms(), boot_id()))
            session.begin(clock)
            self._record_start(session)
            missing = await self._take(session, Trigger.START)
            if missing:
                await self._take(session, Trigger.START_FAILED)
                failed = ", ".join(f"{stream} ({code})" for stream, code in sorted(missing.items()))
                raise Refusal("source_failed", failed=failed, remedy=remedy_for(*next(iter(sorted(missing.items())))))
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

    async def end(self, trigger: Trigger, call: str) -> None:
        """End the session for the trigger's reason. Raises Refusal when there is nothing to end."""
        async with self._lock:
            session = self._current(call)
            self._require(trigger, call)
            ended_us = session.session_us(boot_us())
            if trigger is Trigger.EXPIRE and ended_us is not None:
                ended_us = min(ended_us, session.expiry_us() or ended_us)  # a computer that slept notices it late
            await self._end(session, trigger, ended_us)

    async def pull(self, trigger: Trigger, by: str) -> None:
        """Pause or resume. Raises Refusal not_now."""
        async with self._lock:
            session = self._current(str(trigger).capitalize())
            self._require(trigger, str(trigger).capitalize())
            await self._take(session, trigger)
            self.record("paused" if trigger is Trigger.PAUSE else "resumed", detail={"by": by})

    def record(
        self, kind: str, stream: str = "", detail: Detail | None = None, span_us: tuple[int, int] | None = None
    ) -> None:
        """Put an event on the session's record, and before the proctor's eyes: of now, or of a time of the boot clock.
        Without a session, nothing."""
        if self.session is not None:
            self.record_in(self.session, kind, stream, detail, span_us)

    def record_in(
        self,
        session: Session,
        kind: str,
        stream: str = "",
        detail: Detail | None = None,
        span_us: tuple[int, int] | None = None,
    ) -> None:
        """The same for any session whose evidence is not all delivered yet."""
        if session.closed:
            return
        now_us, now_ms = boot_us(), wall_ms()
        at_us, until_us = span_us or (now_us, None)
        at_ms = now_ms - (now_us - at_us) // 1000
        session.record(Pending(kind, at_us, at_ms, stream, until_us, detail or {}))
        session.channel.send(EventSeen(kind, at_ms, stream, detail or {}))

    def noticed(self, news: Absence | ClockSet) -> None:
        """The agent was away for a while, or somebody set the computer's clock."""
        match news:
            case Absence(kind, since_us, until_us):
                self.record(kind, span_us=(since_us, until_us))
            case ClockSet(_, by_us):
                self.record("clock_changed", detail={"by_s": round(by_us / 1e6, 1)})

    def squeezed(self, session: Session, level: str, dropping: bool) -> None:
        """The room for evidence on the disk changed what can be captured and kept."""
        if session.capture is not None:
            session.capture.set_quality(level)
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

    async def _end(self, session: Session, trigger: Trigger, ended_us: int | None) -> None:
        session.end_reason, session.ended_us, session.over_ms = ENDINGS[trigger], ended_us, wall_ms()
        await self._take(session, trigger)
        if self.state is State.ENDING:
            self.record("session_ended", detail={"reason": session.end_reason})
            await session.delivery.flush()
            await self._take(session, Trigger.SEALED)

    def _current(self, call: str) -> Session:
        if self.session is None:
            raise Refusal("not_now", call=call, state=self.state, remedy=REMEDIES[State.IDLE])
        return self.session

    def _require(self, trigger: Trigger, call: str) -> None:
        try:
            next_transition(self.state, trigger)
        except NotNow:
            remedy = REMEDIES.get(self.state, "")
            raise Refusal("not_now", call=call, state=self.state, remedy=remedy) from None

    async def _take(self, session: Session, trigger: Trigger) -> dict[Stream, str]:
        """Go one transition; what a source lacked is the only thing that an effect gives back."""
        transition = next_transition(self.state, trigger)
        reason = ENDINGS.get(trigger, "")
        since_us = session.since_us(transition.to, boot_us())
        session.note(StateEntered(transition.to, wall_ms(), since_us, reason or session.end_reason))
        self.state = transition.to
        self._announce(session)
        missing: dict[Stream, str] = {}
        for effect in transition.effects:
            missing |= await self._perform(session, effect)
        self.changed()
        return missing

    async def _perform(self, session: Session, effect: Effect) -> dict[Stream, str]:
        match effect:
            case Effect.OPEN_SOURCES:
                return await self._open_sources(session)
            case Effect.CLOSE_SOURCES:
                await self._close_sources(session)
            case Effect.HOLD_EVIDENCE if not session.data.settings.capture_while_paused:
                for stream in session.streams:
                    session.delivery.gaps.interrupted(stream, "paused")
                await self._close_sources(session)
            case Effect.RELEASE_EVIDENCE if not session.data.settings.capture_while_paused:
                await self._reopen_sources(session)
            case Effect.SEAL_LAST:
                if session.clock is None:
                    session.begin(SessionClock(boot_us()))
                await session.delivery.flush()
            case Effect.DRAIN:
                session.tasks.append(self.supervisor.start("drain", self._drain(session)))
            case Effect.HOLD_EVIDENCE | Effect.RELEASE_EVIDENCE:
                pass  # evidence goes on while the test is paused: the pause is on the record
        return {}

    async def _open_sources(self, session: Session) -> dict[Stream, str]:
        assert session.clock is not None  # noqa: S101 - Start sets it in the same breath
        loop = asyncio.get_running_loop()

        def report(each: SourceReport) -> None:
            loop.call_soon_threadsafe(self.source_reported, each)

        session.capture = self.open_capture(session.streams, session.clock, session.delivery.take, report)
        session.capture.set_quality(session.delivery.spool.level)
        session.capture.start()
        return await asyncio.to_thread(session.capture.wait_started, START_PATIENCE_S)

    async def _close_sources(self, session: Session) -> None:
        if session.capture is not None:
            await asyncio.to_thread(session.capture.stop)
            session.capture = None

    async def _reopen_sources(self, session: Session) -> None:
        """Capture goes on; a source that does not deliver now tries again by itself."""
        for stream, code in (await self._open_sources(session)).items():
            self.record("source_lost", stream, detail={"code": code})

    async def _drain(self, session: Session) -> None:
        """Wait until all is delivered, but no longer than evidence is kept; then leave no trace of it on the disk."""
        over_ms = session.over_ms if session.over_ms is not None else wall_ms()
        await _come_true(
            lambda: session.delivery.uploader.done, max(0.0, retention_left_s(over_ms, self.retention_h, wall_ms()))
        )
        kept_long_enough = not session.delivery.uploader.done
        if self.session is session:
            async with self._lock:
                if self.state is State.DRAINING:
                    await self._take(session, Trigger.DRAINED)
            self._drained.set()
        await _come_true(
            lambda: session.channel.settled and all(request.acknowledged for request in session.requests), LINGER_S
        )
        await session.delivery.flush()  # what was recorded after the end, such as the last acknowledgement
        await _come_true(lambda: session.delivery.uploader.done, LINGER_S)
        await self._discard(session)
        if kept_long_enough:
            log.warning("evidence is removed undelivered, as the retention time says")
            session.folder.remove()

    async def _discard(self, session: Session) -> None:
        """Give back what the session holds. Evidence that the service refused for good stays on the disk."""
        for task in session.tasks:
            if task is not asyncio.current_task():
                task.cancel()
        await self._close_sources(session)
        session.closed = True
        session.journal.close()
        if session.delivery.uploader.done and not session.delivery.spool.aside:
            session.folder.remove()

    def _announce(self, session: Session) -> None:
        at_us = session.since_us(self.state, boot_us())
        session.channel.send(SessionChanged(self.state, wall_ms(), at_us, session.end_reason))

    def _record_start(self, session: Session) -> None:
        streams = sorted(session.streams)
        self.record("session_started", detail={"sources": " ".join(streams)})
        for source in self.test_sources:
            self.record("test_source", detail={"source": source})


async def _come_true(holds: Callable[[], bool], patience_s: float = math.inf) -> None:
    """Wait for what nothing announces, such as that no record is on its way any more; 20 looks a second are cheap."""
    waited_s = 0.0
    while not holds() and waited_s < patience_s:
        await asyncio.sleep(0.05)
        waited_s += 0.05

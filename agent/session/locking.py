"""The session's lockdown, applied and given back by the agent's one guard (lockdown/guard.py).

The guard works in a thread of its own. It is made when an exam first wants one: an agent without locked exams opens no window
system. Its calls block, and are waited for in threads, one after the other; what it has to tell comes back to the event loop
through a bounded queue (guard.py). A guard that hangs holds up nobody for long, and no end of an exam.

A lockdown may be lifted for several reasons at a time (the test is paused, the exam's browser is gone); it is applied again
when the last of them is over, and never once the session is. What goes wrong there ends no exam: it is on the record, and the
proctor decides.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from secureproctor.agent.checks.daemon_thread import in_daemon_thread
from secureproctor.agent.session.announcing import Announcing
from secureproctor.agent.session.guard import Ear, Guard, GuardFactory
from secureproctor.agent.session.journal import KeyVerified, RuleOverridden
from secureproctor.agent.session.lockdown import BROWSER_GONE, PAUSED, Lockdown, event_of, lockdown_for
from secureproctor.agent.session.machine import LIVE, OVER, State
from secureproctor.agent.session.recording import record_in
from secureproctor.agent.session.session import Session
from secureproctor.agent.session.sightings import Sightings
from secureproctor.agent.session.standings import not_enforceable, record_standings, summary
from secureproctor.contract.errors import Refusal
from secureproctor.contract.lockdown import RuleStatus
from secureproctor.contract.page import ErrorEvent
from secureproctor.lockdown.guard import LockFailed, News, NotEnforceable
from secureproctor.lockdown.rule import Exam, Sighting, Terms
from secureproctor.lockdown.standing import Standings

T = TypeVar("T")

PATIENCE_S = 30.0
"""A rule that has not answered by then hangs; the machine is given back by another process."""


@dataclass(slots=True)
class Locking:
    """`sightings` says what the guard's news mean; `allowed` and `observe_only` are this computer's policy."""

    open_guard: GuardFactory
    sightings: Sightings
    allowed: tuple[str, ...] = ()
    observe_only: bool = False
    announcing: Announcing = field(default_factory=Announcing)
    exam: Exam = field(default_factory=Exam)
    """Where the exam is, as far as anybody knows."""
    _guard: Guard | None = None
    _session: Session | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def begin(self, session: Session, key: KeyVerified | None = None) -> None:
        """A session was registered, with its MSB Key if it has one."""
        if key is not None:
            session.note(key)
            session.lockdown = lockdown_for(session.data.settings, key.claims)
            kind, detail = event_of(key)
            record_in(session, kind, detail=detail)
        _introduce(session)

    def take_over(self, session: Session, state: State) -> None:
        """Another agent has left the session behind. What it had applied is restored; where the exam is nobody knows yet."""
        lockdown = session.lockdown
        if lockdown is None:
            return
        lockdown.over = state in OVER
        if state in LIVE:
            lockdown.lifted.add(BROWSER_GONE)
        if state is State.PAUSED and lockdown.settings.while_paused == "lifted":
            lockdown.lifted.add(PAUSED)
        if state not in OVER:
            _introduce(session)

    async def probe(self, session: Session) -> tuple[RuleStatus, ...]:
        """How the rules would stand in this session; on the record, and before the proctor's eyes."""
        async with self._turn:
            lockdown = _of(session)
            guard = await self._made(session)
            await _ask(partial(guard.probe, self._terms(lockdown)))
            self._adopt(session, lockdown, guard.status)
            record_standings(session, lockdown)
            self.announcing.now(session)
            return lockdown.rules

    async def lock(self, session: Session) -> None:
        """Apply the lockdown, if the exam has one. Raises Refusal rules_not_enforceable or lockdown_failed."""
        if session.lockdown is not None:
            async with self._turn:
                await self._lock(session, session.lockdown)

    async def unlock(self, session: Session) -> None:
        """Give the machine back, for good or until the next Start."""
        if session.lockdown is None:
            return
        async with self._turn:
            await self._unlock(session, session.lockdown, session.end_reason or "start failed")

    async def lift(self, session: Session, why: str) -> None:
        """Give the machine back until `relock` is called for the same reason."""
        if session.lockdown is None:
            return
        async with self._turn:
            lockdown = session.lockdown
            lockdown.lifted.add(why)
            if self._guard is None or self._session is not session or not self._is_locked:
                return
            try:
                await _ask(partial(self._guard.lift, why))
            except TimeoutError:
                await _given_up(self._guard)
            lockdown.asked.clear()
            record_in(session, "lockdown_lifted", detail={"why": why})
            self._adopt(session, lockdown, self._guard.status)
            self.announcing.now(session)

    async def relock(self, session: Session, why: str) -> None:
        """The reason is over: apply the lockdown again, if there is no other one."""
        if session.lockdown is None:
            return
        async with self._turn:
            lockdown = session.lockdown
            lockdown.lifted.discard(why)
            if lockdown.lifted or lockdown.over or (self._session is session and self._is_locked):
                return
            try:
                await self._lock(session, lockdown)
            except Refusal as refusal:
                record_in(session, "lockdown_failed", detail={"why": refusal.message})
                self.sightings.tell(ErrorEvent(refusal.info))

    async def pause(self, session: Session) -> None:
        """The test is paused: the candidate has the machine back meanwhile, if the exam says so."""
        if session.lockdown is not None and session.lockdown.settings.while_paused == "lifted":
            await self.lift(session, PAUSED)

    async def resume(self, session: Session) -> None:
        """The test goes on."""
        await self.relock(session, PAUSED)

    async def override(self, session: Session, entry: RuleOverridden) -> None:
        """The proctor lets the exam go on without a rule. Raises Refusal command_refused when the exam has no lockdown."""
        lockdown = session.lockdown
        if lockdown is None:
            raise Refusal("command_refused", kind="override", why="the exam has no lockdown")
        session.note(entry)
        lockdown.override(entry.rule)
        kind, detail = event_of(entry)
        record_in(session, kind, detail=detail)
        self.announcing.now(session)
        self.sightings.changed()
        if self._session is session and self._guard is not None:
            await _told(partial(self._guard.override, entry.rule))

    async def moved(self, exam: Exam) -> None:
        """The exam is in another window, or process."""
        if exam == self.exam:
            return
        self.exam = exam
        async with self._turn:
            if self._guard is not None and self._is_locked:
                await _told(partial(self._guard.moved, exam))

    async def close(self) -> None:
        """Give everything back, and end the guard."""
        guard, self._guard = self._guard, None
        if guard is not None:
            await in_daemon_thread("lockdown ends", guard.close)

    # the guard

    async def _lock(self, session: Session, lockdown: Lockdown) -> None:
        guard = await self._made(session)
        lockdown.lifted.clear()
        try:
            await _ask(partial(guard.lock, self._terms(lockdown), frozenset(lockdown.overridden)))
        except TimeoutError:
            await _given_up(guard)
            raise Refusal("lockdown_failed", why=f"it took longer than {PATIENCE_S:.0f} seconds") from None
        except NotEnforceable as error:
            raise not_enforceable(error.rules) from None
        except LockFailed as error:
            raise Refusal("lockdown_failed", why=error.why.rstrip(".")) from None
        finally:
            self._adopt(session, lockdown, guard.status)
            self.announcing.now(session)
        record_standings(session, lockdown)
        record_in(session, "lockdown_applied", detail=summary(lockdown))

    async def _unlock(self, session: Session, lockdown: Lockdown, why: str) -> None:
        lockdown.over = bool(session.end_reason)
        if self._guard is None or self._session is not session:
            return
        before = self._guard.status.phase
        await in_daemon_thread("lockdown ends", partial(self._guard.unlock, why))
        lockdown.asked.clear()
        if before in {"locked", "lifted"}:
            record_in(session, "lockdown_released", detail={"why": why})
        self._adopt(session, lockdown, self._guard.status)
        self.announcing.now(session)

    @property
    def _is_locked(self) -> bool:
        return self._guard is not None and self._guard.status.phase == "locked"

    async def _made(self, session: Session) -> Guard:
        if self._guard is None:
            self._guard = self.open_guard(Ear(asyncio.get_running_loop(), self._heard).tell)
        elif self._session is not session:  # one that was only checked, and never ended: it has to be forgotten
            await in_daemon_thread("lockdown ends", partial(self._guard.unlock, "another session"))
        self._session = session
        return self._guard

    def _terms(self, lockdown: Lockdown) -> Terms:
        return Terms(self.exam, lockdown.settings, self.allowed, self.observe_only)

    def _heard(self, news: News) -> None:
        session = self._session
        if session is None or session.lockdown is None or session.closed:
            return
        if isinstance(news, Sighting):
            self.sightings.saw(session, news)
        else:
            self._adopt(session, session.lockdown, news)
        self.announcing.soon(session)

    def _adopt(self, session: Session, lockdown: Lockdown, standings: Standings) -> None:
        lockdown.stands(standings.phase, standings.rules)
        self.sightings.changed()


async def _ask(call: Callable[[], T]) -> T:
    """What the guard answers. Raises TimeoutError when it hangs; nobody waits for its thread any more then."""
    async with asyncio.timeout(PATIENCE_S):
        return await in_daemon_thread("lockdown call", call)


async def _told(call: Callable[[], None]) -> None:
    """The same for what can be done without."""
    with contextlib.suppress(TimeoutError):
        await _ask(call)


async def _given_up(guard: Guard) -> None:
    """The guard hangs in a rule; it notices, and lets the guardian give the machine back."""
    await in_daemon_thread("lockdown ends", partial(guard.unlock, "it did not answer"))


def _introduce(session: Session) -> None:
    """This agent's key for the session goes to the service, before anything that is signed with it."""
    if session.attestations is not None:
        session.channel.send(session.attestations.key)


def _of(session: Session) -> Lockdown:
    assert session.lockdown is not None  # noqa: S101 - only a locked exam has the check that asks for it
    return session.lockdown

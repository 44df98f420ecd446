"""The guard: the agent's facade of the lockdown, and the one thread in which rules live.

Its methods may be called from any thread, and block until they are done; what a rule sees is told in the guard's thread. That
thread opens the place, applies, waits for the system's events, verifies, and restores (custody.py says how). Should it die, or
hang while the machine is to be given back, the guardian is let off its leash at once: it restores from the disk, as if the
agent had died.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLong
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from secureproctor.contract.lockdown import RuleId, RuleStatus
from secureproctor.lockdown.custody import Custody
from secureproctor.lockdown.leash import GuardianStarter, start_guardian
from secureproctor.lockdown.news import LockFailed, News, NotEnforceable, Tell
from secureproctor.lockdown.rule import Exam, OpenPlace, Terms
from secureproctor.lockdown.standing import Standings
from secureproctor.lockdown.undo import Undo

__all__ = ["Guard", "LockFailed", "News", "NotEnforceable", "Standings"]

log = logging.getLogger(__name__)

T = TypeVar("T")

IDLE_S = 60.0
RESTORES_IN_S = 15.0
"""A guard that has not given the machine back by then hangs in a rule: the guardian does it from the disk."""
GONE = "The lockdown's thread has ended; what it had applied is given back by another process."


class Guard:
    """One for an agent. It does nothing until it is first asked, and ends what it started with `close`."""

    def __init__(
        self,
        open_place: OpenPlace,
        folder: Path,
        tell: Tell,
        clock: Callable[[], float] = time.monotonic,
        guardian: GuardianStarter = start_guardian,
    ) -> None:
        self._open_place, self._folder, self._tell, self._clock, self._guardian = (
            open_place, folder, tell, clock, guardian
        )  # fmt: skip
        self._shift: _Shift | None = None
        self._lock = threading.Lock()

    def probe(self, terms: Terms) -> tuple[RuleStatus, ...]:
        """How each wanted rule stands on this machine. Changes nothing; what is applied stays so."""
        try:
            return self._work().do(lambda custody: custody.probe(terms))
        except LockFailed as failed:
            wanted, required = terms.settings.wanted, terms.settings.required
            return tuple(RuleStatus(rule, "could_not_check", rule in required, why=failed.why) for rule in wanted)

    def lock(self, terms: Terms, overridden: frozenset[RuleId] = frozenset()) -> tuple[RuleStatus, ...]:
        """Apply the lockdown. Raises NotEnforceable before anything is changed, and LockFailed after everything was put
        back."""
        return self._work().do(lambda custody: custody.lock(terms, overridden))

    def relock(self) -> tuple[RuleStatus, ...]:
        """As `lock`, with the last terms."""
        return self._work().do(lambda custody: custody.relock())

    def lift(self, why: str) -> None:
        """Give the machine back for a while."""
        self._tell_it(lambda custody: custody.lift(why))

    def moved(self, exam: Exam) -> None:
        """The exam has another window or process from now on."""
        self._tell_it(lambda custody: custody.moved(exam))

    def override(self, rule: RuleId) -> None:
        """The proctor lets the exam go on without this rule."""
        self._tell_it(lambda custody: custody.override(rule))

    def unlock(self, why: str) -> tuple[RuleId, ...]:
        """Give the machine back; those that are stuck. They are tried again until they are restored."""
        if self._shift is None:
            return ()
        try:
            if not self._shift.custody.abandoned:
                return self._shift.do(lambda custody: custody.unlock(why), RESTORES_IN_S)
        except TooLong:
            log.error("the lockdown hangs in a rule; the guardian gives the machine back")
            self._shift.custody.abandon()
        except LockFailed:
            pass
        return tuple(left.rule for left in Undo(self._folder).left())

    @property
    def status(self) -> Standings:
        """How everything stands now. Does not block."""
        return Standings() if self._shift is None else self._shift.custody.now

    def close(self) -> None:
        """Give the machine back, and end thread and guardian; what is stuck is left to the guardian. Twice is harmless."""
        self.unlock("closed")
        with self._lock:
            shift, self._shift = self._shift, None
        if shift is not None:
            shift.end()

    def _tell_it(self, act: Callable[[Custody], None]) -> None:
        with contextlib.suppress(LockFailed):  # the thread has ended, and nothing is applied any more
            self._work().do(act)

    def _work(self) -> "_Shift":
        """The thread that works; another one when the last has ended, or hangs and was given up."""
        with self._lock:
            if self._shift is None or not self._shift.is_alive() or self._shift.custody.abandoned:
                self._shift = _Shift(Custody(self._open_place, self._folder, self._tell, self._clock, self._guardian))
                self._shift.start()
            return self._shift


@dataclass(slots=True)
class _Order:
    act: Callable[[Custody], None]
    refuse: Callable[[], None]


class _Shift(threading.Thread):
    """The thread of one custody: does what it is told, and waits for events between."""

    def __init__(self, custody: Custody) -> None:
        super().__init__(name="lockdown", daemon=True)  # daemon: a rule that hangs must not keep the agent from ending
        self.custody = custody
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._over = threading.Event()

    def do(self, act: Callable[[Custody], T], within_s: float | None = None) -> T:
        """What `act` gives or raises. Raises LockFailed when the thread has ended, TooLong when the time is over."""
        answer: Future[T] = Future()

        def run(custody: Custody) -> None:
            try:
                answer.set_result(act(custody))
            except (NotEnforceable, LockFailed) as refusal:
                answer.set_exception(refusal)

        def refuse() -> None:
            if not answer.done():
                answer.set_exception(LockFailed(GONE))

        self._put(_Order(run, refuse))
        return answer.result(within_s)

    def end(self) -> None:
        """End the thread; one that hangs is left behind."""
        self._put(None)
        self.join(0 if self.custody.abandoned else RESTORES_IN_S)

    def run(self) -> None:
        try:
            while not self.custody.abandoned and self._obey():
                self.custody.tick()
        finally:  # also when it dies of a fault: nothing stays locked, and nobody waits for an answer
            self.custody.close()
            self._over.set()
            self._refuse_all()

    def _obey(self) -> bool:
        """Wait for an order or an event, and do what there is to do; False: it is to end."""
        waits_s = self.custody.waits_s
        if self.custody.place is not None and self._orders.empty():
            self.custody.pump(IDLE_S if waits_s is None else waits_s)
            return True
        try:
            order = self._orders.get(timeout=waits_s)
        except queue.Empty:
            return True
        if order is not None:
            self._carry_out(order)
        return order is not None

    def _carry_out(self, order: _Order) -> None:
        try:
            order.act(self.custody)
        finally:
            order.refuse()  # of no effect when it was answered

    def _put(self, order: _Order | None) -> None:
        self._orders.put(order)
        place = self.custody.place
        if place is not None:
            place.wake()
        if self._over.is_set():
            self._refuse_all()

    def _refuse_all(self) -> None:
        while not self._orders.empty():
            order = self._orders.get()
            if order is not None:
                order.refuse()

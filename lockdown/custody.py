"""The machine in the exam's hands, from the first probe to its return; all that the guard does, without its thread.

    lock      be answerable → restore what others left → probe → (what is required can be enforced) → guardian → apply in order
    tick      about once a second: verify, apply again what was undone, try again what is stuck, start a dead guardian again
    release   restore in reverse order → nothing is stuck: the guardian is done, nobody is answerable, the place is closed

However it ends, what could not be restored is on the disk, and somebody goes on trying: this process, the guardian, the next
agent, or a person with `secureproctor unlock`.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from secureproctor.contract.lockdown import Phase, RuleId, RuleStatus, stopping
from secureproctor.lockdown.answering import Answering
from secureproctor.lockdown.course import Course, Grip
from secureproctor.lockdown.door import Door
from secureproctor.lockdown.leash import GuardianStarter
from secureproctor.lockdown.left import AGENT, put_back, take_notes
from secureproctor.lockdown.news import LockFailed, NotEnforceable, Tell
from secureproctor.lockdown.repeats import Repeats
from secureproctor.lockdown.rule import Exam, OpenPlace, Place, Probed, Sighting, Terms
from secureproctor.lockdown.standing import Board, Standings, permitted, softened
from secureproctor.lockdown.undo import Undo

log = logging.getLogger(__name__)

BEAT_S = 1.0
MOVING: frozenset[RuleId] = frozenset(
    {"keys", "focus", "clipboard", "programs", "windows", "hidden_windows", "screenshots"}
)
"""The rules that know the exam's window or process: they are applied again when it changes."""
AFRESH: frozenset[Phase] = frozenset({"off", "released"})
"""Phases after which another exam begins."""


class Custody:
    """One lockdown after the other, in one thread."""

    def __init__(
        self, open_place: OpenPlace, folder: Path, tell: Tell, clock: Callable[[], float], guardian: GuardianStarter
    ) -> None:
        self._folder, self._tell, self._clock = folder, tell, clock
        self._answering = Answering(folder, guardian)
        self._board, self._repeats = Board(), Repeats()
        self._door = Door(open_place)
        self._course = Course(Undo(folder), self._report, self._door)
        self._terms: Terms | None = None
        self._phase: Phase = "off"  # without regard to what is stuck
        self._beat_at = 0.0
        self.abandoned = False

    # what the agent asks for

    def probe(self, terms: Terms) -> tuple[RuleStatus, ...]:
        """How each wanted rule would stand; nothing is changed, and what is applied stays so."""
        self._begin()
        self._probe(terms)
        if self._phase in AFRESH:
            self._enter("probed")
        self.publish()
        return self._board.rules

    def lock(self, terms: Terms, overridden: frozenset[RuleId]) -> tuple[RuleStatus, ...]:
        """Apply the rules. Raises NotEnforceable and LockFailed."""
        if self._phase == "locked":
            self.lift("applied anew")
        self._begin()
        self._board.override(overridden)
        self._terms = terms
        try:
            self._answering.begin()
            self._restore_left()
            self._lock(terms)
        except (NotEnforceable, LockFailed):
            self._enter("lifted" if self._phase == "lifted" else "probed")
            self._leave_if_clean()
            raise
        self._enter("locked")
        return self._board.rules

    def relock(self) -> tuple[RuleStatus, ...]:
        """As lock, with the last terms."""
        if self._terms is None:
            raise LockFailed("Nothing has been locked yet.")
        return self.lock(self._terms, frozenset())

    def lift(self, why: str) -> None:
        """Give the machine back for a while."""
        if self._phase == "locked":
            self._give_all_back()
            self._enter("lifted", why)

    def moved(self, exam: Exam) -> None:
        """The exam has another window or process from now on."""
        if self._terms is None or self._terms.exam == exam:
            return
        self._terms = replace(self._terms, exam=exam)
        if self._phase == "locked":
            for rule in [each for each in self._course.grips if each in MOVING]:
                if not self._give_back(rule):
                    self._apply(rule)

    def override(self, rule: RuleId) -> None:
        """The proctor lets the exam go on without this rule."""
        self._board.override({rule})

    def unlock(self, why: str) -> tuple[RuleId, ...]:
        """Give the machine back; those that are stuck."""
        self._give_all_back()
        for sighting in self._repeats.rest():
            self._tell(sighting)
        if self._phase != "off":
            self._enter("released", why)
        self._leave_if_clean()
        return tuple(self._course.grips)

    # what time and the system bring

    @property
    def waits_s(self) -> float | None:
        """How long to wait for events before the next `tick`; None: until there is something to do."""
        busy = self._answering.is_ours or self._repeats.next_due is not None
        return max(0.0, self._beat_at - self._clock()) if busy else None

    @property
    def place(self) -> Place | None:
        """What to wait in for events; None: it is not open."""
        return self._door.place

    def pump(self, timeout_s: float) -> None:
        """Wait for the system's events. A place that only fails is opened anew, later."""
        if not self._door.pump(timeout_s):
            log.error("the connection with the system is lost")
            for grip in self._course.grips.values():
                grip.holds = False
                self._board.holds(grip.id, False)
                self._tell_undone(grip.id, held=False)

    def tick(self) -> None:
        """What is due."""
        now = self._clock()
        for sighting in self._repeats.due(now):
            self._tell(sighting)
        if now >= self._beat_at:
            self._beat_at = now + BEAT_S
            if self._answering.is_ours:
                self._beat(now)
        self.publish()

    def publish(self) -> None:
        """Tell how everything stands, if that is news."""
        self._board.phase = "stuck" if self._course.stuck and self._phase != "locked" else self._phase
        if (standings := self._board.news(self._clock())) is not None:
            self._tell(standings)

    @property
    def now(self) -> Standings:
        """How everything stands."""
        return self._board.now

    def abandon(self) -> None:
        """Leave what is applied to the guardian. The only method for other threads: the one that should is dead, or hangs."""
        self.abandoned = True
        self._answering.abandon()

    def close(self) -> None:
        """The end: what is stuck is left to the guardian."""
        if self._answering.is_ours or self.abandoned:
            self.abandon()
            for rule in self._course.grips:
                self._board.holds(rule, False)
            self._enter("stuck" if self._course.grips else self._phase)
        self._door.close()

    # how

    def _begin(self) -> None:
        if self._phase in AFRESH:
            self._board = Board(self._phase)
        for note in take_notes(self._folder):
            self._tell_left_behind(note.by, note.rules)
        self._open()

    def _enter(self, phase: Phase, why: str = "") -> None:
        self._phase, self._board.why = phase, why
        self.publish()

    def _report(self, sighting: Sighting) -> None:
        self._board.count(sighting)
        for each in self._repeats.see(sighting, self._clock()):
            self._tell(each)

    def _probe(self, terms: Terms) -> None:
        found = []
        for rule, probed in self._course.probe(softened(terms)):
            grip = self._course.grips.get(rule)
            stuck = f"It could not be restored yet: {grip.stuck}" if grip is not None else ""
            found.append((rule, Probed("could_not_check", stuck) if grip and grip.stuck else permitted(probed, terms)))
            if self._course.grips:
                self.pump(0)
        self._board.probed(terms, found)

    def _restore_left(self) -> None:
        """What an agent that died has left, or an earlier lockdown."""
        for grip in self._course.stuck:
            self._give_back(grip.id)
        done: list[RuleId] = []
        for left in reversed(self._course.undo.left()):
            if left.rule in self._course.grips or self.place is None:
                continue
            if why := put_back(self._course.undo, self.place, left):
                self._course.grips[left.rule] = Grip(left.rule, left.image, stuck=why)
                self._tell_stuck(left.rule, why)
            else:
                done.append(left.rule)
        if done:
            self._tell_left_behind(AGENT, done)

    def _lock(self, terms: Terms) -> None:
        self._probe(terms)
        if stops := stopping(self._board.rules):
            raise NotEnforceable(stops)
        self._answering.post()
        for status in self._board.rules:
            if status.standing in ("enforced", "observed"):
                self._take(status.rule)

    def _take(self, rule: RuleId) -> None:
        if self.abandoned:
            raise LockFailed("The lockdown was given up.")
        why = self._apply(rule)
        if not why:
            return
        required = self._board.required(rule)
        self._give_back(rule)
        self._board.fell(rule, "could_not_check", why)
        if required:
            self._give_all_back()
            raise LockFailed(why, tuple(self._course.grips))

    def _apply(self, rule: RuleId) -> str:
        assert self._terms is not None  # noqa: S101 - lock sets them, and nothing is applied before
        why = self._course.take(rule, softened(self._terms))
        self._board.holds(rule, not why)
        return why

    def _give_back(self, rule: RuleId) -> str:
        why = self._course.give_back(rule, self._clock())
        self._board.holds(rule, False)
        if why:
            self._tell_stuck(rule, why)
        return why

    def _give_all_back(self) -> None:
        if self._course.grips:
            self._open()
        for rule in reversed(tuple(self._course.grips)):
            if self.abandoned:  # the guardian does it now
                return
            self._give_back(rule)

    def _leave_if_clean(self) -> None:
        if self._course.grips or self._phase in ("locked", "lifted") or self.abandoned:
            return
        self._answering.end()
        self._door.close()
        self.publish()

    def _open(self) -> None:
        if self._door.open() and self._door.place is not None:
            self._course.undo = Undo(self._folder, self._door.place.name)

    def _beat(self, now: float) -> None:
        if self._door.open_again(now):
            self._reapply()
        if self.place is not None:
            self._retry_stuck(now)
            if self._phase == "locked":
                self._hold_all(now)
        if self._answering.look(now):
            self._report(Sighting(None, "guardian_gone", {}))

    def _reapply(self) -> None:
        """The images are from the place that was lost: they are restored, and taken anew."""
        rules = tuple(rule for rule, grip in self._course.grips.items() if not grip.stuck)
        self._give_all_back()
        for rule in rules:
            if self._phase == "locked" and rule not in self._course.grips:
                self._apply(rule)

    def _retry_stuck(self, now: float) -> None:
        for grip in self._course.stuck:
            if grip.pauses.is_due(now):
                self._give_back(grip.id)
        self._leave_if_clean()

    def _hold_all(self, now: float) -> None:
        for grip in self._course.undone(now):
            why = self._apply(grip.id)
            self._tell_undone(grip.id, held=not why)
        for grip in self._course.grips.values():
            self._board.holds(grip.id, grip.holds)

    def _tell_undone(self, rule: RuleId, *, held: bool) -> None:
        self._report(Sighting(rule, "rule_undone", {"rule": rule, "held": held}, about=str(held)))

    def _tell_stuck(self, rule: RuleId, why: str) -> None:
        log.error("%s could not be restored: %s", rule, why)
        self._report(Sighting(rule, "lockdown_stuck", {"rule": rule, "why": why}, counts=False))

    def _tell_left_behind(self, by: str, rules: Iterable[str]) -> None:
        self._tell(Sighting(None, "lockdown_left_behind", {"by": by, "rules": " ".join(rules)}, counts=False))

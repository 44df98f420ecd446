"""Forbidden programs: the candidate is asked to close them, then they are asked, then they are closed, by policy.

What is done when is decided in course.py; here programs are found, asked and closed. All processes of a program are one
course: what it starts, and what is started again meanwhile. Never closed are the exam's and the agent's own processes, those
of other users, what the system needs, and assistive technology.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from secureproctor.contract.events import Detail
from secureproctor.contract.lockdown import ProgramsPolicy, RuleId
from secureproctor.lockdown.catalogue import Catalogue, Found
from secureproctor.lockdown.readings import Running
from secureproctor.lockdown.rule import Image, Probed, Report, Sighting, Terms
from secureproctor.lockdown.rules.census import Arrival, Census
from secureproctor.lockdown.rules.course import Course, Move, Spree
from secureproctor.lockdown.rules.kin import Kin
from secureproctor.lockdown.rules.observing import Observing

PRESSING_S = 0.2
CALM_S = 1.0
PROBE_S = 3.0
"""A probe looks at the processes for so long, and at no more of them."""
OTHERS = "It belongs to another user of this computer."
NEEDED = "The system needs it."
STAYS = "It does not end; the right to end it may be missing."
RETURNS = "It is started again as soon as it is closed."
Key = tuple[str, str]
"""A program's id, and why it cannot be closed."""


@dataclass(slots=True)
class Case:
    """A forbidden program that runs: its processes, and the name of the first one's file."""

    program: str
    course: Course
    runs: dict[int, Running]


class ProgramsRule(Observing):
    """The rule `programs`. It is `Watching`, beside the census that finds the programs for it."""

    id: RuleId = "programs"

    def __init__(self, census: Census, names: Catalogue, clock: Callable[[], float] = time.monotonic) -> None:
        self._census = census
        self._all_names = self._names = names
        self._clock = clock
        self._kin = Kin(census.describe)
        self._policy: ProgramsPolicy = "observe"
        self._patience_s = 0.0
        self._cases: dict[Key, Case] = {}
        self._deadlines: dict[str, float] = {}
        self._sprees: dict[str, Spree] = {}

    def probe(self, terms: Terms) -> Probed:
        """`enforced` where the policy is to close, and nothing runs that cannot be closed."""
        if self.policy(terms) != "close":
            return Probed("observed", "The exam does not want programs to be closed.")
        names, kin = self.names(terms), Kin(self._census.describe, terms.exam.pid)
        running = (each for each in self._running() if why_not(each, names) and names.forbidden(each))
        which = ", ".join(sorted({each.name for each in running if not kin.is_own(each)}))
        if not which:
            return Probed("enforced")
        return Probed("observed", f"These programs run and cannot be closed from here: {which}.", f"Close {which}.")

    def apply(self, terms: Terms, report: Report) -> None:
        """Begin to look; what runs already is found by and by."""
        self.restore({})
        super().apply(terms, report)
        self._names, self._policy, self._patience_s = self.names(terms), self.policy(terms), self.patience_s(terms)
        self._kin = Kin(self._census.describe, terms.exam.pid)
        self._census.listen(self._came)

    def restore(self, image: Image) -> None:
        """Look no more, and forget to whom patience was shown."""
        self._census.forget(self._came)
        for each in (self._cases, self._deadlines, self._sprees):
            each.clear()
        super().restore(image)

    def policy(self, terms: Terms) -> ProgramsPolicy:
        """What happens to a program that is found."""
        return "observe" if terms.observe_only else terms.settings.programs

    def patience_s(self, terms: Terms) -> float:
        """How long the candidate is left to close it."""
        return terms.settings.program_patience_s

    def names(self, terms: Terms) -> Catalogue:
        """The list as this exam sees it."""
        settings = terms.settings
        return self._all_names.for_exam(settings.forbidden_programs, (*settings.allowed_programs, *terms.allowed))

    def fileno(self) -> int:
        """None: the census has it."""
        return -1

    @property
    def period_s(self) -> float | None:
        """None without a program; often while one is being closed, or soon will be."""
        now = self._clock()
        periods = (
            PRESSING_S if each.course.is_pressing else each.course.deadline - now for each in self._cases.values()
        )
        soonest = min(periods, default=None)
        return None if soonest is None else min(CALM_S, max(PRESSING_S, soonest))

    def react(self) -> None:
        """Go on with all courses."""
        for key, case in list(self._cases.items()):
            self._go_on(key, case)

    def _came(self, arrival: Arrival) -> None:
        running = arrival.running
        found = self._names.forbidden(running)
        if found is None or self._kin.is_own(running):
            return
        key = (found.program.id, why_not(running, self._names))
        if key not in self._cases:
            self._cases[key] = self._opened(key, found, running)
        self._cases[key].runs[running.pid] = running

    def _opened(self, key: Key, found: Found, running: Running) -> Case:
        now, (program, why) = self._clock(), key
        deadline = self._deadlines.setdefault(program, now + self._patience_s)
        rest_until = self._sprees.setdefault(program, Spree()).rest_until(now)
        course = Course("observe" if why else self._policy, max(deadline, rest_until))
        detail: Detail = {
            "program": running.name,
            "known_as": found.program.name,
            "category": found.program.category,
            "by": found.by,
            "pid": running.pid,
            "left_s": course.left_s(now),
        }
        self._tell("program_forbidden", detail, program, counts=running.own)
        if self._policy == "close" and (why or rest_until > now):
            self._not_closed(running.name, program, why or RETURNS)
        return Case(running.name, course, {})

    def _go_on(self, key: Key, case: Case) -> None:
        now = self._clock()
        case.runs = {pid: running for pid, running in case.runs.items() if self._still_runs(key, running)}
        match case.course.step(now, bool(case.runs)):
            case Move.ASK:
                if not self._ask(case.runs):
                    case.course.unheard(now)
            case Move.CLOSE:
                for pid in case.runs:
                    self._census.processes.close(pid)
            case Move.GIVE_UP:
                self._not_closed(case.program, key[0], STAYS)
            case Move.OVER:
                self._over(key, case, now)
            case Move.WAIT:
                pass

    def _still_runs(self, key: Key, running: Running) -> bool:
        """A process that has become another program is not this one any more; its number may be another process's."""
        now = self._census.processes.describe(running.pid)
        found = None if now is None or now.started != running.started else self._names.forbidden(now)
        return found is not None and found.program.id == key[0]

    def _ask(self, runs: Mapping[int, Running]) -> bool:
        """Only those that started the others: a program closes its own processes, in its own order."""
        heads = [pid for pid, running in runs.items() if running.parent not in runs]
        heard = [self._census.processes.ask_to_close(pid) for pid in heads]
        return any(heard)

    def _over(self, key: Key, case: Case, now: float) -> None:
        del self._cases[key]
        if case.course.how != "candidate":
            self._sprees[key[0]].ended(now)
        self._tell("program_closed", {"program": case.program, "how": case.course.how}, key[0], counts=False)

    def _not_closed(self, program: str, about: str, why: str) -> None:
        self._tell("program_not_closed", {"program": program, "why": why}, about, counts=False)

    def _tell(self, kind: str, detail: Detail, about: str, counts: bool) -> None:
        if self._report is not None:
            self._report(Sighting(self.id, kind, detail, about=about, counts=counts))

    def _running(self) -> Iterator[Running]:
        until = self._clock() + PROBE_S
        for pid in self._census.processes.pids():
            if (running := self._census.processes.describe(pid)) is not None:
                yield running
            if self._clock() >= until:
                return


class TaskManagerRule(ProgramsRule):
    """The rule `task_manager` where a task manager is a program like others: it is closed as soon as it opens."""

    id: RuleId = "task_manager"

    def policy(self, terms: Terms) -> ProgramsPolicy:
        """What the exam wants for other programs does not matter."""
        return "observe" if terms.observe_only else "close"

    def patience_s(self, terms: Terms) -> float:
        """None."""
        return 0.0

    def names(self, terms: Terms) -> Catalogue:
        """What the exam forbids besides is the rule of the other programs."""
        return self._all_names.for_exam((), (*terms.settings.allowed_programs, *terms.allowed))


def why_not(running: Running, names: Catalogue) -> str:
    """Why it cannot be closed, as a sentence; empty if it can."""
    if not running.own:
        return OTHERS
    return NEEDED if names.is_system(running) else ""

"""A machine made of plain data, with a clock that is wound by hand: what the rules over readings are tested on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.lockdown.readings import Running
from secureproctor.lockdown.rule import Exam, Sighting, Terms
from secureproctor.lockdown.rules.census import Census

AGENT = 10
BROWSER = 20
STEP_S = 0.05


@dataclass
class Clock:
    """Seconds that pass when they are told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Machine:
    """Its processes. `stubborn` ones do not hear, `immortal` ones do not die, and all that is done to them is in `done`."""

    clock: Clock = field(default_factory=Clock)
    running: dict[int, Running] = field(default_factory=dict)
    windows: set[int] = field(default_factory=set)
    stubborn: set[int] = field(default_factory=set)
    immortal: set[int] = field(default_factory=set)
    done: list[tuple[str, int]] = field(default_factory=list)
    looks: int = 0
    lists: int = 0
    listing_s: float = 0.0
    look_s: float = 0.0

    def start(self, pid: int, name: str, **more: object) -> Running:
        made = replace(Running(pid, name, f"/opt/{name}/{name}", parent=1, started=self.clock()), **more)  # type: ignore[arg-type]  # fields by name
        self.running[pid] = made
        return made

    def end(self, pid: int) -> None:
        self.running.pop(pid, None)

    def pids(self) -> frozenset[int]:
        self.lists += 1
        self.clock.now += self.listing_s
        return frozenset(self.running)

    def describe(self, pid: int) -> Running | None:
        self.looks += 1
        self.clock.now += self.look_s
        return self.running.get(pid)

    def has_window(self, pid: int) -> bool | None:
        return pid in self.windows

    def ask_to_close(self, pid: int) -> bool:
        self.done.append(("ask", pid))
        if pid not in self.stubborn:
            self.end(pid)
        return pid in self.windows

    def close(self, pid: int) -> bool:
        self.done.append(("close", pid))
        if pid not in self.immortal:
            self.end(pid)
        return pid not in self.running


class Watched:
    """Rules on a machine, driven as a place drives them: what watches is called when it is due, all are verified."""

    def __init__(self, machine: Machine, census: Census, *rules: object) -> None:
        self.machine, self.census, self.rules = machine, census, rules
        self.seen: list[Sighting] = []
        self._due: dict[int, float] = {}
        self._verified = 0.0

    def apply(self, terms: Terms) -> None:
        for rule in self.rules:
            rule.apply(terms, self.seen.append)  # type: ignore[attr-defined]  # any rule

    def run(self, seconds: float, each: Callable[[], None] = lambda: None) -> None:
        until = self.machine.clock.now + seconds
        while self.machine.clock.now < until:
            self._turn()
            each()
            self.machine.clock.now += STEP_S

    def kinds(self) -> list[str]:
        return [sighting.kind for sighting in self.seen]

    def _turn(self) -> None:
        now = self.machine.clock.now
        for one in (self.census, *self.rules):
            period = getattr(one, "period_s", None)
            if period is None:
                self._due.pop(id(one), None)
            elif self._due.setdefault(id(one), now) <= now:
                one.react()  # type: ignore[attr-defined]  # it has a period, so it watches
                self._due[id(one)] = now + period
        if now - self._verified >= 1.0:
            self._verified = now
            for rule in self.rules:
                assert rule.verify()  # type: ignore[attr-defined]  # any rule


def terms(allowed: Sequence[str] = (), observe_only: bool = False, exam: int = BROWSER, **settings: object) -> Terms:
    return Terms(Exam(exam), LockdownSettings(**settings), tuple(allowed), observe_only)  # type: ignore[arg-type]  # fields by name


def nobody(sighting: Sighting) -> None:
    """Whom nothing is told."""

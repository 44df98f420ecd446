"""Stand-ins for what the lockdown needs of this machine: a guard that only notes what it is asked, and processes by hand."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from secureproctor.contract.lockdown import Phase, RuleId, RuleStatus, Standing, stopping
from secureproctor.lockdown.guard import News, NotEnforceable, Standings
from secureproctor.lockdown.readings import Running
from secureproctor.lockdown.rule import Exam, Terms


@dataclass
class FakeGuard:
    """Every wanted rule can be enforced, unless `standing` says otherwise. `trouble` is what the next lock meets."""

    tell: Callable[[News], None]
    events: list[str]
    standing: dict[RuleId, Standing] = field(default_factory=dict)
    trouble: list[Exception] = field(default_factory=list)
    hangs: threading.Event | None = None
    """A lock waits until it is set."""
    stuck: tuple[RuleId, ...] = ()
    phase: Phase = "off"
    terms: Terms | None = None
    overridden: frozenset[RuleId] = frozenset()

    def probe(self, terms: Terms) -> tuple[RuleStatus, ...]:
        self._does("probed", terms)
        self.phase = "probed"
        return self.status.rules

    def lock(self, terms: Terms, overridden: frozenset[RuleId]) -> tuple[RuleStatus, ...]:
        self.overridden |= overridden
        self._does("lock", terms)
        if self.hangs is not None:
            self.hangs.wait(20)
        if self.trouble:
            raise self.trouble.pop()
        if stops := stopping(self.status.rules):
            raise NotEnforceable(stops)
        self.phase = "locked"
        return self.status.rules

    def lift(self, why: str) -> None:
        self.events.append(f"guard lift: {why}")
        self.phase = "lifted"

    def moved(self, exam: Exam) -> None:
        self.events.append(f"guard moved to {exam.pid}/{exam.window}")

    def override(self, rule: RuleId) -> None:
        self.events.append(f"guard override {rule}")
        self.overridden |= {rule}

    def unlock(self, why: str) -> tuple[RuleId, ...]:
        self.events.append(f"guard unlock: {why}")
        self.phase, self.overridden = "stuck" if self.stuck else "released", frozenset()
        return self.stuck

    @property
    def status(self) -> Standings:
        if self.terms is None:
            return Standings(self.phase)
        settings = self.terms.settings
        return Standings(self.phase, tuple(self._status(rule, rule in settings.required) for rule in settings.wanted))

    def close(self) -> None:
        self.events.append("guard closed")

    def _status(self, rule: RuleId, required: bool) -> RuleStatus:
        standing = self.standing.get(rule, "enforced")
        holds = self.phase == "locked" and standing in ("enforced", "observed")
        why = "" if standing == "enforced" else f"This system does not let {rule} be enforced."
        return RuleStatus(
            rule, standing, required, holds, why, "Use another computer." * bool(why), 0, rule in self.overridden
        )

    def _does(self, what: str, terms: Terms) -> None:
        self.events.append(f"guard {what}")
        self.terms = terms


@dataclass
class FakeFacts:
    """Processes as they are set; all of them live until they are told to be dead."""

    processes: dict[int, Running] = field(default_factory=dict)
    peers: dict[tuple[int, int], int] = field(default_factory=dict)
    anybody: int | None = None
    """Who is behind a connection that `peers` does not name."""
    guarded: bool | None = True

    def add(self, pid: int, path: str, parent: int = 0, signer: str = "") -> Running:
        self.processes[pid] = Running(pid, path.rpartition("/")[2], path, "", signer, parent, pid * 10.0)
        return self.processes[pid]

    def kill(self, pid: int) -> None:
        del self.processes[pid]

    def describe(self, pid: int) -> Running | None:
        return self.processes.get(pid)

    def ancestors(self, pid: int) -> tuple[Running, ...]:
        found: list[Running] = []
        while (process := self.processes.get(pid)) and (above := self.processes.get(process.parent)):
            found.append(above)
            pid = above.pid
        return tuple(found)

    def peer(self, port: int, peer_port: int) -> int | None:
        return self.peers.get((port, peer_port), self.anybody)

    def only_admin_writes(self, path: str) -> bool | None:
        return self.guarded

    def is_alive(self, pid: int, started: float) -> bool:
        process = self.processes.get(pid)
        return process is not None and process.started == started

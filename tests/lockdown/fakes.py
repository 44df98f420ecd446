"""A place whose machine is a dictionary, in memory or in a file that outlives the process; with faults to order.

    machine = Machine()
    place = FakePlace(machine)              # every rule of contract.lockdown.RULES
    guard = Guard(place.opened, folder, tell, guardian=FakeGuardian().start)
    place.see(Sighting("keys", "key_stopped", {"keys": "Alt+Tab"}))     # from any thread; told while the rule is applied

Rules come in three kinds: *policies* change two values of the machine (one that was there, one that was not) and have an image;
*grabs* are held by the process, so that they end with the place; *watches* only observe.
"""

import json
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from secureproctor.contract.lockdown import RULES, LockdownSettings, RuleId
from secureproctor.lockdown.rule import (
    ApplyFailed,
    Exam,
    Image,
    Place,
    Probed,
    Report,
    RestoreFailed,
    Rule,
    Sighting,
    Terms,
)

POLICIES: tuple[RuleId, ...] = (
    "power",
    "lock_screen",
    "switch_user",
    "sign_out",
    "task_manager",
    "clipboard",
    "screenshots",
    "printing",
)
GRABS: tuple[RuleId, ...] = ("keys", "focus", "programs")
WATCHES: tuple[RuleId, ...] = tuple(rule for rule in RULES if rule not in (*POLICIES, *GRABS))
OURS = "locked"


def terms(
    *required: RuleId, off: tuple[RuleId, ...] = (), observe_only: bool = False, exam: Exam | None = None
) -> Terms:
    """Terms of an exam that requires these rules, and wants all the others."""
    return Terms(exam or Exam(), LockdownSettings(required=required, off=off), observe_only=observe_only)


def nothing(_: str) -> None:
    pass


@dataclass(slots=True)
class Machine:
    """What rules change. `path`: it is a file, so that other processes see the same; `step` is told before each change."""

    path: Path | None = None
    step: Callable[[str], None] = nothing
    _values: dict[str, str] = field(default_factory=lambda: {f"{rule}.set": "as it was" for rule in POLICIES})

    def __post_init__(self) -> None:
        if self.path is not None and not self.path.exists():
            self._write()

    @property
    def values(self) -> dict[str, str]:
        """All of it, as a copy: a snapshot."""
        if self.path is not None:
            self._values = json.loads(self.path.read_text())
        return dict(self._values)

    def get(self, key: str) -> str | None:
        return self.values.get(key)

    def put(self, key: str, value: str | None) -> None:
        """Set a value, or remove it (None); in one step, as a registry does."""
        self.step(f"put {key}")
        values = self.values
        if value is None:
            values.pop(key, None)
        else:
            values[key] = value
        self._values = values
        self._write()

    def _write(self) -> None:
        if self.path is not None:
            part = self.path.with_suffix(f".{os.getpid()}")
            part.write_text(json.dumps(self._values))
            part.replace(self.path)


@dataclass(slots=True)
class Faults:
    """What goes wrong. The names of rules whose `apply`, `restore` … fail as they may, or `crash` as they must not."""

    probed: dict[RuleId, Probed] = field(default_factory=dict)
    apply: set[RuleId] = field(default_factory=set)
    restore: set[RuleId] = field(default_factory=set)
    crash: set[tuple[str, RuleId]] = field(default_factory=set)
    """Such as ("verify", "keys")."""
    pump: bool = False
    open: bool = False
    hang: dict[tuple[str, RuleId], threading.Event] = field(default_factory=dict)
    """What waits until the event is set."""

    def strike(self, act: str, rule: RuleId) -> None:
        if (act, rule) in self.hang:
            self.hang[act, rule].wait()
        if (act, rule) in self.crash:
            raise RuntimeError(f"{act} {rule}")


class FakeRule:
    """What all fake rules share; a watch is no more than this. `applied` is the report while it is applied."""

    def __init__(self, rule: RuleId, place: "FakePlace") -> None:
        self._id: RuleId = rule
        self.place = place
        self.applied: Report | None = None
        self.terms: Terms | None = None

    @property
    def id(self) -> RuleId:
        return self._id

    def probe(self, terms: Terms) -> Probed:
        self._note("probe")
        return self.place.faults.probed.get(self.id) or Probed("observed" if RULES[self.id].observes else "enforced")

    def before(self, terms: Terms) -> Image:
        self._note("before")
        return {}

    def apply(self, terms: Terms, report: Report) -> None:
        self._note("apply")
        self.change()
        if self.id in self.place.faults.apply:
            raise ApplyFailed(f"{self.id} cannot be applied.")
        self.applied, self.terms = report, terms

    def verify(self) -> bool:
        self.place.faults.strike("verify", self.id)
        return self.applied is not None

    def restore(self, image: Image) -> None:
        self._note("restore")
        if self.id in self.place.faults.restore:
            raise RestoreFailed(f"{self.id} cannot be restored.")
        self.undo(image)
        self.applied = None

    def change(self) -> None:
        pass

    def undo(self, image: Image) -> None:
        pass

    def _note(self, act: str) -> None:
        self.place.events.append((act, self.id))
        self.place.faults.strike(act, self.id)


class Grab(FakeRule):
    """Held by this process: `place.grabs` is what the machine shows of it."""

    def change(self) -> None:
        self.place.grabs.add(self.id)

    def undo(self, image: Image) -> None:
        self.place.grabs.discard(self.id)

    def verify(self) -> bool:
        return super().verify() and self.id in self.place.grabs


class Policy(FakeRule):
    """Two values of the machine, one of which was not there."""

    @property
    def keys(self) -> tuple[str, str]:
        return f"{self.id}.set", f"{self.id}.new"

    def before(self, terms: Terms) -> Image:
        super().before(terms)
        return {"was": {key: self.place.machine.get(key) for key in self.keys}, "ours": OURS}

    def change(self) -> None:
        for key in self.keys:
            self.place.machine.put(key, OURS)

    def verify(self) -> bool:
        return super().verify() and all(self.place.machine.get(key) == OURS for key in self.keys)

    def undo(self, image: Image) -> None:
        was = image.get("was", {})
        assert isinstance(was, dict)
        for key, value in was.items():
            if self.place.machine.get(key) == image["ours"]:
                self.place.machine.put(key, None if value is None else str(value))


class FakePlace:
    """A place over a machine. `events` notes every call, in order; `grabs` are what this process holds."""

    def __init__(self, machine: Machine | None = None, faults: Faults | None = None, name: str = "fake") -> None:
        self.machine = machine or Machine()
        self.faults = faults or Faults()
        self.events: list[tuple[str, str]] = []
        self.grabs: set[RuleId] = set()
        self._name = name
        self._rules: tuple[FakeRule, ...] = tuple(self._kind(rule)(rule, self) for rule in RULES)
        self._queue: queue.SimpleQueue[Sighting | None] = queue.SimpleQueue()

    @staticmethod
    def _kind(rule: RuleId) -> type[FakeRule]:
        return Policy if rule in POLICIES else Grab if rule in GRABS else FakeRule

    def opened(self) -> Place:
        """This place itself, as OpenPlace."""
        if self.faults.open:
            raise ConnectionRefusedError("there is no display")
        self.events.append(("open", self._name))
        return self

    @property
    def name(self) -> str:
        return self._name

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self._rules

    def rule(self, wanted: RuleId) -> FakeRule:
        return next(each for each in self._rules if each.id == wanted)

    def pump(self, timeout_s: float) -> None:
        if self.faults.pump:
            raise ConnectionResetError("the display is gone")
        try:
            sighting = self._queue.get(timeout=timeout_s) if timeout_s > 0 else self._queue.get_nowait()
        except queue.Empty:
            return
        if sighting is not None and sighting.rule is not None:
            report = self.rule(sighting.rule).applied
            if report is not None:
                report(sighting)

    def wake(self) -> None:
        self._queue.put(None)

    def see(self, sighting: Sighting) -> None:
        """Let a rule see something; told if the rule is applied. From any thread."""
        self._queue.put(sighting)

    def close(self) -> None:
        """What the process held ends with it."""
        self.events.append(("close", self._name))
        self.grabs.clear()
        for rule in self._rules:
            rule.applied = None


@dataclass(slots=True)
class FakeGuardian:
    """A guardian without a process: notes what it is told."""

    events: list[str] = field(default_factory=list)
    alive: bool = True

    def start(self, folder: Path) -> "FakeGuardian":
        """This guardian, as GuardianStarter; alive again."""
        self.events.append("start")
        self.alive = True
        return self

    def done(self) -> None:
        self.events.append("done")

    def drop(self) -> None:
        self.events.append("drop")

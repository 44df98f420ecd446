"""The lockdown against everything that can happen to it: killed at any step, restored by anybody, in any order.

The machine outlives its processes; so does the folder. Whatever differs from what was there before has its image on the disk,
always; and when somebody could restore to the end, nothing differs.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from secureproctor.lockdown.custody import Custody
from secureproctor.lockdown.left import Restored, restore_left
from secureproctor.lockdown.news import LockFailed, NotEnforceable
from secureproctor.lockdown.rule import Exam
from secureproctor.lockdown.undo import Undo
from tests.lockdown.fakes import POLICIES, FakeGuardian, FakePlace, Faults, Machine, terms

T = TypeVar("T")
CALLS: tuple[tuple[Any, str], ...] = (
    (os, "fsync"),
    (os, "open"),
    (Path, "replace"),
    (Path, "unlink"),
    (Path, "rename"),
    (Path, "write_bytes"),
)
"""What a process asks of the disk: it can die before and after each, and once dead it asks nothing more."""


class Killed(BaseException):
    """The process is gone; no `except` of its own runs."""


class World(RuleBasedStateMachine):
    """One agent at a time, and those who restore after it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="lockdown-model-"))
        self.faults = Faults()
        self.machine = Machine(step=self.step)
        self.was = self.machine.values
        self.agent: Custody | None = None
        self.now = 0.0
        self.dies_at: int | None = None
        self.dead = False
        self.patch = pytest.MonkeyPatch()
        for owner, name in CALLS:
            self.patch.setattr(owner, name, self.deadly(getattr(owner, name)))

    def deadly(self, call: Callable[..., object]) -> Callable[..., object]:
        def called(*words: Any, **more: Any) -> object:
            if not str(words[0]).startswith(str(self.folder)) and not isinstance(words[0], int):
                return call(*words, **more)  # not of the lockdown
            self.step("")
            result = call(*words, **more)
            if call.__name__ == "open":
                return result  # a descriptor that nobody would close
            self.step("")
            return result

        return called

    def step(self, _: str) -> None:
        if self.dead:
            raise Killed
        if self.dies_at is not None:
            self.dies_at -= 1
            if self.dies_at < 0:
                self.dead = True
                raise Killed

    def process(self, act: Callable[[], T]) -> T | None:
        """Let a process act; None when it was killed. The system takes its locks and grabs back."""
        try:
            return act()
        except Killed:
            return None
        finally:
            self.dies_at = None

    def buried(self) -> bool:
        was_dead, self.dead = self.dead, False
        return was_dead

    def live(self, act: Callable[[Custody], object]) -> None:
        agent = self.agent
        assert agent is not None

        def acting() -> None:
            with contextlib.suppress(NotEnforceable, LockFailed):
                act(agent)

        self.process(acting)
        if self.buried():
            agent.abandon()  # its end of the pipe, and its lock
            self.agent = None

    def place(self) -> FakePlace:
        return FakePlace(self.machine, self.faults)

    @initialize()
    def begin(self) -> None:
        self.start()

    @precondition(lambda self: self.agent is None)
    @rule()
    def start(self) -> None:
        """The next agent restores first, as all of them do."""
        self.restore("agent")
        guardian = FakeGuardian()
        self.agent = Custody(self.place, self.folder, lambda _: None, lambda: self.now, guardian.start)

    @rule(at=st.integers(0, 40))
    def will_die(self, at: int) -> None:
        """Whoever acts next, after so many steps."""
        self.dies_at = at

    @precondition(lambda self: self.agent is not None)
    @rule(required=st.sampled_from(((), ("power",), ("printing", "keys"))))
    def lock(self, required: Any) -> None:
        self.live(lambda agent: agent.lock(terms(*required), frozenset()))

    @precondition(lambda self: self.agent is not None)
    @rule()
    def lift(self) -> None:
        self.live(lambda agent: agent.lift("paused"))

    @precondition(lambda self: self.agent is not None)
    @rule()
    def relock(self) -> None:
        self.live(lambda agent: agent.relock())

    @precondition(lambda self: self.agent is not None)
    @rule(window=st.integers(0, 3))
    def move(self, window: int) -> None:
        self.live(lambda agent: agent.moved(Exam(window=window)))

    @precondition(lambda self: self.agent is not None)
    @rule()
    def unlock(self) -> None:
        self.live(lambda agent: agent.unlock("over"))

    @precondition(lambda self: self.agent is not None)
    @rule(seconds=st.integers(1, 30))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        self.live(lambda agent: agent.tick())

    @precondition(lambda self: self.agent is not None)
    @rule()
    def lose_the_place(self) -> None:
        def lose(agent: Custody) -> None:
            self.faults.pump = True
            for _ in range(3):
                agent.pump(0)

        self.live(lose)
        self.faults.pump = False

    @precondition(lambda self: self.agent is not None)
    @rule()
    def kill(self) -> None:
        assert self.agent is not None
        self.agent.abandon()
        self.agent = None

    @rule(by=st.sampled_from(("guardian", "unlock")))
    def restore(self, by: str) -> None:
        """While an agent is answerable, this changes nothing."""
        before = self.machine.values

        def restoring() -> Restored:
            return restore_left(self.folder, self.place, by, patience_s=0.0, wall=lambda: self.now)

        restored = self.process(restoring)
        self.buried()
        if self.agent is not None and self.agent.now.phase in ("locked", "lifted", "stuck"):
            assert self.machine.values == before
        elif restored is not None and not restored.stuck:
            assert self.machine.values == self.was

    @rule(what=st.sampled_from(("apply", "restore")), policy=st.sampled_from(POLICIES))
    def break_a_rule(self, what: str, policy: Any) -> None:
        getattr(self.faults, what).add(policy)

    @rule()
    def mend(self) -> None:
        self.faults.apply.clear()
        self.faults.restore.clear()

    @rule(policy=st.sampled_from(POLICIES))
    def somebody_puts_it_back(self, policy: str) -> None:
        dies_at, self.dies_at = self.dies_at, None
        self.machine.put(f"{policy}.set", self.was[f"{policy}.set"])
        self.dies_at = dies_at

    @invariant()
    def what_differs_has_its_image_on_the_disk(self) -> None:
        values = self.machine.values
        differs = {key.split(".")[0] for key in values.keys() | self.was.keys() if values.get(key) != self.was.get(key)}
        left = {each.rule: each for each in self.unwatched(Undo(self.folder).left)}
        assert differs <= left.keys()
        for name in differs:
            was = left[name].image["was"]  # type: ignore[index] # a subset of its keys
            assert was == {key: self.was.get(key) for key in (f"{name}.set", f"{name}.new")}

    @invariant()
    def given_back_is_given_back(self) -> None:
        if self.agent is not None and self.agent.now.phase in ("off", "probed", "released", "lifted"):
            held = self.unwatched(Undo(self.folder).left)
            assert self.machine.values == self.was or held

    def unwatched(self, act: Callable[[], T]) -> T:
        dies_at, self.dies_at = self.dies_at, None
        try:
            return act()
        finally:
            self.dies_at = dies_at

    def teardown(self) -> None:
        self.dies_at = None
        self.mend()
        if self.agent is not None:
            self.agent.abandon()
        restored = restore_left(self.folder, self.place, "unlock", patience_s=0.0)
        self.patch.undo()
        assert not restored.stuck
        assert not restored.unreadable
        assert self.machine.values == self.was
        assert Undo(self.folder).is_empty
        shutil.rmtree(self.folder)


World.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestWorld = World.TestCase

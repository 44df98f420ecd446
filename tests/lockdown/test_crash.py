"""Whatever is killed, whenever: the machine is given back. With real processes, over a machine that is a file."""

import contextlib
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from secureproctor.lockdown.left import restore_left
from secureproctor.lockdown.undo import Undo
from tests.lockdown.crashing import ROOT
from tests.lockdown.fakes import FakePlace, Machine

DEADLINE_S = 30.0
"""A busy machine gets more than the two seconds that it takes at most; how long it took is printed."""
VICTIMS = ("agent", "guardian", "both", "agent, and the next one starts at once")


@dataclass
class Scene:
    """A machine, a folder, and the processes of this test."""

    folder: Path
    path: Path
    children: list["subprocess.Popen[str]"] = field(default_factory=list)
    others: list[psutil.Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.was = Machine(self.path).values

    def agent(self, *words: str) -> "subprocess.Popen[str]":
        """Start one; it is locked when this returns."""
        command = [sys.executable, "-m", "tests.lockdown.crashing", "agent", str(self.folder), str(self.path), *words]
        self.children.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
        return self.children[-1]

    def locked(self, agent: "subprocess.Popen[str]") -> None:
        assert agent.stdout is not None
        assert agent.stdout.readline() == "locked\n"

    def guardian(self, agent: "subprocess.Popen[str]", *dead: psutil.Process | None) -> psutil.Process | None:
        """The agent's guardian, if it has one at this moment; not one of the dead."""
        for each in psutil.Process(agent.pid).children():
            with contextlib.suppress(psutil.Error):
                if "guardian" in each.cmdline() and each not in dead:
                    self.others.append(each)
                    return each
        return None

    def kill(self, agent: "subprocess.Popen[str]") -> None:
        """With all those it has started noted: they are nobody's children then."""
        with contextlib.suppress(psutil.Error):
            self.others += psutil.Process(agent.pid).children()
        agent.kill()
        agent.wait()

    @property
    def is_as_before(self) -> bool:
        return Machine(self.path).values == self.was and Undo(self.folder).is_empty

    def end(self) -> None:
        for child in self.children:
            self.kill(child)
            if child.stdout is not None:
                child.stdout.close()
        for other in self.others:
            with contextlib.suppress(psutil.NoSuchProcess):
                other.kill()
        until(lambda: all(map(_is_over, self.others)))


def _is_over(process: psutil.Process) -> bool:
    """Whether it runs no more; nobody's children may wait for a while to be buried."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path / "lockdown", tmp_path / "machine.json")
    yield scene
    scene.end()


def until(true: Callable[[], object], seconds: float = DEADLINE_S) -> float:
    """Seconds until it is true; it must become so."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() < began + seconds
        threading.Event().wait(0.005)
    return time.monotonic() - began


def play(scene: Scene, seed: int) -> float:
    """Kill what the seed says, when it says; seconds until everything was as before."""
    chance = random.Random(seed)
    victim = VICTIMS[seed % len(VICTIMS)]
    agent = scene.agent(str(seed))
    scene.locked(agent)
    threading.Event().wait(chance.random() * 0.4)
    match victim:
        case "agent":
            scene.kill(agent)
        case "guardian":
            dead = _kill_guardian(scene, agent)
            until(lambda: scene.guardian(agent, dead))  # it is started again
            threading.Event().wait(chance.random() * 0.2)
            scene.kill(agent)
        case "both":
            _kill_guardian(scene, agent)
            scene.kill(agent)
            restore_left(scene.folder, lambda: FakePlace(Machine(scene.path)), chance.choice(("agent", "unlock")))
            assert scene.is_as_before
        case _:
            scene.kill(agent)
            following = scene.agent(f"{seed} again")
            scene.locked(following)
            scene.kill(following)
    return until(lambda: scene.is_as_before)


def _kill_guardian(scene: Scene, agent: "subprocess.Popen[str]") -> psutil.Process | None:
    guardian = scene.guardian(agent)
    if guardian is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            guardian.kill()
    return guardian


@pytest.mark.parametrize("seed", range(len(VICTIMS)), ids=VICTIMS)
def test_killed_at_any_moment_the_machine_is_given_back(scene: Scene, seed: int) -> None:
    play(scene, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 200))
def test_killed_at_any_of_a_hundred_moments_the_machine_is_given_back(scene: Scene, seed: int) -> None:
    sys.stdout.write(f"{VICTIMS[seed % len(VICTIMS)]}: as before after {play(scene, seed):.3f} s\n")


def test_a_child_that_outlives_the_agent_does_not_hide_its_death(scene: Scene) -> None:
    """A browser or an encoder, started without any care for what it inherits."""
    agent = scene.agent("1", "keep")
    scene.locked(agent)
    assert agent.stdout is not None
    sleeper = psutil.Process(int(agent.stdout.readline()))
    scene.others.append(sleeper)
    assert not scene.is_as_before
    scene.kill(agent)
    until(lambda: scene.is_as_before)
    assert sleeper.is_running()

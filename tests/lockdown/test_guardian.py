"""The guardian: it restores when the agent's end of the pipe closes, and touches nothing before."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from secureproctor.lockdown.guardian import give_back
from secureproctor.lockdown.leash import Leash, start_guardian
from secureproctor.lockdown.undo import Undo
from tests.lockdown.crashing import ROOT, guardian_command
from tests.lockdown.fakes import FakePlace, Faults, Machine, terms


def wreck(folder: Path, path: Path | None = None) -> Machine:
    """A machine on which one rule is applied."""
    machine = Machine(path)
    folder.mkdir(mode=0o700, exist_ok=True)
    rule = FakePlace(machine).rule("power")
    Undo(folder, "fake").keep("power", rule.before(terms()))
    rule.apply(terms(), lambda _: None)
    return machine


def until(true: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        threading.Event().wait(0.005)
    return true()


class Time:
    """A clock that sleeping moves on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_what_is_stuck_is_tried_again_at_growing_pauses_and_not_for_ever(tmp_path: Path) -> None:
    machine, faults, clock = wreck(tmp_path), Faults(restore={"power"}), Time()
    assert not give_back(tmp_path, lambda: FakePlace(machine, faults), clock, clock.sleep, 60.0)
    assert clock.slept == sorted(clock.slept)
    assert clock.slept[0] <= 0.25
    assert len(clock.slept) > 5
    assert clock.now <= 60
    assert [left.rule for left in Undo(tmp_path).left()] == ["power"]


def test_what_works_at_last_is_restored(tmp_path: Path) -> None:
    machine, faults, clock = wreck(tmp_path), Faults(restore={"power"}), Time()

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.now > 10:
            faults.restore.clear()

    assert give_back(tmp_path, lambda: FakePlace(machine, faults), clock, sleep)
    assert machine.values == Machine().values


# the process


@pytest.fixture
def leash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Leash]:
    monkeypatch.chdir(ROOT)
    leash = start_guardian(tmp_path / "lockdown", guardian_command(tmp_path / "machine.json"))
    yield leash
    leash.done()
    leash.process.wait()


def waits(leash: Leash) -> bool:
    """Whether it has started, as far as that it hears SIGTERM."""
    status = Path(f"/proc/{leash.process.pid}/status").read_text()
    caught = int(status.split("SigCgt:")[1].split()[0], 16)
    return bool(caught & 1 << signal.SIGTERM - 1)


def test_told_that_it_is_done_it_touches_nothing(leash: Leash, tmp_path: Path) -> None:
    machine = wreck(tmp_path / "lockdown", tmp_path / "machine.json")
    leash.done()
    assert leash.process.returncode == 0
    assert machine.get("power.set") == "locked"
    assert not Undo(tmp_path / "lockdown").is_empty


def test_let_go_it_restores(leash: Leash, tmp_path: Path) -> None:
    machine = wreck(tmp_path / "lockdown", tmp_path / "machine.json")
    leash.drop()
    assert until(lambda: machine.values == Machine().values)
    assert until(lambda: not leash.alive)
    assert leash.process.returncode == 0
    assert "restored power" in (tmp_path / "lockdown" / "guardian.log").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGPIPE], ids=lambda each: each.name)
def test_what_is_meant_for_the_agents_terminal_is_not_for_it(
    leash: Leash, tmp_path: Path, number: signal.Signals
) -> None:
    assert until(lambda: waits(leash))
    os.kill(leash.process.pid, number)
    machine = wreck(tmp_path / "lockdown", tmp_path / "machine.json")
    leash.drop()
    assert until(lambda: machine.values == Machine().values)


def test_told_to_end_it_does_so_without_touching_anything(leash: Leash, tmp_path: Path) -> None:
    machine = wreck(tmp_path / "lockdown", tmp_path / "machine.json")
    assert until(lambda: waits(leash))
    leash.process.terminate()
    assert until(lambda: not leash.alive)
    assert machine.get("power.set") == "locked"


def test_told_to_end_with_its_agent_it_restores_before(leash: Leash, tmp_path: Path) -> None:
    """As when a session of the system ends: all its processes are told so at once, and the agent is the first to go."""
    machine = wreck(tmp_path / "lockdown", tmp_path / "machine.json")
    assert until(lambda: waits(leash))
    leash.process.terminate()
    leash.drop()
    assert until(lambda: machine.values == Machine().values)


def test_it_has_a_session_of_its_own(leash: Leash) -> None:
    assert os.getsid(leash.process.pid) == leash.process.pid != os.getsid(0)


def test_the_end_of_the_pipe_is_inherited_by_nobody(leash: Leash) -> None:
    assert leash.process.stdin is not None
    assert not os.get_inheritable(leash.process.stdin.fileno())


def test_one_that_was_killed_is_known_to_be_gone_and_can_be_told_all_the_same(leash: Leash) -> None:
    leash.process.kill()
    assert until(lambda: not leash.alive)
    leash.done()


def test_while_it_waits_it_has_no_systems_rules_in_memory(tmp_path: Path) -> None:
    """Python itself with the standard library's modules, and the contract's."""
    leash = start_guardian(tmp_path)
    assert until(lambda: waits(leash))
    libraries = {Path(each.path).name for each in psutil.Process(leash.process.pid).memory_maps()}
    assert not {name for name in libraries if name.startswith(("libX11", "libxcb", "libcrypto", "libssl"))}
    leash.done()


def test_it_imports_little() -> None:
    code = "import sys, secureproctor.lockdown.guardian; print(*sys.modules)"
    modules = set(subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT).split())
    assert not modules & {"asyncio", "ssl", "numpy", "cryptography", "Xlib", "ctypes", "multiprocessing"}

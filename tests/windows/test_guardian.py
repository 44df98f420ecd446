"""The agent is killed under lockdown, and its guardian gives the machine back; as does the agent itself when it ends."""

import functools
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from secureproctor.lockdown.left import restore_left
from secureproctor.lockdown.undo import Undo
from secureproctor.lockdown.windows.api_processes import AllProcesses
from secureproctor.lockdown.windows.api_windows import DesktopWindows
from secureproctor.lockdown.windows.place import open_place
from tests.windows.stage import Actor, Measure
from tests.windows.test_conformance import snapshot

AGENT = str(Path(__file__).with_name("agent.py"))


def locked(exam: Actor, folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, AGENT, str(folder), str(exam.pid), str(exam.window)]
    agent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert agent.stdout is not None
    lines: list[str] = []
    while (line := agent.stdout.readline()) and line != "locked\n":
        lines.append(line)
    assert line == "locked\n", lines
    assert {"task_manager True\n", "keys True\n", "focus True\n", "power True\n", "lock_screen True\n"} <= set(lines)
    return agent


def is_empty(folder: Path) -> bool:
    return Undo(folder).is_empty


def until(question: Callable[[], object], what: str) -> float:
    began = time.monotonic()
    while not question():
        assert time.monotonic() - began < 20, what
        time.sleep(0.02)
    return time.monotonic() - began


def test_a_killed_agent_leaves_nothing_behind(exam: Actor, tmp_path: Path, measured: Measure) -> None:
    before, seconds = snapshot(exam), []
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        agent = locked(exam, folder)
        assert snapshot(exam) != before
        assert len(Undo(folder).left()) >= 5
        assert AllProcesses(DesktopWindows(0), lambda _: ("", "")).close(agent.pid)
        seconds.append(until(lambda: snapshot(exam) == before, "the machine given back"))
        until(functools.partial(is_empty, folder), "the images forgotten")
        agent.communicate()
    measured("agent killed: registry and window are back after", seconds)


def test_an_agent_that_ends_gives_the_machine_back_itself(exam: Actor, tmp_path: Path) -> None:
    before = snapshot(exam)
    agent = locked(exam, tmp_path)
    agent.communicate("end\n", timeout=30)
    assert agent.returncode == 0
    assert snapshot(exam) == before
    assert Undo(tmp_path).is_empty


def test_agent_and_guardian_killed_leave_it_to_the_next_agent(exam: Actor, tmp_path: Path) -> None:
    before = snapshot(exam)
    processes = AllProcesses(DesktopWindows(0), lambda _: ("", ""))
    known = processes.pids()
    agent = locked(exam, tmp_path)
    for pid in (processes.pids() - known) - {agent.pid}:
        assert processes.close(pid)
    assert processes.close(agent.pid)
    agent.communicate()
    assert snapshot(exam) != before
    restored = restore_left(tmp_path, open_place, "agent")
    assert restored.stuck == ()
    assert {"task_manager", "focus", "power"} <= set(restored.rules)
    assert snapshot(exam) == before

"""Forbidden programs that really run: copies of `sleep` under their names, found, asked and closed on this machine.

They are started by a shell that is gone already, since what this process starts would be the agent's own.
"""

import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.linux.netlink import NotTold, ProcessConnector
from secureproctor.lockdown.linux.proc import LinuxProcesses, describe
from secureproctor.lockdown.readings import Running
from secureproctor.lockdown.rule import Exam, Sighting, Terms
from secureproctor.lockdown.rules.census import Census
from secureproctor.lockdown.rules.programs import ProgramsRule

DEADLINE_S = 30.0
STARTED = '(read go < "$1"; exec "$0" 60) > /dev/null 2>&1 & echo $!'


class OwnProcesses(LinuxProcesses):
    """Of all processes only those that this test started, so that it can touch no others whatever is wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.started: set[int] = set()

    def describe(self, pid: int) -> Running | None:
        return super().describe(pid) if pid in self.started | {os.getpid()} else None


class Desk:
    """Starts programs, and pumps the rule as a place does."""

    def __init__(self, folder: Path, announced: bool) -> None:
        self.folder, self.processes = folder, OwnProcesses()
        self.connector = connector() if announced else None
        self.census = Census(self.processes, announcements=self.connector)
        self.rule = ProgramsRule(self.census, Catalogue.shipped())
        self.seen: list[Sighting] = []

    def apply(self, patience_s: float) -> None:
        settings = LockdownSettings(program_patience_s=patience_s)
        self.rule.apply(Terms(Exam(), settings), self.seen.append)
        self.pump(lambda: self.census._pids is not None)

    def start(self, name: str) -> int:
        program = shutil.copy("/bin/sleep", self.folder / name)
        gate = self.folder / "gate"
        os.mkfifo(gate)
        done = subprocess.run(
            ["sh", "-c", STARTED, program, gate], stdout=subprocess.PIPE, check=True, timeout=DEADLINE_S
        )
        pid = int(done.stdout)
        self.processes.started.add(pid)
        gate.write_text("go\n")
        gate.unlink()
        return pid

    def runs(self, pid: int, name: str) -> bool:
        running = describe(pid)
        return running is not None and running.name == name

    def pump(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not true():
            assert time.monotonic() < deadline, [each.kind for each in self.seen]
            select.select([self.census] if self.census.fileno() >= 0 else [], [], [], 0.02)
            self.census.react()
            self.rule.react()

    def kinds(self) -> list[str]:
        return [each.kind for each in self.seen]

    def close(self) -> None:
        self.rule.restore({})
        for pid in self.processes.started:
            if describe(pid) is not None:
                os.kill(pid, signal.SIGKILL)
        if self.connector is not None:
            self.connector.close()


def connector() -> ProcessConnector | None:
    """Where the kernel does not tell, the same test shows that polling does."""
    try:
        return ProcessConnector()
    except NotTold:
        return None


@pytest.fixture(params=[False, True], ids=["polled", "announced"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, request.param)
    yield made
    made.close()


def test_a_forbidden_program_that_starts_is_told_and_closed(desk: Desk) -> None:
    desk.apply(patience_s=0.0)
    pid = desk.start("anydesk")
    desk.pump(lambda: "program_closed" in desk.kinds())
    assert desk.kinds() == ["program_forbidden", "program_closed"]
    assert desk.seen[0].detail["pid"] == pid
    assert describe(pid) is None


def test_one_that_runs_already_is_found(desk: Desk) -> None:
    pid = desk.start("teamviewer")
    desk.pump(lambda: desk.runs(pid, "teamviewer"))
    desk.apply(patience_s=60.0)
    desk.pump(lambda: desk.kinds() == ["program_forbidden"])
    assert desk.seen[0].detail["program"] == "teamviewer"
    assert desk.runs(pid, "teamviewer")


def test_a_harmless_program_is_left_alone(desk: Desk) -> None:
    desk.apply(patience_s=0.0)
    harmless, forbidden = desk.start("obstacle"), desk.start("obs")
    desk.pump(lambda: "program_closed" in desk.kinds())
    assert desk.kinds() == ["program_forbidden", "program_closed"]
    assert describe(forbidden) is None
    assert desk.runs(harmless, "obstacle")

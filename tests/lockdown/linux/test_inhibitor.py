"""The inhibitor's child: it lives while it is wanted, and dies with whoever wanted it."""

import os
import subprocess
import sys
import time
from pathlib import Path

from secureproctor.lockdown.linux.inhibitor import Inhibitor
from secureproctor.lockdown.linux.proc import describe

RUNS_WHAT_FOLLOWS = ("env", "--")
DEADLINE_S = 20.0
AGENT = """
import sys
from secureproctor.lockdown.linux.inhibitor import Inhibitor
one = Inhibitor(("env", "--"))
one.start()
print(one._child.pid, flush=True)
sys.stdin.read()
"""


def test_it_holds_from_start_to_stop() -> None:
    before = len(os.listdir("/proc/self/fd"))
    inhibitor = Inhibitor(RUNS_WHAT_FOLLOWS)
    held = [inhibitor.holds]
    assert inhibitor.start()
    assert inhibitor.start()
    held.append(inhibitor.holds)
    inhibitor.stop()
    inhibitor.stop()
    assert [*held, inhibitor.holds] == [False, True, False]
    assert len(os.listdir("/proc/self/fd")) == before


def test_where_it_is_refused_it_does_not_hold() -> None:
    inhibitor = Inhibitor(("false",))
    assert inhibitor.start()
    deadline = time.monotonic() + DEADLINE_S
    while inhibitor.holds and time.monotonic() < deadline:
        time.sleep(0.005)
    assert not inhibitor.holds
    inhibitor.stop()


def test_where_there_is_no_such_program_it_does_not_start(tmp_path: Path) -> None:
    assert not Inhibitor((str(tmp_path / "none"),)).start()


def test_it_ends_with_a_process_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", AGENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as agent:
        assert agent.stdout is not None
        child = int(agent.stdout.readline())
        assert describe(child) is not None
        agent.kill()
    deadline = time.monotonic() + DEADLINE_S
    while describe(child) is not None and time.monotonic() < deadline:
        time.sleep(0.005)
    assert describe(child) is None

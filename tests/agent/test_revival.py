"""What keeps the agent alive: what it concludes from a death, and what it does with real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from secureproctor.agent.revival import HOPELESS, LONGEST_S, SOUND_S, Record, Verdict, revive

KILLED = -int(signal.SIGKILL)


@pytest.mark.parametrize(
    ("code", "lived_s", "verdict"),
    [
        (0, 0.1, Verdict.OVER),
        (0, 1000.0, Verdict.OVER),
        (1, 0.5, Verdict.OVER),
        (1, SOUND_S, Verdict.AGAIN),
        (KILLED, 0.1, Verdict.AGAIN),
        (KILLED, 1000.0, Verdict.AGAIN),
    ],
)
def test_what_follows_from_an_end(code: int, lived_s: float, verdict: Verdict) -> None:
    assert Record().ended(code, lived_s) is verdict


def test_an_agent_that_dies_again_and_again_at_once_is_given_up_with_growing_pauses() -> None:
    record, pauses = Record(), []
    while record.ended(KILLED, 0.2) is Verdict.AGAIN:
        pauses.append(record.pause_s)
    assert len(pauses) == HOPELESS - 1
    assert pauses == sorted(pauses)
    assert pauses[0] <= 0.1
    assert pauses[-1] <= LONGEST_S


def test_an_agent_that_lived_is_started_at_once_however_often_it_dies() -> None:
    record = Record()
    for _ in range(200):
        assert record.ended(KILLED, SOUND_S + 1) is Verdict.AGAIN
        assert record.pause_s <= 0.1


def test_a_child_that_is_killed_comes_back_until_it_ends_by_itself(tmp_path: Path) -> None:
    """The child kills itself twice and then ends."""
    lives = tmp_path / "lives"
    child = (
        "import os, pathlib, sys; lives = pathlib.Path(sys.argv[1]);"
        "lives.write_text(lives.read_text() + 'x' if lives.exists() else 'x');"
        "os.kill(os.getpid(), 9) if len(lives.read_text()) < 3 else None"
    )
    assert revive([sys.executable, "-c", child, str(lives)]) == 0
    assert lives.read_text() == "xxx"


def test_a_signal_ends_child_and_supervisor(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    child = (
        "import os, pathlib, signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0));"
        "pathlib.Path(sys.argv[1] + '.part').write_text(str(os.getpid()));"
        "os.replace(sys.argv[1] + '.part', sys.argv[1]); time.sleep(60)"
    )
    argv = [sys.executable, "-c", child, str(pid)]
    supervisor = subprocess.Popen(
        [sys.executable, "-c", f"from secureproctor.agent.revival import revive; raise SystemExit(revive({argv!r}))"]
    )
    try:
        deadline = time.monotonic() + 20
        while not pid.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        supervisor.terminate()
        assert supervisor.wait(20) == 0
    finally:
        supervisor.kill()
        supervisor.wait()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)

"""One agent a folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from secureproctor.agent.lock import AnotherAgent, exclusive


def test_a_second_agent_is_refused_and_the_next_one_is_not(tmp_path: Path) -> None:
    with exclusive(tmp_path), pytest.raises(AnotherAgent), exclusive(tmp_path):
        pass
    with exclusive(tmp_path):
        pass


def test_the_lock_of_a_killed_agent_is_free(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib, secureproctor.agent.lock as l\n"
        "with l.exclusive(pathlib.Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(AnotherAgent), exclusive(tmp_path):
            pass
        holder.kill()
        holder.wait()
    with exclusive(tmp_path):
        pass

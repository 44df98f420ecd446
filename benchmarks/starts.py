"""How long commands take that do nothing but start."""

import subprocess
import sys
import time
from collections.abc import Mapping

from secureproctor.demo.program import DeskError

COMMANDS: dict[str, list[str]] = {
    "python -c pass (the floor)": ["-c", "pass"],
    "secureproctor --help": ["-m", "secureproctor.agent", "--help"],
}
"""Arguments of the Python that runs this."""


def timed(repetitions: int, environment: Mapping[str, str]) -> dict[str, list[float]]:
    """Seconds of each run of each command, taken in turns, after one that is not counted. Raises DeskError."""
    runs = [{name: _seconds(words, environment) for name, words in COMMANDS.items()} for _ in range(repetitions + 1)]
    return {name: [run[name] for run in runs[1:]] for name in COMMANDS}


def _seconds(words: list[str], environment: Mapping[str, str]) -> float:
    begun = time.monotonic()
    done = subprocess.run([sys.executable, *words], env=dict(environment), capture_output=True, text=True, check=False)
    passed_s = time.monotonic() - begun
    if done.returncode != 0:
        raise DeskError("command_failed", f"{' '.join(words)} failed: {done.stderr.strip()}", "Run it by hand.")
    return passed_s

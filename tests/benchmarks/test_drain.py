"""The measurement of the drain, short and on a fast line: that it measures, not what."""

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_a_line_is_measured_and_the_table_printed() -> None:
    words = ["-m", "secureproctor.benchmarks.drain", "--kbit", "8000", "--round-trip", "20", "--seconds", "4"]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    row = done.stdout.strip().splitlines()[-1]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[0] == "8000"
    plain, everything, backlog = (float(cells[at]) for at in (1, 2, 4))
    assert 500 < plain < 1100
    assert 0 < backlog < everything
    assert all(float(age) < 30 for age in cells[6:])

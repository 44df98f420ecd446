"""What is read from /proc, from text as the kernel writes it, and from the kernel itself."""

import os
import time

import pytest

from secureproctor.benchmarks import proc

STAT = "4711 (Web (x) y) S 1 2 3 0 -1 4194560 900 0 3 0 1234 66 7 8 20 0 9 0 100 55 44 18446744073709551615"
STATUS = "Name:\tpython\nVmPeak:\t  999999 kB\nVmHWM:\t  213400 kB\nVmRSS:\t  200000 kB\n"
MACHINE = "cpu  100 5 50 800 45 0 0 0 30 0\ncpu0 100 5 50 800 45 0 0 0 30 0\nintr 1\n"


def test_processor_time_is_found_behind_a_name_with_blanks_and_brackets() -> None:
    assert proc.cpu_s(STAT) == 13.0


def test_processor_time_leaves_out_children() -> None:
    assert proc.cpu_s(STAT.replace(" 7 8 20 ", " 7000 8000 20 ")) == 13.0


def test_peak_memory_is_in_megabytes() -> None:
    assert proc.peak_mb(STATUS) == 213.4


def test_a_process_that_is_over_has_no_memory() -> None:
    assert proc.peak_mb("Name:\tpython\nState:\tZ (zombie)\n") == 0.0


def test_guests_are_not_counted_twice() -> None:
    assert proc.machine(MACHINE) == proc.Machine(idle=845, all=1000)


@pytest.mark.parametrize(
    ("after", "busy"),
    [(proc.Machine(945, 1200), 50.0), (proc.Machine(1045, 1200), 0.0), (proc.Machine(845, 1000), 0.0)],
)
def test_a_machine_is_busy_where_it_is_not_idle(after: proc.Machine, busy: float) -> None:
    assert proc.busy_pct(proc.machine(MACHINE), after) == busy


def test_a_processor_without_a_model_name_is_unknown() -> None:
    assert proc.cpu_model("processor\t: 0\nBogoMIPS\t: 50\n") == "unknown"


def test_this_process_is_read_as_the_system_counts_it() -> None:
    before = proc.of(os.getpid())
    began = time.process_time()
    while time.process_time() - began < 0.2:
        pass
    after = proc.of(os.getpid())
    assert after.cpu_s - before.cpu_s == pytest.approx(time.process_time() - began, abs=0.05)
    assert after.peak_mb >= before.peak_mb > 5

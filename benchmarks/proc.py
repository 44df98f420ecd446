"""What the kernel tells of processes and of the machine, from the text of /proc (proc(5)). The readers are pure but for `of`.

Processor time comes from here and not from the programs themselves: a foreign program is measured as ours is, with all of
its threads, also those that have ended.
"""

from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_USER_HZ = 100  # ticks a second in the kernel's interface to programs, whatever its own timer does


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor time used so far, by user and kernel, in seconds; the most memory that was ever resident, in megabytes."""

    cpu_s: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Machine:
    """Ticks of all processors since boot: those spent idle (also waiting for a disk), and all of them."""

    idle: int
    all: int


def of(pid: int) -> Usage:
    """Read a process. Raises OSError when it is gone."""
    folder = _PROC / str(pid)
    return Usage(cpu_s((folder / "stat").read_text()), peak_mb((folder / "status").read_text()))


def of_machine() -> Machine:
    """Read the machine."""
    return machine((_PROC / "stat").read_text())


def processor() -> str:
    """The processor's name, as far as the machine tells."""
    return cpu_model((_PROC / "cpuinfo").read_text())


def cpu_s(stat: str) -> float:
    """utime + stime of /proc/<pid>/stat. The name, in brackets, may itself hold blanks and brackets."""
    fields = stat[stat.rindex(")") + 1 :].split()
    return (int(fields[11]) + int(fields[12])) / _USER_HZ


def peak_mb(status: str) -> float:
    """VmHWM of /proc/<pid>/status; 0 for a process that has ended and is not yet reaped."""
    return next((int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("VmHWM:")), 0.0)


def machine(stat: str) -> Machine:
    """The first line of /proc/stat. Guests' time is in user's already, so only the first eight columns count."""
    ticks = [int(field) for field in stat.splitlines()[0].split()[1:9]]
    return Machine(ticks[3] + ticks[4], sum(ticks))


def busy_pct(before: Machine, after: Machine) -> float:
    """The share of all processors' time that was not idle."""
    passed = after.all - before.all
    return 100 * (1 - (after.idle - before.idle) / passed) if passed else 0.0


def cpu_model(cpuinfo: str) -> str:
    """The first `model name` of /proc/cpuinfo; processors other than x86 have none."""
    names = (line.partition(":")[2].strip() for line in cpuinfo.splitlines() if line.startswith("model name"))
    return next(names, "unknown")

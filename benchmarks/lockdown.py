"""What the lockdown costs, and how fast it is: `python -m secureproctor.benchmarks.lockdown [--quick]`.

The real rules of X11 on an X server with a window manager, in a process of their own, with the real guardian: how soon what
is done to a locked exam is undone and reported (assault.py), how long it takes to lock, to unlock, and until the guardian has
given the machine back after the agent's sudden death, and what all of it uses while nothing happens.

Nothing on this machine is closed: forbidden programs are only reported.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from secureproctor.benchmarks import machine
from secureproctor.benchmarks.assault import (
    Scene,
    Times,
    clipboard_fills,
    focus_thefts,
    forbidden_starts,
    key_combinations,
    rest,
    scene,
    some,
)
from secureproctor.benchmarks.distribution import distributions
from secureproctor.benchmarks.tables import Cell, table
from secureproctor.benchmarks.told import Talker
from secureproctor.demo.program import DeskError, running
from secureproctor.lockdown.undo import Undo

COLUMNS = {"median": 0.5, "p95": 0.95, "max": 1.0}
LIMITS_MS = {"focus stolen": 300.0, "forbidden program": 500.0}
"""What is required of everything whose name begins so."""
LIMIT_IDLE_PCT = 0.5
LOOK_S = 0.002
PATIENCE_S = 30.0
IDLE_HEAD = (
    *("new programs by", "processes", "begun meanwhile", "lockdown %", "its programs %", "guardian %", "together %"),
    *("guardian MB", "of these its own MB"),
)
_USER_HZ = 100  # as in proc.py


@dataclass(frozen=True, slots=True)
class Size:
    """How often each deed is done; how long it is watched idle after it has settled; beside how many processes, and with which
    options."""

    deeds: int = 60
    starts: int = 40
    fills: int = 20
    deaths: int = 10
    settle_s: float = 5.0
    idle_s: float = 60.0
    idles: tuple[tuple[int, tuple[str, ...]], ...] = ((100, ()), (300, ()), (300, ("--polling",)))


QUICK = Size(deeds=5, starts=3, fills=3, deaths=2, settle_s=2.0, idle_s=5.0, idles=((100, ()),))


@dataclass(frozen=True, slots=True)
class Idle:
    """What is used while nothing happens: percent of one processor, by the lockdown's process, by the programs that it starts,
    by the guardian; megabytes. `begun`: a machine that is not idle itself begins processes, and each of them is looked at."""

    told_by: str
    processes: int
    begun: int
    lockdown_pct: float
    programs_pct: float
    guardian_pct: float
    guardian_mb: float
    private_mb: float

    @property
    def pct(self) -> float:
        """All together."""
        return self.lockdown_pct + self.programs_pct + self.guardian_pct


def assaulted(at: Scene, size: Size) -> Times:
    """How soon what is done to it is undone and reported."""
    with _locked(at) as lockdown:
        found = focus_thefts(at, lockdown, size.deeds)
        found |= key_combinations(at, lockdown)
        found |= clipboard_fills(at, lockdown, size.fills)
        told = forbidden_starts(at, lockdown, some(size.starts))
    with _locked(at, "--polling") as lockdown:
        polled = forbidden_starts(at, lockdown, some(size.starts, first=size.starts))
    name = "forbidden program started → reported"
    return found | {f"{name}, the kernel tells": told, f"{name}, by polling": polled}


def given_back(at: Scene, size: Size) -> Times:
    """To lock, to unlock, and to be given back by the guardian when the agent is killed."""
    locks: list[float] = []
    unlocks: list[float] = []
    deaths: list[float] = []
    for _ in range(size.deaths):
        with at.lockdown() as lockdown:
            for order, took in (("lock", locks), ("unlock", unlocks), ("lock", locks)):
                began = lockdown.tell(order)
                took.append(1e3 * (lockdown.until("ended", order, since=began).at - began))
                rest()
            deaths.append(1e3 * _until_given_back(at, lockdown))
    return {"to lock": locks, "to unlock": unlocks, "agent killed → everything given back": deaths}


def _until_given_back(at: Scene, lockdown: Talker) -> float:
    """Seconds from the death to the moment at which no before-image is left."""
    undo, died = Undo(at.undo_folder), time.monotonic()
    lockdown.process.kill()
    while not undo.is_empty:
        if time.monotonic() > died + PATIENCE_S:
            raise DeskError("not_given_back", "The guardian restores nothing.", "Look at guardian.log.")
        time.sleep(LOOK_S)
    return time.monotonic() - died


def idle(at: Scene, size: Size, processes: int, options: tuple[str, ...]) -> Idle:
    """While nothing happens, beside so many processes; more, where the machine has more by itself."""
    with _crowd(at, processes), _locked(at, *options) as lockdown:
        guardian = _guardian(lockdown.process.pid)
        time.sleep(size.settle_s)
        began, last, before = time.monotonic(), _last_number(), (*_used_s(lockdown.process.pid), *_used_s(guardian))
        time.sleep(size.idle_s)
        passed_s, after = time.monotonic() - began, (*_used_s(lockdown.process.pid), *_used_s(guardian))
        counts = len(_processes()), _last_number() - last
        own, programs, guards, _ = (100 * (b - a) / passed_s for a, b in zip(before, after, strict=True))
        return Idle("polling" if options else "kernel", *counts, own, programs, guards, *_memory_mb(guardian))


def _used_s(pid: int) -> tuple[float, float]:
    """Processor time of a process, all its threads, and that of its children that have ended: proc(5), stat, 14 to 17."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    user, kernel, children, childrens_kernel = map(int, stat[stat.rindex(")") + 1 :].split()[11:15])
    return (user + kernel) / _USER_HZ, (children + childrens_kernel) / _USER_HZ


def _last_number() -> int:
    """The process number that the kernel gave out last."""
    return int(Path("/proc/loadavg").read_text().split()[-1])


@contextmanager
def _locked(at: Scene, *options: str) -> Iterator[Talker]:
    with at.lockdown(*options) as lockdown:
        lockdown.tell("lock")
        lockdown.until("ended", "lock")
        yield lockdown


@contextmanager
def _crowd(at: Scene, processes: int) -> Iterator[None]:
    """As many processes on this machine, or more."""
    with ExitStack() as stack:
        for _ in range(processes - len(_processes()) - 3):  # the lockdown, its guardian, its inhibitor
            stack.enter_context(running(["sleep", "3600"], at.environment, at.folder / "crowd.log"))
        yield


def _processes() -> list[Path]:
    return list(Path("/proc").glob("[0-9]*"))


def _guardian(pid: int) -> int:
    """The guardian among a process's children, whichever of its threads began it."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if b"secureproctor.lockdown.guardian" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    raise DeskError("no_guardian", "The lockdown has no guardian.", "Look at its log.")


def _memory_mb(pid: int) -> tuple[float, float]:
    """What is resident, and what of it is no other process's, too."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kb = {name.rstrip(":"): int(value) for name, value, *_ in map(str.split, lines)}
    return kb["Rss"] / 1000, (kb["Private_Clean"] + kb["Private_Dirty"]) / 1000


def told(times: Times, idles: list[Idle]) -> str:
    """The tables, and which limits were kept."""
    rows: list[list[Cell]] = [
        [
            *(each.told_by, str(each.processes), str(each.begun)),
            *(each.lockdown_pct, each.programs_pct, each.guardian_pct, each.pct, each.guardian_mb, each.private_mb),
        ]
        for each in idles
    ]
    return "\n".join((distributions(times, COLUMNS, "ms"), table(IDLE_HEAD, rows), *verdicts(times, idles)))


def verdicts(times: Times, idles: list[Idle]) -> Iterator[str]:
    """A line for each limit; one that begins with MISSED for each that was not kept."""
    for begins, limit in LIMITS_MS.items():
        worst = max(max(each, default=0.0) for name, each in times.items() if name.startswith(begins))
        yield f"{_kept(worst, limit)}: {begins}: at most {worst:.0f} ms, of {limit:.0f} ms"
    worst = max(each.pct for each in idles)
    yield f"{_kept(worst, LIMIT_IDLE_PCT)}: idle: at most {worst:.2f} %, of {LIMIT_IDLE_PCT} % of a processor"


def _kept(value: float, limit: float) -> str:
    return "kept" if value <= limit else "MISSED"


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="secureproctor.benchmarks.lockdown", description="The lockdown's speed and cost."
    )
    parser.add_argument("--quick", action="store_true", help="a few of each: shows that all works")
    size = QUICK if parser.parse_args(argv).quick else Size()
    print(f"The machine is {machine.busy_pct():.0f} % busy with other things", flush=True)
    try:
        with tempfile.TemporaryDirectory() as folder, scene(Path(folder)) as at:
            times = assaulted(at, size) | given_back(at, size)
            print(told(times, [idle(at, size, *how) for how in size.idles]))
    except DeskError as error:
        print(f"{error.code}: {error.sentence}\n  {error.remedy}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

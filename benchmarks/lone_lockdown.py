"""The lockdown alone, without the agent around it: it locks and unlocks when a line tells it to, and says what it sees.

    python -m secureproctor.benchmarks.lone_lockdown FOLDER PID [--polling]

FOLDER takes the before-images, PID is the exam's browser. What an earlier one has left is restored first, as an agent does.
Reads `lock` and `unlock` from standard input, until its end. Each line that it writes begins with the moment, in nanoseconds
of the monotonic clock, which all processes of a Linux machine share.

Nothing is closed on this machine, which may be somebody's own: forbidden programs are only told.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.lockdown.choose import place_for
from secureproctor.lockdown.guard import Guard
from secureproctor.lockdown.left import AGENT, restore_left
from secureproctor.lockdown.news import LockFailed, News
from secureproctor.lockdown.rule import Exam, Sighting, Terms

FORBIDDEN = tuple(f"forbidden-{number:02}" for number in range(80))
"""Names of programs that this exam forbids; each may be told once in ten seconds, so that a measurement needs many."""
SETTINGS = LockdownSettings(off=("task_manager",), programs="observe", forbidden_programs=FORBIDDEN)


def say(*words: object) -> None:
    """In one write: two threads speak."""
    os.write(1, f"{time.monotonic_ns()} {' '.join(map(str, words))}\n".encode())


def hear(news: News) -> None:
    """What the guard tells."""
    if isinstance(news, Sighting):
        say("saw", news.kind, news.rule or "-", news.about)
    else:
        say("stands", news.phase, *(each.rule for each in news.rules if each.holds))


def obey(order: str, guard: Guard, terms: Terms) -> None:
    """Do it, and say when it began and how it ended."""
    orders: dict[str, Callable[[], object]] = {
        "lock": lambda: guard.lock(terms),
        "unlock": lambda: guard.unlock("the exam is over"),
    }
    say("began", order)
    try:
        outcome = orders[order]()
    except LockFailed as failed:
        say("refused", order, failed)
    else:
        say("ended", order, *(outcome if order == "unlock" and isinstance(outcome, tuple) else ()))


def poll_only() -> None:
    """As on a kernel that does not tell of new programs; the place has no other switch for that, and needs none."""
    import importlib

    from secureproctor.lockdown.linux.netlink import NotTold

    def silent() -> None:
        raise NotTold("The kernel is not asked.")

    vars(importlib.import_module("secureproctor.lockdown.linux.place"))["ProcessConnector"] = silent


def main(argv: list[str] | None = None) -> int:
    """Obey until the end of the input; then the machine is given back."""
    parser = argparse.ArgumentParser(prog="secureproctor.benchmarks.lone_lockdown", description="The lockdown alone.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("pid", type=int)
    parser.add_argument("--polling", action="store_true", help="do not let the kernel tell of new programs")
    arguments = parser.parse_args(argv)
    if arguments.polling:
        poll_only()
    open_place = place_for()
    restored = restore_left(arguments.folder, open_place, AGENT)
    say("ready", *restored.rules, *(f"stuck:{rule}" for rule, _ in restored.stuck))
    guard, terms = Guard(open_place, arguments.folder, hear), Terms(Exam(arguments.pid), SETTINGS)
    for line in sys.stdin:
        obey(line.strip(), guard, terms)
    guard.close()
    say("closed")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A stand-in for the agent, and its guardian, over a machine that is a file: to be killed at any moment.

    python -m tests.lockdown.crashing agent FOLDER MACHINE SEED     locks, lifts and unlocks for ever; says `locked` once
    python -m tests.lockdown.crashing guardian MACHINE FOLDER       the real guardian, over that machine

Each change of the machine takes a little while, so that death comes in the middle of one as often as between two.
"""

import functools
import random
import subprocess
import sys
import time
from pathlib import Path

from secureproctor.lockdown.guard import Guard
from secureproctor.lockdown.guardian import main as guardian
from secureproctor.lockdown.leash import start_guardian
from secureproctor.lockdown.left import restore_left
from secureproctor.lockdown.rule import Exam
from tests.lockdown.fakes import FakePlace, Machine, terms

ROOT = Path(__file__).parents[2]
STEP_S = 0.002


def guardian_command(machine: Path) -> tuple[str, ...]:
    """What starts the guardian over this machine; its folder follows."""
    return (sys.executable, "-m", "tests.lockdown.crashing", "guardian", str(machine))


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def agent(folder: Path, path: Path, seed: str, keep: str = "") -> None:
    """`keep`: stay locked, with a child that outlives the agent."""
    chance = random.Random(seed)
    machine = Machine(path, lambda _: time.sleep(chance.random() * STEP_S))
    starter = functools.partial(start_guardian, command=guardian_command(path))
    restore_left(folder, lambda: FakePlace(machine), "agent")
    guard = Guard(lambda: FakePlace(machine), folder, lambda _: None, guardian=starter)
    guard.lock(terms())
    say("locked")
    if keep:
        child = subprocess.Popen(["sleep", "300"], close_fds=False)
        say(child.pid)
    while keep:
        time.sleep(60)
    while True:
        match chance.randrange(5):
            case 0:
                guard.lift("paused")
                guard.relock()
            case 1:
                guard.unlock("over")
                guard.lock(terms())
            case 2:
                guard.moved(Exam(window=chance.randrange(1000)))
            case _:
                time.sleep(chance.random() * 0.05)


if __name__ == "__main__":
    if sys.argv[1] == "agent":
        agent(Path(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])
    else:
        machine = Machine(Path(sys.argv[2]))
        sys.exit(guardian(sys.argv[3:], lambda: FakePlace(machine)))

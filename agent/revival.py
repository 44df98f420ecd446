"""Keeps an agent alive: `secureproctor agent --supervised` starts it as a child, and again whenever it dies.

It knows nothing of sessions: the agent that comes back finds on the disk all that it needs to go on (session/folder.py).
What it decides is a table of how the child ended. Service managers (systemd's `Restart=on-failure`) do the same; this is for
machines and secure browsers that have none. Not yet run on Windows and macOS.
"""

import contextlib
import enum
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType

FIRST_S = 0.1
LONGEST_S = 5.0
SOUND_S = 10.0
"""An agent that lived for so long was no failure to start."""
HOPELESS = 8
"""Deaths in a row, each soon after the start, after which another attempt would not help either."""


class Verdict(enum.Enum):
    """What follows from a child's end."""

    OVER = "over"
    AGAIN = "again"


@dataclass(slots=True)
class Record:
    """The deaths of an agent, in a row, that came soon after its start. Pure."""

    failures: int = 0

    def ended(self, code: int, lived_s: float) -> Verdict:
        """What to do after a child ended with the code (negative: the signal that killed it)."""
        if code == 0:
            return Verdict.OVER
        if lived_s >= SOUND_S:
            self.failures = 0
        self.failures += 1
        refused = code > 0 and lived_s < SOUND_S  # it said in a sentence why it cannot run
        return Verdict.OVER if refused or self.failures >= HOPELESS else Verdict.AGAIN

    @property
    def pause_s(self) -> float:
        """Seconds before the next start: a session waits, so the first one comes at once."""
        return min(LONGEST_S, FIRST_S * 2.0 ** (self.failures - 1))


def revive(argv: Sequence[str], clock: Callable[[], float] = time.monotonic) -> int:
    """Run the command until it ends by its own wish, is told to by SIGTERM or SIGINT, or cannot be kept alive; its last
    exit code."""
    record = Record()
    with _forwarding() as ward:
        while True:
            began = clock()
            code = ward.run(argv)
            if ward.told_to_end or record.ended(code, clock() - began) is Verdict.OVER:
                return code if code >= 0 else 128 - code
            ward.pause(record.pause_s)


class _Ward:
    """The child, and whether it is to end."""

    def __init__(self) -> None:
        self.told_to_end = False
        self._child: subprocess.Popen[bytes] | None = None

    def run(self, argv: Sequence[str]) -> int:
        self._child = child = subprocess.Popen(argv)
        if self.told_to_end:  # the signal came while the child was being started
            child.terminate()
        return child.wait()

    def pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.told_to_end and time.monotonic() < until:
            time.sleep(0.05)

    def end(self, number: int, frame: FrameType | None) -> None:
        self.told_to_end = True
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()


@contextlib.contextmanager
def _forwarding() -> Iterator[_Ward]:
    """SIGTERM and SIGINT reach the child while the block runs."""
    ward = _Ward()
    before = {number: signal.signal(number, ward.end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield ward
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

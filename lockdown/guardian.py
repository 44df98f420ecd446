"""The guardian: a small process that gives the machine back when the agent dies.

    python -m secureproctor.lockdown.guardian FOLDER

It does nothing but wait for the end of a pipe that the agent holds. `done` in the pipe: the machine was given back, nothing is
touched. The pipe's end without it: the agent is gone, and what is in the folder is restored, again and again for a minute;
what is stuck then waits for the next agent, or for `secureproctor unlock`. Before that end it touches nothing, whatever
happens. It imports a system's rules only when it needs them, so that it costs little while it waits.
"""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from secureproctor.lockdown.choose import place_for
from secureproctor.lockdown.leash import DONE
from secureproctor.lockdown.left import restore_left
from secureproctor.lockdown.pauses import Pauses
from secureproctor.lockdown.rule import OpenPlace

log = logging.getLogger("guardian")

TRIES_FOR_S = 60.0
LINGERS_S = 2
"""When a session of the system ends, all its processes are told so at once; the agent may need the guardian then."""


def main(argv: list[str], open_place: OpenPlace | None = None) -> int:
    """Wait for the agent's end, then restore; 0: nothing is left, 1: something is stuck."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    _deafen()
    if _was_done(sys.stdin.buffer):
        return 0
    _on_its_own()
    log.info("the agent is gone")
    return 0 if give_back(Path(argv[0]), open_place or place_for()) else 1


def give_back(
    folder: Path,
    open_place: OpenPlace,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    tries_for_s: float = TRIES_FOR_S,
) -> bool:
    """Restore what is left, until nothing is or the time is over; whether nothing is."""
    until, pauses = clock() + tries_for_s, Pauses(longest_s=8.0, first_s=0.25)
    while True:
        restored = restore_left(folder, open_place, "guardian", patience_s=max(0.0, until - clock()))
        for rule in restored.rules:
            log.info("restored %s", rule)
        for rule, why in restored.stuck:
            log.warning("%s is stuck: %s", rule, why)
        pauses.failed(clock())
        if not restored.stuck or pauses.due >= until:
            return not restored.stuck
        sleep(pauses.due - clock())


def _was_done(pipe: IO[bytes]) -> bool:
    """Wait for the pipe's end; whether the agent said before it that it is done."""
    heard = b""
    while piece := os.read(pipe.fileno(), 64):
        heard += piece
    return DONE in heard


if sys.platform == "win32":

    def _deafen() -> None:
        """A process without a console hears nothing there."""

else:

    def _deafen() -> None:
        """What is meant for the agent's terminal is not for us; who is told to end does so, but not before the agent."""
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: signal.alarm(LINGERS_S))


def _on_its_own() -> None:
    """From here on nobody ends it before its time, and it ends in time: a rule that hangs would keep others from restoring."""
    import threading

    if sys.platform != "win32":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.alarm(0)
    last = threading.Timer(2 * TRIES_FOR_S, os._exit, (1,))
    last.daemon = True
    last.start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

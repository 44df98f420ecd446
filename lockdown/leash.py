"""The agent's end of the guardian: a pipe that the system closes when the agent dies, however it dies.

The end that is written to is inherited by nobody: a browser or an encoder that outlives the agent would hold it open, and the
guardian would never learn of the death. Windows' flags were not run on a real Windows yet.
"""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Protocol

COMMAND = (sys.executable, "-P", "-m", "secureproctor.lockdown.guardian")
"""-P: what lies in the folder where the agent was started is no part of it."""
DONE = b"done\n"
LOG = "guardian.log"
ENDS_S = 5.0


class Guardian(Protocol):
    """The process that gives the machine back when the agent dies."""

    @property
    def alive(self) -> bool:
        """Whether it is there."""

    def done(self) -> None:
        """The machine has been given back: it ends, and touches nothing."""

    def drop(self) -> None:
        """It is on its own: it restores what is left, as if the agent had died."""


GuardianStarter = Callable[[Path], Guardian]
"""Starts the guardian of a folder; raises OSError."""


class Leash:
    """A guardian that was started. Its process outlives `drop`."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process

    @property
    def alive(self) -> bool:
        """Whether it is there."""
        return self.process.poll() is None

    def done(self) -> None:
        """It ends, and touches nothing; one that does not end within five seconds is killed."""
        pipe = self._pipe()
        if not pipe.closed:
            with contextlib.suppress(OSError):  # it died: there is nobody to tell
                pipe.write(DONE)
            pipe.close()
        try:
            self.process.wait(ENDS_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def drop(self) -> None:
        """It restores what is left, which may take it a minute; nobody but a thread of its own waits for that."""
        self._pipe().close()
        threading.Thread(target=self.process.wait, name="guardian's end", daemon=True).start()

    def _pipe(self) -> IO[bytes]:
        assert self.process.stdin is not None  # noqa: S101 - Popen was asked for a pipe
        return self.process.stdin


def start_guardian(folder: Path, command: Sequence[str] = COMMAND) -> Leash:
    """Start the guardian of a folder; what it says goes to a log there. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        return Leash(_detached((*command, str(folder.absolute())), log))
    finally:
        os.close(log)


if sys.platform == "win32":
    DETACHED = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP

    def _detached(command: Sequence[str], log: int) -> "subprocess.Popen[bytes]":
        pipe = subprocess.PIPE
        try:  # browsers put their hosts in a job whose end takes all of it along
            flags = DETACHED | subprocess.CREATE_BREAKAWAY_FROM_JOB
            return subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=log, stderr=log, creationflags=flags)
        except PermissionError:  # not every job lets go
            return subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=log, stderr=log, creationflags=DETACHED)

else:

    def _detached(command: Sequence[str], log: int) -> "subprocess.Popen[bytes]":
        # a session of its own: neither Ctrl-C nor a closed terminal reaches it
        pipe = subprocess.PIPE
        return subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=log, stderr=log, start_new_session=True)

"""How the browser's host finds the running agent, and starts one where there is none.

The agent is started for good, in a session of its own: it outlives the page, the host and the browser, as a session must.
Several hosts may start one at the same moment: the lock of the state folder lets one of them live (lock.py), and the
others, whose agent ended with ANOTHER_AGENT, find the one that did. The system's own settings apply, and those that the
host was called with. Not yet run on Windows and macOS.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from secureproctor.agent.local.door import BROWSER_PID, PAGE_ORIGIN
from secureproctor.agent.local.pairing import Pairing, find
from secureproctor.agent.lock import ANOTHER_AGENT
from secureproctor.contract.errors import ErrorAnswer, ErrorInfo, Refusal

PATIENCE_S = 30.0
"""How long an agent may take from its start to its first connection, on a slow computer that just woke up."""
HANDSHAKE_S = 5.0
PAUSE_S = 0.05
LOG_LIMIT = 1_000_000


class Denied(Exception):
    """There is no agent for this page; `info` says why, and what to do."""

    def __init__(self, info: ErrorInfo) -> None:
        self.info = info
        super().__init__(info.message)


@dataclass(slots=True)
class Launched:
    """An agent that was started here, and where it writes its log."""

    process: "subprocess.Popen[bytes]"
    log: Path
    since: int

    def failure(self) -> str:
        """Why it ended; empty while it runs, and when it ended because another one runs."""
        if self.process.poll() in (None, 0, ANOTHER_AGENT):
            return ""
        with self.log.open("rb") as log:
            log.seek(self.since)
            said = log.read().decode(errors="replace").splitlines()
        told = [line.removeprefix("secureproctor: ") for line in said if line.startswith("secureproctor: ")]
        return (told or said or [f"it ended with the code {self.process.returncode}"])[-1].rstrip(".")


def launch(words: Sequence[str], folder: Path) -> Launched:
    """Start an agent with these settings of the command line; its log goes to the state folder. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "agent.log"
    again = os.O_TRUNC if path.exists() and path.stat().st_size > LOG_LIMIT else 0
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | again, 0o600)
    try:
        since = os.fstat(log).st_size
        # -P: what lies in the folder where the browser was started is no part of the agent
        command = [sys.executable, "-P", "-m", "secureproctor.agent", "agent", "--supervised", *words]
        return Launched(_detached(command, folder, log), path, since)
    finally:
        os.close(log)


if sys.platform == "win32":

    def _detached(command: Sequence[str], folder: Path, log: int) -> "subprocess.Popen[bytes]":
        # browsers put their hosts in a job whose end takes all of it along
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_BREAKAWAY_FROM_JOB
        null = subprocess.DEVNULL
        return subprocess.Popen(command, stdin=null, stdout=log, stderr=log, cwd=folder, creationflags=flags)

else:

    def _detached(command: Sequence[str], folder: Path, log: int) -> "subprocess.Popen[bytes]":
        null = subprocess.DEVNULL
        return subprocess.Popen(command, stdin=null, stdout=log, stderr=log, cwd=folder, start_new_session=True)


@dataclass(slots=True)
class Reaching:
    """Finds the agent by the pairing file of `runtime`; `start` starts one."""

    runtime: Path
    start: Callable[[], Launched]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def __call__(self, origin: str, unwanted: Callable[[], bool]) -> ClientConnection:
        """A connection for a page of this origin. Raises Denied, also when nobody wants it any more."""
        until, launched = self.clock() + PATIENCE_S, None
        while not unwanted():
            pairing = find(self.runtime)
            if pairing is not None and (agent := knock(pairing, origin)) is not None:
                return agent
            launched = launched or self._started()
            if why := launched.failure():
                raise Denied(missing(why))
            if self.clock() > until:
                raise Denied(missing(f"it did not answer for {PATIENCE_S:.0f} seconds"))
            self.sleep(PAUSE_S)
        raise Denied(missing("nobody waits for it any more"))

    def _started(self) -> Launched:
        try:
            return self.start()
        except OSError as error:
            raise Denied(missing(str(error))) from None


def knock(pairing: Pairing, origin: str) -> ClientConnection | None:
    """A connection to the agent of this pairing, for a page, or (without an origin) for the browser itself; None when the
    agent is not there (any more). Raises Denied when it refuses."""
    # the browser has started this host itself, or by a shell, which the agent knows how to pass over
    headers = {"Authorization": f"Bearer {pairing.token}", BROWSER_PID: str(os.getppid())}
    headers |= {PAGE_ORIGIN: origin} if origin else {}
    try:
        return connect(
            pairing.address,
            additional_headers=headers,
            compression=None,
            proxy=None,
            open_timeout=HANDSHAKE_S,
            close_timeout=1,
            max_size=None,  # the agent is trusted, and its reports are long
        )
    except InvalidStatus as refused:
        info = _refusal(bytes(refused.response.body))
        if info is None or info.code == "pairing_denied":  # the file of an agent that is gone, at the port of another
            return None
        raise Denied(info) from None
    except (OSError, InvalidHandshake, WebSocketException):
        return None


def missing(why: str) -> ErrorInfo:
    """That there is no agent."""
    return Refusal("agent_missing", why=why).info


def _refusal(body: bytes) -> ErrorInfo | None:
    try:
        return msgspec.json.decode(body, type=ErrorAnswer).error
    except ValueError:
        return None

"""What stands on the stage of an exam in the secure browser: an MSB Key, the exam's own server, and an agent that the browser
starts, as on a candidate's computer, where nobody else would."""

import asyncio
import contextlib
import functools
import os
import secrets
import select
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from secureproctor.contract.jws import public_text
from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.contract.msb import MsbClaims
from secureproctor.demo.program import DeskError, running
from secureproctor.demo.securebrowser import PROGRAM
from secureproctor.demo.stage import FORM, PUBLIC_KEY, READY_S, Program, Service, announcement, read, read_when_there
from secureproctor.lockdown.browser.key import generate, sign
from secureproctor.lockdown.browser.password import hash_password
from secureproctor.lockdown.catalogue import listing

ENDED_WITHIN_S = 15.0
LOOK_S = 0.05
VALID_S = 4 * 3600
QUIT_PASSWORD = "let me out"  # noqa: S105 - of a demo's key that is valid for hours
FORBIDDEN = "remote-helper"
"""The one program that the demo's lockdown closes."""
LOCKDOWN = LockdownSettings(
    required=("keys", "focus", "clipboard", "programs"),
    browsing_tolerance=5,
    program_patience_s=3.0,
    forbidden_programs=(FORBIDDEN,),
)


class Client:
    """The exam's client, who signs MSB Keys. The key pair lives as long as the course."""

    def __init__(self) -> None:
        self._private = generate()

    @property
    def trust(self) -> str:
        """What the service is told, so that it trusts this client's keys: the option's value."""
        return f"{PUBLIC_KEY}={public_text(self._private.public_key())}"

    def key(self, start_url: str, allowed_urls: Sequence[str], **changes: object) -> str:
        """An MSB Key for the demo's exam; `changes` are claims that shall be others (contract.msb.MsbClaims)."""
        now = int(time.time())
        claims = MsbClaims(
            iss=PUBLIC_KEY,
            exam=FORM["groupName"],
            iat=now,
            nbf=now,
            exp=now + VALID_S,
            jti=secrets.token_hex(8),
            start_url=start_url,
            allowed_urls=tuple(allowed_urls),
            lockdown=LOCKDOWN,
            floor=("screenCapture", "recording", "audioProctoring"),
            quit_password_hash=_quit_password_hash(),
        )
        return sign(msgspec.structs.replace(claims, **changes), self._private)


@functools.cache
def _quit_password_hash() -> str:
    return hash_password(QUIT_PASSWORD)  # takes half a second, as it should


def agent_words(folder: Path, service_url: str, options: Sequence[str]) -> list[str]:
    """The settings of an agent that a secure browser starts: that this browser is one, too.

    The desk is virtual, and its processes are this machine's: what somebody runs beside the demo is theirs, and is allowed.
    """
    known = listing()
    theirs = ",".join(each.id for each in (*known.programs, *known.task_managers))
    folders = ["--state-dir", str(folder / "state"), "--runtime-dir", str(folder / "runtime"), "--local-port", "0"]
    return [
        *folders,
        "--service-url",
        service_url,
        "--msb-browsers",
        f"path:{PROGRAM}",
        "--allowed-programs",
        theirs,
        *options,
    ]


@dataclass(slots=True)
class Launched:
    """The agent that the browser started, by its process id. It is nobody's child, and its log lies in its own folder."""

    pid: int
    log: Path
    wanted: bool = True
    """Whether it is still to run: it is ended with the browser, before a course that failed is asked what it failed of."""

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return Path(f"/proc/{self.pid}").exists()

    def raise_if_dead(self) -> None:
        """Raise DeskError `program_died`."""
        if self.wanted and not self.alive:
            raise DeskError("program_died", "The agent ended in the middle of the course.", f"See {self.log}.")


@asynccontextmanager
async def launched(folder: Path, out: Path) -> AsyncIterator[Launched]:
    """The agent once the browser has started it; ended, with its supervisor, at the end of the block. Raises DeskError."""
    agent = Launched(await _announced(announcement(folder)), out / "agent.log")
    agent.log.touch()  # a file of the course from now on, though its lines come at the end
    supervisor = _parent(agent.pid)
    try:
        yield agent
    finally:
        agent.wanted = False
        with contextlib.suppress(ProcessLookupError):  # it ended with the last session
            await _end(supervisor)
        with contextlib.suppress(FileNotFoundError):
            agent.log.write_bytes((folder / "state" / "agent.log").read_bytes())


async def _announced(path: Path) -> int:
    until = time.monotonic() + READY_S
    while (said := read(path)) is None:
        if time.monotonic() > until:
            raise DeskError(
                "program_failed", "The secure browser started no agent.", "See agent.log in its state folder."
            )
        await asyncio.sleep(LOOK_S)
    return int(str(said["pid"]))


def _parent(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


if sys.platform == "linux":

    async def _end(pid: int) -> None:
        process = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(process, signal.SIGTERM)
            gone, _, _ = await asyncio.to_thread(select.select, [process], [], [], ENDED_WITHIN_S)
            if not gone:
                signal.pidfd_send_signal(process, signal.SIGKILL)
        finally:
            os.close(process)

else:

    async def _end(pid: int) -> None:
        raise DeskError("not_linux", "The virtual desk exists on Linux only.", "Use this PC's own devices.")


@asynccontextmanager
async def exam_server(folder: Path, environment: dict[str, str], of: Service, logs: Path) -> AsyncIterator[str]:
    """The exam's own server, which lets in whom the service vouches for; gives its address."""
    ready = folder / "exam.json"
    argv = [sys.executable, "-m", "secureproctor.demo.examserver", "--service", of.url]
    argv += ["--key", f"{PUBLIC_KEY}:{of.private_key}", "--ready-file", str(ready)]
    with running(argv, environment, log := logs / "exam.log") as process:
        said = await read_when_there(ready, Program("The exam's server", process, log))
        yield str(said["url"])

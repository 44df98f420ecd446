"""The desk's programs: found or explained, started so that they cannot outlive the desk, ended terminate-then-kill.

Each runs in a session of its own, so that Ctrl-C in the terminal reaches the desk's owner only and the parts are taken
down in order. The kernel ends it when the process that started it dies without a word (PR_SET_PDEATHSIG).
"""

import ctypes
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PACKAGES = {
    "Xvfb": "xvfb",
    "openbox": "openbox",
    "pulseaudio": "pulseaudio",
    "pacat": "pulseaudio-utils",
    "pactl": "pulseaudio-utils",
    "espeak-ng": "espeak-ng",
    "chromium": "chromium",
}
"""Which Debian package brings a program."""

START_S = 15.0
END_S = 3.0
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_SIGTERM = 15
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class DeskError(Exception):
    """A part of the desk cannot be had. `code` for scripts, `sentence` for a person, `remedy`: what to do."""

    def __init__(self, code: str, sentence: str, remedy: str) -> None:
        super().__init__(f"{sentence} {remedy}")
        self.code, self.sentence, self.remedy = code, sentence, remedy


def find(program: str) -> str:
    """Path of `program`. Raises DeskError `program_missing` that names the package to install."""
    path = shutil.which(program)
    if path is None:
        package = PACKAGES.get(program, program)
        raise DeskError("program_missing", f"{program} is not installed.", f"Run: sudo apt install {package}")
    return path


def _die_with_parent() -> None:
    """Runs in the child between fork and exec: one system call, nothing that could need a lock of the parent's."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, _SIGTERM, 0, 0, 0)


@contextmanager
def running(
    argv: list[str],
    environment: Mapping[str, str],
    log: Path,
    *,
    pass_fds: tuple[int, ...] = (),
    stdin: int | IO[bytes] | None = subprocess.DEVNULL,
    stdout: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """`argv` as long as the block lasts; stderr (and stdout, unless given) is appended to `log`.

    Enter it from a thread that lives as long as the program: the kernel's parent-death signal goes by thread.
    """
    with log.open("ab") as out:
        process = subprocess.Popen(
            [find(argv[0]), *argv[1:]],
            env=dict(environment),
            stdin=stdin,
            stdout=out if stdout is None else stdout,
            stderr=out,
            pass_fds=pass_fds,
            start_new_session=True,
            # one prctl; Windows has no fork to run it after
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Terminate, wait, kill if need be, and reap."""
    process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def read_line(source: int | IO[bytes] | None, program: str, log: Path, within_s: float = START_S) -> str:
    """The line with which a program says that it is ready. Raises DeskError when it ends or stays silent instead."""
    if source is None:
        raise ValueError(f"{program} was started without a pipe")
    fd = source if isinstance(source, int) else source.fileno()
    deadline, line = time.monotonic() + within_s, b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([fd], [], [], max(0.0, deadline - time.monotonic()))
        piece = os.read(fd, 4096) if ready else b""
        if not piece:
            raise did_not_start(program, log)
        line += piece
    return line.decode().strip()


def wait_until(
    ready: Callable[[], bool], program: str, log: Path, process: subprocess.Popen[bytes], within_s: float = START_S
) -> None:
    """Ask `ready` every 5 ms, for what has no way to tell by itself. Raises DeskError when it ends or stays silent."""
    deadline = time.monotonic() + within_s
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise did_not_start(program, log)
        time.sleep(0.005)


def did_not_start(program: str, log: Path) -> DeskError:
    """The error of a program that never became ready, with the last lines of its log."""
    said = " | ".join(log.read_text(errors="replace").splitlines()[-3:]) if log.exists() else ""
    return DeskError(
        "program_failed", f"{program} did not start: {said or 'it said nothing'}.", f"Try {program} by hand."
    )

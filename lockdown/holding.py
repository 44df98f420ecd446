"""Who is answerable for the before-images of a folder: one process at a time, as long as it lives.

An agent holds them from before its first change until the machine has been given back; the guardian, the next agent and
`secureproctor unlock` while they restore. So no two of them ever restore at once, and none restores under an exam that runs.
The system takes the lock back when its holder dies, however it dies. Windows' side was run under Wine only.
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

NAME = "holder"
LOOK_S = 0.05


class Held(Exception):
    """Another process is answerable for the folder now; the text is a sentence that names it."""


@contextlib.contextmanager
def holding(folder: Path, who: str, patience_s: float = 0.0) -> Iterator[None]:
    """Be answerable while the body runs. `who` is for people. Waits for at most `patience_s`.

    Raises Held, and OSError when the folder cannot be written.
    """
    descriptor = hold(folder, who, patience_s)
    try:
        yield
    finally:
        release(descriptor)


def hold(folder: Path, who: str, patience_s: float = 0.0) -> int:
    """As `holding`, until the descriptor that it returns is released. No child inherits it.

    The file stays: removing it would let two processes hold locks on two files of one name.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _wait(descriptor, folder, time.monotonic() + patience_s)
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, f"{who}, process {os.getpid()}".encode())
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def release(descriptor: int) -> None:
    """Be answerable no longer. Twice is an error, as with a file."""
    try:
        _unlock(descriptor)
    finally:
        os.close(descriptor)


def holder(folder: Path) -> str:
    """Who held the folder last, in words."""
    try:
        return (folder / NAME).read_text() or "another process"
    except OSError:
        return "another process"


def _wait(descriptor: int, folder: Path, until: float) -> None:
    while True:
        try:
            return _lock(descriptor)
        except OSError:
            if time.monotonic() >= until:
                raise Held(f"{holder(folder)}, is answerable for the lockdown now.") from None
        time.sleep(LOOK_S)


if sys.platform == "win32":
    import msvcrt

    BEYOND = 1 << 20
    """A locked byte cannot be read by others: it is one behind the words."""

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, BEYOND, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        # the system would do it when the file is closed, but not always at once
        os.lseek(descriptor, BEYOND, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)

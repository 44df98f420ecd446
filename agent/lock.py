"""One agent per state folder: a lock that the system takes back when its holder dies, however it dies."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

ANOTHER_AGENT = 3
"""The exit code of an agent that found another one at work, so that who started it looks for that one."""


class AnotherAgent(OSError):
    """Another agent works on this folder."""


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder's lock while the body runs. Raises AnotherAgent, and OSError when the folder cannot be written.

    The file stays: removing it would let two agents hold locks on two files of one name. Not yet run on Windows.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            _lock(descriptor)
        except OSError as error:
            raise AnotherAgent(error.errno, f"another agent works on {folder}") from None
        yield
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

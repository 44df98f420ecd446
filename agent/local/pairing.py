"""The pairing token and the agent's address, in a file that only the agent's own user can read.

Local programs (`secureproctor status`, the secure browser's host) find the running agent by it.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import msgspec

NAME = "agent.json"


class Pairing(msgspec.Struct, frozen=True):
    """Where the running agent is, and what to present to it."""

    address: str
    token: str
    pid: int


def new_token() -> str:
    """A fresh token: 32 random bytes as text."""
    return secrets.token_urlsafe(32)


@contextlib.contextmanager
def published(folder: Path, pairing: Pairing) -> Iterator[None]:
    """Keep the file while the body runs; another agent's is left alone. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, part = folder / NAME, folder / f"{NAME}.{pairing.pid}"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, msgspec.json.encode(pairing))
    finally:
        os.close(descriptor)
    part.replace(path)
    try:
        yield
    finally:
        if find(folder) == pairing:
            path.unlink(missing_ok=True)


def find(folder: Path) -> Pairing | None:
    """The running agent's pairing, as far as the file tells; None when there is none."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Pairing)
    except (OSError, ValueError):
        return None

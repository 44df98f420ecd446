"""How a round looks and waits: what must be true is checked, what becomes true is waited for, what is left is found."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

from tests.lockdown.chaos.desktop import MARK

T = TypeVar("T")

LOOK_S = 0.005
PATIENCE_S = 30.0
"""What hangs for so long hangs."""


class Broken(Exception):
    """A promise was not kept. The text is a sentence."""


def check(true: object, sentence: str) -> None:
    """Raises Broken."""
    if not true:
        raise Broken(sentence)


def rest(seconds: float) -> None:
    """The random moment is what this is about; nothing is waited for."""
    time.sleep(seconds)


def wait_for(true: Callable[[], T], what: str | Callable[[], str], within_s: float = PATIENCE_S) -> T:
    """What becomes true. Raises Broken."""
    deadline = time.monotonic() + within_s
    while not (found := true()):
        check(time.monotonic() < deadline, f"waited in vain: {what if isinstance(what, str) else what()}")
        time.sleep(LOOK_S)
    return found


def strays(folder: Path) -> list[psutil.Process]:
    """The processes that were started on this desktop, by whomever, and still run."""
    mark = f"{MARK}={folder}".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, psutil.Error):  # gone, or another user's
            if mark in (place / "environ").read_bytes().split(b"\0"):
                found.append(psutil.Process(int(place.name)))
    return found


def named(folder: Path) -> str:
    """What they are called."""
    names = []
    for each in strays(folder):
        with contextlib.suppress(psutil.Error):
            names.append(" ".join(each.cmdline()))
    return ", ".join(names)

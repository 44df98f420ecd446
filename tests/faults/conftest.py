"""A course of faults as a play: beside the others, once for all of its tests, in a network of its own."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from secureproctor.demo.program import running
from tests.conftest import ROOT
from tests.faults.network import in_own_network

LONGEST_S = 300.0
T = TypeVar("T")


@dataclass(frozen=True)
class Course(Generic[T]):
    """A module of this folder whose `play()` gives an `observed`; after a dot the argument of it."""

    name: str
    observed: type[T]
    takes_s: float = 40.0

    def __str__(self) -> str:
        return self.name

    def play(self, folder: Path) -> T:
        """What was observed. Raises AssertionError with the course's last words when it broke off."""
        out, log = folder / "observed.json", folder / "course.log"
        words = [sys.executable, "-W", "error", "-m", "tests.faults.inside", self.name, str(out)]
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        with running(in_own_network(words), {**os.environ, "PYTHONPATH": path}, log) as process:
            code = process.wait(LONGEST_S)
        assert code == 0, f"the course {self.name!r} broke off: {log.read_text(errors='replace')[-3000:]}"
        return msgspec.json.decode(out.read_bytes(), type=self.observed)

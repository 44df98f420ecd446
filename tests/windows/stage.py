"""What the tests play with: programs in processes of their own, and a place whose rules are pumped as the guard does."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from secureproctor.contract.lockdown import LockdownSettings, RuleId
from secureproctor.lockdown.rule import Exam, Image, Rule, Sighting, Terms
from secureproctor.lockdown.windows.api_windows import DesktopWindows
from secureproctor.lockdown.windows.place import open_place

Measure = Callable[[str, list[float]], None]
"""Takes what was measured, and seconds."""
HERE = Path(__file__).parent
PATIENCE_S = 30.0

# A program that starts another one and ends: who it started is nobody's child then.
STARTER = """
import subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdin=sys.stdin, stdout=sys.stdout)
"""


class Actor:
    """actor.py in a process of its own, started by another one that ended, so that it is none of the agent's."""

    def __init__(self, *arguments: str, program: str = sys.executable) -> None:
        command = [program, str(HERE / "actor.py"), *arguments]
        pipe = subprocess.PIPE
        self._starter = subprocess.Popen([sys.executable, "-c", STARTER, *command], text=True, stdin=pipe, stdout=pipe)
        assert self._starter.stdin is not None
        assert self._starter.stdout is not None
        self._orders, self._answers = self._starter.stdin, self._starter.stdout
        self.window: int = self.answer()
        self._starter.wait(PATIENCE_S)
        self.pid = owner_of(self.window)

    def tell(self, order: str, *arguments: str) -> Any:
        """Give an order (a method of actor.py), and wait for its answer."""
        self.start(order, *arguments)
        return self.answer()

    def alive(self) -> bool:
        return owner_of(self.window) == self.pid

    def start(self, order: str, *arguments: str) -> None:
        """Without waiting for the answer."""
        self._orders.write(json.dumps([*order.split(), *arguments]) + "\n")
        self._orders.flush()

    def close(self) -> None:
        for pipe in (self._orders, self._answers):
            with contextlib.suppress(OSError):  # it was killed, and a line was still on its way
                pipe.close()

    def answer(self) -> Any:
        """To the order that was started last."""
        line = self._answers.readline()
        assert line, "the actor ended"
        return json.loads(line)


def owner_of(window: int) -> int:
    return DesktopWindows(0).owner(window)


class Stage:
    """A place, the rules that are applied in it, and what they told, with the time of each."""

    def __init__(self) -> None:
        self.place = open_place()
        self.told: list[tuple[float, Sighting]] = []
        self.applied: list[tuple[Rule, Image]] = []
        self._verified = 0.0

    def rule(self, wanted: RuleId) -> Any:
        return next(each for each in self.place.rules if each.id == wanted)

    def apply(self, *wanted: RuleId, exam: Actor | None = None, settings: LockdownSettings | None = None) -> None:
        terms = Terms(Exam(exam.pid, exam.window) if exam else Exam(), settings or LockdownSettings())
        for each in wanted:
            rule = self.rule(each)
            self.applied.append((rule, rule.before(terms)))
            rule.apply(terms, self._report)

    def pump_until(self, question: Callable[[], object], what: str = "it") -> float:
        """Pump and verify as the guard does, until the answer is yes; how many seconds that took."""
        began = time.monotonic()
        while not question():
            assert time.monotonic() - began < PATIENCE_S, (
                f"{what} did not happen; told: {[each for _, each in self.told]}"
            )
            self.pump()
        return time.monotonic() - began

    def pump(self) -> None:
        self.place.pump(0.05)
        if time.monotonic() - self._verified > 1:
            self._verified = time.monotonic()
            for rule, _ in self.applied:
                rule.verify()

    def pump_for(self, seconds: float) -> None:
        """For what must not happen."""
        until = time.monotonic() + seconds
        self.pump_until(lambda: time.monotonic() > until)

    def first(self, kind: str, **detail: object) -> float | None:
        """When this was told first."""
        return next((at for at, each in self.told if each.kind == kind and detail.items() <= each.detail.items()), None)

    def kinds(self) -> list[str]:
        return [each.kind for _, each in self.told]

    def close(self) -> None:
        for rule, image in reversed(self.applied):
            rule.restore(image)
        self.place.close()

    def _report(self, sighting: Sighting) -> None:
        self.told.append((time.monotonic(), sighting))

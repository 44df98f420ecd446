"""Rounds one after the other on one desktop, and the table of what came of them."""

import random
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from secureproctor.benchmarks.distribution import percentile
from secureproctor.benchmarks.tables import Cell, table
from secureproctor.demo.program import DeskError
from tests.lockdown.chaos.desktop import Desktop
from tests.lockdown.chaos.looks import Broken
from tests.lockdown.chaos.round import VICTIMS, Outcome, Round

HEAD = ("killed", "rounds", "then", "times", "median ms", "max ms", "broken")


def play(
    folder: Path, seed: int, numbers: Iterable[int], within_s: float, tell: Callable[[str], None]
) -> list[Outcome]:
    """The rounds of these numbers. A broken promise ends its round only; the next one has a new X server."""
    outcomes = []
    desktop = Desktop(folder)
    desktop.begin()
    try:
        for number in numbers:
            outcome = Outcome(number, victim_of(number))
            outcomes.append(outcome)
            try:
                Round(desktop, random.Random(f"{seed}/{number}"), within_s, outcome).play()
            except (Broken, DeskError) as broken:
                outcome.broken = str(broken)
                desktop.begin_again()
            tell(described(outcome))
    finally:
        desktop.end()
    return outcomes


def victim_of(number: int) -> str:
    """Each in turn."""
    return list(VICTIMS)[number % len(VICTIMS)]


def described(outcome: Outcome) -> str:
    """A round in a line, and below it what is not as it should be."""
    took = ", ".join(f"{what} {ms:.0f} ms" for what, ms in outcome.took_ms.items())
    lines = [f"round {outcome.number}: {outcome.victim}, {outcome.stage}: {took}"]
    lines += [f"  BROKEN: {outcome.broken}"] if outcome.broken else []
    return "\n".join((*lines, *(f"  logged: {each}" for each in outcome.faults)))


def summary(outcomes: list[Outcome]) -> str:
    """The table: for each victim, what came then, how often and how fast."""
    return table(HEAD, [row for victim in VICTIMS for row in _rows([o for o in outcomes if o.victim == victim])])


def _rows(outcomes: list[Outcome]) -> Iterable[list[Cell]]:
    came = dict.fromkeys(what for each in outcomes for what in each.took_ms)
    broken = [str(each.number) for each in outcomes if each.broken]
    for number, what in enumerate(came or {"–": None}):
        times = [each.took_ms[what] for each in outcomes if what in each.took_ms]
        first: list[Cell] = [outcomes[0].victim, str(len(outcomes))] if outcomes and not number else ["", ""]
        figures: list[Cell] = [percentile(times, 0.5), max(times)] if times else [None, None]
        yield [*first, what, str(len(times)), *figures, (" ".join(broken) or "none") if not number else ""]


def tell(line: str) -> None:
    """Say it now, also into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

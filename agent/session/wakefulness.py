"""Notices that the agent did not run for a while, and that somebody set the computer's clock. Pure: it is told three clocks.

Sleep is what the boot clock counts and the monotonic clock does not; a pause of both is an agent that was stopped or
starved. The wall clock is held against the boot clock, which nobody can set. On Windows and macOS both clocks are one
(agent/clock.py): there, sleep shows as a stall. Not yet run there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

STALL_US = 5_000_000
"""Nobody who works is away for so long; a computer under load is late by less."""
PAUSE_US = 1_600_000
"""So long between two looks, which are a second apart, explains a gap; it is not worth an event of its own."""
SLEEP_US = 1_000_000
CLOCK_SET_US = 2_000_000
"""More than the time service's own small corrections between two looks."""
KEPT = 32


class Times(NamedTuple):
    """The three clocks at one moment, in microseconds."""

    boot_us: int
    monotonic_us: int
    wall_us: int


@dataclass(frozen=True, slots=True)
class Absence:
    """The agent did not run between two times of the boot clock; `kind` is an event of contract/events.py."""

    kind: str
    since_us: int
    until_us: int


@dataclass(frozen=True, slots=True)
class ClockSet:
    """The wall clock was set forward, or back (negative), at a time of the boot clock."""

    at_us: int
    by_us: int


CAUSES = {"machine_slept": "machine asleep", "agent_stalled": "agent stalled"}
"""What an absence is called as the cause of a gap."""


@dataclass(slots=True)
class Wakefulness:
    """Looks at the clocks as often as somebody asks. Whoever asks finds; `news` hands out what was found, once."""

    clocks: Callable[[], Times]
    absences: list[Absence] = field(default_factory=list)
    _last: Times | None = None
    _news: list[Absence | ClockSet] = field(default_factory=list)

    def look(self) -> None:
        """Compare now with the last look."""
        now, last = self.clocks(), self._last
        self._last = now
        if last is None:
            return
        passed_us = now.boot_us - last.boot_us
        slept_us = passed_us - (now.monotonic_us - last.monotonic_us)
        if slept_us >= SLEEP_US:
            self._absent(Absence("machine_slept", last.boot_us, now.boot_us))
        elif passed_us >= PAUSE_US:
            self._absent(Absence("agent_stalled", last.boot_us, now.boot_us), worth_telling=passed_us >= STALL_US)
        set_us = now.wall_us - last.wall_us - passed_us
        if abs(set_us) >= CLOCK_SET_US:
            self._news.append(ClockSet(now.boot_us, set_us))

    def news(self) -> list[Absence | ClockSet]:
        """What was found since the last call."""
        self.look()
        found, self._news = self._news, []
        return found

    def cause(self, since_us: int, until_us: int) -> str:
        """Why there is no evidence between two times of the boot clock; empty when the agent was there."""
        self.look()
        for absence in self.absences:
            if absence.since_us < until_us and since_us < absence.until_us:
                return CAUSES[absence.kind]
        return ""

    def _absent(self, absence: Absence, *, worth_telling: bool = True) -> None:
        if worth_telling:
            self._news.append(absence)
        self.absences = [*self.absences[1 - KEPT :], absence]

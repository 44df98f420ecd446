"""What a person may set of a course, as a table: its terms, with their limits and their meaning.

The command line is made of this table; which of them a story takes, and what it takes when nothing is said, is the story's.
"""

from dataclasses import dataclass

MBIT = 1e6 / 8
"""Bytes per second of one megabit per second."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a course. 0: it follows from the others, or there is none of it.

    `rate_mbit` is what the link carries after an outage, megabits per second each way.
    """

    duration_s: float = 0.0
    outage_s: float = 0.0
    expiry_s: float = 0.0
    rate_mbit: float = 0.0
    kills: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Option:
    """A term on the command line: the least and the most that it may be, and what it means."""

    term: str
    unit: str
    least: float
    most: float
    meaning: str
    whole: bool = False


OPTIONS: dict[str, Option] = {
    "duration": Option("duration_s", "S", 5, 4 * 3600, "running time in seconds"),
    "outage": Option("outage_s", "S", 1, 4 * 3600, "for how long the link is silent, in seconds"),
    "expiry": Option("expiry_s", "S", 10, 86400, "session expiry time in seconds", whole=True),
    "rate": Option("rate_mbit", "MBIT", 0, 10_000, "what the link carries after the outage, Mbit/s; 0: all it can"),
    "kills": Option("kills", "N", 1, 1000, "how often the agent is killed", whole=True),
    "seed": Option("seed", "N", 0, 2**31, "decides the moments of the kills", whole=True),
}
"""Every option of a course, by its name on the command line."""

"""What was seen of a course from outside, as plain data; the stories' figures are made of it.

All times are seconds since 1970: what is looked at (page, agent, service, proxy) is on one machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from secureproctor.contract.console import SessionSnapshot
from secureproctor.contract.http import StoredList
from secureproctor.contract.page import Status
from secureproctor.contract.report import Report
from secureproctor.demo.terms import Terms

Figure = float | list[float]
Figures = dict[str, Figure]
Position = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Told:
    """What the candidate's page said: what kind of news it shows, and the countdown's seconds while there is one."""

    kind: str = ""
    countdown_s: int | None = None


@dataclass(slots=True)
class Life:
    """One of the agent's processes: when it was started, from when on it answered, when it was killed."""

    began: float
    up: float | None = None
    killed: float | None = None


@dataclass(slots=True)
class Account:
    """The account of one session. Each list is in the order of time; a pair begins with the moment of the look."""

    terms: Terms
    statuses: list[tuple[float, Status]] = field(default_factory=list)
    snapshots: list[tuple[float, SessionSnapshot]] = field(default_factory=list)
    told: list[tuple[float, Told]] = field(default_factory=list)
    ages: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    """How old the newest part of each stream was that a proctor could watch, in seconds."""
    marks: dict[str, float] = field(default_factory=dict)
    """When something was done: `contact` (the last one before the link went), `cut`, `back`, and what msb.py names."""
    verdicts: dict[str, str] = field(default_factory=dict)
    """What the exam's server was told of a request, by who made it."""
    lives: list[Life] = field(default_factory=list)
    acknowledged: list[StoredList] = field(default_factory=list)
    """What the service held just before each kill."""
    stored: StoredList = field(default_factory=lambda: StoredList({}))
    """What it holds at the end."""
    spans: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """From when to when each segment of a stream lasts that can be played at the end."""
    link_bytes_per_s: float = 0.0
    """What the link carried when nothing else was on it; 0: not measured."""

    def statuses_since(self, at: float) -> Iterator[tuple[float, Status]]:
        """The agent's statuses from a moment on."""
        return (each for each in self.statuses if each[0] >= at)

    def bytes_at(self, at: float) -> int:
        """How many bytes of evidence the service had at a moment."""
        seen = [snapshot for moment, snapshot in self.snapshots if moment <= at]
        return evidence_bytes(seen[-1]) if seen else 0


def rounded(figures: Figures) -> Figures:
    """The figures as they are shown: thousandths are more than was measured."""
    return {name: _rounded(value) for name, value in figures.items()}


def _rounded(value: Figure) -> Figure:
    return [round(each, 3) for each in value] if isinstance(value, list) else round(value, 3)


def evidence_bytes(snapshot: SessionSnapshot) -> int:
    """Bytes of evidence that the service has."""
    return sum(each.bytes for each in snapshot.streams.values())


def positions(stored: StoredList) -> set[Position]:
    """Each record that the service holds, by its place in the chains."""
    return {
        (stream, epoch, seq)
        for stream, runs in stored.streams.items()
        for epoch, first, last in runs
        for seq in range(first, last + 1)
    }


def holes(report: Report, stream: str) -> list[tuple[float, float]]:
    """The gaps of a stream in seconds of the session clock; those that touch each other are one, whatever their causes."""
    joined: list[tuple[float, float]] = []
    for start, end in sorted((gap.start_s, gap.end_s) for gap in report.gaps if gap.stream == stream):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined

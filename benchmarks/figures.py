"""What one measurement of one program gives, and how several of them become one row: medians, ranges, ratios. Pure.

Ratios are of medians, so that a reader can compute them again from the table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """What came out of a stream: bits and pictures a second (audio: none); the share of the time covered, where known."""

    kbit_s: float
    fps: float | None = None
    coverage_pct: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a program has to show at its end: its streams, and start-up times in seconds by name where it has any."""

    streams: dict[str, StreamFigures] = field(default_factory=dict)
    starts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement. Processor times are seconds a minute: of the program, and by name of what it makes work for it."""

    cpu: float
    beside: dict[str, float]
    peak_mb: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, with the least and the greatest."""

    median: float
    least: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    """Of at least one value."""
    return Spread(median(values), min(values), max(values))


def ratio(value: float, ours: float) -> float | None:
    """How many times ours; None where ours is nothing."""
    return value / ours if ours else None


def middle(samples: Sequence[Sample], stream: str) -> StreamFigures:
    """The median of each figure of a stream, but the least coverage: a loss may not hide behind a median. Unknown stays so."""
    found = [each.outcome.streams[stream] for each in samples if stream in each.outcome.streams]
    return StreamFigures(
        median(each.kbit_s for each in found),
        _known(median, [each.fps for each in found]),
        _known(min, [each.coverage_pct for each in found]),
    )


def _known(of: Callable[[list[float]], float], values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return of(known) if known else None

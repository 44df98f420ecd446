"""What a story promises, as rows; what a summary falls short of becomes a sentence with a remedy. Pure."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from secureproctor.demo.account import Figure
from secureproctor.demo.summary import Failure, Summary

MIN_COVERAGE_PCT = 98.0
STARTING_S = 0.5
"""Devices take as long to open in a short course as in a long one; this much is never held against a stream."""
MAX_SKEW_MS = 100.0
MIN_PAIRS = 3
"""Fewer pairs of flash and beep are no measurement: a single late frame would decide."""

Promise = Callable[[Summary], Iterator[Failure]]


def covered(least_pct: float) -> Promise:
    """So much of the running time is covered in every stream."""

    def look(summary: Summary) -> Iterator[Failure]:
        for stream, each in summary.streams.items():
            if each.covered_s + STARTING_S < summary.seconds_running * least_pct / 100:
                sentence = f"Only {each.coverage_pct:.1f} % of the {stream} is covered."
                yield Failure("coverage_low", sentence, "See gaps.")

    return look


def without_gaps(summary: Summary) -> Iterator[Failure]:
    """Nothing is missing."""
    for gap in summary.gaps:
        sentence = f"The {gap.stream} is missing from {gap.start_s:.1f} s to {gap.end_s:.1f} s ({gap.cause})."
        yield Failure("gap", sentence, "See gaps, and agent.log at that time.")


def verified(summary: Summary) -> Iterator[Failure]:
    """Every hash chain holds."""
    if not summary.verified:
        yield Failure("not_verified", "The hash chain of a stream does not hold.", "See the report's chains.")


def acknowledged(summary: Summary) -> Iterator[Failure]:
    """Every command went all its way."""
    for each in summary.commands:
        if each.status != "acknowledged":
            yield Failure("command_open", f"The command {each.kind} is only {each.status}.", "See agent.log.")


def in_step(summary: Summary) -> Iterator[Failure]:
    """Sound and picture belong together."""
    skewed = summary.av_skew_ms
    if skewed.median is not None and skewed.pairs >= MIN_PAIRS and abs(skewed.median) > MAX_SKEW_MS:
        usual = f"{skewed.median:.0f} ms"
        yield Failure("av_skew", f"The sound is {usual} behind the picture.", "See av_skew_ms.")


def ended(reason: str) -> Promise:
    """The session ended for this reason."""

    def look(summary: Summary) -> Iterator[Failure]:
        if summary.end_reason != reason:
            sentence = f"The session ended as {summary.end_reason or 'nothing'!r}, not as {reason!r}."
            yield Failure("end_reason", sentence, "See the events in report.json.")

    return look


@dataclass(frozen=True, slots=True)
class Limit:
    """A figure that is to be in bounds. `sentence` says what is wrong, with the figure as `{value}`."""

    figure: str
    sentence: str
    least: float = -math.inf
    most: float = math.inf
    remedy: str = "See figures in summary.json, and agent.log."

    def __call__(self, summary: Summary) -> Iterator[Failure]:
        """The failure, if there is one."""
        value: Figure | None = summary.figures.get(self.figure)
        if not isinstance(value, int | float):
            yield Failure("not_measured", f"{self.figure} could not be measured.", "Play the story for longer.")
        elif not self.least <= value <= self.most:
            yield Failure(self.figure, self.sentence.format(value=value), self.remedy)


COURSE: tuple[Promise, ...] = (verified, acknowledged, in_step)
"""What every course promises."""


def shortcomings(summary: Summary, promises: tuple[Promise, ...]) -> list[Failure]:
    """All that falls short."""
    return [failure for promise in promises for failure in promise(summary)]

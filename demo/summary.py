"""What a course gave, as data: the same keys for every course, so that a script can compare them."""

from pathlib import Path

import msgspec

from secureproctor.contract.report import Gap, Report
from secureproctor.demo.recordings import Recording
from secureproctor.demo.sync import Skew


class StreamSummary(msgspec.Struct, frozen=True):
    """A stream: what arrived, and what its recording holds."""

    segments: int
    bytes: int
    covered_s: float
    coverage_pct: float
    codec: str
    width: int
    height: int
    frames: int


class SkewSummary(msgspec.Struct, frozen=True):
    """Sound minus picture in milliseconds; None where the recordings hold no pair of flash and beep."""

    median: float | None
    max: float | None
    pairs: int = 0
    drift_per_minute: float | None = None


class CheckSummary(msgspec.Struct, frozen=True):
    """A check as the candidate saw it."""

    id: str
    status: str
    seen: str
    remedy: str


class CommandSummary(msgspec.Struct, frozen=True):
    """A command's way; milliseconds since 1970."""

    id: str
    kind: str
    issued_ms: int
    received_ms: int | None
    applied_ms: int | None
    acknowledged_ms: int | None
    status: str


class ReportSummary(msgspec.Struct, frozen=True):
    """Where the report is: its address while the service runs, and the files in the output folder; empty: there is none."""

    url: str = ""
    json: str = ""
    html: str = ""
    png: str = ""


class Failure(msgspec.Struct, frozen=True):
    """Something that went wrong: a code, a sentence, what to do."""

    code: str
    message: str
    remedy: str = ""


class Summary(msgspec.Struct, frozen=True):
    """summary.json."""

    story: str
    ok: bool
    failures: list[Failure]
    seconds_running: float = 0.0
    streams: dict[str, StreamSummary] = {}
    gaps: list[Gap] = []
    verified: bool = False
    av_skew_ms: SkewSummary = SkewSummary(None, None)
    first_segment_s: float | None = None
    checks: list[CheckSummary] = []
    commands: list[CommandSummary] = []
    end_reason: str = ""
    report: ReportSummary = ReportSummary()
    files: list[str] = []
    notes: list[str] = []


MIN_COVERAGE_PCT = 98.0
STARTING_S = 0.5
"""Devices take as long to open in a short course as in a long one; this much is never held against a stream."""
MAX_SKEW_MS = 100.0
MIN_PAIRS = 3
"""Fewer pairs of flash and beep are no measurement: a single late frame would decide."""


def streams(report: Report, recordings: dict[str, Recording]) -> dict[str, StreamSummary]:
    """Each stream of the report with what its recording holds."""
    found = {}
    for each in report.streams:
        recording = recordings.get(each.stream)
        codec = recording.codec if recording else each.codec
        size = (recording.width, recording.height, recording.frames) if recording else (0, 0, 0)
        found[each.stream] = StreamSummary(
            each.segments, each.bytes, each.covered_s, each.coverage_pct, codec, *size
        )  # fmt: skip
    return found


def commands(report: Report) -> list[CommandSummary]:
    """The commands of the report."""
    return [
        CommandSummary(
            each.id, each.kind, each.issued_ms, each.received_ms, each.applied_ms, each.acknowledged_ms, each.status
        )
        for each in report.commands
    ]


def skew(measured: Skew | None) -> SkewSummary:
    """The measured skew; empty where there was nothing to measure."""
    if measured is None or not len(measured.ms):
        return SkewSummary(None, None)
    return SkewSummary(
        round(measured.median_ms, 1),
        round(measured.max_ms, 1),
        len(measured.ms),
        round(measured.drift_ms_per_minute, 2),
    )


def shortcomings(summary: Summary) -> list[Failure]:
    """What falls short of what a course promises. Pure."""
    found = [
        Failure("coverage_low", f"Only {each.coverage_pct:.1f} % of the {stream} is covered.", "See gaps.")
        for stream, each in summary.streams.items()
        if each.covered_s + STARTING_S < summary.seconds_running * MIN_COVERAGE_PCT / 100
    ]
    if not summary.verified:
        found.append(Failure("not_verified", "The hash chain of a stream does not hold.", "See the report's chains."))
    found += [
        Failure("command_open", f"The command {each.kind} is only {each.status}.", "See agent.log.")
        for each in summary.commands
        if each.status != "acknowledged"
    ]
    skewed = summary.av_skew_ms
    if skewed.median is not None and skewed.pairs >= MIN_PAIRS and abs(skewed.median) > MAX_SKEW_MS:
        usual = f"{skewed.median:.0f} ms"
        found.append(Failure("av_skew", f"The sound is {usual} behind the picture.", "See av_skew_ms."))
    return found


def write(summary: Summary, path: Path) -> None:
    """Write summary.json."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")

"""What a course gave, as data: the same keys for every course, so that a script can compare them."""

from pathlib import Path

import msgspec

from secureproctor.contract.report import Gap, Report
from secureproctor.demo.account import Figures
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
    """summary.json. `figures` are the story's own; each story's module has a table of their meanings."""

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
    figures: Figures = {}


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


def write(summary: Summary, path: Path) -> None:
    """Write summary.json."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")

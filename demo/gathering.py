"""What remains of a course, gathered into the output folder: report, recordings, pictures, and the summary of it all."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec

from secureproctor.contract.report import Report
from secureproctor.contract.streams import MEDIA, Stream
from secureproctor.demo import summary as results
from secureproctor.demo.account import Figures, rounded
from secureproctor.demo.program import DeskError
from secureproctor.demo.promises import Promise, shortcomings
from secureproctor.demo.recordings import FILES, Recording, fetch
from secureproctor.demo.sync import mark_in, measure

REPORT = results.ReportSummary("", "report.json", "report.html", "report.png")
DEMO_PICTURE = "demo.png"
PICTURES = {
    name: f"{name}.png"
    for name in ("authorization", "offline", "drain", "expired", "locked", "wall", "candidate", "desk", "rules")
}
"""Pictures on the way, in stories that take them: first those of the candidate's page, then those of the console."""
SUMMARY = "summary.json"
LOGS = ("service.log", "agent.log", "exam.log", "intruder.log")
NAMES = frozenset(
    {SUMMARY, REPORT.json, REPORT.html, REPORT.png, DEMO_PICTURE, *PICTURES.values(), *LOGS, *FILES.values()}
)
"""All that a course writes; nothing else in an output folder is ever touched."""
UNFINISHED = results.Failure("unfinished", "The course has not come to its end.", "Wait for it, or play it again.")


@dataclass(frozen=True, slots=True)
class Gathered:
    """A session's report, the link to its page, and its recordings by stream."""

    report: Report
    link: str
    recordings: dict[str, Recording]

    @property
    def playable_s(self) -> float:
        """How much of the recording the report page can play; 0 when nothing is recorded."""
        return self.report.running_s if any(each.playlist for each in self.report.streams) else 0.0


def prepare(out: Path, story: str) -> None:
    """An output folder without an earlier course. Raises DeskError, and leaves alone a folder that holds other files.

    Until the course has ended, its summary says that it has not: so does that of one that was killed.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(each.name not in NAMES for each in out.iterdir()):
            raise DeskError("folder_not_empty", f"{out} holds other files.", "Name another folder with --out.")
        for name in NAMES:
            (out / name).unlink(missing_ok=True)
        results.write(results.Summary(story, False, [UNFINISHED]), out / SUMMARY)
    except OSError as error:
        raise DeskError("folder_unusable", f"{out}: {error.strerror}.", "Name another folder with --out.") from None


async def gather(answer: object, link: str, service_url: str, out: Path) -> Gathered:
    """Keep the report (`answer` is its JSON as plain data), and fetch the recordings."""
    report = msgspec.convert(answer, Report)
    (out / REPORT.json).write_bytes(msgspec.json.format(msgspec.json.encode(answer), indent=2))
    access = parse_qs(urlsplit(link).query)["access"][0]
    recordings: dict[str, Recording] = {}
    async with httpx.AsyncClient(timeout=30) as client:
        for stream in MEDIA:
            address = f"{service_url}/v1/sessions/{report.session_id}/media/{stream}.m3u8?access={access}"
            recording = await fetch(client, address, out / FILES[stream])
            if recording is not None:
                recordings[stream] = recording
    return Gathered(report, link, recordings)


def skew(recordings: dict[str, Recording]) -> results.SkewSummary:
    """How far apart sound and picture of an exam page with sync marks are."""
    screen, audio = recordings.get(Stream.SCREEN), recordings.get(Stream.AUDIO)
    if screen is None or audio is None:
        return results.skew(None)
    return results.skew(measure(screen.path, audio.path, mark_in(screen.width, screen.height)))


def summarize(
    story: str,
    gathered: Gathered,
    out: Path,
    *,
    checks: list[results.CheckSummary],
    first_segment_s: float | None,
    av_skew: results.SkewSummary,
    promises: tuple[Promise, ...],
    figures: Figures | None = None,
) -> results.Summary:
    """The summary, with the files that are in `out` by now, and judged by what the story promises."""
    report, present = gathered.report, {each.name for each in out.iterdir()}
    shown = msgspec.structs.replace(
        REPORT,
        url=gathered.link,
        html=REPORT.html if REPORT.html in present else "",
        png=REPORT.png if REPORT.png in present else "",
    )
    summary = results.Summary(
        story,
        True,
        [],
        round(report.running_s, 3),
        results.streams(report, gathered.recordings),
        list(report.gaps),
        report.verified,
        av_skew,
        first_segment_s,
        checks,
        results.commands(report),
        report.end_reason,
        shown,
        sorted(present | {SUMMARY}),
        figures=rounded(figures or {}),
    )
    failures = shortcomings(summary, promises)
    return msgspec.structs.replace(summary, ok=not failures, failures=failures)

"""The demo's command line: which course is played, what is shown of it, and how a failure is told."""

import argparse
import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from av import FFmpegError
from playwright.async_api import Error as PlaywrightError
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from websockets.exceptions import WebSocketException

from secureproctor.demo import summary as results
from secureproctor.demo.attended import Attended
from secureproctor.demo.breakage import BREAKAGES
from secureproctor.demo.course import Course
from secureproctor.demo.desk import has_own_devices
from secureproctor.demo.gathering import SUMMARY, prepare
from secureproctor.demo.interruption import Interruption
from secureproctor.demo.program import DeskError
from secureproctor.demo.stories import STORIES
from secureproctor.demo.terms import OPTIONS, Option, Terms

TROUBLE: dict[type[Exception], tuple[str, str]] = {
    PlaywrightError: ("page_failed", "Look at the pages by hand, and try again."),
    httpx.HTTPError: ("service_failed", "Look into service.log in the output folder, and try again."),
    WebSocketException: ("service_failed", "Look into service.log in the output folder, and try again."),
    FFmpegError: ("recording_unreadable", "Look at the recordings in the output folder."),
    OSError: ("system_refused", "Check the space and the rights on this machine, and try again."),
}
"""What may go wrong that carries no code and remedy of its own."""
EXPECTED: tuple[type[BaseException], ...] = (asyncio.CancelledError, DeskError, *TROUBLE)
INTERRUPTED = results.Failure("interrupted", "The course was interrupted.", "Play it again.")


def run(argv: list[str] | None, interruption: Interruption) -> int:
    """Play a course; the exit code."""
    arguments = _parse(argv)
    console = Console(highlight=False)
    out = Path(arguments.out)
    course = _course(arguments, out, console)
    try:
        prepare(out, course.name)
    except DeskError as error:
        _tell(results.Failure(error.code, error.sentence, error.remedy), console)
        return 1
    try:
        summary = interruption.run(course.perform())
    except EXPECTED as error:
        # once interrupted, an error is only what a page or a program says of being taken down
        failure = INTERRUPTED if interruption.number else _failure(error)
        summary = results.Summary(course.name, False, [failure], checks=course.checks)
    results.write(summary, out / SUMMARY)
    if interruption.number:
        console.print("Stopped. Nothing is left running.")
        return interruption.exit_code
    _show(summary, console)
    console.print(f"All of it: {out / SUMMARY}", markup=False, soft_wrap=True)
    return 0 if summary.ok else 1


def _course(arguments: argparse.Namespace, out: Path, console: Console) -> Course | Attended:
    begun = time.monotonic()

    def tell(sentence: str) -> None:
        console.print(f"[dim]{time.monotonic() - begun:6.1f} s[/dim]  {escape(sentence)}")

    if arguments.own_devices:
        options = ["--test-camera", arguments.test_camera] if arguments.test_camera else []
        return Attended(arguments.terms.duration_s, out, options, tell, console)
    return Course(arguments.story, arguments.terms, out, BREAKAGES[arguments.broken], tell)


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="secureproctor demo", description="Play a whole proctored session.")
    add = parser.add_argument
    for name, option in OPTIONS.items():
        add(f"--{name}", type=_within(option), metavar=option.unit, help=f"{option.meaning} ({_usual(option)})")
    add("--out", default="demo-out", metavar="DIR", help="the output folder (demo-out)")
    told = "; ".join(f"{name}: {each.meaning}" for name, each in STORIES.items())
    add("--story", choices=sorted(STORIES), help=f"the course of the session on the virtual desk (plain); {told}")
    meanings = "; ".join(f"{name}: {each.meaning}" for name, each in BREAKAGES.items())
    add("--broken", choices=sorted(BREAKAGES), help=f"break something on the virtual desk: {meanings}")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--desk", action="store_true", help="play on a virtual desk, also on a PC with a screen")
    where.add_argument(
        "--own-devices", action="store_true", help="use this PC's screen, camera, microphone and browser"
    )
    add("--test-camera", metavar="URL", help="a camera's address in place of this PC's camera")
    arguments = parser.parse_args(argv)
    scripted = bool(arguments.desk or arguments.story or arguments.broken)
    if arguments.own_devices and scripted:
        parser.error("--story and --broken are for the virtual desk, not for --own-devices")
    arguments.own_devices |= not scripted and has_own_devices()
    if arguments.test_camera and not arguments.own_devices:
        parser.error("--test-camera is for --own-devices: the virtual desk has a camera")
    arguments.story = arguments.story or "plain"
    arguments.broken = arguments.broken or "nothing"
    try:
        arguments.terms = _terms(arguments)
    except ValueError as error:
        parser.error(str(error))
    return arguments


def _terms(arguments: argparse.Namespace) -> Terms:
    """The terms of the course. Raises ValueError with a sentence."""
    story, given = STORIES[arguments.story], {}
    for name, option in OPTIONS.items():
        value = getattr(arguments, name)
        if value is not None and option.term not in story.usual:
            raise ValueError(f"--{name} is not for the story {arguments.story}")
        if value is not None:
            given[option.term] = value
    return story.terms(given)


def _within(option: Option) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = int(text) if option.whole else float(text)
        if not option.least <= value <= option.most:
            raise argparse.ArgumentTypeError(f"must be {option.least:g} to {option.most:g}")
        return value

    return read


def _usual(option: Option) -> str:
    """What a story takes when nothing is said; 0 is what follows from the others."""
    usual = {name: story.usual[option.term] for name, story in STORIES.items() if option.term in story.usual}
    return ", ".join(f"{name} {value:g}" if value else f"{name} by the others" for name, value in usual.items())


def _failure(error: BaseException) -> results.Failure:
    if isinstance(error, DeskError):
        return results.Failure(error.code, error.sentence, error.remedy)
    code, remedy = next(row for kind, row in TROUBLE.items() if isinstance(error, kind))
    said = str(error).splitlines() or [type(error).__name__]
    return results.Failure(code, said[0], remedy)


def _tell(failure: results.Failure, console: Console) -> None:
    console.print(f"[bold red]{failure.code}[/bold red]: {escape(failure.message)}", soft_wrap=True)
    if failure.remedy:
        console.print(f"  What to do: {failure.remedy}", markup=False, soft_wrap=True)


def _show(summary: results.Summary, console: Console) -> None:
    for failure in summary.failures:
        _tell(failure, console)
    for note in summary.notes:
        console.print(note, markup=False, soft_wrap=True)
    if not summary.streams:
        return
    table = Table("Stream", "Coverage", "Segments", "Megabytes", "Codec", "Size", title="What the service has")
    for stream, each in summary.streams.items():
        size = f"{each.width}×{each.height}" if each.width else ""
        megabytes = f"{each.bytes / 1e6:.2f}"
        table.add_row(stream, f"{each.coverage_pct:.1f} %", str(each.segments), megabytes, each.codec, size)
    console.print(table)
    console.print(f"Ran {summary.seconds_running:.1f} s; {_verdict(summary)}.")
    if summary.figures:
        console.print(_figures(summary))


def _figures(summary: results.Summary) -> Table:
    table = Table("Figure", "", "What it is", title=f"The story {summary.story}")
    for name, value in summary.figures.items():
        if not isinstance(value, list):
            shown = f"{value:,.0f}" if isinstance(value, int) or abs(value) >= 1000 else f"{value:.2f}"
            table.add_row(name, shown, STORIES[summary.story].meanings[name])
    return table


def _verdict(summary: results.Summary) -> str:
    chain = "all hash chains hold" if summary.verified else "a hash chain does not hold"
    skewed = summary.av_skew_ms
    if skewed.median is None or skewed.max is None:
        return chain
    return f"{chain}; sound against picture {skewed.median:+.0f} ms, {skewed.max:.0f} ms at most"

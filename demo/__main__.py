"""`secureproctor demo`: plays a whole proctored session on this machine, and ends by itself.

A failure is a sentence with its remedy and exit code 1; Ctrl-C at any moment takes everything down and exits with 130.
"""

import argparse
import asyncio
import shutil
import signal
import sys
import time
from pathlib import Path

from playwright.async_api import Error as PlaywrightError
from rich.console import Console
from rich.table import Table

from secureproctor.demo import summary as results
from secureproctor.demo.breakage import BREAKAGES
from secureproctor.demo.course import Course
from secureproctor.demo.desk import Desk, desk
from secureproctor.demo.program import DeskError
from secureproctor.demo.story import STORIES


def main(argv: list[str] | None = None) -> int:
    """Play a course; 0 when it kept all promises."""
    arguments = _parser().parse_args(argv)
    console = Console(highlight=False)
    out = Path(arguments.out)
    broken = BREAKAGES[arguments.broken]
    begun = time.monotonic()

    def tell(sentence: str) -> None:
        console.print(f"[dim]{time.monotonic() - begun:6.1f} s[/dim]  {sentence}")

    course = Course(arguments.story, arguments.duration, out, broken, tell)
    try:
        _fresh_folder(out)
        tell("Setting up the virtual desk: screen, sound, camera")
        with desk(screen=broken.screen, camera=broken.camera, sound=broken.sound) as pc:
            summary = asyncio.run(_until_told(course, pc))
    except DeskError as error:
        failure = results.Failure(error.code, error.sentence, error.remedy)
        summary = results.Summary(course.story, False, [failure], checks=course.checks)
    except PlaywrightError as error:
        failure = results.Failure(
            "page_failed", str(error).splitlines()[0], "Look at the pages by hand, and try again."
        )
        summary = results.Summary(course.story, False, [failure], checks=course.checks)
    except KeyboardInterrupt:
        console.print("Stopped. Nothing is left running.")
        return 130
    results.write(summary, out / "summary.json")
    _show(summary, out, console)
    return 0 if summary.ok else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="secureproctor demo", description="Play a whole proctored session.")
    parser.add_argument("--duration", type=_seconds, default=60.0, metavar="S", help="running time in seconds (60)")
    parser.add_argument("--out", default="demo-out", metavar="DIR", help="the output folder (demo-out)")
    parser.add_argument("--story", choices=sorted(STORIES), default="plain", help="the course of the session")
    meanings = "; ".join(f"{name}: {each.meaning}" for name, each in BREAKAGES.items())
    parser.add_argument("--broken", choices=sorted(BREAKAGES), default="nothing", help=meanings)
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 5 <= value <= 4 * 3600:
        raise argparse.ArgumentTypeError("must be 5 to 14400 seconds")
    return value


def _fresh_folder(out: Path) -> None:
    """An output folder of ours is emptied; anything else that is not empty is left alone."""
    try:
        if out.is_dir() and any(out.iterdir()):
            if not (out / "summary.json").exists():
                raise DeskError("folder_not_empty", f"{out} holds other files.", "Name another folder with --out.")
            shutil.rmtree(out)
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeskError("folder_unusable", f"{out}: {error.strerror}.", "Name another folder with --out.") from None


async def _until_told(course: Course, pc: Desk) -> results.Summary:
    """Play; SIGTERM ends it in the same way as Ctrl-C."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await course.play(pc)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _show(summary: results.Summary, out: Path, console: Console) -> None:
    for failure in summary.failures:
        console.print(f"[bold red]{failure.code}[/bold red]: {failure.message}", markup=True)
        if failure.remedy:
            console.print(f"  What to do: {failure.remedy}", markup=False)
    if summary.streams:
        table = Table("Stream", "Coverage", "Segments", "Megabytes", "Codec", "Size", title="What the service has")
        for stream, each in summary.streams.items():
            size = f"{each.width}×{each.height}" if each.width else ""
            megabytes = f"{each.bytes / 1e6:.2f}"
            table.add_row(stream, f"{each.coverage_pct:.1f} %", str(each.segments), megabytes, each.codec, size)
        console.print(table)
        skew = summary.av_skew_ms
        console.print(
            f"Ran {summary.seconds_running:.1f} s, verified: {summary.verified}, sound against picture: {skew}"
        )
    console.print(f"All of it: {out / 'summary.json'}")


if __name__ == "__main__":
    sys.exit(main())

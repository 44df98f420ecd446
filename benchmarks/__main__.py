"""`make bench`: measures, prints the tables and writes the document.

A failure is a sentence with its remedy and exit code 1; Ctrl-C at any moment takes everything down and exits with 130.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from secureproctor.benchmarks import machine
from secureproctor.benchmarks.benches import BENCHES, SCENES
from secureproctor.benchmarks.document import Run, brief, document, starts_of
from secureproctor.benchmarks.measure import Taken, interleaved
from secureproctor.benchmarks.place import Place
from secureproctor.benchmarks.starts import timed
from secureproctor.demo.browser import chromium, exam_address
from secureproctor.demo.desk import Desk, desk
from secureproctor.demo.program import DeskError
from secureproctor.demo.stage import service


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured; `seconds` is the length of each measurement."""

    scenes: tuple[str, ...]
    repetitions: int
    starts: int
    seconds: float


def main(argv: list[str] | None = None) -> int:
    """Measure; the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        run = _run(_command(arguments), _size(arguments))
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(document(run), encoding="utf-8")
    except DeskError as error:
        print(f"{error.code}: {error.sentence}\n  {error.remedy}", file=sys.stderr)
        return 1
    except PlaywrightError as error:
        print(f"page_failed: {str(error).splitlines()[0]}\n  Try again.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The document cannot be written: {error}.\n  Name another file with --out.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Nothing is left running.", file=sys.stderr)
        return 130
    print(f"\n{brief(run)}\nAll of it: {arguments.out}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="secureproctor.benchmarks", description="Measure the agent beside its peers.")
    seconds = "how long each program is measured in each scene, all repetitions together (30)"
    parser.add_argument("--seconds", type=_seconds, default=30.0, metavar="S", help=seconds)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks.md"), help="the document (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="one scene and one repetition: shows that all works")
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 1 <= value <= 3600:
        raise argparse.ArgumentTypeError("must be 1 to 3600 seconds")
    return value


def _size(arguments: argparse.Namespace) -> Size:
    if arguments.quick:
        return Size(("typing",), repetitions=1, starts=2, seconds=arguments.seconds)
    return Size(tuple(SCENES), repetitions=3, starts=7, seconds=arguments.seconds / 3)


def _command(arguments: argparse.Namespace) -> str:
    """What the document names; without --out, which changes nothing that was measured."""
    words = ["--quick"] if arguments.quick else []
    words += [f"--seconds {arguments.seconds:g}"] if arguments.seconds != 30 else []
    return f"make bench ARGS='{' '.join(words)}'" if words else "make bench"


def _run(command: str, size: Size) -> Run:
    """Raises DeskError, PlaywrightError and KeyboardInterrupt."""
    begun = time.monotonic()

    def tell(sentence: str) -> None:
        print(f"{time.monotonic() - begun:6.1f} s  {sentence}", flush=True)

    busy_pct, described = machine.busy_pct(), machine.described()
    tell(f"The machine is {busy_pct:.0f} % busy with other things")
    with desk() as pc:
        starts = timed(size.starts, pc.environment)
        taken = asyncio.run(_until_told(pc, size, tell))
    return Run(
        command,
        date.today(),  # noqa: DTZ011 - the day where it was measured
        described,
        busy_pct,
        size.seconds,
        size.repetitions,
        taken,
        starts | starts_of(taken),
    )


async def _until_told(pc: Desk, size: Size, tell: Callable[[str], None]) -> list[Taken]:
    """Measure; SIGTERM ends it in the same way as Ctrl-C."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await _measure(pc, size, tell)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _measure(pc: Desk, size: Size, tell: Callable[[str], None]) -> list[Taken]:
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(service(pc.folder, pc.environment))
        browser = await stack.enter_async_context(chromium(pc.environment, kiosk=True))
        show = partial(_show, browser.pages[0])
        places = {scene: Place(pc, running, partial(show, scene)) for scene in size.scenes}
        return [taken async for taken in interleaved(BENCHES, places, size.repetitions, size.seconds, tell)]


async def _show(page: Page, scene: str) -> None:
    """Without sync marks, whose flashes would fall into some measurements and not into others."""
    await page.goto(exam_address(scene, beep_s=0))


if __name__ == "__main__":
    sys.exit(main())

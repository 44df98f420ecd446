"""One measurement, and the order of many: interleaved, so that what else the machine does falls on all alike."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from secureproctor.benchmarks import proc
from secureproctor.benchmarks.benches import Bench
from secureproctor.benchmarks.figures import Sample
from secureproctor.benchmarks.place import Place

SETTLE_S = 1.0
"""Between the first picture and the beginning of a measurement: encoders warm up, the page has painted itself."""

BESIDE = {"Xvfb": "X server", "camera": "camera server"}
"""Parts of the desk that work for whoever captures, and their names in the document. The X server also draws the scene."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A sample, and what it is of."""

    bench: Bench
    scene: str
    sample: Sample


def rounds(benches: Sequence[Bench], repetitions: int) -> list[Bench]:
    """All benches, as many times as asked for; each round begins with another one."""
    turns = (number % len(benches) for number in range(repetitions))
    return [bench for turn in turns for bench in (*benches[turn:], *benches[:turn])]


async def interleaved(
    benches: Sequence[Bench], places: dict[str, Place], repetitions: int, seconds: float, tell: Callable[[str], None]
) -> AsyncIterator[Taken]:
    """Each bench in each scene; `places` is by scene."""
    for scene, place in places.items():
        for bench in rounds(benches, repetitions):
            tell(f"{scene}: {bench.name}")
            yield Taken(bench, scene, await measured(bench, place, seconds))


async def measured(bench: Bench, place: Place, seconds: float) -> Sample:
    """Open it, let it settle, and measure it for `seconds`. Raises DeskError when it cannot be had."""
    async with bench.open(place) as subject:
        await asyncio.sleep(SETTLE_S)
        parts = {"": subject.pid} | {name: place.desk.pids[part] for part, name in BESIDE.items()}
        begun, before = time.monotonic(), {name: proc.of(pid) for name, pid in parts.items()}
        await asyncio.sleep(seconds)
        passed_s, after = time.monotonic() - begun, {name: proc.of(pid) for name, pid in parts.items()}
        outcome = await subject.finish()
    used = {name: 60 * (after[name].cpu_s - before[name].cpu_s) / passed_s for name in parts}
    return Sample(used.pop(""), used, after[""].peak_mb, outcome)

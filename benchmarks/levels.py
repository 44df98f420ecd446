"""What each level of quality costs and saves: `python -m secureproctor.benchmarks.levels [--seconds 30]`.

The recorder alone, all three streams, on the virtual desk. Bytes are those of the segments, with their boxes; how far a
level is from the picture that it was made of cannot be seen in bytes, so the screen's is told beside them.
"""

import argparse
import asyncio
import os
import time
from collections import Counter
from dataclasses import dataclass, field

from secureproctor.benchmarks.benches import SCENES
from secureproctor.capture.media import Kind, Segment, SourceReport, SourceState
from secureproctor.capture.quality import QUALITIES
from secureproctor.capture.recorder import CapturePlan, Recorder
from secureproctor.contract.streams import MEDIA, Stream
from secureproctor.demo.browser import chromium, exam_address
from secureproctor.demo.desk import desk
from secureproctor.demo.program import DeskError


@dataclass(slots=True)
class Tally:
    """Bytes and microseconds of evidence by stream."""

    bytes: Counter[Stream] = field(default_factory=Counter)
    us: Counter[Stream] = field(default_factory=Counter)

    def add(self, segment: Segment) -> None:
        """A segment sink. The streams have a thread each, and a key each."""
        if segment.kind is Kind.MEDIA:
            self.bytes[segment.stream] += len(segment.payload)
            self.us[segment.stream] += segment.duration_us

    def kb_min(self, stream: Stream) -> float:
        """Kilobytes (1000 bytes) a minute."""
        return self.bytes[stream] / 1000 * 60_000_000 / max(1, self.us[stream])


async def recorded(plan: CapturePlan, level: str, seconds: float) -> Tally:
    """What a recorder makes of the desk in `seconds` at `level`. Raises DeskError when a device fell silent meanwhile."""
    tally, lost = Tally(), list[SourceReport]()

    def note(report: SourceReport) -> None:
        if report.state is SourceState.LOST:
            lost.append(report)

    recorder = Recorder(plan, lambda: time.monotonic_ns() // 1000, tally.add, note)
    recorder.set_quality(level)
    recorder.start()
    try:
        await asyncio.sleep(seconds)
    finally:
        await asyncio.to_thread(recorder.stop)
    if lost:
        raise DeskError("source_lost", f"The desk's {lost[0].stream} fell silent: {lost[0].detail}.", "Measure again.")
    return tally


async def measured(seconds: float) -> dict[tuple[str, str], Tally]:
    """A tally for each scene and level. Raises DeskError."""
    taken: dict[tuple[str, str], Tally] = {}
    with desk() as pc:
        os.environ |= pc.environment  # the microphone's library asks the process
        plan = CapturePlan(webcam_device=pc.camera_url or 0, display=pc.display)
        async with chromium(pc.environment, kiosk=True) as browser:
            for scene in SCENES:
                for level in QUALITIES:
                    await browser.pages[0].goto(exam_address(scene, beep_s=0))
                    taken[scene, level] = await recorded(plan, level, seconds)
    return taken


def table(taken: dict[tuple[str, str], Tally]) -> str:
    """Kilobytes a minute, and the share of what the same scene costs at the best level."""
    lines = [f"{'kB/min':18}" + "".join(f"{stream:>9}" for stream in MEDIA) + f"{'all':>9}{'share':>7}"]
    best = next(iter(QUALITIES))
    for (scene, level), tally in taken.items():
        costs, full = ([each.kb_min(stream) for stream in MEDIA] for each in (tally, taken[scene, best]))
        cells = "".join(f"{cost:9.0f}" for cost in (*costs, sum(costs)))
        lines.append(f"{scene:9}{level:9}{cells}{sum(costs) / sum(full):7.0%}")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="secureproctor.benchmarks.levels", description="What each quality costs.")
    parser.add_argument("--seconds", type=float, default=30.0, metavar="S", help="for each scene and level (30)")
    print(table(asyncio.run(measured(parser.parse_args().seconds))))


if __name__ == "__main__":
    main()

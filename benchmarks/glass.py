"""From glass to glass: `python -m secureproctor.benchmarks.glass [--seconds 30]`.

How old a picture is when a proctor sees it. On the virtual desk's screen, over the exam page, stands a clock that machines
can read: a bar code of milliseconds, drawn anew about thirty times a second. It goes the whole way of evidence: capture,
encoder, segment, sealing, spool, upload, service, live view, and the decoder of a console in another Chromium. There each
picture is read off the <video> as it is presented, and compared with the same machine's clock. The desk's camera counts its
pictures in the same manner.

A picture's age is the least that a proctor sees; until the next one is presented it grows older.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import cv2
import msgspec
import numpy as np
from playwright.async_api import Page

from secureproctor.benchmarks.distribution import distributions
from secureproctor.demo.actors import Candidate
from secureproctor.demo.browser import chromium, exam_address
from secureproctor.demo.camera import COUNTER_BITS, HEIGHT, STRIP, WIDTH, read_counter
from secureproctor.demo.desk import Desk, desk
from secureproctor.demo.program import DeskError
from secureproctor.demo.stage import FORM, Service, agent, service

COLUMNS = {"p10": 0.1, "median": 0.5, "p90": 0.9, "max": 1.0}
SIZE = (1920, 1080)
FPS = 15
CLOCK_BITS, CELL = 24, 32
"""The clock turns over after 4.6 hours. Below each cell stands its opposite: a picture in between two clocks is known by it."""
PATIENCE_S = 60.0
SETTLING_S = 5.0
"""The first segments are those of a player that is still finding its place."""


@dataclass(frozen=True, slots=True)
class Code:
    """Where a bar code stands in a picture, in pixels: its top, the size of a cell, how many; and whether opposites follow."""

    top: int
    cell: int
    bits: int
    width: int
    height: int
    opposites: bool

    @property
    def place(self) -> dict[str, int | bool]:
        """It, as the page's script takes it."""
        return {name: getattr(self, name) for name in ("top", "cell", "bits", "width", "height", "opposites")}


CODES: dict[str, Code] = {
    "screen": Code(0, CELL, CLOCK_BITS, *SIZE, opposites=True),
    "webcam": Code(HEIGHT - STRIP, STRIP, COUNTER_BITS, WIDTH, HEIGHT, opposites=False),
}

DRAW_CLOCK = """({bits, cell}) => {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, {width: bits * cell, height: 2 * cell, id: "clock"});
  canvas.style = "position: fixed; left: 0; top: 0; z-index: 2147483647";
  document.body.append(canvas);
  const pen = canvas.getContext("2d");
  const paint = (white, column, row) => {
    pen.fillStyle = white ? "#fff" : "#000";
    pen.fillRect(column * cell, row * cell, cell, cell);
  };
  let frames = 0;
  const draw = () => {
    requestAnimationFrame(draw);
    if (frames++ % 2) return;  // half of the frames: sixty clocks a second would cost more than the exam
    const now = Date.now() % 2 ** bits;
    for (let bit = 0; bit < bits; bit++) {
      const white = Math.floor(now / 2 ** bit) % 2 === 1;
      paint(white, bit, 0);
      paint(!white, bit, 1);
    }
  };
  draw();
}"""

# a picture's number, or -1 where it cannot be read; `source` is anything that a canvas can draw
READ = """(source, {top, cell, bits, width, height, opposites}, [sourceWidth, sourceHeight]) => {
  const rows = opposites ? 2 : 1, side = 8;
  const canvas = new OffscreenCanvas(bits * side, rows * side);
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  const [across, down] = [sourceWidth / width, sourceHeight / height];
  pen.drawImage(source, 0, top * down, bits * cell * across, rows * cell * down, 0, 0, canvas.width, canvas.height);
  const pixels = pen.getImageData(0, 0, canvas.width, canvas.height).data;
  const white = (column, row) => {
    let sum = 0;
    for (let y = 2; y < side - 2; y++)
      for (let x = 2; x < side - 2; x++) sum += pixels[4 * ((row * side + y) * canvas.width + column * side + x) + 1];
    return sum > 127 * (side - 4) ** 2;
  };
  let number = 0;
  for (let bit = 0; bit < bits; bit++) {
    if (opposites && white(bit, 0) === white(bit, 1)) return -1;
    if (white(bit, 0)) number += 2 ** bit;
  }
  return number;
}"""

WATCH = f"""([selector, place]) => {{
  const read = {READ};
  const video = document.querySelector(selector), seen = globalThis.seen ??= {{}};
  const list = seen[selector] = [];
  const presented = () => {{
    list.push([Date.now(), read(video, place, [video.videoWidth, video.videoHeight])]);
    video.requestVideoFrameCallback(presented);
  }};
  video.requestVideoFrameCallback(presented);
}}"""


class Glass(msgspec.Struct, frozen=True):
    """What a live picture showed, and how many could not be read."""

    ages_ms: list[float]
    unreadable: int


async def measured(seconds: float) -> dict[str, Glass]:
    """The ages of all pictures that were presented, by stream. Raises DeskError, and Playwright's errors."""
    with desk(size=SIZE, fps=FPS) as pc:
        async with AsyncExitStack() as stack:
            return await _measured_at(pc, stack, seconds)


async def _measured_at(pc: Desk, stack: AsyncExitStack, seconds: float) -> dict[str, Glass]:
    running = await stack.enter_async_context(service(pc.folder, pc.environment))
    options = ["--service-url", running.url, "--test-camera", pc.camera_url or ""]
    started = await stack.enter_async_context(agent(pc.folder, pc.environment, options))
    exam = await stack.enter_async_context(chromium(pc.environment, kiosk=True))
    await exam.pages[0].goto(exam_address(beep_s=0))
    await exam.pages[0].evaluate(DRAW_CLOCK, {"bits": CLOCK_BITS, "cell": CELL})
    page = await stack.enter_async_context(chromium(pc.environment, headed=False))
    candidate = Candidate(page.pages[0])
    await candidate.open(running.url, started.address, running.private_key, FORM)
    for button in ("init", "checkSystem", "start"):
        await candidate.press(button)
    session_id, _ = await candidate.session()
    counted_ms = await asyncio.to_thread(first_picture_ms, pc.camera_url or "")
    console = await stack.enter_async_context(chromium(pc.environment, headed=False))
    seen = await _watched(console.pages[0], running, session_id, seconds)
    await candidate.press("stop")
    return {
        "screen": ages([(at, clock_ms(at, number)) for at, number in seen["screen"]]),
        "webcam": ages([(at, counted_ms + number * 1000 / FPS) for at, number in seen["webcam"]]),
    }


async def _watched(page: Page, running: Service, session_id: str, seconds: float) -> dict[str, list[tuple[int, int]]]:
    """For each stream the moments of its pictures, and what could be read (-1: nothing)."""
    await page.goto(f"{running.url}/console#key={running.proctor_key}")
    await page.locator(f"article[data-session='{session_id}']").wait_for(timeout=PATIENCE_S * 1000)
    await page.evaluate("id => { location.hash = `#/session/${id}` }", session_id)
    selectors = {stream: f"video[data-live={stream}]" for stream in CODES}
    for selector in selectors.values():
        playing = "selector => document.querySelector(selector)?.readyState >= 2"
        await page.wait_for_function(playing, arg=selector, timeout=PATIENCE_S * 1000)
    await asyncio.sleep(SETTLING_S)
    for stream, selector in selectors.items():
        await page.evaluate(WATCH, [selector, CODES[stream].place])
    await asyncio.sleep(seconds)
    seen = await page.evaluate("() => seen")
    return {stream: [tuple(each) for each in seen[selector]] for stream, selector in selectors.items()}


def clock_ms(at_ms: int, number: int) -> int:
    """When the screen's clock showed `number`, which was read at `at_ms`; a time of its own for what could not be read."""
    return -1 if number < 0 else at_ms - (at_ms - number) % 2**CLOCK_BITS


def ages(pictures: Sequence[tuple[int, float]]) -> Glass:
    """Of pictures with the moments at which they were presented and made (negative: unreadable)."""
    read = [at - made for at, made in pictures if made >= 0]
    return Glass(read, len(pictures) - len(read))


def first_picture_ms(camera_url: str, pictures: int = 20) -> float:
    """When the camera took the picture that it counts as 0, in milliseconds since 1970: by those that come the earliest.

    Raises DeskError when it gives none.
    """
    capture = cv2.VideoCapture(camera_url)
    try:
        found = []
        for _ in range(pictures):
            there, picture = capture.read()
            if not there:
                raise DeskError("camera_gone", "The desk's camera gives no picture.", "Measure again.")
            found.append(time.time() * 1000 - read_counter(picture.astype(np.uint8)) * 1000 / FPS)
        return min(found)
    finally:
        capture.release()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="secureproctor.benchmarks.glass", description="From glass to glass.")
    parser.add_argument("--seconds", type=float, default=30.0, metavar="S", help="how long is looked on (30)")
    found = asyncio.run(measured(parser.parse_args().seconds))
    print(distributions({stream: each.ages_ms for stream, each in found.items()}, COLUMNS, "ms"))
    print("Not readable:", ", ".join(f"{stream} {each.unreadable}" for stream, each in found.items()))


if __name__ == "__main__":
    main()

"""How long a proctor's command takes to the candidate's page: `python -m secureproctor.benchmarks.latency [--commands 200]`.

The real service, the real agent with all three sources, and the demo page in real Chromium. Measured from the moment at
which the console's WebSocket takes the command to the moments at which the page's listener was called and at which the page
is covered (or uncovered), all by this machine's clock, which the page reads to the millisecond.
"""

import argparse
import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
from playwright.async_api import Page
from websockets.asyncio.client import ClientConnection, connect

from secureproctor.benchmarks.distribution import distributions
from secureproctor.contract.channel import CommandKind
from secureproctor.contract.console import Hello, Issue
from secureproctor.demo.actors import Candidate
from secureproctor.demo.browser import chromium
from secureproctor.demo.desk import Desk, desk
from secureproctor.demo.stage import FORM, Service, agent, service

COLUMNS = {"median": 0.5, "p95": 0.95, "max": 1.0}
PATIENCE_S = 30.0
REST_S = (0.1, 0.6)
"""Between two commands: at random, so that no timer of a part is always met at the same phase."""

# The page's own listeners write each request to #request and cover the exam; both are seen in the same task.
WATCH = """() => {
  globalThis.seen = [];
  const note = (what, key) => seen.push([what, key, Date.now()]);
  const request = document.getElementById("request");
  new MutationObserver(() => note("listener", request.dataset.id))
    .observe(request, {attributes: true, attributeFilter: ["data-id"]});
  const layer = document.getElementById("pauseLayer");
  new MutationObserver(() => note("covered", String(!layer.hidden)))
    .observe(layer, {attributes: true, attributeFilter: ["hidden"]});
}"""
BOTH_SEEN = "() => new Set(seen.map(([what]) => what)).size === 2"
TAKE = "() => seen.splice(0)"


async def measured(commands: int) -> dict[str, list[float]]:
    """Milliseconds by what was waited for. Raises DeskError, and Playwright's errors when a page stands still."""
    with desk() as pc:
        async with AsyncExitStack() as stack:
            return await _measured_at(pc, stack, commands)


async def _measured_at(pc: Desk, stack: AsyncExitStack, commands: int) -> dict[str, list[float]]:
    running = await stack.enter_async_context(service(pc.folder, pc.environment))
    options = ["--service-url", running.url, "--test-camera", pc.camera_url or ""]
    started = await stack.enter_async_context(agent(pc.folder, pc.environment, options))
    browser = await stack.enter_async_context(chromium(pc.environment, headed=False))
    candidate = Candidate(browser.pages[0])
    await candidate.open(running.url, started.address, running.private_key, FORM)
    await candidate.listen()
    for button in ("init", "checkSystem", "start"):
        await candidate.press(button)
    proctor = await stack.enter_async_context(_proctor(running))
    session, _ = await candidate.session()
    await candidate.page.evaluate(WATCH)
    times: dict[str, list[float]] = defaultdict(list)
    for number in range(commands):
        kind: CommandKind = "resume" if number % 2 else "pause"
        for what, took_ms in (await _one(candidate.page, proctor, Issue(session, kind))).items():
            times[f"{kind}: {what}"].append(took_ms)
        await asyncio.sleep(random.uniform(*REST_S))  # noqa: S311 - a rest is no secret
    await candidate.press("stop")
    return times


async def _one(page: Page, proctor: ClientConnection, command: Issue) -> dict[str, float]:
    """How long one command took to each of its effects at the page."""
    begun_ms = time.time() * 1000
    await proctor.send(msgspec.json.encode(command), text=True)
    await page.wait_for_function(BOTH_SEEN, timeout=PATIENCE_S * 1000)
    seen: list[tuple[str, str, int]] = await page.evaluate(TAKE)
    return {what: at_ms - begun_ms for what, _, at_ms in reversed(seen)}


@asynccontextmanager
async def _proctor(running: Service) -> AsyncIterator[ClientConnection]:
    """A console's WebSocket. What the service says is read and forgotten: who does not read is cut off."""
    async with connect(f"ws{running.url.removeprefix('http')}/v1/proctor", proxy=None) as line:
        await line.send(msgspec.json.encode(Hello(running.proctor_key)), text=True)
        reading = asyncio.create_task(_read(line))
        try:
            yield line
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _read(line: ClientConnection) -> None:
    async for _ in line:
        pass


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="secureproctor.benchmarks.latency", description="Command to effect.")
    parser.add_argument("--commands", type=int, default=200, metavar="N", help="pauses and resumes, in turns (200)")
    print(distributions(asyncio.run(measured(parser.parse_args().commands)), COLUMNS, "ms"))


if __name__ == "__main__":
    main()

"""Faults of all kinds at random, on one session, for minutes: `python -m tests.faults.soak --minutes 20 --seed 7`.

Each fault is told with its time. At the end the promises are checked, and the last line is the verdict; the exit code is 0
when all of them hold. The same seed gives the same faults at the same times, as far as the machine allows.
"""

import argparse
import asyncio
import contextlib
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from secureproctor.contract.report import Report
from secureproctor.demo.weather import FAIR
from tests.faults.crash import Kill, kill_agent, losses_of
from tests.faults.network import in_own_network
from tests.faults.page import Page
from tests.faults.scene import Scene, caught_up, doubles_in, scene
from tests.faults.weathers import FAULTS

USER = "soak"
EXPIRY_S = 120
DISK_MB = 256
"""Check System wants room for such an outage and as much again."""
LOST_S = 2.5
"""What may be lost with a killed agent: a segment, and what sealing takes on a busy machine."""
FINISH_S = 180.0
ALONE = ["--page-gone-s", "10000"]
"""The page is gone whenever the agent was killed, until somebody asks."""


@dataclass(slots=True)
class Soak:
    """A session under way, and what was done to it."""

    it: Scene
    chance: random.Random
    began_s: float
    session_id: str = ""
    kills: list[Kill] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    faults: int = 0

    async def weather(self) -> str:
        """Any of the proxy's weathers, or of the link's."""
        fault = self.chance.choice(FAULTS)
        self.it.proxy.change(fault.certificate(self.it.authority) if fault.certificate else fault.weather)
        if fault.link:
            fault.link(self.it.network)
        return await self._for_a_while(fault.name, 2, 12)

    async def outage(self) -> str:
        """The link is down, longer than it takes to be noticed."""
        self.it.network.link_down(here=self.chance.random() < 0.5)
        await self._talk()
        return await self._for_a_while("the link is down", 5, 40)

    async def lossy_and_narrow(self) -> str:
        """A bad mobile network."""
        percent, kbit = self.chance.randint(1, 15), self.chance.choice([300, 600, 2000])
        self.it.network.loss(percent)
        self.it.network.rate(kbit)
        await self._talk()
        return await self._for_a_while(f"{percent} % lost at {kbit} kbit/s", 5, 20)

    async def kill_agent(self) -> str:
        """The agent is killed and started again."""
        self.kills.append(await kill_agent(self.it.candidate, 0))
        return "the agent was killed"

    async def kill_service(self) -> str:
        """The service is killed and started again."""
        await self.it.service.kill()
        said = await self._for_a_while("the service was killed", 0, 8)
        await self.it.service.start()
        return said

    async def stand_still(self) -> str:
        """The computer sleeps."""
        seconds = self.chance.uniform(1, 8)
        await self.it.candidate.stand_still(seconds)
        return f"the agent stood still for {seconds:.1f} s"

    async def pause_and_resume(self) -> str:
        """The proctor pauses the test, and resumes it."""
        said = [await self.it.commanded(self.session_id, kind, FINISH_S) for kind in ("pause", "resume")]
        if said != ["acknowledged", "acknowledged"]:
            raise AssertionError(f"pause and resume were {said}")
        return "paused and resumed"

    async def full_disk(self) -> str:
        """No byte is left on the agent's disk, while the link is down."""
        self.it.network.link_down()
        full = self.it.candidate.folder / "state" / "somebody else's"
        await asyncio.to_thread(_fill, full)
        said = await self._for_a_while("the disk is full and the link down", 3, 12)
        full.unlink()
        return said

    async def _talk(self) -> None:
        """The candidate and the proctor write to each other, whether it goes through or not."""
        candidate, proctor = (f"{sender} {self.faults}" for sender in ("candidate", "proctor"))
        async with self.it.candidate.page() as page, self.it.service.console.line() as line:
            await page.say(candidate)
            await line.say(self.session_id, proctor)
        self.said += [candidate, proctor]

    async def _for_a_while(self, what: str, least_s: float, most_s: float) -> str:
        seconds = self.chance.uniform(least_s, most_s)
        await asyncio.sleep(seconds)
        return f"{what} for {seconds:.1f} s"

    async def run(self, until_s: float) -> None:
        """One fault after the other, with fair weather between them."""
        kinds = self._kinds()
        while time.monotonic() < until_s:
            await asyncio.sleep(self.chance.uniform(1, 6))
            said = await self.chance.choice(kinds)()
            self.it.proxy.change(FAIR)
            self.it.network.fair()
            self.faults += 1
            tell(f"{time.monotonic() - self.began_s:8.1f} s  {said}")

    def _kinds(self) -> list[Callable[[], Awaitable[str]]]:
        often = [self.weather, self.kill_agent]
        return [
            *often,
            *often,
            self.outage,
            self.lossy_and_narrow,
            self.kill_service,
            self.stand_still,
            self.pause_and_resume,
            self.full_disk,
        ]


async def soak(minutes: float, seed: int) -> list[str]:
    """The promises that were broken."""
    async with scene(proxied=True, options=ALONE, disk_mb=DISK_MB) as it:
        began_s = time.monotonic()
        run = Soak(it, random.Random(seed), began_s)
        async with it.candidate.page() as page:
            run.session_id = (await it.begin(page, USER, EXPIRY_S)).session_id
        await run.run(began_s + minutes * 60)
        async with it.candidate.page() as page:
            broken = await _finished(run, page)
        broken += [f"left on the disk: {name}" for name in await it.left(FINISH_S)]
        broken += [f"the agent said: {line}" for line in it.candidate.logs.splitlines() if _is_alarming(line)]
        tell(f"{run.faults} faults, {len(run.kills)} kills of the agent, {it.service.starts - 1} of the service")
    return broken + [f"still running: {name}" for name in _strays()]


async def _finished(run: Soak, page: Page) -> list[str]:
    status = await page.until(caught_up, FINISH_S)
    if status.session_id != run.session_id or status.state != "running":
        return [f"the session is {status.session_id} ({status.state}), it was {run.session_id}"]
    await asyncio.sleep(3)
    conversation = await page.conversation()
    await page.stop()
    await page.until(lambda status: status.state == "ended", FINISH_S)
    report = await run.it.service.console.report_when(USER, lambda report: report.verified, FINISH_S)
    arrivals = run.it.service.arrivals(run.session_id)
    return [
        *_broken_in(report),
        *(
            f"{who} has {sorted(each.text for each in chat)} of the conversation {sorted(run.said)}"
            for who, chat in (("the page", conversation.messages), ("the report", report.chat))
            if sorted(each.text for each in chat) != sorted(run.said)
        ),
        *doubles_in(arrivals),
        *(
            f"{loss.before_s} s of {loss.stream} were lost with the agent at {kill.at_ms}"
            for kill in run.kills
            for loss in losses_of(kill, report.started_ms or 0, arrivals)
            if loss.before_s > LOST_S and not _told_before(report, kill, loss.stream)
        ),
    ]


def _broken_in(report: Report) -> list[str]:
    broken = [f"tampering that nobody did: {each.sentence}" for each in report.tampering]
    broken += [f"not verified: {line}" for chain in report.chains for line in (*chain.faults, *chain.waiting)]
    if (report.end_reason, report.verified) != ("stopped", True):
        broken.append(f"the session ended as {report.end_reason!r}, verified: {report.verified}")
    return broken + [
        f"no evidence of {gap.stream} from {gap.start_s:.1f} to {gap.end_s:.1f} s: {gap.cause}"
        for gap in report.gaps
        if gap.cause in ("", "unknown", "not arrived")
    ]


def _told_before(report: Report, kill: Kill, stream: str) -> bool:
    """Whether evidence was missing for another reason already when the agent was killed."""
    at_s = (kill.at_ms - (report.started_ms or 0)) / 1e3
    return any(
        gap.stream == stream and gap.start_s <= at_s - LOST_S < gap.end_s and gap.cause != "agent restarted"
        for gap in report.gaps
    )


def _is_alarming(line: str) -> bool:
    return "Traceback" in line or "has stopped" in line


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(65536)):
            pass


def _strays() -> list[str]:
    """Processes in this network that are not this one."""
    own, found = os.readlink("/proc/self/ns/net"), []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # gone meanwhile, or another user's
            if place.name != str(os.getpid()) and os.readlink(place / "ns" / "net") == own:
                found.append(f"{place.name} {(place / 'comm').read_text().strip()}")
    return found


def tell(line: str) -> None:
    """Say it now, also into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Read the command line, go into a network of its own, soak, and say how it was."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20.0, help="how long faults are made (%(default)s)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000), help="which ones")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    told = [f"--minutes={options.minutes:g}", f"--seed={options.seed}"]
    if not options.inside:
        words = in_own_network([sys.executable, "-m", "tests.faults.soak", *told, "--inside"])
        os.execvp(words[0], words)
    tell(f"soak: {' '.join(told)}")
    broken = asyncio.run(soak(options.minutes, options.seed))
    for line in broken:
        tell(f"  broken: {line}")
    verdict = f"{len(broken)} promises are broken" if broken else "all promises hold"
    tell(f"soak: {' '.join(told)}: {verdict}")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())

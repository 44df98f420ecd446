"""The course of crashes: agent and service are killed at seeded moments of one session, stand still, and lose their boot.

`kill_agent` is one crash and what it cost; it serves any number of them. What is missing is measured on the session clock:
from the end of the last evidence before a kill to the kill itself is what was captured and lost with the agent.
"""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path

import msgspec

from secureproctor.agent.clock import boot_us
from secureproctor.agent.session.journal import Journal, Registered, Started, read
from secureproctor.contract.record import RecordKind
from secureproctor.contract.report import Report
from secureproctor.contract.streams import MEDIA
from tests.faults.outage import now_ms
from tests.faults.scene import Arrival, Candidate, faults_in, scene

USER = "crash"
KILLS, SEED = 2, 5
STILL_S = 6.0
REBOOTED_US = 3_600_000_000
"""By how much the boot clock went back with the reboot."""


class Kill(msgspec.Struct, frozen=True):
    """A kill of the agent, and when the next one listened; milliseconds since 1970."""

    at_ms: int
    back_ms: int


class Loss(msgspec.Struct, frozen=True):
    """What a kill cost a stream, in seconds: captured and lost before it, and not captured until the agent was back."""

    stream: str
    before_s: float
    until_back_s: float


class Observed(msgspec.Struct):
    """What there was to see; moments in milliseconds since 1970."""

    kills: list[Kill]
    rebooted: Kill
    service_killed_ms: int
    service_back_ms: int
    still_ms: int
    going_on_ms: int
    sessions: list[str]
    losses: list[list[Loss]]
    report: Report
    arrivals: list[Arrival]
    faults: list[str]
    left: list[str]
    logs: str


async def play() -> Observed:
    """About half a minute of one session."""
    moments = random.Random(SEED)
    async with scene() as it:
        async with it.candidate.page() as page:
            sessions = [(await it.begin(page, USER)).session_id]
        kills = [await kill_agent(it.candidate, moments.uniform(1.5, 4.0)) for _ in range(KILLS)]
        rebooted = await reboot(it.candidate, moments.uniform(1.5, 4.0))
        await asyncio.sleep(2)
        service_killed_ms = now_ms()
        await it.service.kill()
        await asyncio.sleep(2)
        await it.service.start()
        service_back_ms = now_ms()
        await asyncio.sleep(2)
        still_ms = now_ms()
        await it.candidate.stand_still(STILL_S)
        going_on_ms = now_ms()
        await asyncio.sleep(3)
        async with it.candidate.page() as page:
            sessions.append((await page.status()).session_id)
            await page.stop()
            await page.until(lambda status: status.state == "ended")
        report = await it.service.console.report_when(USER, lambda report: report.verified)
        sessions.append(report.session_id)
        arrivals = it.service.arrivals(report.session_id)
        losses = [losses_of(each, report.started_ms or 0, arrivals) for each in [*kills, rebooted]]
        return Observed(
            kills,
            rebooted,
            service_killed_ms,
            service_back_ms,
            still_ms,
            going_on_ms,
            sessions,
            losses,
            report,
            arrivals,
            faults_in(arrivals),
            await it.left(),
            it.candidate.logs,
        )


async def kill_agent(candidate: Candidate, after_s: float) -> Kill:
    """`kill -9` after a while, and the next agent on the same folders."""
    await asyncio.sleep(after_s)
    at_ms = await candidate.kill()
    await candidate.start()
    return Kill(at_ms, now_ms())


async def reboot(candidate: Candidate, after_s: float) -> Kill:
    """A kill after which the boot clock begins anew: what lies on the disk speaks of another boot, and of a later time."""
    await asyncio.sleep(after_s)
    at_ms = await candidate.kill()
    for folder in candidate.sessions.iterdir():
        await asyncio.to_thread(_as_of_another_boot, folder)
    await candidate.start()
    return Kill(at_ms, now_ms())


def losses_of(kill: Kill, started_ms: int, arrivals: Sequence[Arrival]) -> list[Loss]:
    """What a kill cost each stream. A stream that has nothing after the kill lost all until infinity."""
    at_s = (kill.at_ms - started_ms) / 1e3
    found = []
    for stream in MEDIA:
        spans = [
            (each.start_us / 1e6, (each.start_us + each.duration_us) / 1e6)
            for each in arrivals
            if each.stream == stream and each.kind == RecordKind.MEDIA
        ]
        last = max((end for start, end in spans if start <= at_s), default=0.0)
        first = min((start for start, _ in spans if start > at_s), default=float("inf"))
        found.append(Loss(stream, round(at_s - last, 3), round(first - at_s, 3)))
    return found


def _as_of_another_boot(folder: Path) -> None:
    entries = list(read(folder / "journal"))
    (folder / "journal").unlink()
    with Journal(folder / "journal") as journal:
        for entry in entries:
            if isinstance(entry, Started):
                entry = msgspec.structs.replace(entry, boot="another", origin_us=entry.origin_us + REBOOTED_US)
            journal.write(entry)
    assert isinstance(entries[0], Registered)
    contact = msgspec.json.decode((folder / "contact").read_bytes())
    moved = {"boot": "another", "boot_us": boot_us() + REBOOTED_US}
    (folder / "contact").write_bytes(msgspec.json.encode(contact | moved))

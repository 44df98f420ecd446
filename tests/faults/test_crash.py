"""The agent is killed (-9) at seeded moments of one session: the next one goes on with it, and no sealed evidence is lost."""

import asyncio
import os
import random
import signal
from contextlib import AsyncExitStack
from itertools import pairwise

from secureproctor.benchmarks.page import exam_page
from secureproctor.contract.report import Report
from secureproctor.contract.streams import MEDIA
from secureproctor.demo.desk import Desk, desk
from secureproctor.demo.stage import AgentProcess, Service, agent, service

KILLS = 3
SEED = 5
UNSEALED_S = 2.2
"""A segment, and what it takes to seal and store it."""
RESTART_S = 8.0
"""Far more than an agent needs to come up and open the devices on a busy machine."""


class Supervised:
    """An agent that is started again on the same folders whenever it was killed."""

    def __init__(self, pc: Desk, running: Service, stack: AsyncExitStack) -> None:
        self.pc, self.running, self.stack = pc, running, stack
        self.options = ["--service-url", running.url, "--test-camera", str(pc.camera_url)]

    async def start(self) -> AgentProcess:
        (self.pc.folder / "runtime" / "agent.json").unlink(missing_ok=True)
        return await self.stack.enter_async_context(agent(self.pc.folder, self.pc.environment, self.options))

    async def kill(self, process: AgentProcess) -> None:
        os.kill(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.program.process.wait)


async def through_crashes(pc: Desk) -> tuple[Report, set[str]]:
    """The report of a session whose agent was killed again and again, and the session ids that were seen."""
    moments, sessions = random.Random(SEED), set[str]()
    async with service(pc.folder, pc.environment) as running, AsyncExitStack() as stack:
        supervised = Supervised(pc, running, stack)
        process = await supervised.start()
        async with exam_page(process.address, running) as page:
            sessions.add((await page.init()).session_id)
            await page.check_system()
            await page.start()
        for _ in range(KILLS):
            await asyncio.sleep(moments.uniform(2.0, 5.0))
            await supervised.kill(process)
            process = await supervised.start()
        await asyncio.sleep(4)
        async with exam_page(process.address, running) as page:
            sessions.add((await page.hello()).session_id)
            await page.stop()
            report, _ = await page.report()
            sessions.add(report.session_id)
        return report, sessions


def test_a_session_outlives_its_agent_with_every_gap_on_the_record() -> None:
    with desk() as pc:
        report, sessions = asyncio.run(through_crashes(pc))
    assert len(sessions) == 1
    assert (report.state, report.end_reason, report.verified) == ("ended", "stopped", True)
    assert {each.cause for each in report.gaps} <= {"agent restarted", "starting", "ending"}
    assert sum(event.kind == "agent_restarted" for event in report.events) == KILLS
    for stream in MEDIA:
        gaps = sorted((gap.start_s, gap.end_s) for gap in report.gaps if gap.stream == stream)
        assert all(end - start < UNSEALED_S + RESTART_S for start, end in gaps)
        recorded = [event for event in report.events if event.kind == "gap" and event.stream == stream]
        assert len(recorded) >= 1
        assert all(one.until_s is not None and one.until_s <= other.at_s for one, other in pairwise(recorded))

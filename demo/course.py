"""A whole course on the virtual desk: from Init to the report, with everything that it leaves in the output folder."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec
from playwright.async_api import Page

from secureproctor.contract.http import StoredList
from secureproctor.contract.streams import MEDIA
from secureproctor.demo import gathering
from secureproctor.demo import summary as results
from secureproctor.demo.actors import CallFailed, Candidate, Proctor, report_picture
from secureproctor.demo.breakage import Breakage, small_disk
from secureproctor.demo.browser import chromium, exam_address
from secureproctor.demo.desk import Desk, desk
from secureproctor.demo.pictures import PLAYED_S
from secureproctor.demo.stage import FORM, AgentProcess, Service, agent, service, while_alive
from secureproctor.demo.story import STORIES, Cast, play

BESIDE_THE_MARK = ("--window-position=980,60", "--window-size=900,900")
"""The demo page's window lies over the exam page and leaves its sync mark, at the bottom left, in sight."""


@dataclass(slots=True)
class Course:
    """What is played, where its files go, and what it has given so far. `tell` shows a sentence to the audience."""

    story: str
    duration_s: float
    out: Path
    breakage: Breakage
    tell: Callable[[str], None]
    form: dict[str, str] = field(default_factory=dict)
    checks: list[results.CheckSummary] = field(default_factory=list)
    first_segment_s: float | None = None

    async def perform(self) -> results.Summary:
        """Set up a desk and play. Setting up holds the event loop up, for about a second: an interruption waits for it."""
        self.tell("Setting up the virtual desk: screen, sound, camera")
        broken = self.breakage
        with desk(screen=broken.screen, camera=broken.camera, sound=broken.sound) as pc:
            return await self.play(pc)

    async def play(self, pc: Desk) -> results.Summary:
        """Play it. Raises CallFailed and DeskError, with what to do."""
        async with AsyncExitStack() as stack:
            self.tell("Starting the service and the agent")
            of_service = await stack.enter_async_context(AsyncExitStack())
            running = await of_service.enter_async_context(service(pc.folder, pc.environment, logs=self.out))
            started = await self._start_agent(stack, pc, running)
            needed = [started.program] if self.breakage.service_gone else [started.program, running.program]
            return await while_alive(needed, self._play_between(pc, running, started.address, of_service))

    async def _play_between(
        self, pc: Desk, running: Service, address: str, of_service: AsyncExitStack
    ) -> results.Summary:
        """Everything between the start and the end of service and agent."""
        async with AsyncExitStack() as stack:
            self.tell("Opening the demo page")
            headed = pc.display is not None
            demo_page = await stack.enter_async_context(chromium(pc.environment, headed=headed, flags=BESIDE_THE_MARK))
            candidate = Candidate(demo_page.pages[0])
            key = running.private_key if self.breakage.signature else "not-the-key"
            await candidate.open(running.url, address, key, FORM | self.form)
            await candidate.listen()
            if self.breakage.service_gone:
                await of_service.aclose()
            await self._check_in(candidate)
            self.tell("Opening the proctor's console and the exam page")
            console = await stack.enter_async_context(chromium(pc.environment, headed=False))
            cast = Cast(candidate, Proctor(console.pages[0]))
            await cast.proctor.open(running.url, running.proctor_key)
            exam = await stack.enter_async_context(chromium(pc.environment, headed=headed, kiosk=True))
            await exam.pages[0].goto(exam_address())
            await self._run(cast, running)
            return await self._gather(cast, console.pages[0], running)

    async def _start_agent(self, stack: AsyncExitStack, pc: Desk, running: Service) -> AgentProcess:
        options = ["--service-url", running.url]
        options += ["--test-camera", pc.camera_url] if pc.camera_url else []
        before = small_disk(self.breakage.disk_mb, str(pc.folder / "state"))
        return await stack.enter_async_context(agent(pc.folder, pc.environment, options, before=before, logs=self.out))

    async def _check_in(self, candidate: Candidate) -> None:
        self.tell("Init: registering the candidate")
        await candidate.press("init")
        self.tell("Check System")
        await candidate.press("checkSystem")
        self.checks = [results.CheckSummary(**row) for row in await candidate.checks()]
        failed = [each for each in self.checks if each.status == "failed"]
        if failed:
            seen = " ".join(each.seen for each in failed)
            raise CallFailed("checks_failed", seen, " ".join(each.remedy for each in failed))

    async def _run(self, cast: Cast, running: Service) -> None:
        await cast.proctor.wait_for_session()
        self.tell("Start: screen, webcam and sound are captured from now on")
        arrival = asyncio.create_task(self._await_first_segment(cast.candidate, running))
        try:
            await cast.candidate.press("start")
            await play(STORIES[self.story], cast, self.duration_s, self.tell)
        finally:
            arrival.cancel()
            await asyncio.gather(arrival, return_exceptions=True)

    async def _await_first_segment(self, candidate: Candidate, running: Service) -> None:
        """Note how long after Start the first media segment is stored at the service."""
        begun = asyncio.get_running_loop().time()
        session_id, token = await candidate.session()
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=running.url, headers=headers) as client:
            while self.first_segment_s is None:
                answer = await client.get(f"/v1/sessions/{session_id}/segments")
                stored = msgspec.json.decode(answer.content, type=StoredList).streams
                if any(last >= 1 for each in MEDIA for _, _, last in stored.get(each, ())):
                    self.first_segment_s = round(asyncio.get_running_loop().time() - begun, 2)
                await asyncio.sleep(0.05)

    async def _gather(self, cast: Cast, page: Page, running: Service) -> results.Summary:
        self.tell("Fetching the report and the recordings")
        answer = await cast.candidate.report()
        link = await cast.candidate.report_link()
        gathered = await gathering.gather(answer, link, running.url, self.out)
        play_s = min(PLAYED_S, gathered.playable_s / 2)
        html = await report_picture(page, link, self.out / gathering.REPORT.png, play_s)
        (self.out / gathering.REPORT.html).write_text(html)
        await cast.candidate.picture(self.out / gathering.DEMO_PICTURE)
        return gathering.summarize(
            self.story,
            gathered,
            self.out,
            checks=self.checks,
            first_segment_s=self.first_segment_s,
            av_skew=gathering.skew(gathered.recordings),
        )

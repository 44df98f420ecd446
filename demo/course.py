"""A whole course on the virtual desk: from Init to the report, with everything that it leaves in the output folder."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
from playwright.async_api import Page

from secureproctor.contract.http import StoredList
from secureproctor.contract.report import Report
from secureproctor.contract.streams import MEDIA, Stream
from secureproctor.demo import summary as results
from secureproctor.demo.actors import CallFailed, Candidate, Proctor, report_picture
from secureproctor.demo.breakage import Breakage, small_disk
from secureproctor.demo.browser import chromium, exam_address
from secureproctor.demo.desk import Desk
from secureproctor.demo.recordings import FILES, Recording, fetch
from secureproctor.demo.stage import PUBLIC_KEY, Service, agent, service
from secureproctor.demo.story import STORIES, Cast, play
from secureproctor.demo.sync import Skew, mark_in, measure

FORM = {"publicKey": PUBLIC_KEY, "userId": "candidate-1", "groupName": "physics-101", "userName": "Eileen Collins"}
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

    async def play(self, desk: Desk) -> results.Summary:
        """Play it. Raises CallFailed and DeskError, with what to do."""
        async with AsyncExitStack() as stack:
            self.tell("Starting the service and the agent")
            of_service = await stack.enter_async_context(AsyncExitStack())
            running = await of_service.enter_async_context(service(desk.folder, desk.environment))
            address = await self._start_agent(stack, desk, running)
            self.tell("Opening the demo page and the proctor's console")
            headed = desk.display is not None
            demo_page = await stack.enter_async_context(
                chromium(desk.environment, headed=headed, flags=BESIDE_THE_MARK)
            )
            console = await stack.enter_async_context(chromium(desk.environment, headed=False))
            cast = Cast(Candidate(demo_page.pages[0]), Proctor(console.pages[0]))
            key = running.private_key if self.breakage.signature else "not-the-key"
            await cast.candidate.open(running.url, address, key, FORM | self.form)
            await cast.candidate.listen()
            await cast.proctor.open(running.url, running.proctor_key)
            if self.breakage.service_gone:
                await of_service.aclose()
            await self._check_in(cast)
            exam = await stack.enter_async_context(chromium(desk.environment, headed=headed, kiosk=True))
            await exam.pages[0].goto(exam_address())
            await self._run(cast, running)
            return await self._gather(cast, console.pages[0], running)

    async def _start_agent(self, stack: AsyncExitStack, desk: Desk, running: Service) -> str:
        options = ["--service-url", running.url]
        options += ["--test-camera", desk.camera_url] if desk.camera_url else []
        before = small_disk(self.breakage.disk_mb, str(desk.folder / "state"))
        started = await stack.enter_async_context(agent(desk.folder, desk.environment, options, before=before))
        return started.address

    async def _check_in(self, cast: Cast) -> None:
        self.tell("Init: registering the candidate")
        await cast.candidate.press("init")
        self.tell("Check System")
        await cast.candidate.press("checkSystem")
        self.checks = [results.CheckSummary(**row) for row in await cast.candidate.checks()]
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
        report = msgspec.convert(answer, Report)
        self._keep("report.json", msgspec.json.format(msgspec.json.encode(answer), indent=2))
        link = await cast.candidate.report_link()
        recordings = await self._recordings(report, link, running)
        self._keep("report.html", (await report_picture(page, link, self.out / "report.png")).encode())
        await cast.candidate.picture(self.out / "demo.png")
        skew = results.skew(self._skew(recordings))
        found = results.Summary(
            self.story,
            True,
            [],
            round(report.running_s, 3),
            results.streams(report, recordings),
            list(report.gaps),
            report.verified,
            skew,
            self.first_segment_s,
            self.checks,
            results.commands(report),
            report.end_reason,
            results.ReportSummary(link, "report.json", "report.html", "report.png"),
            self._files(),
        )
        failures = results.shortcomings(found)
        return msgspec.structs.replace(found, ok=not failures, failures=failures)

    async def _recordings(self, report: Report, link: str, running: Service) -> dict[str, Recording]:
        access = parse_qs(urlsplit(link).query)["access"][0]
        found = {}
        async with httpx.AsyncClient(timeout=30) as client:
            for stream in MEDIA:
                address = f"{running.url}/v1/sessions/{report.session_id}/media/{stream}.m3u8?access={access}"
                recording = await fetch(client, address, self.out / FILES[stream])
                if recording is not None:
                    found[str(stream)] = recording
        return found

    def _keep(self, name: str, content: bytes) -> None:
        (self.out / name).write_bytes(content)

    def _files(self) -> list[str]:
        return sorted({each.name for each in self.out.iterdir()} | {"summary.json"})

    def _skew(self, recordings: dict[str, Recording]) -> Skew | None:
        screen, audio = recordings.get(Stream.SCREEN), recordings.get(Stream.AUDIO)
        if screen is None or audio is None:
            return None
        return measure(screen.path, audio.path, mark_in(screen.width, screen.height))

"""A whole course on the virtual desk: from Init to the report, with everything that it leaves in the output folder."""

import asyncio
import functools
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from playwright.async_api import Page, Playwright, async_playwright

from secureproctor.contract.streams import MEDIA
from secureproctor.demo import gathering
from secureproctor.demo import summary as results
from secureproctor.demo.account import Account
from secureproctor.demo.actors import CallFailed, Candidate
from secureproctor.demo.breakage import Breakage, small_disk
from secureproctor.demo.browser import chromium, exam_address
from secureproctor.demo.desk import Desk, desk
from secureproctor.demo.hands import hands
from secureproctor.demo.link import Link, capacity, link
from secureproctor.demo.locked import Client, agent_words, exam_server, launched
from secureproctor.demo.pictures import PLAYED_S
from secureproctor.demo.proctor import Proctor, report_picture
from secureproctor.demo.securebrowser import Launch, secure_browser
from secureproctor.demo.stage import FORM, Needed, Service, agent, agent_program, service, while_alive
from secureproctor.demo.stories import STORIES, Story
from secureproctor.demo.story import Cast, play
from secureproctor.demo.supervision import Supervised, lasting_port, supervised
from secureproctor.demo.terms import Terms
from secureproctor.demo.witness import Witness, witnessing

BESIDE_THE_MARK = ("--window-position=980,60", "--window-size=900,900")
"""The demo page's window lies over the exam page and leaves its sync mark, at the bottom left, in sight."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What stands on the stage. `link`, `supervisor` and `secure` are there for stories that need them."""

    pc: Desk
    running: Service
    address: str
    needed: list[Needed]
    of_service: AsyncExitStack
    """Ends the service when it is closed."""
    link: Link | None = None
    supervisor: Supervised | None = None
    secure: Launch | None = None
    """How to launch the secure browser, which starts the agent."""
    exam: str = ""
    """The exam's own server."""


@dataclass(slots=True)
class Course:
    """What is played, where its files go, and what it has given so far. `tell` shows a sentence to the audience."""

    name: str
    terms: Terms
    out: Path
    breakage: Breakage
    tell: Callable[[str], None]
    checks: list[results.CheckSummary] = field(default_factory=list)
    first_segment_s: float | None = None

    @property
    def story(self) -> Story:
        """The story that is played."""
        return STORIES[self.name]

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
            stage = await self._set_up(stack, pc)
            return await while_alive(stage.needed, self._play_between(stage))

    async def _set_up(self, stack: AsyncExitStack, pc: Desk) -> Stage:
        of_service = await stack.enter_async_context(AsyncExitStack())
        # the exam's photo of the candidate is on this computer, too, where the service fetches nothing unasked
        fetching = ["--photo-host", urlsplit(pc.photo_url).netloc] if pc.photo_url else []
        client = Client() if self.story.secure else None
        trusting = ["--msb-key", client.trust] if client else []
        starting_service = service(pc.folder, pc.environment, [*fetching, *trusting], logs=self.out)
        running = await of_service.enter_async_context(starting_service)
        between = await stack.enter_async_context(link(running.url)) if self.story.by_link else None
        options = ["--service-url", between.url if between else running.url]
        options += ["--allowed-origins", running.url] if between else []  # the demo page is the service's own
        options += ["--test-camera", pc.camera_url] if pc.camera_url else []
        service_needed: list[Needed] = [] if self.breakage.service_gone else [running.program]
        if client:
            exam = await stack.enter_async_context(exam_server(pc.folder, pc.environment, running, self.out))
            key = client.key(f"{running.url}/demo", [f"{running.url}/*", f"{exam}/*"])
            launch = Launch(key, agent_words(pc.folder, running.url, options), [exam])
            return Stage(pc, running, "", service_needed, of_service, secure=launch, exam=exam)
        if not self.story.supervised:
            before = small_disk(self.breakage.disk_mb, str(pc.folder / "state"))
            starting = agent(pc.folder, pc.environment, options, before=before, logs=self.out)
            started = await stack.enter_async_context(starting)
            return Stage(pc, running, started.address, [started.program, *service_needed], of_service, between)
        options += ["--local-port", str(lasting_port())]  # the page looks for its agent where it was
        start = functools.partial(agent_program, pc.folder, pc.environment, options, logs=self.out)
        supervisor = await stack.enter_async_context(supervised(pc.folder, start))
        address = supervisor.first.result().address
        return Stage(pc, running, address, [supervisor, *service_needed], of_service, between, supervisor)

    async def _play_between(self, stage: Stage) -> results.Summary:
        """Everything between the start and the end of service and agent."""
        async with AsyncExitStack() as stack:
            pc, running = stage.pc, stage.running
            self.tell("Opening the demo page")
            headed = pc.display is not None
            driver = await stack.enter_async_context(async_playwright())
            browser = functools.partial(chromium, pc.environment, driver=driver)
            candidate = await self._open_page(stack, stage, driver)
            await self._fill_in(candidate, stage)
            if self.breakage.service_gone:
                await stage.of_service.aclose()
            await self._check_in(candidate)
            self.tell("Opening the proctor's console and the exam page")
            console = await stack.enter_async_context(browser(headed=False))
            proctor = Proctor(console.pages[0])
            await proctor.log_in(running)
            if not stage.secure:  # another window would be one that the lockdown is against
                exam = await stack.enter_async_context(browser(headed=headed, kiosk=True))
                await exam.pages[0].goto(exam_address())
            client = await stack.enter_async_context(httpx.AsyncClient(base_url=running.url, timeout=30))
            account = Account(self.terms, lives=stage.supervisor.lives if stage.supervisor else [])
            witness = Witness(account, running, pc.folder / "runtime", candidate, client)
            own = await stack.enter_async_context(hands(pc, self.out)) if stage.secure else None
            cast = Cast(
                pc, candidate, proctor, witness, self.out, self.tell, stage.link, stage.supervisor, own, stage.exam
            )
            await self._run(cast)
            return await self._gather(cast, proctor.page, running)

    async def _open_page(self, stack: AsyncExitStack, stage: Stage, driver: Playwright) -> Candidate:
        """The candidate's browser; a secure one has started the agent when this returns."""
        pc = stage.pc
        if stage.secure is None:
            flags = BESIDE_THE_MARK
            opening = chromium(pc.environment, headed=pc.display is not None, flags=flags, driver=driver)
            return Candidate((await stack.enter_async_context(opening)).pages[0])
        self.tell("Launching the secure browser with its MSB Key; it starts the agent")
        # the agent outlives the browser that started it
        of_agent = await stack.enter_async_context(AsyncExitStack())
        browser = await stack.enter_async_context(secure_browser(pc.environment, stage.secure, driver))
        stage.needed.append(await of_agent.enter_async_context(launched(pc.folder, self.out)))
        return Candidate(browser.pages[0])

    async def _fill_in(self, candidate: Candidate, stage: Stage) -> None:
        key = stage.running.private_key if self.breakage.signature else "not-the-key"
        form = FORM | ({"authorization": "1", "candidatePhotoUrl": stage.pc.photo_url} if self.story.before else {})
        form |= {"expiryTime": f"{self.terms.expiry_s:g}"} if self.terms.expiry_s else {}
        form |= {"msb": "1", "msbKey": stage.secure.key, "navigationControl": "1"} if stage.secure else {}
        await candidate.open(stage.running.url, stage.address, key, form)
        await candidate.listen()

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

    async def _run(self, cast: Cast) -> None:
        account = cast.witness.account
        await cast.proctor.open_candidate()
        await play(self.story.before, cast)
        if self.terms.rate_mbit:
            self.tell("Measuring what the link can carry")
            account.link_bytes_per_s = await capacity(self.terms.rate_mbit)
        self.tell("Start: screen, webcam and sound are captured from now on")
        arrival = asyncio.create_task(self._await_first_segment(cast))
        try:
            async with witnessing(cast.witness):
                await cast.candidate.press("start")
                await play(self.story.script(self.terms), cast)
                await cast.witness.conclude()
        finally:
            arrival.cancel()
            await asyncio.gather(arrival, return_exceptions=True)

    async def _await_first_segment(self, cast: Cast) -> None:
        """Note how long after Start the first media segment is stored at the service."""
        begun = asyncio.get_running_loop().time()
        while self.first_segment_s is None:
            stored = (await cast.witness.stored()).streams
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
            self.name,
            gathered,
            self.out,
            checks=self.checks,
            first_segment_s=self.first_segment_s,
            av_skew=gathering.skew(gathered.recordings),
            promises=self.story.promises,
            figures=self.story.figures(cast.witness.account, gathered.report),
        )

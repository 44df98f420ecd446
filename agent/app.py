"""The composition root: the one file that knows every concrete class of the agent and puts them together.

`running` is the whole agent as a context: what it opens it closes, in reverse order, however the body ends.
"""

import asyncio
import contextlib
import functools
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

import httpx

from secureproctor.agent.checks.check import CheckContext
from secureproctor.agent.checks.run import run_checks
from secureproctor.agent.clock import boot_us, wall_ms
from secureproctor.agent.delivery.gaps import Gap
from secureproctor.agent.delivery.room import Room
from secureproctor.agent.giving_back import GivingBack
from secureproctor.agent.local.browser_desk import BrowserDesk
from secureproctor.agent.local.door import Visitor
from secureproctor.agent.local.facts import process_facts
from secureproctor.agent.local.holder import Holder
from secureproctor.agent.local.pairing import Pairing, new_token, published
from secureproctor.agent.local.routes import Desk
from secureproctor.agent.local.server import LocalServer
from secureproctor.agent.lock import exclusive
from secureproctor.agent.outside import http_client
from secureproctor.agent.proctor.obedience import Obedience
from secureproctor.agent.proctor.protocol import FromService
from secureproctor.agent.service_api import ServiceApi
from secureproctor.agent.session.admission import admitted
from secureproctor.agent.session.beyond import go_beyond
from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.exam_browser import ExamBrowser
from secureproctor.agent.session.journal import AcknowledgementSwitched, KeyVerified
from secureproctor.agent.session.locking import Locking
from secureproctor.agent.session.machine import OVER, State, Trigger
from secureproctor.agent.session.making import Ears, SessionMaker
from secureproctor.agent.session.pulse import Pulse
from secureproctor.agent.session.recording import record_in
from secureproctor.agent.session.session import Session
from secureproctor.agent.session.sightings import Sightings
from secureproctor.agent.session.sources import wanted_streams
from secureproctor.agent.session.standings import left_behind
from secureproctor.agent.session.status import view
from secureproctor.agent.session.viewing import Viewing
from secureproctor.agent.session.wakefulness import Times, Wakefulness
from secureproctor.agent.supervisor import Supervisor
from secureproctor.capture.handed import HandedFrames
from secureproctor.capture.media import Clock, ReportSink, SegmentSink
from secureproctor.capture.preview import Preview
from secureproctor.capture.recorder import CapturePlan, Recorder
from secureproctor.capture.still import Still
from secureproctor.config.paths import runtime_dir, state_dir
from secureproctor.config.settings import Settings
from secureproctor.contract.channel import Backlog, Head, Heartbeat
from secureproctor.contract.errors import Refusal
from secureproctor.contract.events import Detail
from secureproctor.contract.http import InitData, ProctoringSettings
from secureproctor.contract.lockdown import BeyondTolerance
from secureproctor.contract.page import PATH, CheckResult, ErrorEvent, HolderEvent, PageEvent, PreviewEvent, Status
from secureproctor.contract.stills import Identity
from secureproctor.contract.streams import Stream
from secureproctor.lockdown.choose import place_for
from secureproctor.lockdown.guard import Guard
from secureproctor.lockdown.leash import GuardianStarter, start_guardian
from secureproctor.lockdown.left import Note, Restored, take_notes
from secureproctor.lockdown.readings import ProcessFacts
from secureproctor.lockdown.rule import OpenPlace

log = logging.getLogger(__name__)

SHUT_DOWN_PATIENCE_S = 5.0
"""How long an agent that is told to end waits for its evidence to be delivered; the rest stays in the spool."""

TELL_S = 0.2
MEGABYTE = 1_000_000
AGENT = f"secureproctor-agent {version('secureproctor')}"


def webcam_device(settings: Settings) -> int | str:
    """The camera to open: the test camera when one is named, else a number or a path."""
    name = settings.test_camera or settings.webcam
    return int(name) if name.isdecimal() else name


def microphone_device(settings: Settings) -> int | str | None:
    """The microphone to open; None for the system's default."""
    name = settings.microphone
    return int(name) if name.isdecimal() else (name or None)


def check_context(
    settings: Settings, client: httpx.AsyncClient, streams: frozenset[Stream], expiry_s: int
) -> CheckContext:
    """What Check System looks at."""
    return CheckContext(
        settings.service_url.rstrip("/"),
        state_dir(settings),
        expiry_s,
        streams,
        client,
        webcam_device(settings),
        microphone_device(settings),
    )


def lockdown_dir(settings: Settings) -> Path:
    """Where the before-images of the lockdown are."""
    return state_dir(settings) / "lockdown"


@dataclass(slots=True)
class Agent:
    """The running agent: where it listens, and what it works with."""

    port: int
    conductor: Conductor
    server: LocalServer


class _Composition:
    """Makes the parts that refer to each other, and sessions on demand."""

    def __init__(
        self,
        settings: Settings,
        client: httpx.AsyncClient,
        supervisor: Supervisor,
        pairing: str,
        machine: "Machine",
    ) -> None:
        self.settings, self.client, self.handed = settings, client, HandedFrames()
        self.loop = asyncio.get_running_loop()
        self._telling: asyncio.TimerHandle | None = None
        self.api = ServiceApi(settings.service_url.rstrip("/"), client)
        test_sources = (settings.test_camera,) if settings.test_camera else ()
        self.wakefulness = Wakefulness(lambda: Times(boot_us(), time.monotonic_ns() // 1000, wall_ms() * 1000))
        ears = Ears(
            self.take, self.heartbeat, self.moved, self.trouble, self.squeezed, self.happened, self.cause_of_gap
        )
        sessions = state_dir(settings) / "sessions"
        self.maker = SessionMaker(sessions, client, self.loop, ears, self.room, settings.retention_h)
        self.supervisor = supervisor
        viewing = Viewing(self.preview, self.tell_holder, self.viewed, supervisor.start)
        sightings = Sightings(self.tell, self.changed, self.is_running, self.beyond)
        guard = functools.partial(Guard, machine.open_place, lockdown_dir(settings), guardian=machine.guardian)
        self.locking = Locking(guard, sightings, settings.allowed_programs, settings.lockdown == "observe")
        self.conductor = Conductor(
            self.session,
            self.capture,
            self.checks,
            supervisor,
            self.tell,
            self.changed,
            viewing,
            self.locking,
            test_sources,
            settings.retention_h,
        )
        self.obedience = Obedience(self.conductor)
        self.browser = ExamBrowser(self.conductor, machine.facts, settings.msb_browsers)
        holder = Holder(
            self.tell_whether_holding, self.page_holds, lambda: self.conductor.state not in {State.IDLE, *OVER}
        )
        browser_desk = BrowserDesk(self.browser, self.handed)
        self.desk = Desk(self.conductor, self.obedience, self.api, browser_desk, self.status, holder, self.admit)
        self.server = LocalServer(self.desk, pairing, self.origins, self.page_came, self.page_left)
        self.pulse = Pulse(
            self.conductor,
            lambda: len(self.server.page_origins),
            settings.page_gone_s,
            self.wakefulness,
            requests=self.look,
        )

    def session(self, data: InitData) -> Session:
        """A new session. Raises Refusal disk_full when its folder cannot be written."""
        session = self.maker.new(self.api, data)
        session.note(AcknowledgementSwitched(self.obedience.automatic))
        return session

    def admit(self, data: InitData) -> KeyVerified | None:
        """Judge the MSB Key of an exam. Raises Refusal."""
        return admitted(data, self.settings.msb_keys)

    def is_running(self) -> bool:
        """Whether the test goes on in its browser, and leaving the window counts."""
        return self.conductor.state is State.RUNNING and self.browser.is_running

    def beyond(self, session: Session, then: BeyondTolerance) -> None:
        """The exam window was left too often."""
        self.supervisor.start("beyond tolerance", go_beyond(self.conductor, session, then))

    def look(self, now_us: int) -> None:
        """What is looked after at each beat of the pulse."""
        self.obedience.acknowledging.look(now_us)
        self.locking.announcing.look()

    async def take_up(self, restored: Restored, notes: tuple[Note, ...]) -> None:
        """Go on with what another agent left behind: the newest session that is not over, and all evidence. The machine was
        given back before."""
        left = self.maker.left()
        current = next((each for each in reversed(left) if not each[1].over), left[-1] if left else None)
        for folder, history in left:
            session = self.maker.restored(folder, history)
            self.obedience.tell_again(session, history.last_moved)
            if (folder, history) == current:
                self.obedience.acknowledging.automatic = history.automatic
                await self.conductor.resume(session, history.resumed_state)
                left_behind(session, restored, notes)
                await self.browser.registered()  # who was here before the session was
                self.desk.browser.seen_soon(self.desk.holder.current)
                self.browser.left_behind(session)
            else:
                self.conductor.deliver_left(session)
            await self.obedience.go_on(session)

    def capture(self, streams: frozenset[Stream], clock: Clock, sink: SegmentSink, report: ReportSink) -> Recorder:
        """The recorder for a session's streams."""
        settings = self.settings
        plan = CapturePlan(
            streams=streams,
            screen_fps=settings.screen_fps,
            screen_preset=settings.screen_preset,
            screen_crf=settings.screen_crf,
            webcam_device=webcam_device(settings),
            webcam_fps=settings.webcam_fps,
            microphone=microphone_device(settings),
            audio_bitrate=settings.audio_bitrate,
            segment_s=settings.segment_s,
        )
        return Recorder(plan, clock, sink, report, self.handed if self.browser.hides_window else None)

    def preview(self, of: Identity, show: Callable[[Still], None]) -> Preview:
        """The camera for a candidate who is to be authorized."""
        return Preview(webcam_device(self.settings), of, show)

    def viewed(self, kind: str, of: Identity) -> None:
        """The preview was opened or closed."""
        self.conductor.record(kind, detail={"of": of})
        self.changed()

    async def checks(self, wanted: ProctoringSettings, expiry_s: int) -> tuple[CheckResult, ...]:
        """Check System for an exam's settings."""
        session = self.conductor.session
        locked = session is not None and session.lockdown is not None
        probe = functools.partial(self.locking.probe, session) if session and locked else None
        context = check_context(self.settings, self.client, wanted_streams(wanted), expiry_s)
        return await run_checks(replace(context, lockdown=probe))

    def take(self, session: Session, message: FromService) -> Awaitable[None] | None:
        """Note what the proctor sent; what is left to do for it."""
        return self.obedience.take(session, message)

    def heartbeat(self, session: Session) -> Heartbeat:
        """The session's heartbeat as of now."""
        heads = {
            str(stream): Head(epoch, seq, head.hex()) for stream, (epoch, seq, head) in session.delivery.heads().items()
        }
        state = self.conductor.state if self.conductor.session is session else State.ENDED
        backlog = Backlog(*session.delivery.spool.waiting)
        now_us, attestation = session.session_us(boot_us()), ""
        if session.attestations is not None and session.lockdown is not None:
            attestation = session.attestations.for_heartbeat(session.lockdown, state)
        return Heartbeat(state, wall_ms(), now_us, backlog, heads, session.level, attestation)

    def status(self) -> Status:
        """The status as of now."""
        return view(self.conductor, AGENT, boot_us(), self.obedience.automatic)

    def tell(self, event: PageEvent) -> None:
        """Send a notification to all pages."""
        self.server.tell(event)

    def tell_holder(self, event: PreviewEvent) -> None:
        """Send what the camera sees to the page that holds the session."""
        self.server.tell_holder(event)

    def changed(self) -> None:
        """The status may have changed."""
        self.server.tell(self.status())

    def moved(self) -> None:
        """Some evidence was delivered: told a few times a second, however fast a backlog drains."""
        if self._telling is None:
            self._telling = self.loop.call_later(TELL_S, self._tell_moved)

    def _tell_moved(self) -> None:
        self._telling = None
        self.changed()

    def room(self) -> Room:
        """The room that a session's evidence may take on the disk."""
        return Room(self.settings.spool_quota_mb * MEGABYTE, self.settings.disk_floor_mb * MEGABYTE)

    def trouble(self, session: Session, why: str) -> None:
        """The disk began to refuse evidence, or (why empty) ceased to."""
        if why:
            self.server.tell(ErrorEvent(Refusal("disk_full", why=why, folder=session.folder.path).info))

    def squeezed(self, session: Session, level: str, dropping: bool) -> None:
        """The disk runs short, or has room again."""
        self.conductor.squeezed(session, level, dropping)

    def happened(self, session: Session, kind: str, stream: Stream, detail: Detail) -> None:
        """Something is to go on the record of a session."""
        record_in(session, kind, stream, detail)

    def cause_of_gap(self, session: Session, gap: Gap) -> str:
        """Why the agent has no evidence, as its own clocks tell."""
        origin_us = session.clock.origin_us if session.clock else 0
        return self.wakefulness.cause(origin_us + gap.start_us, origin_us + gap.until_us)

    def origins(self) -> set[str]:
        """The page origins that may come in now."""
        session = self.conductor.session
        service = httpx.URL(self.api.url)
        own = f"{service.scheme}://{service.netloc.decode()}"
        return {own, *self.settings.allowed_origins, *(session.data.origins if session else ())}

    def page_came(self, origin: str) -> None:
        """A page connected."""
        self.conductor.record("page_connected", detail={"origin": origin})

    def page_holds(self, origin: str, taken_over: bool) -> None:
        """Another page holds the session from now on."""
        self.conductor.record("page_holds", detail={"origin": origin, "taken_over": taken_over})

    def tell_whether_holding(self, visitor: Visitor, holding: bool) -> None:
        """Tell a page whether it holds the session."""
        self.server.tell_one(visitor, HolderEvent(holding))
        if holding:
            self.close_preview()  # what it shows is for the page that asked for it

    def page_left(self, origin: str) -> None:
        """A page's connection closed."""
        self.conductor.record("page_gone", detail={"origin": origin})
        if self.desk.holder.current is None:
            self.close_preview()
            self.desk.visible = True
            self.locking.sightings.page_left(self.conductor.session)

    def close_preview(self) -> None:
        """Close a preview that the page that asked for it does not see any more."""
        if self.conductor.viewing.on:
            self.supervisor.start("preview closes", self.conductor.viewing.stop())


@dataclass(frozen=True, slots=True)
class Machine:
    """This computer, as far as the lockdown is concerned. The place is opened when an exam wants one."""

    open_place: OpenPlace = field(default_factory=place_for)
    facts: ProcessFacts = field(default_factory=process_facts)
    guardian: GuardianStarter = start_guardian


@contextlib.asynccontextmanager
async def running(settings: Settings, machine: Machine | None = None) -> AsyncIterator[Agent]:
    """Run the agent while the body runs. What another agent has left applied is restored first; a session that still goes on
    at the exit is ended as `agent shut down`, and the machine given back.

    Raises PortTaken, AnotherAgent, and OSError when the runtime folder cannot be written.
    """
    token = new_token()
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(exclusive(state_dir(settings)))
        machine = machine or Machine()
        giving_back = GivingBack(lockdown_dir(settings), machine.open_place)
        restored = await giving_back.now()
        notes = take_notes(lockdown_dir(settings))
        client = await stack.enter_async_context(http_client())
        supervisor = await stack.enter_async_context(Supervisor(lambda name: log.critical("%s has stopped", name)))
        parts = _Composition(settings, client, supervisor, token, machine)
        port = await stack.enter_async_context(parts.server.listening(settings.local_port))
        pairing = Pairing(f"ws://127.0.0.1:{port}{PATH}", token, os.getpid())
        stack.enter_context(published(runtime_dir(settings), pairing))
        supervisor.start("pulse", parts.pulse.run())
        supervisor.start("giving back", giving_back.until_done(restored))
        supervisor.start("exam browser", parts.browser.run())
        supervisor.start("left sessions", parts.take_up(restored, notes))
        stack.push_async_callback(parts.locking.close)
        stack.push_async_callback(_end_session, parts.conductor)
        yield Agent(port, parts.conductor, parts.server)


async def _end_session(conductor: Conductor) -> None:
    if conductor.session is None or conductor.session.closed:
        return
    if conductor.state not in OVER:
        with contextlib.suppress(Refusal):
            await conductor.end(Trigger.SHUT_DOWN, "Shutting down")
    await conductor.delivered(SHUT_DOWN_PATIENCE_S)

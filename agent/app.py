"""The composition root: the one file that knows every concrete class of the agent and puts them together.

`running` is the whole agent as a context: what it opens it closes, in reverse order, however the body ends.
"""

import asyncio
import base64
import contextlib
import logging
import os
import random
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from secureproctor.agent.checks.check import CheckContext
from secureproctor.agent.checks.run import run_checks
from secureproctor.agent.clock import boot_us, wall_ms
from secureproctor.agent.delivery.backoff import Backoff
from secureproctor.agent.delivery.delivery import Delivery
from secureproctor.agent.delivery.intake import Intake
from secureproctor.agent.delivery.sealer import Sealer
from secureproctor.agent.delivery.spool import Spool
from secureproctor.agent.delivery.uploader import Uploader
from secureproctor.agent.local.pairing import Pairing, new_token, published
from secureproctor.agent.local.routes import Desk
from secureproctor.agent.local.server import LocalServer
from secureproctor.agent.proctor.channel import ProctorChannel
from secureproctor.agent.proctor.obedience import Obedience
from secureproctor.agent.proctor.protocol import FromService, ProctorProtocol
from secureproctor.agent.proctor.watch import LinkWatch
from secureproctor.agent.service_api import ServiceApi, SessionAccess
from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.journal import Journal, Registered
from secureproctor.agent.session.machine import OVER, State, Trigger
from secureproctor.agent.session.pulse import Pulse
from secureproctor.agent.session.session import Session
from secureproctor.agent.session.sources import wanted_streams
from secureproctor.agent.session.status import view
from secureproctor.agent.supervisor import Supervisor
from secureproctor.capture.media import Clock, ReportSink, SegmentSink
from secureproctor.capture.recorder import CapturePlan, Recorder
from secureproctor.config.paths import runtime_dir, state_dir
from secureproctor.config.settings import Settings
from secureproctor.contract.channel import Backlog, Head, Heartbeat
from secureproctor.contract.errors import Refusal
from secureproctor.contract.http import InitData, ProctoringSettings
from secureproctor.contract.page import PATH, CheckResult, ErrorEvent, PageEvent, Status
from secureproctor.contract.streams import Stream

log = logging.getLogger(__name__)

SHUT_DOWN_PATIENCE_S = 5.0
"""How long an agent that is told to end waits for its evidence to be delivered; the rest stays in the spool."""

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


@dataclass(slots=True)
class Agent:
    """The running agent: where it listens, and what it works with."""

    port: int
    conductor: Conductor
    server: LocalServer


class _Composition:
    """Makes the parts that refer to each other, and sessions on demand."""

    def __init__(self, settings: Settings, client: httpx.AsyncClient, supervisor: Supervisor, pairing: str) -> None:
        self.settings, self.client = settings, client
        self.loop = asyncio.get_running_loop()
        self.api = ServiceApi(settings.service_url.rstrip("/"), client)
        test_sources = (settings.test_camera,) if settings.test_camera else ()
        self.conductor = Conductor(
            self.session, self.capture, self.checks, supervisor, self.tell, self.changed, test_sources
        )
        self.obedience = Obedience(self.conductor)
        self.desk = Desk(self.conductor, self.obedience, self.api, self.status)
        self.server = LocalServer(self.desk, pairing, self.origins, self.page_came, self.page_left)
        self.pulse = Pulse(self.conductor, lambda: len(self.server.page_origins), settings.page_gone_s)

    def session(self, data: InitData) -> Session:
        """A session's parts around its own folder. Raises Refusal disk_full when the folder cannot be written."""
        folder = state_dir(self.settings) / "sessions" / uuid.UUID(data.session_id).hex
        try:
            journal, spool = Journal(folder / "journal"), Spool(folder / "spool").open()
            journal.write(
                Registered(data.session_id, self.api.url, data.token, data.sealing_key, data.expiry_s, wall_ms())
            )
        except OSError as error:
            raise Refusal("disk_full", why=error.strerror, folder=folder) from None
        access = SessionAccess(self.api, data.session_id, data.token)
        watch = LinkWatch(data.expiry_s * 1_000_000, boot_us())
        delivery = self.delivery(data, spool, access, watch)
        session = Session(
            data,
            journal,
            delivery,
            self.channel(data, access, watch, lambda: session),
            watch,
            wanted_streams(data.settings),
            skew_ms=data.now_ms - wall_ms(),
        )
        return session

    def delivery(self, data: InitData, spool: Spool, access: SessionAccess, watch: LinkWatch) -> Delivery:
        """The way out for a session's evidence."""
        key = X25519PublicKey.from_public_bytes(base64.b64decode(data.sealing_key))
        sealer = Sealer(uuid.UUID(data.session_id), key, lambda: wall_ms() * 1000, not data.settings.recording)
        address = f"{self.api.url}/v1/sessions/{data.session_id}/segments"
        uploader = Uploader(
            spool, self.client, address, access, lambda: watch.heard(boot_us()), self.changed, Backoff(random.random)
        )
        return Delivery(sealer, spool, uploader, Intake(self.loop), lambda why: self.disk_trouble(why, spool.folder))

    def channel(
        self, data: InitData, access: SessionAccess, watch: LinkWatch, session: Callable[[], Session]
    ) -> ProctorChannel:
        """The proctor channel of a session that is being made."""

        async def obey(message: FromService) -> None:
            await self.obedience.obey(session(), message)

        return ProctorChannel(
            f"ws{self.api.url.removeprefix('http')}/v1/sessions/{data.session_id}/channel",
            access,
            ProctorProtocol(),
            Backoff(random.random),
            obey,
            lambda: self.heartbeat(session()),
            lambda: watch.heard(boot_us()),
        )

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
        return Recorder(plan, clock, sink, report)

    async def checks(self, wanted: ProctoringSettings, expiry_s: int) -> tuple[CheckResult, ...]:
        """Check System for an exam's settings."""
        return await run_checks(check_context(self.settings, self.client, wanted_streams(wanted), expiry_s))

    def heartbeat(self, session: Session) -> Heartbeat:
        """The session's heartbeat as of now."""
        heads = {
            str(stream): Head(epoch, seq, head.hex()) for stream, (epoch, seq, head) in session.delivery.heads().items()
        }
        state = self.conductor.state if self.conductor.session is session else State.ENDED
        backlog = Backlog(*session.delivery.spool.waiting)
        return Heartbeat(state, wall_ms(), session.session_us(boot_us()), backlog, heads)

    def status(self) -> Status:
        """The status as of now."""
        return view(self.conductor, AGENT, boot_us(), self.obedience.automatic)

    def tell(self, event: PageEvent) -> None:
        """Send a notification to all pages."""
        self.server.tell(event)

    def changed(self) -> None:
        """The status may have changed."""
        self.server.tell(self.status())

    def disk_trouble(self, why: str, folder: Path) -> None:
        """The disk began to refuse evidence, or (why empty) ceased to."""
        if why:
            self.server.tell(ErrorEvent(Refusal("disk_full", why=why, folder=folder).info))

    def origins(self) -> set[str]:
        """The page origins that may come in now."""
        session = self.conductor.session
        service = httpx.URL(self.api.url)
        own = f"{service.scheme}://{service.netloc.decode()}"
        return {own, *self.settings.allowed_origins, *(session.data.origins if session else ())}

    def page_came(self, origin: str) -> None:
        """A page connected."""
        self.conductor.record("page_connected", detail={"origin": origin})

    def page_left(self, origin: str) -> None:
        """A page's connection closed."""
        self.conductor.record("page_gone", detail={"origin": origin})


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Agent]:
    """Run the agent while the body runs. A session that still goes on at the exit is ended as `agent shut down`.

    Raises PortTaken, and OSError when the runtime folder cannot be written.
    """
    token = new_token()
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=httpx.Timeout(20.0, connect=5.0)))
        supervisor = await stack.enter_async_context(Supervisor(lambda name: log.critical("%s has stopped", name)))
        parts = _Composition(settings, client, supervisor, token)
        port = await stack.enter_async_context(parts.server.listening(settings.local_port))
        pairing = Pairing(f"ws://127.0.0.1:{port}{PATH}", token, os.getpid())
        stack.enter_context(published(runtime_dir(settings), pairing))
        supervisor.start("pulse", parts.pulse.run())
        stack.push_async_callback(_end_session, parts.conductor)
        yield Agent(port, parts.conductor, parts.server)


async def _end_session(conductor: Conductor) -> None:
    if conductor.session is None or conductor.session.closed:
        return
    if conductor.state not in OVER:
        with contextlib.suppress(Refusal):
            await conductor.end(Trigger.SHUT_DOWN, "Shutting down")
    await conductor.delivered(SHUT_DOWN_PATIENCE_S)

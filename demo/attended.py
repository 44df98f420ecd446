"""The demo on a PC that somebody sits at: its own screen, camera and microphone, the page in its own browser.

The person presses the buttons; the demo says which, shows how far the session is, and ends it as a proctor would when its time
is over. Afterwards it leaves the same files as a course on the virtual desk.

Tested on a virtual desk with a program in place of the person; never run on a real desktop, nor on Windows or macOS.
"""

import os
import platform
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from secureproctor.contract.console import SessionSnapshot
from secureproctor.contract.http import ReportAnswer
from secureproctor.contract.signing import joined_values, sign_body
from secureproctor.contract.streams import MEDIA
from secureproctor.demo import gathering
from secureproctor.demo import summary as results
from secureproctor.demo.desk import desk
from secureproctor.demo.inspection import inspect
from secureproctor.demo.onlooker import Onlooker, onlooker
from secureproctor.demo.pictures import take
from secureproctor.demo.program import DeskError
from secureproctor.demo.promises import covered, verified
from secureproctor.demo.stage import FORM, PUBLIC_KEY, Service, agent, service, while_alive

START_WITHIN_S = 15 * 60.0
DELIVERED_WITHIN_S = 60.0
"""How long an ended session may take to deliver its evidence, before the agent is ended too."""
STARTED = frozenset({"running", "paused", "ending", "draining", "ended"})

WHAT_TO_DO = """
In the browser that opens now, press these buttons from top to bottom:

  1. [bold]Init[/bold]           registers you with the service
  2. [bold]Check System[/bold]   tries your camera, microphone and screen
  3. [bold]Start[/bold]          from now on they are captured
  4. [bold]Stop[/bold]           ends it; or wait {duration:.0f} seconds, and it is ended for you
  5. [bold]Report[/bold]         shows what the service has

No browser? Open this address yourself:
{demo}

Be the proctor as well, in a second window (chat, pause, resume, end):
{console}
"""


@dataclass(slots=True)
class Attended:
    """A session with a person. `options` go to the agent; `start_within_s` is how long the demo waits for Start."""

    duration_s: float
    out: Path
    options: list[str]
    tell: Callable[[str], None]
    console: Console
    start_within_s: float = START_WITHIN_S
    name: str = "attended"
    checks: list[results.CheckSummary] = field(default_factory=list)
    first_segment_s: float | None = None

    async def perform(self) -> results.Summary:
        """From the first sentence to the summary. Raises DeskError `not_started` when nobody presses Start."""
        with _private_folder() as folder:
            async with AsyncExitStack() as stack:
                self.tell("Starting the service and the agent")
                running = await stack.enter_async_context(service(folder, os.environ, logs=self.out))
                self.tell("Looking at camera, microphone and screen")
                self.checks = await inspect(folder, running.url, self.options)
                of_agent = await stack.enter_async_context(AsyncExitStack())
                options = ["--service-url", running.url, *self.options]
                started = await of_agent.enter_async_context(agent(folder, os.environ, options, logs=self.out))
                programs = [running.program, started.program]
                query = urlencode({"agent": started.address, **FORM})
                demo = f"{running.url}/demo?{query}#privateKey={quote(running.private_key)}"
                snapshot, over = await while_alive(programs, self._attend(running, demo))
                if not over:
                    self.tell("The session does not end by itself: ending the agent, and the session with it")
                    await of_agent.aclose()
                return await while_alive([running.program], self._gather(running, demo, snapshot))

    async def _attend(self, running: Service, demo: str) -> tuple[SessionSnapshot, bool]:
        """The session as it was last seen, and whether it is over with all its evidence delivered."""
        async with onlooker(running.url, running.proctor_key) as looking:
            self._invite(running, demo)
            if not await looking.until(
                lambda seen: seen.state in STARTED and seen.started_ms is not None, self.start_within_s
            ):
                minutes = f"{self.start_within_s / 60:.0f} minutes"
                raise DeskError("not_started", f"Nobody pressed Start within {minutes}.", "Start the demo again.")
            assert looking.seen is not None  # noqa: S101 - until() has just looked at it
            looking.followed = looking.seen.session_id
            self.tell("Started: screen, webcam and sound are captured from now on")
            over = await self._accompany(looking)
            return looking.seen, over

    def _invite(self, running: Service, demo: str) -> None:
        proctor = f"{running.url}/console#key={quote(running.proctor_key, safe='')}"
        text = WHAT_TO_DO.format(duration=self.duration_s, demo=demo, console=proctor)
        self.console.print(text, soft_wrap=True)  # an address that is broken up cannot be copied
        # a browser may hold up whoever opened it until it is closed
        threading.Thread(target=webbrowser.open, args=(demo,), daemon=True).start()

    async def _accompany(self, looking: Onlooker) -> bool:
        """Show the session until its time is over, end it, and wait until it has ended."""
        columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
        with Progress(*columns, console=self.console) as progress:
            bar = progress.add_task("Running", total=self.duration_s)

            def show() -> None:
                ran_s = progress.tasks[0].elapsed or 0.0
                self._note_first_segment(looking, ran_s)
                progress.update(bar, description=_state(looking), completed=ran_s)

            if await looking.until(_is_over, self.duration_s, show):
                return True
            await looking.order("end")
            return await looking.until(_is_over, DELIVERED_WITHIN_S, show)

    def _note_first_segment(self, looking: Onlooker, ran_s: float) -> None:
        """An init segment is the first record of its stream, and no picture yet."""
        arrived = looking.seen.streams if looking.seen else {}
        if self.first_segment_s is None and any(each in arrived and arrived[each].segments > 1 for each in MEDIA):
            self.first_segment_s = round(ran_s, 2)

    async def _gather(self, running: Service, demo: str, session: SessionSnapshot) -> results.Summary:
        self.tell("Fetching the report and the recordings")
        report, link = await _signed_report(running, session)
        gathered = await gathering.gather(report, link, running.url, self.out)
        missing = await take(gathered, demo, self.out)
        found = gathering.summarize(
            self.name,
            gathered,
            self.out,
            checks=self.checks,
            first_segment_s=self.first_segment_s,
            av_skew=results.skew(None),  # a person's screen has no sync mark
            promises=(covered(98.0), verified),  # whether a request is acknowledged is up to the person
        )
        return msgspec.structs.replace(found, notes=[missing] if missing else [])


def _state(looking: Onlooker) -> str:
    return looking.seen.state.capitalize() if looking.seen else ""


def _is_over(seen: SessionSnapshot) -> bool:
    return seen.state == "ended"


async def _signed_report(running: Service, session: SessionSnapshot) -> tuple[object, str]:
    """The session's report and the link to its page, as the exam's server fetches them."""
    query = {
        "groupName": session.group_name,
        "publicKey": PUBLIC_KEY,
        "reportFormat": "json",
        "userId": session.user_id,
    }
    headers = {"Authorization": sign_body(running.private_key, joined_values(query).encode())}
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.get(f"{running.url}/v2/report/", params=query, headers=headers)
    found = msgspec.json.decode(answer.raise_for_status().content, type=ReportAnswer)
    return msgspec.json.decode(found.report or b"{}"), found.data.url


@contextmanager
def _private_folder() -> Iterator[Path]:
    """Removed again. On Linux by the keeper of a desk without parts, which outlives even a kill of this process."""
    if platform.system() == "Linux":
        with desk(screen=False, camera=False, sound=False) as empty:
            yield empty.folder
    else:
        with tempfile.TemporaryDirectory(prefix="secureproctor-demo-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)

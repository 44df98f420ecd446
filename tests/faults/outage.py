"""The course of an outage: the link goes down for a while, and the session outlives it."""

import asyncio
import time
from dataclasses import dataclass

import msgspec

from secureproctor.contract.channel import COMMANDS
from secureproctor.contract.page import Conversation, Status
from secureproctor.contract.report import Report
from tests.faults.page import Told
from tests.faults.scene import Arrival, Scene, caught_up, faults_in, scene

USER = "outage"
NARROW_KBIT = 1500
"""So that the backlog takes some seconds, beside which the newest segments are sent."""
QUESTION, ANSWER = "Is my connection away?", "It was. Go on."
"""What the candidate writes and what the proctor writes, both while nothing goes through."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long the link is down, and after what time the session would expire."""

    outage_s: float
    expiry_s: int


LENGTHS = {"short": Length(18, 60), "long": Length(COMMANDS["snapshot"].lifetime_s + 6, 150)}
"""Both longer than it takes to be told so; the longer one than a command that waits for a picture lives."""


class Observed(msgspec.Struct):
    """What there was to see; moments in milliseconds since 1970."""

    session_id: str
    down_ms: int
    up_ms: int
    caught_up_ms: int
    told: list[Told]
    backlog: Status
    conversation: Conversation
    report: Report
    arrivals: list[Arrival]
    faults: list[str]
    left: list[str]


def now_ms() -> int:
    """The computer's clock."""
    return time.time_ns() // 1_000_000


async def play(name: str) -> Observed:
    """An outage within a session that is not much longer, in which everybody goes on as if there was none."""
    length = LENGTHS[name]
    async with scene() as it, it.candidate.page() as page:
        session_id = (await it.begin(page, USER, length.expiry_s)).session_id
        it.network.rate(NARROW_KBIT)
        await it.arrived(session_id, 3)
        down_ms = now_ms()
        it.network.link_down()
        await page.say(QUESTION)
        await _be_proctor(it, session_id)
        await asyncio.sleep(down_ms / 1000 + length.outage_s - time.time())
        backlog = await page.status()
        it.network.link_up()
        up_ms = now_ms()
        await page.until(caught_up)
        caught_up_ms = now_ms()
        await asyncio.sleep(2)
        conversation = await page.conversation()
        await page.stop()
        report = await it.service.console.report(USER)
        arrivals = it.service.arrivals(session_id)
        await page.until(lambda status: status.state == "ended")
        left = await it.left()
        return Observed(
            session_id,
            down_ms,
            up_ms,
            caught_up_ms,
            it.candidate.told,
            backlog,
            conversation,
            report,
            arrivals,
            faults_in(arrivals),
            left,
        )


async def _be_proctor(it: Scene, session_id: str) -> None:
    """A proctor who asks for a picture, pauses, resumes and writes."""
    async with it.service.console.line() as line:
        await line.order(session_id, "snapshot", "webcam")
        await line.order(session_id, "pause")
        await line.order(session_id, "resume")
        await line.say(session_id, ANSWER)

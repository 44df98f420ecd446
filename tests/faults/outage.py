"""The course of a short outage: the link goes down for a while, and the session outlives it."""

import asyncio
import time

import msgspec

from secureproctor.contract.page import Status
from secureproctor.contract.report import Report
from tests.faults.page import Told
from tests.faults.scene import Arrival, caught_up, faults_in, scene

USER = "outage"
OUTAGE_S = 20.0
EXPIRY_S = 60
NARROW_KBIT = 1500
"""So that the backlog takes some seconds, beside which the newest segments are sent."""


class Observed(msgspec.Struct):
    """What there was to see; moments in milliseconds since 1970."""

    session_id: str
    down_ms: int
    up_ms: int
    caught_up_ms: int
    told: list[Told]
    backlog: Status
    report: Report
    arrivals: list[Arrival]
    faults: list[str]
    left: list[str]


def now_ms() -> int:
    """The computer's clock."""
    return time.time_ns() // 1_000_000


async def play() -> Observed:
    """Twenty seconds without a link, within a session of about forty."""
    async with scene() as it, it.candidate.page() as page:
        session_id = (await it.begin(page, USER, EXPIRY_S)).session_id
        it.network.rate(NARROW_KBIT)
        await it.arrived(session_id, 3)
        down_ms = now_ms()
        it.network.link_down()
        await asyncio.sleep(OUTAGE_S)
        backlog = await page.status()
        it.network.link_up()
        up_ms = now_ms()
        await page.until(caught_up)
        caught_up_ms = now_ms()
        await asyncio.sleep(2)
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
            report,
            arrivals,
            faults_in(arrivals),
            left,
        )

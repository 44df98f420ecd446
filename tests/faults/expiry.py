"""The course of an outage that is longer than the session expiry time: both ends give up, each by its own clock."""

import asyncio

import msgspec

from secureproctor.contract.report import Report
from tests.faults.outage import now_ms
from tests.faults.page import Told
from tests.faults.scene import Arrival, faults_in, scene

USER = "expiry"
EXPIRY_S = 18
"""More than the fifteen seconds after which the candidate is told, so that there is something to count down."""
LONGER_S = 2.5


class Observed(msgspec.Struct):
    """What there was to see; moments in milliseconds since 1970."""

    down_ms: int
    up_ms: int
    state_at_return: str
    told: list[Told]
    report: Report
    arrivals: list[Arrival]
    faults: list[str]
    left: list[str]


async def play() -> Observed:
    """An outage of `EXPIRY_S + LONGER_S`, then the link again until everything has arrived."""
    async with scene() as it, it.candidate.page() as page:
        session_id = (await it.begin(page, USER, EXPIRY_S)).session_id
        await it.arrived(session_id, 3)
        down_ms = now_ms()
        it.network.link_down(here=False)
        await asyncio.sleep(EXPIRY_S + LONGER_S)
        state = (await page.status()).state
        it.network.link_up()
        up_ms = now_ms()
        await page.until(lambda status: status.state == "ended")
        report = await it.service.console.report_when(USER, lambda report: report.verified)
        arrivals = it.service.arrivals(session_id)
        left = await it.left()
        return Observed(down_ms, up_ms, state, it.candidate.told, report, arrivals, faults_in(arrivals), left)

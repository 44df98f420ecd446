"""The course of sessions through all kinds of bad network, one after the other, each followed by a look at what it left."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from secureproctor.contract.report import Gap, Report
from secureproctor.demo.weather import DOWN, FAIR, SILENT, Weather, http_answer
from tests.faults.certificates import DAY, Authority
from tests.faults.network import Network
from tests.faults.outage import now_ms
from tests.faults.page import Page
from tests.faults.scene import Scene, caught_up, faults_in, scene

USER = "weathers"
FAULT_S = 1.5
PATIENCE_S = 40.0
"""For things to be in order again; less once they were not, so that a broken session ends soon."""
TAKING_HOLD_S = 0.4
"""What was on its way when a fault begins may still arrive."""
PORTAL = b"<html><body>Welcome to our guest network. Please accept the terms.</body></html>"
HTML = "Content-Type: text/html\r\n"
Change = Callable[[Network], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: at the proxy, on the link below it, or with the certificate. `stops`: no evidence passes."""

    name: str
    stops: bool
    weather: Weather = FAIR
    link: Change | None = None
    certificate: "Callable[[Authority], Weather] | None" = None


def _stranger(authority: Authority) -> Weather:
    return Weather(certificate=Authority.made(authority.folder, "stranger").context("127.0.0.1"))


USUAL = (
    Fault("jitter", False, Weather(delay_s=0.05, jitter_s=0.5)),
    Fault("a half-open link", True, SILENT),
    Fault("resets in the middle of a body", False, Weather(reset_after=3_000)),
    Fault("a captive portal's 201", True, Weather(answer=http_answer(201, HTML, PORTAL))),
    Fault("status 503", True, Weather(answer=http_answer(503, "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n"))),
    Fault("a stranger's certificate", True, certificate=_stranger),
    Fault("lost packets", False, link=lambda net: net.loss(20)),
    Fault("a redirect", True, Weather(answer=http_answer(302, "Location: http://portal.invalid/login\r\n"))),
)
"""One of each kind."""
MORE = (
    Fault("delay", False, Weather(delay_s=0.4)),
    Fault("a narrow link", False, Weather(rate=10_000)),
    Fault("refused connections", True, DOWN),
    Fault("a captive portal's page", True, Weather(answer=http_answer(200, HTML, PORTAL))),
    Fault("status 500", True, Weather(answer=http_answer(500))),
    Fault("status 429", True, Weather(answer=http_answer(429, "Retry-After: 1\r\n"))),
    Fault("an answer that is no HTTP", True, Weather(answer=b"220 mail.invalid ESMTP\r\n")),
    Fault("an expired certificate", True, certificate=lambda own: Weather(certificate=own.context("127.0.0.1", -DAY))),
    Fault(
        "another computer's certificate", True, certificate=lambda own: Weather(certificate=own.context("192.0.2.1"))
    ),
    Fault("a cut on the way", True, link=lambda net: net.link_down(here=False)),
)
FAULTS = USUAL + MORE
PARTS = {"usual": USUAL, "more": MORE}
"""A session goes through each of these."""


class Aftermath(msgspec.Struct):
    """What there was to see once a fault was over: how a pause and a resume ended, and what had arrived by then."""

    name: str
    arrived_meanwhile: int
    waiting: int
    commands: list[str]
    state: str
    verified: bool
    chain_faults: list[str]
    gaps: list[Gap]
    record_faults: list[str]


class Observed(msgspec.Struct):
    """All of the faults, and the end."""

    aftermaths: list[Aftermath]
    report: Report
    left: list[str]
    stopped_tasks: list[str]


async def play(part: str) -> Observed:
    """Through the faults of a part with one session."""
    async with scene(proxied=True) as it, it.candidate.page() as page:
        session_id = (await it.begin(page, USER)).session_id
        aftermaths: list[Aftermath] = []
        for fault in PARTS[part]:
            sound = all("unanswered" not in each.commands and each.verified for each in aftermaths)
            aftermaths.append(await _through(it, page, session_id, fault, PATIENCE_S if sound else FAULT_S))
        await page.stop()
        await page.until(lambda status: status.state == "ended")
        report = await it.service.console.report_when(USER, lambda report: report.verified)
        stopped = [line for line in it.candidate.logs.splitlines() if "has stopped" in line]
        return Observed(aftermaths, report, await it.left(), stopped)


async def _through(it: Scene, page: Page, session_id: str, fault: Fault, patience_s: float) -> Aftermath:
    begin_ms = now_ms()
    it.proxy.change(fault.certificate(it.authority) if fault.certificate else fault.weather)
    if fault.link:
        fault.link(it.network)
    await asyncio.sleep(FAULT_S)
    end_ms = now_ms()
    it.proxy.change(FAIR)
    it.network.fair()
    waiting = (await page.until(caught_up, patience_s)).waiting_segments
    commands = [await it.commanded(session_id, "pause", patience_s)]
    if "unanswered" not in commands:
        commands.append(await it.commanded(session_id, "resume", patience_s))
    state = (await page.status()).state

    report, gaps, record_faults = await _in_order(it, session_id, end_ms, patience_s)
    arrivals = it.service.arrivals(session_id)
    return Aftermath(
        fault.name,
        sum(begin_ms + TAKING_HOLD_S * 1000 < each.received_ms < end_ms for each in arrivals),
        waiting,
        commands,
        state,
        report.verified,
        [line for chain in report.chains for line in chain.faults],
        gaps,
        record_faults,
    )


async def _in_order(it: Scene, session_id: str, end_ms: int, patience_s: float) -> tuple[Report, list[Gap], list[str]]:
    """The report, its gaps from before `end_ms`, and what is wrong with the records, as soon as nothing is.

    What has just been captured is not there yet, so that all of this comes true a moment after the fault is over.
    """
    deadline = now_ms() + patience_s * 1000
    while True:
        report = await it.service.console.report(USER)
        zero_ms = report.started_ms or 0
        gaps = [gap for gap in report.gaps if gap.start_s * 1000 + zero_ms < end_ms and gap.cause != "starting"]
        wrong = faults_in(it.service.arrivals(session_id))
        if (report.verified and not gaps and not wrong) or now_ms() > deadline:
            return report, gaps, wrong
        await asyncio.sleep(0.2)

"""Once a second: is the link there, has the session expired, is the exam page gone, what is the page to see?

The last beat before the expiry comes when the session expires, not up to a second later.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from secureproctor.agent.clock import Microseconds, boot_us
from secureproctor.agent.proctor.watch import Change
from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.machine import LIVE, OVER, State, Trigger
from secureproctor.agent.session.session import Session
from secureproctor.agent.session.wakefulness import Wakefulness
from secureproctor.contract.errors import Refusal
from secureproctor.contract.page import ErrorEvent

log = logging.getLogger(__name__)

PERIOD_S = 1.0
LEAST_S = 0.02
FEW = 8
"""Records that wait at any moment of a session without trouble; more are a backlog, whose progress is shown."""
WATCHED = LIVE | {State.REGISTERED, State.AWAITING_AUTHORIZATION, State.READY, State.STARTING}


@dataclass(slots=True)
class Pulse:
    """Looks at the conductor's session. `pages` tells how many exam pages are connected; `requests` is called to look after
    what waits for an acknowledgement."""

    conductor: Conductor
    pages: Callable[[], int]
    page_gone_s: float
    wakefulness: Wakefulness
    clock: Microseconds = boot_us
    requests: Callable[[int], None] = lambda now_us: None
    _alone_since_us: int | None = None

    async def run(self) -> None:
        """Beat for ever; cancel to stop."""
        while True:
            await self.beat()
            await asyncio.sleep(self.pause_s())

    def pause_s(self) -> float:
        """Seconds until the next look."""
        session = self.conductor.session
        if session is None or self.conductor.state not in WATCHED:
            return PERIOD_S
        return min(PERIOD_S, max(LEAST_S, session.watch.left_s(self.clock())))

    async def beat(self) -> None:
        """One look."""
        session, state = self.conductor.session, self.conductor.state
        for news in self.wakefulness.news():
            self.conductor.noticed(news)
        self.requests(self.clock())
        if state not in LIVE:
            self._alone_since_us = None
        if session is None or session.closed:
            return
        now_us = self.clock()
        if state in WATCHED:
            await self._look_at_link(session, now_us)
        if self.conductor.state in LIVE:
            await self._look_at_pages(now_us)
        if not session.watch.online or self.conductor.state in OVER or session.delivery.spool.waiting[0] > FEW:
            self.conductor.changed()

    async def _look_at_link(self, session: Session, now_us: int) -> None:
        while (change := session.watch.look(now_us)) is not Change.NONE:
            await self._act_on(change, session, now_us)

    async def _act_on(self, change: Change, session: Session, now_us: int) -> None:
        match change:
            case Change.LOST:
                self.conductor.record("link_lost", detail={"left_s": session.watch.left_s(now_us)})
                left = round(session.watch.left_s(now_us))
                self.conductor.tell(ErrorEvent(Refusal("link_lost", left=left).info))
            case Change.RESTORED:
                self.conductor.record("link_restored")
                self.conductor.changed()
            case Change.EXPIRED:
                expiry = session.data.expiry_s
                with contextlib.suppress(Refusal):  # somebody else has ended it while this waited
                    await self.conductor.end(Trigger.EXPIRE, "Expiry")
                    self.conductor.tell(ErrorEvent(Refusal("session_expired", expiry=expiry).info))

    async def _look_at_pages(self, now_us: int) -> None:
        if self.pages():
            self._alone_since_us = None
            return
        if self._alone_since_us is None:
            self._alone_since_us = now_us
        elif now_us - self._alone_since_us >= self.page_gone_s * 1e6:
            self._alone_since_us = None
            log.warning("the exam page has been gone for %d seconds: the session ends", round(self.page_gone_s))
            with contextlib.suppress(Refusal):  # as above
                await self.conductor.end(Trigger.PAGE_GONE, "Ending")

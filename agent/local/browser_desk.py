"""What the secure browser itself calls: it introduces itself, beats, and hands over pictures of its window.

Only what showed the pairing token may introduce itself, and no page: the secure browser as a program of its own, or its native
messaging host, where it speaks for no page. Who that is the operating system says (session/exam_browser.py); from then on this
one connection speaks for it. The exam's pages have to be in the same program, as far as the system tells.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass

from secureproctor.agent.clock import wall_ms
from secureproctor.agent.local.behind import behind
from secureproctor.agent.local.door import Visitor
from secureproctor.agent.session.exam_browser import ExamBrowser
from secureproctor.capture.handed import HandedFrames
from secureproctor.contract.errors import Refusal
from secureproctor.contract.page import Attach, Attached, Beat, BeatAnswer, FrameTaken, HandedFrame


@dataclass(slots=True)
class BrowserDesk:
    """Works on the exam's browser, and on the mailbox of handed frames."""

    browser: ExamBrowser
    handed: HandedFrames
    now_ms: Callable[[], int] = wall_ms
    _speaks: Visitor | None = None
    _handing: bool = False

    async def seen(self, visitor: Visitor) -> None:
        """The page that holds the session tells by its connection where the exam is. Without a lockdown nobody asks."""
        session = self.browser.conductor.session
        if session is None or session.lockdown is None or not visitor.is_page or self.browser.presence.is_there:
            return
        await self.browser.seen(await asyncio.to_thread(behind, self.browser.facts, visitor))

    def seen_soon(self, visitor: Visitor | None) -> None:
        """The same for a call that must not wait: an exam that is locked again."""
        conductor = self.browser.conductor
        if visitor is not None and conductor.session is not None and conductor.session.lockdown is not None:
            conductor.supervisor.start("exam page seen", self.seen(visitor))

    async def attach(self, visitor: Visitor, params: Attach) -> Attached:
        """The secure browser introduces itself. Raises Refusal browser_unproven."""
        if not visitor.paired or visitor.is_page:
            raise Refusal("browser_unproven", why="a page cannot introduce it")
        attached = await self.browser.attach(params, await asyncio.to_thread(behind, self.browser.facts, visitor))
        self._speaks, self._handing = visitor, False
        return attached

    async def beat(self, visitor: Visitor, params: Beat) -> BeatAnswer:
        """It lives. Raises Refusal browser_unproven when it has not introduced itself by this connection."""
        self._require(visitor)
        return await self.browser.beat(params)

    async def hand_frame(self, visitor: Visitor, params: HandedFrame) -> FrameTaken:
        """A picture of its window. Raises Refusal browser_unproven, frame_not_wanted or frame_unreadable."""
        self._require(visitor)
        if not self.browser.hides_window:
            raise Refusal("frame_not_wanted", why="the browser does not hide its window")
        try:
            image = base64.b64decode(params.image, validate=True)
        except binascii.Error as error:
            raise Refusal("frame_unreadable", why=error) from None
        age_s = (self.now_ms() - params.at_ms) / 1000
        taken = await asyncio.to_thread(self.handed.put, image, age_s)
        if taken.taken and not self._handing:
            self._handing = True
            self.browser.conductor.record("frames_handed")
        return FrameTaken(taken.taken, taken.next_s)

    async def require_inside(self, visitor: Visitor) -> None:
        """Raise Refusal browser_unproven when somebody speaks for the exam from another program than its secure browser."""
        session, there = self.browser.conductor.session, self.browser.presence
        if session is None or session.lockdown is None or not session.lockdown.needs_browser or not there.is_there:
            return
        process = await asyncio.to_thread(behind, self.browser.facts, visitor)
        if process is not None and process.pid != there.pid:
            raise Refusal("browser_unproven", why="this page is in another program")

    def _require(self, visitor: Visitor) -> None:
        if visitor is not self._speaks or not self.browser.presence.is_there:
            raise Refusal("browser_unproven", why="it has not introduced itself")

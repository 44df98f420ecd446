"""The browser in which the exam is taken, known by its process: a secure one that introduces itself, or the page's own.

    attached ──beat──► heard ⇄ silent       (it hangs, or the computer is slow: told, no more)
       │ its process ends
       ▼
      gone ──returns in time──► attached    the lockdown is lifted at once, whatever follows;
       │                                    the MSB Key says whether the session ends or waits
       └──too late──► the session ends

Without a secure browser the process behind the exam page's connection says where the exam window is. When it ends, the machine
is given back, too; how long the session waits for its page is the pulse's business.

After an agent that died nobody knows of a browser: the lockdown is applied again as soon as one is here.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.lockdown import BROWSER_GONE, Lockdown
from secureproctor.agent.session.machine import LIVE, State, Trigger
from secureproctor.agent.session.session import Session
from secureproctor.contract.errors import Refusal
from secureproctor.contract.msb import BrowserIdentity
from secureproctor.contract.page import Attach, Attached, Beat, BeatAnswer, WarningEvent
from secureproctor.lockdown.browser.identity import identify, is_accepted
from secureproctor.lockdown.browser.presence import Presence, Seen
from secureproctor.lockdown.readings import ProcessFacts, Running
from secureproctor.lockdown.rule import Exam

LOOK_S = 0.25
REST_S = 1.0
RETURN_S = 30.0
"""How long a session that another agent left behind waits at least for its browser, which has to notice and to come back."""


@dataclass(slots=True)
class ExamBrowser:
    """`policy` are the secure browsers that IT accepts here, for exams whose MSB Key names none; `clock` gives seconds."""

    conductor: Conductor
    facts: ProcessFacts
    policy: tuple[str, ...] = ()
    clock: Callable[[], float] = time.monotonic
    hides_window: bool = False
    presence: Presence = field(init=False)
    _introduced: Attach | None = None
    _secure: Running | None = None
    _page: Running | None = None
    _due_s: float | None = None
    """Until when a session waits for its secure browser."""

    def __post_init__(self) -> None:
        self.presence = Presence(self.clock)

    # the secure browser

    async def attach(self, who: Attach, process: Running | None) -> Attached:
        """The secure browser introduces itself. Raises Refusal browser_unproven when its process is not known, and while an
        exam goes on that does not accept it."""
        if process is None:
            raise Refusal("browser_unproven", why="the system does not tell which program asks")
        identity = await self._judged(who, process.pid)
        session = self.conductor.session
        if self._is_intruder(session, identity):
            raise Refusal("browser_unproven", why=identity.why or "this is another program")
        self.presence.attached(process.pid, process.started)
        self._secure, self._introduced, self.hides_window = process, who, who.hides_window
        await self.conductor.locking.moved(Exam(process.pid, who.window))
        if session is not None and session.lockdown is not None and not session.lockdown.over:
            await self._belongs_to(session, session.lockdown, identity)
        claims = session.lockdown.claims if session and session.lockdown else None
        return Attached(
            identity, start_url=claims.start_url if claims else "", allowed_urls=claims.allowed_urls if claims else ()
        )

    async def registered(self) -> None:
        """A session was registered, or taken over from another agent: the browser that is here is its browser."""
        session = self.conductor.session
        if self._introduced is None or session is None or session.lockdown is None:
            return
        if session.lockdown.browser is None:
            await self._belongs_to(session, session.lockdown, await self._judged(self._introduced, self.presence.pid))

    async def beat(self, beat: Beat) -> BeatAnswer:
        """The secure browser lives. Raises Refusal browser_unproven when none has introduced itself."""
        session = self.conductor.session
        if not self.presence.is_there:
            raise Refusal("browser_unproven", why="it has not introduced itself")
        self.presence.beat(beat.n)
        if beat.window:
            await self.conductor.locking.moved(Exam(self.presence.pid, beat.window))
        phase = session.lockdown.phase if session and session.lockdown else "off"
        return BeatAnswer(beat.n, self.conductor.state, phase)

    def _is_intruder(self, session: Session | None, identity: BrowserIdentity) -> bool:
        """Whether somebody wants to step into the place of the browser of an exam that goes on."""
        needed = session is not None and session.lockdown is not None and session.lockdown.needs_browser
        return needed and self.conductor.state in LIVE and not is_accepted(identity, self._accepted)

    async def _judged(self, who: Attach, pid: int) -> BrowserIdentity:
        return await asyncio.to_thread(identify, self.facts, pid, self._accepted, who.product, who.version)

    @property
    def _accepted(self) -> tuple[str, ...]:
        session = self.conductor.session
        claims = session.lockdown.claims if session and session.lockdown else None
        return claims.browsers if claims and claims.browsers else self.policy

    async def _belongs_to(self, session: Session, lockdown: Lockdown, identity: BrowserIdentity) -> None:
        before, lockdown.browser = lockdown.browser, identity
        lockdown.admitted = is_accepted(identity, self._accepted)
        if identity != before:  # one that comes by another connection is the same
            detail = {name: getattr(identity, name) for name in ("product", "version", "path", "proof", "signer")}
            self.conductor.record("browser_attached", detail=detail)
            self.conductor.locking.announcing.now(session)
            self.conductor.changed()
        if lockdown.admitted or not lockdown.needs_browser:
            self._due_s = None
            await self._returned(session)

    # the page's own browser

    async def seen(self, process: Running | None) -> None:
        """The exam page is here, and has come from this process, if anybody can tell."""
        session = self.conductor.session
        if self.presence.is_there or session is None or session.lockdown is None:
            return
        if process is not None:
            self._page = process
            await self.conductor.locking.moved(Exam(process.pid))
        if not session.lockdown.needs_browser:
            await self._returned(session)

    @property
    def is_known(self) -> bool:
        """Whether anybody knows in which process the exam is."""
        return self.presence.is_there or self._page is not None

    @property
    def is_running(self) -> bool:
        """Whether the exam's process still runs, as far as it is known: who crashed has not left the exam."""
        known = self._secure or self._page
        return known is None or self.facts.is_alive(known.pid, known.started)

    # gone, and back

    async def run(self) -> None:
        """Look after it for ever; cancel to stop."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S if self.is_known else REST_S)

    async def look(self) -> None:
        """Whether it is there, is heard, or has been waited for long enough."""
        for seen in self.presence.look(self.facts.is_alive):
            await self._changed(seen)
        if self._page is not None and not self.facts.is_alive(self._page.pid, self._page.started):
            self._page = None
            await self._lift()
        if self._due_s is not None and self.clock() >= self._due_s:
            await self._end()

    async def _changed(self, seen: Seen) -> None:
        match seen.change:
            case "silent":
                self.conductor.record("browser_silent", detail={"silent_s": round(seen.silent_s, 1)})
            case "heard":
                self.conductor.record("browser_heard")
            case "gone":
                await self._gone()

    async def _gone(self) -> None:
        self._secure, self._introduced, self.hides_window = None, None, False
        session = self.conductor.session
        if session is None or session.lockdown is None:
            return
        lockdown = session.lockdown
        lockdown.browser, lockdown.admitted = None, False
        self.conductor.record("browser_gone")
        self.conductor.changed()
        if self.conductor.state not in {State.STARTING, *LIVE}:
            return
        await self._lift()
        if not lockdown.needs_browser:
            return
        claims = lockdown.claims
        if claims is not None and claims.browser_gone == "end":
            await self._end()
        else:
            await self._wait(claims.wait_s if claims else RETURN_S)

    async def _wait(self, wait_s: float) -> None:
        self._due_s = self.clock() + wait_s
        text = "The secure browser has ended. Open the exam with it again; then the session goes on."
        self.conductor.tell(WarningEvent("browser_gone", text, left_s=wait_s))

    def left_behind(self, session: Session) -> None:
        """The session was taken over from another agent: its browser has to come back."""
        lockdown = session.lockdown
        if lockdown is not None and lockdown.needs_browser and self.conductor.state in LIVE and not lockdown.admitted:
            wait_s = lockdown.claims.wait_s if lockdown.claims else 0.0
            self._due_s = self.clock() + max(RETURN_S, wait_s)

    async def _lift(self) -> None:
        session = self.conductor.session
        if session is not None and self.conductor.state in {State.STARTING, *LIVE}:
            await self.conductor.locking.lift(session, BROWSER_GONE)

    async def _returned(self, session: Session) -> None:
        if self.conductor.state in LIVE:
            await self.conductor.locking.relock(session, BROWSER_GONE)

    async def _end(self) -> None:
        self._due_s = None
        if self.conductor.state in {State.STARTING, *LIVE}:
            with contextlib.suppress(Refusal):  # somebody else has ended it while this waited
                await self.conductor.end(Trigger.PAGE_GONE, "Ending")

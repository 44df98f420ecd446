"""The end of an exam by its quit password: for the invigilator who stands beside the candidate, also without a network."""

import asyncio
from dataclasses import dataclass

from secureproctor.agent.clock import wall_ms
from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.journal import QuitTried
from secureproctor.agent.session.machine import OVER, Trigger
from secureproctor.agent.session.remedies import REMEDIES
from secureproctor.contract.errors import Refusal
from secureproctor.lockdown.browser.password import check_password


@dataclass(slots=True)
class Quitting:
    """Ends the conductor's session."""

    conductor: Conductor

    async def quit(self, password: str) -> None:
        """End the exam. Raises Refusal quit_not_possible without a quit password, quit_refused for a wrong one or while the
        next try is not due, and not_now without an exam."""
        session, state = self.conductor.session, self.conductor.state
        if session is None or state in OVER:
            raise Refusal("not_now", call="Quit", state=state, remedy=REMEDIES[state])
        lockdown = session.lockdown
        hashed = lockdown.claims.quit_password_hash if lockdown and lockdown.claims else ""
        if lockdown is None or not hashed:
            raise Refusal("quit_not_possible")
        if not lockdown.tries.begin():
            raise Refusal("quit_refused", wait_s=lockdown.tries.wait_s)
        session.note(QuitTried(wall_ms()))  # who kills the agent meanwhile has not gained a try
        if not await asyncio.to_thread(check_password, password, hashed):
            self.conductor.record("quit_refused")
            raise Refusal("quit_refused", wait_s=lockdown.tries.wait_s)
        lockdown.tries.right()
        self.conductor.record("quit_by_password")
        await self.conductor.end(Trigger.QUIT, "Quit")

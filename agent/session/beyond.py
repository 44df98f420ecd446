"""What follows when the exam window was left more often than the exam tolerates."""

import contextlib

from secureproctor.agent.session.conductor import Conductor
from secureproctor.agent.session.machine import Trigger
from secureproctor.agent.session.session import Session
from secureproctor.contract.errors import Refusal
from secureproctor.contract.lockdown import BeyondTolerance


async def go_beyond(conductor: Conductor, session: Session, then: BeyondTolerance) -> None:
    """Do what the exam says; nothing when the session is over, or paused, meanwhile."""
    if conductor.session is not session:
        return
    with contextlib.suppress(Refusal):
        if then == "pause":
            await conductor.pull(Trigger.PAUSE, "lockdown")
        elif then == "end":
            await conductor.end(Trigger.LEFT_TOO_OFTEN, "Ending")

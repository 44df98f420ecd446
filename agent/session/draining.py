"""What is waited for when a session is over: its evidence, the proctor's last answers, the evidence of those."""

import asyncio
import math
from collections.abc import Callable

from secureproctor.agent.clock import wall_ms
from secureproctor.agent.session.session import Session, retention_left_s
from secureproctor.contract.channel import ACKNOWLEDGE_WITHIN_S

LINGER_S = ACKNOWLEDGE_WITHIN_S + 15
"""So long after its evidence is delivered a session waits for a last acknowledgement, and for its words to be heard."""


async def delivered(session: Session, retention_h: float) -> bool:
    """Wait until all is delivered, but no longer than evidence is kept; whether it is."""
    over_ms = session.over_ms if session.over_ms is not None else wall_ms()
    patience_s = max(0.0, retention_left_s(over_ms, retention_h, wall_ms()))
    return await _come_true(lambda: session.delivery.uploader.done, patience_s)


async def answered(session: Session) -> None:
    """Wait until the proctor has heard all that there is to say, and until the record of it is delivered, for a while."""
    await _come_true(lambda: session.channel.settled and not session.owes_answers, LINGER_S)
    await session.delivery.flush()  # what was recorded after the end, such as the last acknowledgement
    await _come_true(lambda: session.delivery.uploader.done, LINGER_S)


async def _come_true(holds: Callable[[], bool], patience_s: float = math.inf) -> bool:
    """Wait for what nothing announces, such as that no record is on its way any more; 20 looks a second are cheap."""
    waited_s = 0.0
    while not holds():
        if waited_s >= patience_s:
            return False
        await asyncio.sleep(0.05)
        waited_s += 0.05
    return True

"""How the lockdown stands, told to the service: a change of phase at once, mere counts at most once a second.

While the link is away counts are not queued behind each other; the newest are told when it is back.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from secureproctor.agent.clock import wall_ms
from secureproctor.agent.session.session import Session
from secureproctor.contract.channel import LockdownChanged

PERIOD_S = 1.0


@dataclass(slots=True)
class Announcing:
    """`clock` gives seconds. `look` is called about once a second."""

    clock: Callable[[], float] = time.monotonic
    _told_s: float = float("-inf")
    _waiting: list[Session] = field(default_factory=list)

    def now(self, session: Session) -> None:
        """Tell it, also when the link is away: it is kept until it is back."""
        self._send(session)

    def soon(self, session: Session) -> None:
        """Tell it when the last word is a second old and the link is there."""
        if session not in self._waiting:
            self._waiting.append(session)
        self.look()

    def look(self) -> None:
        """Tell what it is time for."""
        if self.clock() - self._told_s < PERIOD_S:
            return
        for session in [each for each in self._waiting if each.closed or each.channel.ready]:
            self._send(session)

    def _send(self, session: Session) -> None:
        self._waiting = [each for each in self._waiting if each is not session]
        lockdown = session.lockdown
        if lockdown is None or session.closed:
            return
        message = LockdownChanged(lockdown.phase, lockdown.rules, wall_ms(), lockdown.browser, lockdown.tolerance.times)
        self._told_s = self.clock()
        session.channel.send(message)

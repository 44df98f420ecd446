"""What the session needs of the lockdown's guard, and how its news come from its thread to the event loop."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from secureproctor.contract.lockdown import RuleId, RuleStatus
from secureproctor.lockdown.guard import News
from secureproctor.lockdown.rule import Exam, Terms
from secureproctor.lockdown.standing import Standings

log = logging.getLogger(__name__)

MOST_NEWS = 1000
"""So much news waits for the event loop; what is more is lost, and the log says so."""


class Guard(Protocol):
    """What is needed of lockdown.guard.Guard. All but `status` may block."""

    def probe(self, terms: Terms) -> tuple[RuleStatus, ...]:
        """How the rules would stand."""

    def lock(self, terms: Terms, overridden: frozenset[RuleId]) -> tuple[RuleStatus, ...]:
        """Apply. Raises NotEnforceable or LockFailed, and then nothing is applied."""

    def lift(self, why: str) -> object:
        """Give the machine back for a while."""

    def moved(self, exam: Exam) -> None:
        """The exam is in another window."""

    def override(self, rule: RuleId) -> None:
        """Go on without a rule."""

    def unlock(self, why: str) -> tuple[RuleId, ...]:
        """Give the machine back; the rules that could not be."""

    @property
    def status(self) -> Standings:
        """How it stands."""

    def close(self) -> None:
        """Unlock, and end what works for it."""


GuardFactory = Callable[[Callable[[News], None]], Guard]


@dataclass(slots=True)
class Ear:
    """The bounded hand-over: `tell` is called in the guard's thread, `hear` in the event loop."""

    loop: asyncio.AbstractEventLoop
    hear: Callable[[News], None]
    _waiting: deque[News] = field(default_factory=deque)

    def tell(self, news: News) -> None:
        """News of the guard."""
        if len(self._waiting) >= MOST_NEWS:
            log.error("the lockdown tells more than can be taken: something is lost")
            return
        self._waiting.append(news)
        with contextlib.suppress(RuntimeError):  # the loop is closed: the agent is ending
            self.loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        while self._waiting:
            self.hear(self._waiting.popleft())

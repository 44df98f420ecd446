"""Remote session: signs that somebody else sees or controls this computer, at the start and whenever they change."""

import time
from collections.abc import Callable

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.readings import Sign, Signs
from secureproctor.lockdown.rule import Probed, Report, Sighting, Terms
from secureproctor.lockdown.rules.evidence import detail_of, weight_of
from secureproctor.lockdown.rules.observing import Observing
from secureproctor.lockdown.rules.seat import READINGS

LOOK_S = 20.0
"""The kernel takes 10 ms to list its connections: too much for every second."""
SUSPECTED = 0.5


class RemoteSessionRule(Observing):
    """Tells the signs when there are any, and when they have changed."""

    id: RuleId = "remote_session"

    def __init__(self, read: Callable[[], Signs], clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._told: tuple[Sign, ...] = ()
        self._next = 0.0

    def probe(self, terms: Terms) -> Probed:
        """`observed`, whatever the signs say."""
        signs = self._read()
        if not signs.found and set(signs.unknown) >= READINGS:
            return Probed("could_not_check", "It could not be found out whether this is a remote session.")
        if weight_of(signs) < SUSPECTED:
            return Probed("observed")
        return Probed(
            "observed", "This looks like a remote session.", "Sit at the computer itself, and end remote access."
        )

    def apply(self, terms: Terms, report: Report) -> None:
        """Look at once."""
        super().apply(terms, report)
        self._told = ()
        self._look()

    def verify(self) -> bool:
        """Look again, when it is time."""
        if self._report is not None and self._clock() >= self._next:
            self._look()
        return super().verify()

    def _look(self) -> None:
        signs = self._read()
        self._next = self._clock() + LOOK_S
        found = tuple(sorted(signs.found, key=lambda sign: (sign.name, sign.seen)))
        if found == self._told or self._report is None:
            return
        self._told = found
        detail, counts = detail_of(signs), weight_of(signs) >= SUSPECTED
        self._report(Sighting(self.id, "remote_session", detail, about=str(detail["evidence"]), counts=counts))

"""The rules `screenshots` and `printing`: what leaves the exam as a picture or on paper.

Windows has no switch that forbids either to everybody. Its own keys are stopped, its own tools are switched off with the user's
settings (put back afterwards), and what is printed all the same is seen in the printers' queues. Other programs that take
pictures are forbidden programs, and closed as such.
"""

import time
from collections.abc import Callable

from secureproctor.contract.events import Detail
from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.rule import Image, Probed, Report, Sighting, Terms
from secureproctor.lockdown.windows.api import Registry
from secureproctor.lockdown.windows.hands import Hands
from secureproctor.lockdown.windows.keyboard import Pressed
from secureproctor.lockdown.windows.policies import TABLE
from secureproctor.lockdown.windows.registry import RegistryPolicy

LOOK_S = 3.0


class ScreenshotsRule:
    """Keys, the snipping tool and Game Bar."""

    id: RuleId = "screenshots"

    def __init__(self, hands: Hands, registry: Registry) -> None:
        self._hands = hands
        self._tools = RegistryPolicy(registry, TABLE[self.id])
        self._applied = False

    def probe(self, terms: Terms) -> Probed:
        """Never more than observed: any program may take a picture."""
        return Probed(
            "observed", "The keys and Windows' own tools for it are stopped; other programs can take pictures."
        )

    def before(self, terms: Terms) -> Image:
        """How the tools were set."""
        return {} if terms.observe_only else self._tools.before()

    def apply(self, terms: Terms, report: Report) -> None:
        """Stop the keys, switch off the tools."""

        def tell(pressed: Pressed) -> None:
            detail: Detail = {"how": pressed.keys, "injected": pressed.injected}
            report(Sighting(self.id, "screenshot_tried", detail, about=pressed.keys))

        self._applied = not terms.observe_only
        if self._applied:
            self._tools.apply()
        self._hands.stop(self.id, tell)

    def verify(self) -> bool:
        """Whether both hold."""
        return self._hands.is_alive() and (not self._applied or self._tools.holds())

    def restore(self, image: Image) -> None:
        """Put both back."""
        self._hands.leave(self.id)
        self._tools.restore(image)


class PrintingRule:
    """Ctrl+P, and the printers' queues."""

    id: RuleId = "printing"

    def __init__(
        self,
        hands: Hands,
        jobs: Callable[[], frozenset[str] | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hands, self._jobs, self._clock = hands, jobs, clock
        self._report: Report | None = None
        self._known: frozenset[str] = frozenset()
        self._next = 0.0

    def probe(self, terms: Terms) -> Probed:
        """Never more than observed: a menu prints, too."""
        if self._jobs() is None:
            return Probed("could_not_check", "The printers of this computer could not be listed.")
        return Probed("observed", "The key for it is stopped; what is printed otherwise is on the record.")

    def before(self, terms: Terms) -> Image:
        """Nothing outlives this process."""
        return {}

    def apply(self, terms: Terms, report: Report) -> None:
        """Stop the key, and remember what is printed already."""

        def tell(pressed: Pressed) -> None:
            report(Sighting(self.id, "print_tried", {"how": pressed.keys}, about=pressed.keys))

        self._hands.stop(self.id, tell)
        self._known = self._known if self._report is not None else self._jobs() or frozenset()
        self._report, self._next = report, self._clock() + LOOK_S

    def verify(self) -> bool:
        """Look at the queues, when it is time."""
        if self._report is None:
            return False
        if self._clock() >= self._next:
            self._next = self._clock() + LOOK_S
            self._look(self._report)
        return self._hands.is_alive()

    def restore(self, image: Image) -> None:
        """Look no more."""
        self._report, self._known = None, frozenset()
        self._hands.leave(self.id)

    def _look(self, report: Report) -> None:
        jobs = self._jobs()
        if jobs is None:
            return
        for job in sorted(jobs - self._known):
            printer = job.rpartition("/")[0]
            report(Sighting(self.id, "print_tried", {"how": "printer", "printer": printer}, about=job))
        self._known = jobs

"""The rule `screenshots` on X11: any program may read the screen at any time, and nobody is told. Who comes can be seen.

The keys for it are the rule `keys`'. Programs that take pictures are known by name, from the list that comes with the agent.
"""

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.rule import Image, Probed, Report, Sighting, Terms
from secureproctor.lockdown.rules.census import Arrival, Census
from secureproctor.lockdown.rules.observing import Observing

WHY = "On X11 every program can read the screen; only programs that are known for it are seen."
REMEDY = "Take the exam on Windows or macOS where this is required."
_BUILT_IN = frozenset({"import", "xwd", "maim", "xfce4-screenshooter", "mate-screenshot"})
"""Tools that take pictures and do other things besides: they are not forbidden, and are told."""


class ScreenshotsRule(Observing):
    """Tells each start of such a program."""

    id: RuleId = "screenshots"

    def __init__(self, census: Census, names: Catalogue) -> None:
        self._census = census
        self._names = names

    def probe(self, terms: Terms) -> Probed:
        """Never more than observed."""
        return Probed("observed", WHY, REMEDY)

    def apply(self, terms: Terms, report: Report) -> None:
        """Begin to look."""
        super().apply(terms, report)
        self._census.listen(self._came)

    def restore(self, image: Image) -> None:
        """Look no more."""
        self._census.forget(self._came)
        super().restore(image)

    def _came(self, arrival: Arrival) -> None:
        running = arrival.running
        found = self._names.forbidden(running)
        takes = running.name in _BUILT_IN or (found is not None and found.program.category == "recording")
        if arrival.new and takes and self._report is not None:
            self._report(Sighting(self.id, "screenshot_tried", {"how": running.name}, about=running.name))

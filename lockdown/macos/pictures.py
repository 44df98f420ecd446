"""The rules `screenshots` and `printing`: what leaves the exam as a picture or on paper.

macOS's own keys for pictures (Cmd+Shift+3 to 6) and for printing (Cmd+P) are stopped by the event tap, with the right for it;
other programs that take pictures are forbidden programs, and closed as such. The shortcuts' settings are not touched: they
outlive the agent, and the tap does without. What is printed all the same is seen at CUPS, as on Linux.
"""

import time
from collections.abc import Callable
from pathlib import Path

from secureproctor.contract.events import Detail
from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.linux.printing import PrintingRule
from secureproctor.lockdown.macos.hands import Hands
from secureproctor.lockdown.macos.keyboard import Pressed
from secureproctor.lockdown.macos.rights import GRANT
from secureproctor.lockdown.rule import Image, Probed, Report, Sighting, Terms

SOCKET = Path("/private/var/run/cupsd")
"""Where CUPS listens on macOS (its CUPS_DEFAULT_DOMAINSOCKET)."""


class ScreenshotsRule:
    """Its keys."""

    id: RuleId = "screenshots"

    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    def probe(self, terms: Terms) -> Probed:
        """Never more than observed: any program with the right to record the screen may take a picture."""
        match self._hands.grasp:
            case "nothing":
                return Probed("impossible", self._hands.why, GRANT)
            case "listen":
                return Probed("observed", f"The keys for it are heard and cannot be stopped. {self._hands.why}", GRANT)
            case "stop":
                return Probed("observed", "The keys for it are stopped; other programs can take pictures.")

    def before(self, terms: Terms) -> Image:
        """A tap ends with its process."""
        return {}

    def apply(self, terms: Terms, report: Report) -> None:
        """Stop the keys."""

        def tell(pressed: Pressed) -> None:
            detail: Detail = {"how": pressed.keys, "injected": pressed.injected, "stopped": pressed.stopped}
            report(Sighting(self.id, "screenshot_tried", detail, about=pressed.keys))

        self._hands.stop(self.id, tell, stops=not terms.observe_only)

    def verify(self) -> bool:
        """Whether the tap is asked."""
        return self._hands.is_alive()

    def restore(self, image: Image) -> None:
        """Tap no more."""
        self._hands.leave(self.id)


class MacPrintingRule(PrintingRule):
    """Its key, where there is the right for it, and the print jobs."""

    def __init__(self, hands: Hands, path: Path = SOCKET, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(path, clock)
        self._hands = hands
        self._taps = False

    def probe(self, terms: Terms) -> Probed:
        """Never more than observed: a menu prints, too."""
        if self._hands.grasp == "stop" and not terms.observe_only:
            return Probed("observed", "The key for it is stopped; what is printed otherwise is on the record.")
        return super().probe(terms)

    def apply(self, terms: Terms, report: Report) -> None:
        """Stop the key, and look after print jobs."""

        def tell(pressed: Pressed) -> None:
            report(Sighting(self.id, "print_tried", {"how": pressed.keys}, about=pressed.keys))

        super().apply(terms, report)
        self._taps = self._hands.grasp != "nothing"
        if self._taps:
            self._hands.stop(self.id, tell, stops=not terms.observe_only)

    def verify(self) -> bool:
        """Whether both go on."""
        return super().verify() and (not self._taps or self._hands.is_alive())

    def restore(self, image: Image) -> None:
        """Look no more."""
        super().restore(image)
        self._taps = False
        self._hands.leave(self.id)

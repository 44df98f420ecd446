"""Displays: how many show something, whether one shows what another shows, and what comes and goes meanwhile.

What is connected and dark does not count: not the panel of a closed notebook, not a second screen that is off. A dock is
none, its screen is one. Plugging makes systems pass through states that nobody chose (both on, none on), so a change is told
when it has settled.
"""

import time
from collections.abc import Callable

from secureproctor.contract.events import Detail
from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.readings import Display
from secureproctor.lockdown.rule import Probed, Report, Sighting, Terms
from secureproctor.lockdown.rules.observing import Observing

SETTLE_S = 1.5
Read = Callable[[], tuple[Display, ...] | None]
Displays = tuple[Display, ...] | None


class DisplaysRule(Observing):
    """Tells how the displays are at first, and each time that they have changed. `look` may be called on an event, too."""

    id: RuleId = "displays"

    def __init__(self, read: Read, clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._allowed = 1
        self._told: Displays = None
        self._seen: Displays = None
        self._since = 0.0

    def probe(self, terms: Terms) -> Probed:
        """`observed`, with what the candidate has to change."""
        displays = self._read()
        if displays is None:
            return Probed("could_not_check", "The system does not tell which displays there are.")
        why = wrong_with(displays, terms.settings.displays)
        return Probed("observed", why, "Switch off or unplug the other displays." if why else "")

    def apply(self, terms: Terms, report: Report) -> None:
        """Tell how they are now."""
        super().apply(terms, report)
        self._allowed = terms.settings.displays
        self._seen = self._read()
        self._tell()

    def verify(self) -> bool:
        """Look, on the way."""
        self.look()
        return super().verify()

    def look(self) -> None:
        """Read them, and tell when they are for a while in another state than was told."""
        displays, now = self._read(), self._clock()
        if displays != self._seen:
            self._seen, self._since = displays, now
        elif displays != self._told and now - self._since >= SETTLE_S:
            self._tell()

    def _tell(self) -> None:
        self._told = self._seen
        if self._report is not None:
            violated = self._told is not None and bool(wrong_with(self._told, self._allowed))
            detail = detail_of(self._told, self._allowed)
            self._report(Sighting(self.id, "displays", detail, about=str(detail["outputs"]), counts=violated))


def wrong_with(displays: tuple[Display, ...], allowed: int) -> str:
    """What the exam does not allow, as a sentence; empty when all is well."""
    active, mirrored = _active(displays), _mirrored(displays)
    if mirrored:
        return f"The picture of the exam is shown on {mirrored + 1} displays."
    return f"{active} displays are on, and the exam allows {allowed}." if active > allowed else ""


def detail_of(displays: Displays, allowed: int) -> Detail:
    """As the event carries it; None where nobody can tell."""
    if displays is None:
        return {"count": None, "active": None, "mirrored": None, "allowed": allowed, "outputs": ""}
    outputs = "; ".join(map(_line, displays))
    return {
        "count": len(displays),
        "active": _active(displays),
        "mirrored": _mirrored(displays),
        "allowed": allowed,
        "outputs": outputs,
    }


def _active(displays: tuple[Display, ...]) -> int:
    return sum(display.on for display in displays)


def _mirrored(displays: tuple[Display, ...]) -> int:
    return sum(display.on and bool(display.mirrors) for display in displays)


def _line(display: Display) -> str:
    size = f" {display.width}x{display.height}" if display.on and display.width else ""
    mirrors = f" mirrors {display.mirrors}" if display.on and display.mirrors else ""
    panel = " panel" if display.internal else ""
    edid = f" {display.edid}" if display.edid else ""
    return f"{display.name} {display.technology}{panel} {'on' if display.on else 'off'}{size}{edid}{mirrors}"

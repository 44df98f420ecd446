"""The place while it is open. A system that can be reached no more (its X server died, say) is noticed, and tried again."""

from dataclasses import dataclass, field
from functools import partial

from secureproctor.lockdown.attempt import Failed, attempt
from secureproctor.lockdown.pauses import Pauses
from secureproctor.lockdown.rule import OpenPlace, Place

LOST_AFTER = 3
"""So many faults in a row while waiting for the system's events are no single rule's any more."""


@dataclass(slots=True)
class Door:
    """Opens the place, waits in it, and closes it; all in one thread."""

    open_place: OpenPlace
    place: Place | None = None
    why: str = "The system cannot be reached."
    """Why the place is not open."""
    _faults: int = 0
    _pauses: Pauses = field(default_factory=Pauses)

    def open(self) -> bool:
        """Whether it was opened now. That it cannot be is no error: `why` says so."""
        if self.place is not None:
            return False
        place = attempt("opening the place", self.open_place)
        if isinstance(place, Failed):
            self.why = place.why
            return False
        self.place, self._faults = place, 0
        return True

    def open_again(self, now: float) -> bool:
        """As `open`, at growing pauses."""
        if self.place is not None:
            self._pauses.went_well(now)
        elif self._pauses.is_due(now):
            self._pauses.failed(now)
            return self.open()
        return False

    def pump(self, timeout_s: float) -> bool:
        """Wait for the system's events; False when the place is lost, and closed."""
        waited = None if self.place is None else attempt("waiting for events", partial(self.place.pump, timeout_s))
        if not isinstance(waited, Failed):
            self._faults = 0
            return True
        self._faults += 1
        if self._faults < LOST_AFTER and not waited.gone:
            return True
        self.close()
        return False

    def close(self) -> None:
        """It restores nothing. Twice is harmless."""
        place, self.place = self.place, None
        if place is not None:
            attempt("closing the place", place.close)

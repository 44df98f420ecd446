"""The same thing seen again and again is told at once, and then every ten seconds with how often it was seen. Pure.

A program that fights for the front window can do so a hundred times a second; neither the record nor the proctor is to drown.
What comes in pairs, or is counted one by one against the exam's tolerance, is always told.
"""

import dataclasses
from dataclasses import dataclass, field

from secureproctor.lockdown.rule import Sighting

WINDOW_S = 10.0
ALWAYS = frozenset({"left_window", "returned_to_window"})

Key = tuple[str | None, str, str]


@dataclass(slots=True)
class _Seen:
    last: Sighting
    until: float
    untold: int = 0


@dataclass(slots=True)
class Repeats:
    """Which sightings to tell now. Times are seconds of any one clock."""

    window_s: float = WINDOW_S
    _seen: dict[Key, _Seen] = field(default_factory=dict)

    def see(self, sighting: Sighting, now: float) -> tuple[Sighting, ...]:
        """The sightings to tell now that this one was seen."""
        if sighting.kind in ALWAYS:
            return (sighting,)
        key = (sighting.rule, sighting.kind, sighting.about)
        due = self._told(key, now) if key in self._seen else ()
        if (seen := self._seen.get(key)) is not None:
            seen.last, seen.untold = sighting, seen.untold + 1
            return due
        self._seen[key] = _Seen(sighting, now + self.window_s)
        return (*due, sighting)

    def due(self, now: float) -> tuple[Sighting, ...]:
        """What was seen again, and whose time is over."""
        return tuple(sighting for key in tuple(self._seen) for sighting in self._told(key, now))

    def rest(self) -> tuple[Sighting, ...]:
        """All that was seen again and is not told yet: the lockdown is over."""
        untold = tuple(_with_times(seen) for seen in self._seen.values() if seen.untold)
        self._seen.clear()
        return untold

    @property
    def next_due(self) -> float | None:
        """When `due` has something to say at the earliest; None: never."""
        return min((seen.until for seen in self._seen.values()), default=None)

    def _told(self, key: Key, now: float) -> tuple[Sighting, ...]:
        seen = self._seen[key]
        if now < seen.until:
            return ()
        if not seen.untold:
            del self._seen[key]
            return ()
        told = _with_times(seen)
        self._seen[key] = _Seen(seen.last, now + self.window_s)
        return (told,)


def _with_times(seen: _Seen) -> Sighting:
    return dataclasses.replace(seen.last, detail={**seen.last.detail, "times": seen.untold})

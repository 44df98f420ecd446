"""How often the candidate has left the exam window, and what the exam still tolerates. Pure: the time comes with each call.

Two watch the same window: the lockdown, and the exam page, which knows nothing of the lockdown's eyes but sees a tab that is
hidden. One departure is told by both, in any order, and counts once: who tells while the candidate is away, or within SAME_S
after the other one told it, tells of the same departure. The lockdown's word that the window is in front again is the last one:
a page that never said so must not swallow the next departure.

Only departures from a test that runs count; the others are told with the number so far.
"""

from dataclasses import dataclass, field
from typing import Literal

Watcher = Literal["lockdown", "page"]
SAME_S = 2.0


@dataclass(frozen=True, slots=True)
class Left:
    """A departure was told. `news`: nobody had told it before. `times` so far, `left` of the tolerance (None: it has no
    limit); `counted` and `exceeded` are about this departure."""

    news: bool
    counted: bool
    times: int
    left: int | None
    exceeded: bool


@dataclass(frozen=True, slots=True)
class Returned:
    """The candidate is back after `away_s` seconds."""

    away_s: float
    times: int
    left: int | None


@dataclass(slots=True)
class Tolerance:
    """`allowed` departures are tolerated; None: any number. `times` is what an agent before has counted."""

    allowed: int | None
    times: int = 0
    _away: set[Watcher] = field(default_factory=set)
    _told_by: set[Watcher] = field(default_factory=set)
    _began_s: float = 0.0

    @property
    def left(self) -> int | None:
        """How often the window may still be left."""
        return None if self.allowed is None else max(0, self.allowed - self.times)

    @property
    def is_away(self) -> bool:
        """Whether the candidate is away now, by anybody's word."""
        return bool(self._away)

    def left_window(self, by: Watcher, now_s: float, counts: bool) -> Left:
        """Somebody tells that the window was left."""
        if self._is_known(by, now_s):
            self._away.add(by)
            self._told_by.add(by)
            return Left(False, False, self.times, self.left, False)
        self._away, self._told_by, self._began_s = {by}, {by}, now_s
        self.times += counts
        exceeded = counts and self.allowed is not None and self.times > self.allowed
        return Left(True, counts, self.times, self.left, exceeded)

    def returned(self, by: Watcher, now_s: float) -> Returned | None:
        """Somebody tells that the window is in front again; None while the candidate is away by the other's word."""
        if by not in self._away:
            return None
        self._away = set() if by == "lockdown" else self._away - {by}
        return None if self._away else Returned(round(now_s - self._began_s, 3), self.times, self.left)

    def forget(self, by: Watcher) -> None:
        """Nothing more is heard of this watcher; what it said last is true no longer."""
        self._away.discard(by)

    def _is_known(self, by: Watcher, now_s: float) -> bool:
        late = by not in self._told_by and now_s - self._began_s <= SAME_S
        return self.is_away or (late and bool(self._told_by))

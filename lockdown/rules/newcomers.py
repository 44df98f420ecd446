"""The rule `windows`: programs and windows that appear during the exam are on the record, by their program's name only.

A program that did not come with the system is told when it starts. One that did is told when it shows a window: systems start
programs of their own all the time, and few of them are anybody's doing. The exam's and the agent's own processes are not told.
"""

import time
from collections.abc import Callable

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.rule import Image, Probed, Report, Sighting, Terms
from secureproctor.lockdown.rules.census import Arrival, Census
from secureproctor.lockdown.rules.kin import Kin
from secureproctor.lockdown.rules.observing import Observing

LOOKS_S = (0.5, 2.0, 5.0)
"""When, after its start, a program of the system is looked at for a window."""
MOST = 64
"""As many are looked after at a time: a build may start thousands, none of which shows a window."""


class WindowsRule(Observing):
    """Looks after new programs; new windows are told to it by the place (`opened`), which sees them by event."""

    id: RuleId = "windows"

    def __init__(self, census: Census, names: Catalogue, clock: Callable[[], float] = time.monotonic) -> None:
        self._census = census
        self._names = names
        self._clock = clock
        self._kin = Kin(census.describe)
        self._waiting: dict[int, tuple[Arrival, float, int]] = {}

    def probe(self, terms: Terms) -> Probed:
        """It works wherever processes can be read."""
        return Probed("observed")

    def apply(self, terms: Terms, report: Report) -> None:
        """Begin to look."""
        super().apply(terms, report)
        self._kin = Kin(self._census.describe, terms.exam.pid)
        self._census.listen(self._came)

    def restore(self, image: Image) -> None:
        """Look no more."""
        self._census.forget(self._came)
        self._waiting.clear()
        super().restore(image)

    def opened(self, program: str, topmost: bool) -> None:
        """A window of another program appeared; `topmost`: it stays over all others."""
        self._tell("window_opened", {"program": program, "topmost": topmost}, f"{program} {topmost}")

    def fileno(self) -> int:
        """None: the census has it."""
        return -1

    @property
    def period_s(self) -> float | None:
        """While a program may still show its first window."""
        return LOOKS_S[0] if self._waiting else None

    def react(self) -> None:
        """Look for the windows of those that wait."""
        now = self._clock()
        for pid, (arrival, since, looks) in list(self._waiting.items()):
            if now - since >= LOOKS_S[looks]:
                self._look(pid, arrival, since, looks)

    def _came(self, arrival: Arrival) -> None:
        running = arrival.running
        if not arrival.new or self._kin.is_own(running):
            return
        if self._names.came_with(running) or not running.path:
            self._wait(arrival)
        elif running.own:
            self._started(arrival)

    def _wait(self, arrival: Arrival) -> None:
        self._waiting[arrival.running.pid] = (arrival, self._clock(), 0)
        if len(self._waiting) > MOST:
            del self._waiting[next(iter(self._waiting))]

    def _look(self, pid: int, arrival: Arrival, since: float, looks: int) -> None:
        if self._census.processes.describe(pid) is None:  # cheap, where to ask for windows is not: most are soon gone
            del self._waiting[pid]
            return
        shows = self._census.processes.has_window(pid)
        if shows:
            self._started(arrival)
        if shows is None or shows or looks + 1 == len(LOOKS_S):
            del self._waiting[pid]
        else:
            self._waiting[pid] = (arrival, since, looks + 1)

    def _started(self, arrival: Arrival) -> None:
        name = arrival.running.name
        self._tell("program_started", {"program": name}, name)

    def _tell(self, kind: str, detail: dict[str, str | int | float | bool | None], about: str) -> None:
        if self._report is not None:
            self._report(Sighting(self.id, kind, detail, about=about, counts=False))

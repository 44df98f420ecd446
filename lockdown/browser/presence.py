"""Whether the secure browser is there: it runs, and it is heard. Pure; the clock is passed in.

A process is known by its pid and its start, for pids are given again. That it has *gone* is the system's word and final for
this process; that it is *silent* is only a browser that hangs, or a computer that is too slow, and can pass.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from secureproctor.contract.page import BROWSER_SILENT_S

Change = Literal["gone", "silent", "heard"]
Alive = Callable[[int, float], bool]
"""Whether the process of that pid and start still runs (`ProcessFacts.is_alive`)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A change, told once. `silent_s`: for how long the browser had not been heard."""

    change: Change
    silent_s: float = 0.0


class Presence:
    """The presence of one secure browser at a time; `clock` gives seconds that cannot be set back."""

    def __init__(self, clock: Callable[[], float], silent_after_s: float = BROWSER_SILENT_S) -> None:
        self._clock = clock
        self._silent_after_s = silent_after_s
        self._process: tuple[int, float] | None = None
        self._n = -1
        self._heard_s = 0.0
        self._silent = False
        self._since_s = 0.0
        """When it was heard last before it fell silent."""

    @property
    def is_there(self) -> bool:
        """Whether a browser is attached, and has not gone."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """The browser's process; 0: there is none."""
        return self._process[0] if self._process else 0

    def attached(self, pid: int, started: float) -> bool:
        """A browser introduced itself, which counts as a beat; whether it is another process than the one before."""
        other = self._process != (pid, started)
        self._process = (pid, started)
        self._n = -1
        self._hear()
        return other

    def beat(self, n: int) -> bool:
        """A beat came; whether it counts. An old one that comes again does not, nor does one of nobody."""
        if self._process is None or n <= self._n:
            return False
        self._n = n
        self._hear()
        return True

    def look(self, alive: Alive) -> tuple[Seen, ...]:
        """What has changed since the last look."""
        if self._process is None:
            return ()
        if not alive(*self._process):
            silent_s = self._clock() - self._heard_s
            self._process, self._silent = None, False
            return (Seen("gone", silent_s),)
        if self._clock() - self._heard_s >= self._silent_after_s:
            return self._turned(silent=True)
        return self._turned(silent=False)

    def _turned(self, silent: bool) -> tuple[Seen, ...]:
        if silent == self._silent:
            return ()
        self._silent = silent
        if silent:
            self._since_s = self._heard_s
        return (Seen("silent" if silent else "heard", self._clock() - self._since_s),)

    def _hear(self) -> None:
        self._heard_s = self._clock()

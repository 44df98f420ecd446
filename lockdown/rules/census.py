"""The processes of this machine as they come: one look for all rules that care, so that it is paid for once.

Where the system tells of new programs by event (Announcements), those are looked at, and the whole list now and then, since
events get lost. Elsewhere the list is read a few times a second. A program may replace itself in place (`exec`), which no list
shows: a new process is looked at twice, and all others one after the other.

A look costs a bounded time: a first look at hundreds of processes on a slow machine is spread over many calls of `react`, the
newest first, and a list that takes long is read less often.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from secureproctor.lockdown.readings import Processes, Running

POLL_S = 0.2
"""With a second look one poll later, a program is known 0.4 s after its start at most."""
ROUND_S = 1.0
"""How often one of the processes that were looked at before is looked at again."""
LIST_S = 5.0
"""How often the whole list is read where the system tells by event."""
LOOK_S = 0.05
"""How long one call may look."""
SOON_S = 0.005
SHARE = 20.0
"""A list is read again after this many times of what reading it took."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A process, or a program that took an old process over. `new`: it came while somebody listened."""

    running: Running
    new: bool


Listener = Callable[[Arrival], None]


class Announcements(Protocol):
    """What the system tells of new programs by event."""

    def fileno(self) -> int:
        """Readable when there is news; -1 where it has no file."""

    def read(self) -> frozenset[int] | None:
        """The processes that began a program since the last call; None when some were lost. Never blocks."""


class Census:
    """Looks, and tells its listeners. It is `Watching`: the place calls `react`. Without listeners it does nothing."""

    def __init__(
        self,
        processes: Processes,
        clock: Callable[[], float] = time.monotonic,
        announcements: Announcements | None = None,
    ) -> None:
        self.processes = processes
        self._clock = clock
        self._announcements = announcements
        self._listeners: list[Listener] = []
        self._forget_all()

    def listen(self, listener: Listener) -> None:
        """Tell it of every process: of those that are there by and by, of new ones as they come."""
        self.forget(listener)
        if not self._listeners:
            self._forget_all()
        for running in tuple(self._known.values()):
            listener(Arrival(running, new=False))
        self._listeners.append(listener)

    def forget(self, listener: Listener) -> None:
        """Tell it nothing more. One that is not known is no error: a rule may be restored that was never applied."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def describe(self, pid: int) -> Running | None:
        """A process as it was last seen; one that was never seen is looked at now."""
        return self._known.get(pid) or self.processes.describe(pid)

    def fileno(self) -> int:
        """That of the announcements; -1 for none."""
        return self._announcements.fileno() if self._announcements is not None else -1

    @property
    def period_s(self) -> float | None:
        """How soon to call `react` again: at once while something waits to be looked at."""
        if not self._listeners:
            return None
        return SOON_S if self._waiting else min(POLL_S, self._every_s) if self._announcements is None else LIST_S

    def react(self) -> None:
        """Look what is new, for LOOK_S at most."""
        if not self._listeners:
            return
        lost = self._hear()
        if lost or self._clock() >= self._list_at:
            self._list()
        self._look()

    def _forget_all(self) -> None:
        self._known: dict[int, Running] = {}
        self._pids: frozenset[int] | None = None
        self._waiting: deque[tuple[int, bool]] = deque()
        self._again: list[int] = []
        self._rounds: deque[int] = deque()
        self._list_at = self._round_at = float("-inf")
        self._every_s = POLL_S

    def _hear(self) -> bool:
        """Whether something was lost. What is announced has its program already, and needs no second look."""
        if self._announcements is None:
            return False
        told = self._announcements.read()
        self._waiting.extendleft((pid, True) for pid in told or ())
        return told is None

    def _list(self) -> None:
        began = self._clock()
        pids = self.processes.pids()
        now = self._clock()
        polled = self._announcements is None
        self._every_s = min(LIST_S, max(POLL_S, SHARE * (now - began))) if polled else LIST_S
        self._list_at = now + self._every_s
        if polled:
            self._look_again()
        if pids is not self._pids:
            self._compare(pids)

    def _look_again(self) -> None:
        """At those that were new at the last list, and at one of the others."""
        self._waiting.extendleft((pid, True) for pid in self._again)
        self._again.clear()
        if self._clock() >= self._round_at:
            self._round_at = self._clock() + ROUND_S
            self._rounds = self._rounds or deque(self._known)
            if self._rounds:
                self._waiting.append((self._rounds.popleft(), True))

    def _compare(self, pids: frozenset[int]) -> None:
        first, before = self._pids is None, self._pids or frozenset()
        self._pids = pids
        for pid in before - pids:
            self._known.pop(pid, None)
        come = sorted(pids - before)
        if first:
            self._waiting.extend((pid, False) for pid in come)
        else:
            self._waiting.extendleft((pid, True) for pid in reversed(come))
            self._again.extend(come)

    def _look(self) -> None:
        until = self._clock() + LOOK_S
        while self._waiting:
            self._look_at(*self._waiting.popleft())
            if self._clock() >= until:
                return

    def _look_at(self, pid: int, new: bool) -> None:
        running, before = self.processes.describe(pid), self._known.get(pid)
        if running is None:
            self._known.pop(pid, None)
        elif before is None or _program(running) != _program(before):
            self._known[pid] = running
            for listener in tuple(self._listeners):
                listener(Arrival(running, new))


def _program(running: Running) -> tuple[object, ...]:
    return running.started, running.name, running.path, running.original_name

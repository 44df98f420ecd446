"""The course of a forbidden program: told, left to the candidate for a while, asked as a person would, closed by force.

Pure: it is told the time and whether the program still runs, and says what to do next. A program has its patience once in an
exam: who opens it again was told before. One that something starts again and again is closed a few times a minute and no
more, so that the two of them do not occupy the machine.
"""

import enum
from collections import deque

from secureproctor.contract.lockdown import ProgramsPolicy

GRACE_S = 3.0
"""How long a program that was asked has to save and go."""
FORCE_S = 5.0
"""How long it is tried to close one that does not go."""
SPREE = 5
SPREE_S = 60.0
"""So many closings of a program in such a time, and it is left alone for a while."""


class Move(enum.Enum):
    """What to do now."""

    WAIT = "wait"
    ASK = "ask"
    CLOSE = "close"
    GIVE_UP = "give up"
    OVER = "over"


class Course:
    """One program, from its sighting to its end. `deadline` is when patience ends."""

    def __init__(self, policy: ProgramsPolicy, deadline: float) -> None:
        self._policy = policy
        self.deadline = deadline
        self._asked: float | None = None
        self._closing: float | None = None
        self._given_up = False

    @property
    def how(self) -> str:
        """Who ended it, as in `program_closed`."""
        return "closed" if self._closing is not None else "asked" if self._asked is not None else "candidate"

    @property
    def is_pressing(self) -> bool:
        """Whether it is being closed, and has to be looked at often."""
        return self._asked is not None and not self._given_up

    def left_s(self, now: float) -> float | None:
        """Until it is closed; None: never."""
        return max(0.0, round(self.deadline - now, 1)) if self._policy == "close" else None

    def unheard(self, now: float) -> None:
        """It could not be asked: there is nothing to wait for."""
        self._asked = now - GRACE_S

    def step(self, now: float, alive: bool) -> Move:
        """The next move. `ASK`, `GIVE_UP` and `OVER` come once."""
        if not alive:
            return Move.OVER
        if self._policy != "close" or self._given_up or now < self.deadline:
            return Move.WAIT
        if self._asked is None:
            self._asked = now
            return Move.ASK
        if now - self._asked < GRACE_S:
            return Move.WAIT
        self._closing = now if self._closing is None else self._closing
        if now - self._closing < FORCE_S:
            return Move.CLOSE
        self._given_up = True
        return Move.GIVE_UP


class Spree:
    """How often a program has been closed lately."""

    def __init__(self) -> None:
        self._ended: deque[float] = deque(maxlen=SPREE)

    def ended(self, now: float) -> None:
        """It was closed once more."""
        self._ended.append(now)

    def rest_until(self, now: float) -> float:
        """From when on it may be closed again; `now` if it may be now."""
        return max(now, self._ended[0] + SPREE_S) if len(self._ended) == SPREE else now

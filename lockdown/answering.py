"""Being answerable for a folder's before-images: the lock that says so, and the guardian that takes over if this process dies.

Both are there before the first image is written, and until the last one is forgotten.
"""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from secureproctor.lockdown.attempt import Failed, attempt
from secureproctor.lockdown.holding import Held, hold, release
from secureproctor.lockdown.leash import Guardian, GuardianStarter
from secureproctor.lockdown.left import PATIENCE_S
from secureproctor.lockdown.news import LockFailed
from secureproctor.lockdown.pauses import Pauses


@dataclass(slots=True)
class Answering:
    """Of one process, for one folder."""

    folder: Path
    start: GuardianStarter
    _hold: int | None = None
    _guardian: Guardian | None = None
    _pauses: Pauses = field(default_factory=Pauses)

    @property
    def is_ours(self) -> bool:
        """Whether this process is answerable."""
        return self._hold is not None

    def begin(self) -> None:
        """Be answerable. Waits for another process that restores; raises LockFailed when it goes on for too long."""
        if self._hold is None:
            try:
                self._hold = hold(self.folder, "the agent", PATIENCE_S)
            except (Held, OSError) as error:
                raise LockFailed(str(error)) from None

    def post(self) -> None:
        """Have a guardian. Raises LockFailed."""
        if self._guardian is None:
            try:
                self._guardian = self.start(self.folder)
            except OSError as error:
                raise LockFailed(f"The process that gives the machine back could not be started: {error}.") from None

    def look(self, now: float) -> bool:
        """Whether the guardian was gone, and another one was started if that is possible."""
        if self._guardian is None or self._guardian.alive or not self._pauses.is_due(now):
            return False
        self._pauses.failed(now)
        dead, self._guardian = self._guardian, None
        dead.done()
        if isinstance(attempt("starting the guardian", self.post), Failed):
            self._guardian = dead  # so that it is found gone again
        return True

    def end(self) -> None:
        """The machine has been given back."""
        guardian, self._guardian = self._guardian, None
        if guardian is not None:
            guardian.done()
        self._let_go()

    def abandon(self) -> None:
        """The guardian does the rest. May be called by any thread, and twice."""
        guardian, self._guardian = self._guardian, None
        self._let_go()
        if guardian is not None:
            guardian.drop()

    def _let_go(self) -> None:
        held, self._hold = self._hold, None
        if held is not None:
            with contextlib.suppress(OSError):
                release(held)

"""What has left this computer: a count of what the service acknowledged, for the candidate to see.

Evidence that was delivered is deleted here, so that only a count can tell of it afterwards. It is kept beside the session
about once a second while something leaves, without being synchronised. What a crash of the agent costs is a second of
counting; a power cut may cost more, or count twice what it brings back and the service already had. None of it is evidence:
the service's report counts what it has.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from secureproctor.agent.clock import wall_ms
from secureproctor.agent.delivery.waiting import Key
from secureproctor.contract.page import DepartedRow
from secureproctor.contract.streams import Stream

log = logging.getLogger(__name__)

Rows = tuple[DepartedRow, ...]


def _nowhere(_: Rows) -> None:
    pass


@dataclass(slots=True)
class Departures:
    """The count of one session, from where `before` left it. `keep` stores it, and raises OSError; times are wall time."""

    before: Iterable[DepartedRow] = ()
    keep: Callable[[Rows], None] = _nowhere
    clock: Callable[[], int] = wall_ms
    _rows: dict[str, DepartedRow] = field(init=False)
    _kept: Rows = field(init=False)

    def __post_init__(self) -> None:
        self._rows = {row.what: row for row in self.before}
        self._kept = self.rows()

    def delivered(self, key: Key, size: int) -> None:
        """The service has a record of that size from now on."""
        what, now = str(key[0]), self.clock()
        row = self._rows.get(what) or DepartedRow(what, 0, 0, now, now)
        self._rows[what] = msgspec.structs.replace(row, pieces=row.pieces + 1, bytes=row.bytes + size, last_ms=now)

    def rows(self) -> Rows:
        """A row for each kind of evidence of which something has left, in the order of the report."""
        return tuple(self._rows[stream] for stream in Stream if stream in self._rows)

    def save(self) -> None:
        """Keep the count if it has changed. On a disk that takes nothing it is tried again the next time."""
        rows = self.rows()
        if rows == self._kept:
            return
        try:
            self.keep(rows)
            self._kept = rows
        except OSError as error:  # the disk's trouble is the spool's to tell
            log.info("what has left cannot be kept: %s", error.strerror)

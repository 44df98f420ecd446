"""When each agent was last heard, on a clock that runs only while the service does.

Any authenticated request or frame of an agent is a contact. A session expires when nothing was heard for its expiry time,
and while the service itself is away it hears nobody: counting that time would end the sessions of a whole hall because the
service was restarted. Forgetting what was counted before would let a session go on that was silent for long already. So the
*attended time* is kept: it runs with the boot clock (which cannot be set back and counts sleep) while the service runs,
stands still while it does not, and goes on where it stood. A restart, also after a kill or in a new boot of the machine, cuts
its own length out of every silence and changes nothing else; no two boots' clocks are ever compared.

The attended time and the contacts are stored together, in the transaction of each heartbeat and with every round of the
service (`keep`): a kill loses less than one round of both. The agent counts by its own clock, through a restart of the
service, too; whichever end is first, ends the session.
"""

from collections.abc import Iterable

import apsw

from secureproctor.service.clock import Clock
from secureproctor.service.session import RUNNING
from secureproctor.service.store import Store

_CONTACT = "INSERT INTO contacts SELECT id, ? FROM sessions WHERE id = ? ON CONFLICT DO UPDATE SET at_s = excluded.at_s"
_ATTENDED = "INSERT INTO attended VALUES (1, ?) ON CONFLICT DO UPDATE SET at_s = excluded.at_s"


class Contacts:
    """The last contact with each agent, in seconds of attended time. `heard` is cheap; what blocks says so."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Go on where the service before this one stood. Blocks."""
        self._store = store
        self._clock = clock
        with store.transaction() as db:
            stood_s = db.execute("SELECT at_s FROM attended").fetchone()
            self._heard: dict[str, float] = dict(db.execute("SELECT session, at_s FROM contacts"))
        self._zero: float = clock.boot() - max(stood_s[0] if stood_s else 0.0, *self._heard.values(), 0.0)
        self._unkept: set[str] = set()

    def heard(self, session_id: str) -> None:
        """The agent of this session was heard now."""
        self._heard[session_id] = self._now()
        self._unkept.add(session_id)

    def silent_s(self, session_id: str) -> float | None:
        """For how much attended time nothing was heard; None when nothing ever was."""
        heard = self._heard.get(session_id)
        return None if heard is None else self._now() - heard

    def overdue(self, session_id: str, expiry_s: float) -> bool:
        """Whether nothing was heard for the expiry time. A session without any contact counts from its first look."""
        return self._now() - self._heard.setdefault(session_id, self._now()) >= expiry_s

    def expired(self) -> list[str]:
        """The running sessions whose expiry time has passed. Blocks."""
        with self._store.transaction() as db:
            running = list(db.execute("SELECT id, expiry_s FROM sessions WHERE state IN (?, ?)", tuple(RUNNING)))
        if running:
            self.keep()
        return [session_id for session_id, expiry_s in running if self.overdue(session_id, expiry_s)]

    def keep(self) -> None:
        """Store the attended time, and the contacts since the last time. Blocks."""
        unkept = set()
        while self._unkept:  # the event loop may add to it at any moment
            unkept.add(self._unkept.pop())
        with self._store.transaction() as db:
            self.keep_within(db, unkept)

    def keep_within(self, db: apsw.Cursor, session_ids: Iterable[str]) -> None:
        """Store the attended time and these sessions' contacts in a transaction that is made anyway."""
        for session_id in session_ids:
            db.execute(_CONTACT, (self._heard.get(session_id, self._now()), session_id))
        db.execute(_ATTENDED, (self._now(),))

    def forget(self, session_id: str) -> None:
        """The session was purged."""
        self._heard.pop(session_id, None)
        self._unkept.discard(session_id)

    def _now(self) -> float:
        return self._clock.boot() - self._zero

"""Notices who was heard and did not attest: a look at every running, locked session, with each round of the service.

What counts is the time between two contacts of an agent, whatever it said; an agent cannot escape by leaving out heartbeats.
Time in which the link was lost counts for nobody, and the count begins anew after it: an agent that was away needs a fresh
nonce first. A restart of the service begins it anew, too.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from secureproctor.contract.attestation import MISSING_AFTER_S
from secureproctor.contract.channel import LINK_LOST_AFTER_S
from secureproctor.service import doubts
from secureproctor.service.clock import Clock
from secureproctor.service.contacts import Contacts
from secureproctor.service.doubts import Doubt
from secureproctor.service.session import Session
from secureproctor.service.store import Store

STEP_S = 5.0
"""A doubt that lasts is written so often."""


@dataclass(slots=True)
class _Silence:
    """Since the last good attestation: how many there were, when it began (wall clock), until when the agent was heard (boot
    clock) and for how long, and how much of that is written."""

    attested: int
    from_ms: int
    contact_s: float
    heard_s: float = 0.0
    written_s: float = 0.0


class Watch:
    """The looks. Every method blocks but `forget`; for one caller at a time."""

    def __init__(self, store: Store, contacts: Contacts, clock: Clock) -> None:
        self._store = store
        self._contacts = contacts
        self._clock = clock
        self._silences: dict[str, _Silence] = {}

    def look(self, sessions: Iterable[Session]) -> list[str]:
        """The sessions of which there is a new doubt, or one that has grown."""
        return [session.id for session in sessions if self._look(session)]

    def forget(self, session_id: str) -> None:
        """The session was purged."""
        self._silences.pop(session_id, None)

    def _look(self, session: Session) -> bool:
        silent_s = self._contacts.silent_s(session.id)
        if silent_s is None or not session.is_attesting:
            return self._ended(session.id)
        silence = self._silences.get(session.id)
        contact_s = self._clock.boot() - silent_s
        if silence is None or silence.attested != session.attested or contact_s - silence.contact_s > LINK_LOST_AFTER_S:
            grown = self._ended(session.id)
            from_ms = self._clock.now_ms() - int(silent_s * 1000)
            self._silences[session.id] = _Silence(session.attested, from_ms, contact_s)
            return grown
        silence.heard_s += max(contact_s - silence.contact_s, 0.0)
        silence.contact_s = contact_s
        due_s = silence.written_s + STEP_S if silence.written_s else MISSING_AFTER_S
        return silence.heard_s >= due_s and self._write(session.id, silence)

    def _ended(self, session_id: str) -> bool:
        silence = self._silences.pop(session_id, None)
        unwritten = silence is not None and 0 < silence.written_s < silence.heard_s
        return silence is not None and unwritten and self._write(session_id, silence)

    def _write(self, session_id: str, silence: _Silence) -> bool:
        silence.written_s = silence.heard_s
        silent_s = self._clock.boot() - silence.contact_s
        until_ms = self._clock.now_ms() - int(silent_s * 1000)
        doubt = Doubt("missing", silence.from_ms, until_ms, int(silence.heard_s * 1000))
        with self._store.transaction() as db:
            doubts.note(db, session_id, doubt)
        return True

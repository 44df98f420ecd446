"""What consoles are shown of a session, from rows: the snapshot for the wall, and the detail for one candidate's page.

Each is built and encoded once, whoever many consoles look.
"""

from dataclasses import dataclass

import apsw
import msgspec

from secureproctor.contract.console import SessionDetail, SessionGone, SessionSnapshot, StreamState
from secureproctor.contract.errors import Refusal
from secureproctor.contract.report import EventReport
from secureproctor.contract.streams import Stream
from secureproctor.service import conversation, ledger, lockdown
from secureproctor.service.channel import Channel
from secureproctor.service.clock import Clock
from secureproctor.service.contacts import Contacts
from secureproctor.service.flat import flat
from secureproctor.service.glance import Glance, Glances
from secureproctor.service.identity import identity
from secureproctor.service.reference import References
from secureproctor.service.session import RUNNING, Session
from secureproctor.service.sessions import load
from secureproctor.service.stills import Stills
from secureproctor.service.store import Store
from secureproctor.service.tokens import Tokens

MAX_EVENTS = 200
_TOTALS = "SELECT stream, segments, bytes, last_ms, epoch, seq FROM totals WHERE session = ?"


@dataclass(frozen=True, slots=True)
class Shown:
    """The frames of a session. `group` is None when it is not kept any longer; `detail` is b"" unless it was wanted."""

    session_id: str
    group: str | None
    snapshot: bytes
    detail: bytes = b""


class Snapshots:
    """Builds what is shown. Every method blocks; for one caller at a time."""

    def __init__(
        self,
        store: Store,
        contacts: Contacts,
        channel: Channel,
        glances: Glances,
        stills: Stills,
        references: References,
        tokens: Tokens,
        clock: Clock,
    ) -> None:
        self._store = store
        self._contacts = contacts
        self._channel = channel
        self._glances = glances
        self._stills = stills
        self._references = references
        self._tokens = tokens
        self._clock = clock

    def shown(self, session_id: str, detailed: bool) -> Shown:
        """The frames of a session as it is now."""
        try:
            with self._store.transaction() as db:
                session = load(db, session_id)
                snapshot = self._snapshot(db, session)
                detail = msgspec.json.encode(self._detail(db, session)) if detailed else b""
        except Refusal:
            return Shown(session_id, None, gone(session_id))
        return Shown(session_id, session.group_name, msgspec.json.encode(snapshot), detail)

    def _snapshot(self, db: apsw.Cursor, session: Session) -> SessionSnapshot:
        link = self._channel.presence(session.id)
        silent_s = self._contacts.silent_s(session.id) if link == "offline" else None
        counting = silent_s is not None and session.state in RUNNING
        glance = self._glances.of(session)
        return SessionSnapshot(
            session_id=session.id,
            user_id=session.user_id,
            user_name=session.user_name,
            group_name=session.group_name,
            state=session.state,
            end_reason=session.end_reason,
            link=link,
            heard_ms=session.heard_ms,
            registered_ms=session.registered_ms,
            started_ms=session.started_ms,
            ended_ms=session.ended_ms,
            expiry_s=session.expiry_s,
            backlog_segments=session.backlog,
            backlog_bytes=session.backlog_bytes,
            streams={row[0]: _stream(glance, *row) for row in db.execute(_TOTALS, (session.id,))},
            access=self._tokens.access(session.id)[0],
            pause_resume=session.settings.pause_resume,
            end_test=session.settings.end_test,
            authorization=session.settings.authorization,
            authorization_step=session.step,  # type: ignore[arg-type] # it came as an AuthorizationStep
            offline_s=silent_s,
            expires_in_s=max(0.0, session.expiry_s - silent_s) if counting and silent_s is not None else None,
            flags=glance.flags,
            unread=conversation.unread(db, session.id),
            open_commands=ledger.open_commands(db, session.id),
            quality=session.quality,
            lockdown=session.phase,
            stopping=session.stopping,
            away=session.away,
            browser=session.browser,
            attested_s=self._attested_s(session),
        )

    def _attested_s(self, session: Session) -> float | None:
        if session.attested_ms is None or not session.is_attesting:
            return None
        return max(self._clock.now_ms() - session.attested_ms, 0) / 1000

    def _detail(self, db: apsw.Cursor, session: Session) -> SessionDetail:
        access = self._tokens.access(session.id)[0]
        commands, stills = ledger.commands(db, session.id), self._stills.of(session, access)
        told = lockdown.newest(db, session.id)
        return SessionDetail(
            session_id=session.id,
            commands=commands,
            chat=conversation.chat(db, session.id),
            events=_events(db, session),
            stills=stills,
            identity=identity(session, commands, stills, *self._references.of(db, session.id, access)),
            settings=flat(session.settings),
            rules=told.rules,
            browser=told.browser,
        )


def gone(session_id: str) -> bytes:
    """The frame that says so."""
    return msgspec.json.encode(SessionGone(session_id))


def _stream(glance: Glance, stream: str, segments: int, size: int, last_ms: int, epoch: int, seq: int) -> StreamState:
    return StreamState(segments, size, last_ms, glance.coverage.get(Stream(stream)), epoch, seq)


def _events(db: apsw.Cursor, session: Session) -> list[EventReport]:
    """The newest events; before the Start the session clock stands at 0."""
    zero_ms = session.started_ms
    return [
        EventReport(
            each.kind, (each.at_ms - zero_ms) / 1000 if zero_ms else 0.0, each.at_ms, each.stream, None, each.detail
        )
        for each in ledger.events_seen(db, session.id, MAX_EVENTS)
    ]

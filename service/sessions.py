"""All sessions: registered by Init, found again, purged after the retention time."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import astuple, fields

import apsw
import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from secureproctor.contract.errors import Refusal
from secureproctor.contract.http import InitBody, ProctoringSettings
from secureproctor.contract.link import Link, Snapshot
from secureproctor.service.clock import Clock
from secureproctor.service.session import Session
from secureproctor.service.store import Store, Value
from secureproctor.service.vault import Vault

log = logging.getLogger(__name__)

_NAMES = tuple(field.name for field in fields(Session))
_SETTINGS, _THROUGH = _NAMES.index("settings"), _NAMES.index("through")
_SELECT = f"SELECT {', '.join(_NAMES)} FROM sessions"  # noqa: S608 - no input in it
_INSERT = f"INSERT INTO sessions ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))})"  # noqa: S608 - as above
_UPDATE = f"UPDATE sessions SET {', '.join(f'{name} = ?' for name in _NAMES[11:])} WHERE id = ?"  # noqa: S608 - as above


class Sessions:
    """The table of sessions."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    def register(self, init: InitBody) -> Session:
        """A new session with a key pair of its own. Blocks."""
        key = X25519PrivateKey.generate()
        session_id = str(uuid.uuid4())
        user = init.user_meta_data
        session = Session(
            session_id, init.user_id, init.group_name, user.name, user.email, init.public_key, init.proctoring_settings,
            init.expiry_time, self._clock.now_ms(), key.public_key().public_bytes_raw(),
            self._vault.wrap(session_id, key),
        )  # fmt: skip
        with self._store.transaction() as db:
            db.execute(_INSERT, _row(session))
        return session

    def find(self, session_id: str) -> Session:
        """A session by its id. Raises Refusal session_unknown. Blocks."""
        with self._store.transaction() as db:
            return load(db, session_id)

    def newest(self, public_key: str, group_name: str, user_id: str) -> Session:
        """The newest session of a user. Raises Refusal session_unknown. Blocks."""
        query = (
            f"{_SELECT} WHERE public_key = ? AND group_name = ? AND user_id = ? ORDER BY registered_ms DESC, rowid DESC"
        )
        with self._store.transaction() as db:
            row = db.execute(query + " LIMIT 1", (public_key, group_name, user_id)).fetchone()
        if row is None:
            raise Refusal("session_unknown")
        return _session(row)

    def all(self) -> list[Session]:
        """Every session that is kept, oldest first. Blocks."""
        with self._store.transaction() as db:
            return [_session(row) for row in db.execute(f"{_SELECT} ORDER BY registered_ms")]

    def ids(self) -> list[str]:
        """The ids of every session that is kept, oldest first. Blocks."""
        with self._store.transaction() as db:
            return [row[0] for row in db.execute("SELECT id FROM sessions ORDER BY registered_ms")]

    def alive(self) -> list[Session]:
        """Those that have not ended. Blocks."""
        with self._store.transaction() as db:
            return [_session(row) for row in db.execute(f"{_SELECT} WHERE state <> 'ended'")]

    def private_key(self, session: Session) -> X25519PrivateKey:
        """The key that opens the session's records."""
        return self._vault.unwrap(session.id, session.wrapped_key)

    def purge(self, now_ms: int, retention_s: float, delete_files: Callable[[str], None]) -> list[str]:
        """Delete all that is older than the retention time; the ids of what was deleted. Blocks."""
        old = [session.id for session in self.all() if session.last_ms + retention_s * 1000 < now_ms]
        for session_id in old:
            with self._store.transaction() as db:
                db.execute("DELETE FROM sessions WHERE id = ?", (session_id,))
            delete_files(session_id)
            log.info("Session %s was purged.", session_id)
        return old


def load(db: apsw.Cursor, session_id: str) -> Session:
    """A session within a transaction. Raises Refusal session_unknown."""
    row = db.execute(f"{_SELECT} WHERE id = ?", (session_id,)).fetchone()
    if row is None:
        raise Refusal("session_unknown")
    return _session(row)


def save(db: apsw.Cursor, session: Session) -> None:
    """Write what may change of a session, within a transaction."""
    db.execute(_UPDATE, (*_row(session)[11:], session.id))


def load_link(db: apsw.Cursor, session_id: str) -> Link:
    """The service's end of a session's channel. Raises Refusal session_unknown."""
    row = db.execute("SELECT link FROM sessions WHERE id = ?", (session_id,)).fetchone()
    if row is None:
        raise Refusal("session_unknown")
    return Link.restored(msgspec.json.decode(row[0], type=Snapshot))


def save_link(db: apsw.Cursor, session_id: str, link: Link) -> None:
    """Write it, in the transaction that also does what its messages ask for."""
    db.execute("UPDATE sessions SET link = ? WHERE id = ?", (msgspec.json.encode(link.snapshot()).decode(), session_id))


def _row(session: Session) -> tuple[Value, ...]:
    row = list(astuple(session))
    row[_SETTINGS] = msgspec.json.encode(session.settings).decode()
    return tuple(row)


def _session(row: tuple[Value, ...]) -> Session:
    values: list[object] = list(row)
    values[_SETTINGS] = msgspec.json.decode(str(row[_SETTINGS]), type=ProctoringSettings)
    values[_THROUGH] = bool(row[_THROUGH])
    return Session(*values)  # type: ignore[arg-type] # the columns' types are the schema's

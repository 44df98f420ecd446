"""What was said in a session: commands and how far they came, chat, events told, chain heads announced.

Every function works within the transaction of its caller, together with the link's state: a message takes effect once.
"""

import uuid

import apsw
import msgspec

from secureproctor.contract.channel import (
    FINAL,
    STATUS_ORDER,
    Chat,
    Command,
    CommandKind,
    CommandUpdate,
    EventSeen,
    Head,
)
from secureproctor.contract.events import Detail
from secureproctor.contract.report import ChatReport, CommandReport
from secureproctor.contract.streams import Stream

ISSUED = "issued"
_HASH_LENGTH = 64
_STREAMS = frozenset(stream.value for stream in Stream)


def issued(db: apsw.Cursor, session_id: str, kind: CommandKind, text: str, now_ms: int) -> Command:
    """A new command, on the record."""
    command = Command(str(uuid.uuid4()), kind, now_ms, text=text)
    row = (session_id, command.id, kind, ISSUED, now_ms)
    db.execute("INSERT INTO commands (session, id, kind, status, issued_ms) VALUES (?, ?, ?, ?, ?)", row)
    return command


def sent(db: apsw.Cursor, session_id: str, now_ms: int) -> None:
    """Everything that waited was written to a connection now."""
    db.execute("UPDATE commands SET sent_ms = ? WHERE session = ? AND sent_ms IS NULL", (now_ms, session_id))


def updated(db: apsw.Cursor, session_id: str, update: CommandUpdate) -> None:
    """How far a command came. A late or repeated word never moves it back."""
    row = db.execute("SELECT status FROM commands WHERE session = ? AND id = ?", (session_id, update.id)).fetchone()
    if row is None:
        return
    if update.status in STATUS_ORDER:
        column = f"{update.status}_ms"
        query = f"UPDATE commands SET {column} = coalesce({column}, ?) WHERE session = ? AND id = ?"  # noqa: S608 - of a closed set
        db.execute(query, (update.at_ms, session_id, update.id))
    if row[0] in FINAL or _place(update.status) < _place(row[0]):
        return
    by = update.by if update.status == "acknowledged" else ""
    db.execute(
        "UPDATE commands SET status = ?, reason = ?, acknowledged_by = ? WHERE session = ? AND id = ?",
        (update.status, update.reason, by, session_id, update.id),
    )


def said(db: apsw.Cursor, session_id: str, chat: Chat) -> None:
    """A chat message; a repeated one is the same one."""
    row = (session_id, chat.id, chat.sender, chat.text, chat.at_ms)
    db.execute("INSERT INTO chat VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row)


def seen(db: apsw.Cursor, session_id: str, event: EventSeen) -> None:
    """An event that the agent told of at once."""
    row = (session_id, event.kind, event.stream, event.at_ms, msgspec.json.encode(event.detail).decode())
    db.execute("INSERT INTO seen VALUES (?, ?, ?, ?, ?)", row)


def announced(db: apsw.Cursor, session_id: str, heads: dict[str, Head]) -> None:
    """The chain heads of a heartbeat. The first word on a place counts: a rewritten chain shows."""
    for stream, head in heads.items():
        if stream in _STREAMS and len(head.hash) == _HASH_LENGTH:
            row = (session_id, stream, head.epoch, head.seq, head.hash)
            db.execute("INSERT INTO heads VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row)


def commands(db: apsw.Cursor, session_id: str) -> list[CommandReport]:
    """The commands of a session, oldest first."""
    rows = db.execute(
        "SELECT id, kind, status, issued_ms, sent_ms, received_ms, applied_ms, acknowledged_ms, acknowledged_by, reason"
        " FROM commands WHERE session = ? ORDER BY issued_ms, rowid",
        (session_id,),
    )
    return [CommandReport(*row) for row in rows]


def chat(db: apsw.Cursor, session_id: str) -> list[ChatReport]:
    """What was said, in the order of its arrival."""
    rows = db.execute("SELECT sender, text, at_ms FROM chat WHERE session = ? ORDER BY rowid", (session_id,))
    return [ChatReport(*row) for row in rows]


def events_seen(db: apsw.Cursor, session_id: str) -> list[EventSeen]:
    """The events told over the channel."""
    rows = db.execute("SELECT kind, at_ms, stream, detail FROM seen WHERE session = ? ORDER BY rowid", (session_id,))
    return [EventSeen(kind, at, stream, msgspec.json.decode(detail, type=Detail)) for kind, at, stream, detail in rows]


def heads(db: apsw.Cursor, session_id: str) -> list[tuple[Stream, Head]]:
    """Every announced chain head."""
    rows = db.execute("SELECT stream, epoch, seq, hash FROM heads WHERE session = ? ORDER BY 1, 2, 3", (session_id,))
    return [(Stream(stream), Head(epoch, seq, hash_)) for stream, epoch, seq, hash_ in rows]


def _place(status: str) -> int:
    known: tuple[str, ...] = (ISSUED, *STATUS_ORDER)
    return known.index(status) if status in known else len(known)

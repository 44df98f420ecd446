"""What was said in a session: commands and how far they came, events told, chain heads announced.

Every function works within the transaction of its caller, together with the link's state: a message takes effect once.
"""

import uuid

import apsw
import msgspec

from secureproctor.contract.channel import (
    CHAT_LENGTH,
    COMMANDS,
    FINAL,
    STATUS_ORDER,
    Command,
    CommandUpdate,
    EventSeen,
    Head,
)
from secureproctor.contract.console import Issue
from secureproctor.contract.events import Detail
from secureproctor.contract.report import CommandReport
from secureproctor.contract.streams import Stream

ISSUED = "issued"
UNREACHED = "It did not reach the candidate's computer within its lifetime."
MAX_SEEN = 1000
"""Events told of a session that are kept, the newest: a hostile agent fills no disk with them."""
MAX_DETAIL = 4096
"""Bytes of an event's detail as JSON; a larger one is not kept."""
_HASH_LENGTH = 64
_NAME_LENGTH = 64
_BY_LENGTH = 128
_STREAMS = frozenset(stream.value for stream in Stream)
_COLUMNS = ", ".join(CommandReport.__struct_fields__)


def issued(db: apsw.Cursor, session_id: str, issue: Issue, by: str, now_ms: int) -> Command:
    """A new command, on the record."""
    lifetime_s = COMMANDS[issue.kind].lifetime_s
    command = Command(str(uuid.uuid4()), issue.kind, now_ms, lifetime_s, issue.text, issue.argument, by)
    db.execute(
        "INSERT INTO commands (session, id, kind, status, issued_ms, text, argument, issued_by, expires_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (session_id, command.id, issue.kind, ISSUED, now_ms, issue.text, issue.argument, by, expires_ms(command)),
    )
    return command


def expires_ms(command: Command) -> int:
    """The end of a command's lifetime."""
    return command.issued_ms + int(command.lifetime_s * 1000)


def sent(db: apsw.Cursor, session_id: str, now_ms: int) -> None:
    """Everything that waited was written to a connection now."""
    db.execute("UPDATE commands SET sent_ms = ? WHERE session = ? AND sent_ms IS NULL", (now_ms, session_id))


def lapsed(db: apsw.Cursor, now_ms: int) -> list[str]:
    """The sessions with commands whose lifetime passed before they were written to any connection."""
    query = "SELECT DISTINCT session FROM commands WHERE status = 'issued' AND sent_ms IS NULL AND expires_ms <= ?"
    return [row[0] for row in db.execute(query, (now_ms,))]


def unsent(db: apsw.Cursor, session_id: str) -> set[str]:
    """The ids of the commands that were never written to a connection."""
    query = "SELECT id FROM commands WHERE session = ? AND status = 'issued' AND sent_ms IS NULL"
    return {row[0] for row in db.execute(query, (session_id,))}


def expired(db: apsw.Cursor, session_id: str, command_id: str) -> None:
    """A command that certainly never reached the agent has come to its end."""
    db.execute(
        "UPDATE commands SET status = 'expired', reason = ? WHERE session = ? AND id = ? AND status = 'issued'",
        (UNREACHED, session_id, command_id),
    )


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
    by = update.by[:_BY_LENGTH] if update.status == "acknowledged" else ""
    db.execute(
        "UPDATE commands SET status = ?, reason = ?, acknowledged_by = ? WHERE session = ? AND id = ?",
        (update.status, update.reason[:CHAT_LENGTH], by, session_id, update.id),
    )


def commands(db: apsw.Cursor, session_id: str) -> list[CommandReport]:
    """The commands of a session, oldest first."""
    query = f"SELECT {_COLUMNS} FROM commands WHERE session = ? ORDER BY issued_ms, rowid"  # noqa: S608 - no input in it
    return [CommandReport(*row) for row in db.execute(query, (session_id,))]


def open_commands(db: apsw.Cursor, session_id: str) -> int:
    """How many commands have not come to an end."""
    final = ", ".join(f"'{status}'" for status in sorted(FINAL))
    query = f"SELECT count(*) FROM commands WHERE session = ? AND status NOT IN ({final})"  # noqa: S608 - of a closed set
    return int(next(db.execute(query, (session_id,)))[0])


def seen(db: apsw.Cursor, session_id: str, event: EventSeen) -> None:
    """An event that the agent told of at once."""
    detail = msgspec.json.encode(event.detail)
    if len(detail) > MAX_DETAIL:
        detail = b"{}"
    row = (session_id, event.kind[:_NAME_LENGTH], event.stream[:_NAME_LENGTH], event.at_ms, detail.decode())
    db.execute("INSERT INTO seen VALUES (?, ?, ?, ?, ?)", row)
    db.execute(
        "DELETE FROM seen WHERE session = ? AND rowid <="
        " (SELECT rowid FROM seen WHERE session = ? ORDER BY rowid DESC LIMIT 1 OFFSET ?)",
        (session_id, session_id, MAX_SEEN),
    )


def events_seen(db: apsw.Cursor, session_id: str, newest: int = MAX_SEEN) -> list[EventSeen]:
    """The newest events told over the channel, oldest first."""
    rows = db.execute(
        "SELECT kind, at_ms, stream, detail FROM"
        " (SELECT rowid, * FROM seen WHERE session = ? ORDER BY rowid DESC LIMIT ?) ORDER BY rowid",
        (session_id, newest),
    )
    return [EventSeen(kind, at, stream, msgspec.json.decode(detail, type=Detail)) for kind, at, stream, detail in rows]


def announced(db: apsw.Cursor, session_id: str, heads: dict[str, Head]) -> None:
    """The chain heads of a heartbeat. The first word on a place counts: a rewritten chain shows."""
    for stream, head in heads.items():
        if stream in _STREAMS and len(head.hash) == _HASH_LENGTH:
            row = (session_id, stream, head.epoch, head.seq, head.hash)
            db.execute("INSERT INTO heads VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", row)


def heads(db: apsw.Cursor, session_id: str) -> list[tuple[Stream, Head]]:
    """Every announced chain head."""
    rows = db.execute("SELECT stream, epoch, seq, hash FROM heads WHERE session = ? ORDER BY 1, 2, 3", (session_id,))
    return [(Stream(stream), Head(epoch, seq, hash_)) for stream, epoch, seq, hash_ in rows]


def _place(status: str) -> int:
    known: tuple[str, ...] = (ISSUED, *STATUS_ORDER)
    return known.index(status) if status in known else len(known)

"""The chat of a session and its marks: a message is delivered when the other side has it on its disk, and read when a person
had it before their eyes.

Whoever reads a message has read those before it: a mark of reading covers all earlier ones of the same sender. Marks are set
once. Every function works within the transaction of its caller.
"""

from typing import Literal

import apsw

from secureproctor.contract.channel import Chat, ChatMark
from secureproctor.contract.report import ChatReport

Sender = Literal["proctor", "candidate"]
MAX_CHAT = 5000
"""Messages of a session; what an agent sends beyond is not kept, and never told to be delivered."""


def said(db: apsw.Cursor, session_id: str, chat: Chat, delivered_ms: int | None = None) -> bool:
    """Keep a message; a repeated one is the same one. False when there are too many already."""
    (count,) = next(db.execute("SELECT count(*) FROM chat WHERE session = ?", (session_id,)))
    if count >= MAX_CHAT:
        return False
    db.execute(
        "INSERT INTO chat (session, id, sender, text, at_ms, said_by, delivered_ms) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (session_id, chat.id, chat.sender, chat.text, chat.at_ms, chat.by, delivered_ms),
    )
    return True


def marked(db: apsw.Cursor, session_id: str, sender: Sender, mark: ChatMark) -> list[str]:
    """A mark on a message of this sender; the ids of the messages that have been read by it now, oldest first."""
    if mark.mark == "delivered":
        db.execute(
            "UPDATE chat SET delivered_ms = coalesce(delivered_ms, ?) WHERE session = ? AND sender = ? AND id = ?",
            (mark.at_ms, session_id, sender, mark.id),
        )
        return []
    rows = db.execute(
        "UPDATE chat SET read_ms = ?, delivered_ms = coalesce(delivered_ms, ?) WHERE session = ? AND sender = ?"
        " AND read_ms IS NULL AND rowid <= (SELECT rowid FROM chat WHERE session = ? AND sender = ? AND id = ?)"
        " RETURNING rowid, id",
        (mark.at_ms, mark.at_ms, session_id, sender, session_id, sender, mark.id),
    )
    return [message_id for _, message_id in sorted(rows)]


def unread(db: apsw.Cursor, session_id: str) -> int:
    """How many of the candidate's messages no proctor has read."""
    query = "SELECT count(*) FROM chat WHERE session = ? AND sender = 'candidate' AND read_ms IS NULL"
    return int(next(db.execute(query, (session_id,)))[0])


def chat(db: apsw.Cursor, session_id: str) -> list[ChatReport]:
    """What was said, in the order of its arrival."""
    query = "SELECT sender, text, at_ms, id, said_by, delivered_ms, read_ms FROM chat WHERE session = ? ORDER BY rowid"
    return [ChatReport(*row) for row in db.execute(query, (session_id,))]

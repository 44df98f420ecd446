"""Times in which the lockdown was not attested as it had to be: the agent was heard and attested nothing, or attested
something else than it told the proctor.

A doubt is a row that grows while it lasts; each function works within the transaction of its caller. Its times are of this
service's wall clock: the agent's word on when it did not attest would be worth little.
"""

from dataclasses import dataclass
from typing import Literal

import apsw

Kind = Literal["missing", "contradicted"]


@dataclass(frozen=True, slots=True)
class Doubt:
    """One of them. `heard_ms`: for how long of it the agent was heard."""

    kind: Kind
    from_ms: int
    until_ms: int
    heard_ms: int


def note(db: apsw.Cursor, session_id: str, doubt: Doubt) -> None:
    """Keep a doubt; the same one again, by its beginning, has grown."""
    db.execute(
        "INSERT INTO doubts SELECT id, ?, ?, ?, ? FROM sessions WHERE id = ?"
        " ON CONFLICT DO UPDATE SET until_ms = excluded.until_ms, heard_ms = excluded.heard_ms",
        (doubt.kind, doubt.from_ms, doubt.until_ms, doubt.heard_ms, session_id),
    )


def of(db: apsw.Cursor, session_id: str) -> tuple[Doubt, ...]:
    """The doubts of a session, in the order of time."""
    query = "SELECT kind, from_ms, until_ms, heard_ms FROM doubts WHERE session = ? ORDER BY from_ms, kind"
    return tuple(Doubt(*row) for row in db.execute(query, (session_id,)))

"""What sessions attested: their keys, the attestations of their heartbeats, and those that were used up.

Every function works within the transaction of its caller. What is kept is bounded: the newest keys, a count for each verdict,
and what was used only until nobody takes it as fresh any more.
"""

from dataclasses import replace

import apsw

from secureproctor.contract import jws
from secureproctor.contract.attestation import FRESH_S, Claims, Verdict
from secureproctor.contract.channel import EventSeen, LockdownChanged, SessionKey
from secureproctor.contract.events import Detail
from secureproctor.contract.lockdown import RuleId
from secureproctor.service import attestation, doubts, ledger, lockdown
from secureproctor.service.doubts import Doubt
from secureproctor.service.lockdown import Lockdown
from secureproctor.service.nonces import Nonces
from secureproctor.service.session import Session

MAX_KEYS = 32
"""Of a session, the newest: each agent that came back has one."""
USED_FOR_MS = 2 * 3600 * 1000
"""Nobody may call an attestation fresh that is older than half of this (VerifyBody.max_age_s)."""
UNLIKE_AFTER_MS = 10_000
"""A difference between what is told and what is attested may be a change that is just on its way; after so long it is none."""


def keyed(db: apsw.Cursor, session_id: str, key: SessionKey, now_ms: int) -> None:
    """The agent's key from now on; what is none is not kept. That it came is on the record. Another key is another agent."""
    try:
        jws.public_key(key.x)
    except jws.Malformed:
        return
    before = keys(db, session_id)
    if key.x in before:
        return
    db.execute("INSERT INTO session_keys VALUES (?, ?, ?, ?, 0)", (session_id, key.x, key.at_ms, now_ms))
    db.execute(
        "DELETE FROM session_keys WHERE session = ? AND rowid <="
        " (SELECT rowid FROM session_keys WHERE session = ? ORDER BY rowid DESC LIMIT 1 OFFSET ?)",
        (session_id, session_id, MAX_KEYS),
    )
    if before:
        lockdown.orphaned(db, session_id)
    detail: Detail = {"key": jws.thumbprint(key.x), "changed": bool(before)}
    ledger.seen(db, session_id, EventSeen("session_key", key.at_ms, "", detail))


def keys(db: apsw.Cursor, session_id: str) -> dict[str, int]:
    """The keys of a session, the newest first, each with the `n` of the last attestation that came with a heartbeat."""
    return dict(db.execute("SELECT x, n FROM session_keys WHERE session = ? ORDER BY rowid DESC", (session_id,)))


def heard(db: apsw.Cursor, session: Session, token: str, nonces: Nonces, now_ms: int) -> Session:
    """The session after the attestation of a heartbeat: counted as good, or under its verdict."""
    stated = attestation.read(token)
    own = keys(db, session.id)
    verdict: Verdict = "malformed"
    if stated:
        age_s = nonces.age_s(session.id, stated.claims.nonce)
        verdict = attestation.of_heartbeat(stated, session.id, own, age_s, FRESH_S)
    if stated is None or verdict != "ok":
        _count(db, session.id, verdict, now_ms)
        return session
    place = (stated.claims.n, session.id, stated.signer(own))
    db.execute("UPDATE session_keys SET n = ? WHERE session = ? AND x = ?", place)
    _compare(db, session.id, stated.claims, now_ms)
    return replace(session, attested=session.attested + 1, attested_ms=now_ms)


def known(db: apsw.Cursor, session_id: str) -> Lockdown:
    """All that is known of a session's lockdown besides its events."""
    misattested = dict(db.execute("SELECT verdict, times FROM misattested WHERE session = ? ORDER BY 1", (session_id,)))
    return Lockdown(lockdown.newest(db, session_id), doubts.of(db, session_id), misattested)


def first_use(db: apsw.Cursor, session_id: str, x: str, n: int, now_ms: int) -> bool:
    """Note the use of an attestation that is good for one; whether it was the first. What was signed twice under one number
    counts as one."""
    db.execute("INSERT INTO used_attestations VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", (session_id, x, n, now_ms))
    return db.connection.changes() == 1


def forget_used(db: apsw.Cursor, now_ms: int) -> None:
    """Forget what nobody takes as fresh any more."""
    db.execute("DELETE FROM used_attestations WHERE used_ms < ?", (now_ms - USED_FOR_MS,))


def overridden(db: apsw.Cursor, session_id: str) -> frozenset[RuleId]:
    """The rules without which a proctor let the exam go on: by the service's own record, not by the agent's word."""
    query = "SELECT argument FROM commands WHERE session = ? AND kind = 'override' AND applied_ms IS NOT NULL"
    return frozenset(row[0] for row in db.execute(query, (session_id,)))


def _count(db: apsw.Cursor, session_id: str, verdict: Verdict, now_ms: int) -> None:
    db.execute(
        "INSERT INTO misattested VALUES (?, ?, 1, ?)"
        " ON CONFLICT DO UPDATE SET times = times + 1, last_ms = excluded.last_ms",
        (session_id, verdict, now_ms),
    )


def _compare(db: apsw.Cursor, session_id: str, claims: Claims, now_ms: int) -> None:
    """Hold what is attested against what was told: neither overrides the other, and a difference that lasts is a doubt."""
    unlike_ms = lockdown.unlike_since(db, session_id)
    unlike = _unlike(lockdown.newest(db, session_id), claims)
    if unlike != (unlike_ms is not None):
        lockdown.mark_unlike(db, session_id, now_ms if unlike else None)
    elif unlike_ms is not None and now_ms - unlike_ms >= UNLIKE_AFTER_MS:
        doubts.note(db, session_id, Doubt("contradicted", unlike_ms, now_ms, now_ms - unlike_ms))


def _unlike(told: LockdownChanged, claims: Claims) -> bool:
    if "locked" in (told.phase, claims.phase) and told.phase != claims.phase:
        return True
    held = {each.rule: each.holds for each in told.rules}
    return any(held.get(each.rule, each.holds) != each.holds for each in claims.rules)

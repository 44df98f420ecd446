"""The lockdown of a session as its agent told it last, kept within bounds. Works within the transaction of its caller."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import apsw
import msgspec

from secureproctor.contract.attestation import Verdict
from secureproctor.contract.channel import LockdownChanged
from secureproctor.contract.lockdown import RULES, RuleStatus
from secureproctor.contract.msb import BrowserIdentity
from secureproctor.service.doubts import Doubt

MAX_SENTENCE = 400
MAX_PATH = 1024
MAX_SIGHTINGS = 1_000_000_000
NOTHING = LockdownChanged("off", (), 0)


@dataclass(frozen=True, slots=True)
class Lockdown:
    """What is known of a session's lockdown besides its events: what was told last, the doubts, and how many attestations of
    heartbeats were not good, by their verdicts."""

    told: LockdownChanged = NOTHING
    doubts: Sequence[Doubt] = ()
    misattested: Mapping[Verdict, int] = field(default_factory=dict)


def tell(db: apsw.Cursor, session_id: str, told: LockdownChanged) -> None:
    """Keep what was told, in place of what was told before."""
    kept = msgspec.json.encode(bounded(told)).decode()
    db.execute(
        "INSERT INTO lockdowns (session, told) VALUES (?, ?) ON CONFLICT DO UPDATE SET told = excluded.told",
        (session_id, kept),
    )


def newest(db: apsw.Cursor, session_id: str) -> LockdownChanged:
    """What was told last; phase `off` without any rule when nothing was."""
    row = db.execute("SELECT told FROM lockdowns WHERE session = ?", (session_id,)).fetchone()
    return msgspec.json.decode(row[0], type=LockdownChanged) if row else NOTHING


def orphaned(db: apsw.Cursor, session_id: str) -> None:
    """The agent that told it is gone, and another one is there: what was locked was given back when it died."""
    told = newest(db, session_id)
    if told.phase == "locked":
        rules = tuple(msgspec.structs.replace(each, holds=False) for each in told.rules)
        tell(db, session_id, msgspec.structs.replace(told, phase="lifted", rules=rules))


def unlike_since(db: apsw.Cursor, session_id: str) -> int | None:
    """Since when attestations say otherwise; None while they do not."""
    row = db.execute("SELECT unlike_ms FROM lockdowns WHERE session = ?", (session_id,)).fetchone()
    return row[0] if row else None


def mark_unlike(db: apsw.Cursor, session_id: str, since_ms: int | None) -> None:
    """Attestations say otherwise since then, or, by None, the same."""
    nothing = msgspec.json.encode(NOTHING).decode()  # of an agent that attests what it never told
    db.execute(
        "INSERT INTO lockdowns VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET unlike_ms = excluded.unlike_ms",
        (session_id, nothing, since_ms),
    )


def bounded(told: LockdownChanged) -> LockdownChanged:
    """It with each rule once, in the order of RULES, and with texts of a length that people write."""
    by_rule = {each.rule: each for each in told.rules}
    rules = tuple(_rule(by_rule[rule]) for rule in RULES if rule in by_rule)
    browser = _browser(told.browser) if told.browser else None
    return msgspec.structs.replace(told, rules=rules, browser=browser)


def _rule(status: RuleStatus) -> RuleStatus:
    return msgspec.structs.replace(
        status,
        why=status.why[:MAX_SENTENCE],
        remedy=status.remedy[:MAX_SENTENCE],
        sightings=min(max(status.sightings, 0), MAX_SIGHTINGS),
    )


def _browser(browser: BrowserIdentity) -> BrowserIdentity:
    return msgspec.structs.replace(
        browser,
        path=browser.path[:MAX_PATH],
        product=browser.product[:MAX_SENTENCE],
        version=browser.version[:MAX_SENTENCE],
        signer=browser.signer[:MAX_SENTENCE],
        why=browser.why[:MAX_SENTENCE],
    )

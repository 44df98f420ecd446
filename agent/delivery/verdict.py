"""What the answer to a record means. Pure.

The statuses are a table, but a status alone proves nothing: a captive portal answers 200 to everything, and a proxy on the
way refuses with 400 or 413 of its own. So a record is given up, for delivered or for refused, only when the body shows
that the service itself has spoken: the hash of these very bytes, or one of its errors. **Unknown means keep.**
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import msgspec

from secureproctor.contract.errors import ErrorAnswer
from secureproctor.contract.http import Stored

T = TypeVar("T")

LONGEST_RETRY_AFTER_S = 120.0
"""More than this is not believed: whoever answers, evidence that waits for days is lost."""


class Outcome(enum.Enum):
    """What becomes of the record."""

    ACKNOWLEDGED = "acknowledged"
    SET_ASIDE = "set aside"
    RENEW = "renew the token"
    BUSY = "later, and so for all records"
    PUZZLING = "later, after the others"


OUTCOMES: dict[int, Outcome] = {
    200: Outcome.ACKNOWLEDGED,
    201: Outcome.ACKNOWLEDGED,
    400: Outcome.SET_ASIDE,
    401: Outcome.RENEW,
    409: Outcome.SET_ASIDE,
    413: Outcome.SET_ASIDE,
    429: Outcome.BUSY,
    502: Outcome.BUSY,
    503: Outcome.BUSY,
    504: Outcome.BUSY,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer's meaning. `by_service` when it was certainly the service that spoke; `said` is for the log."""

    outcome: Outcome
    by_service: bool
    said: str
    retry_after_s: float | None = None


def judge(status: int, headers: Mapping[str, str], body: bytes, digest: str) -> Verdict:
    """Judge the answer to a record whose SHA-256 is `digest`, in hexadecimal."""
    stored, refusal = _read(body, Stored), _read(body, ErrorAnswer)
    by_service = stored is not None if status < 400 else refusal is not None
    said = f"{status} {refusal.error.message if refusal else ''}".strip()
    outcome = OUTCOMES.get(status, Outcome.PUZZLING)
    if outcome is Outcome.ACKNOWLEDGED and (stored is None or stored.hash != digest):
        outcome, said = Outcome.PUZZLING, f"{status}, but not with the hash of the record"
    if outcome is Outcome.SET_ASIDE and refusal is None:
        outcome = Outcome.PUZZLING
    return Verdict(outcome, by_service, said, retry_after(headers))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of a Retry-After header (RFC 9110 §10.2.3), at most LONGEST_RETRY_AFTER_S; None without a usable one.

    A date is taken against the answer's own Date: the candidate's clock may be set to anything.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:9]), LONGEST_RETRY_AFTER_S)
    until, sent = _date(text), _date(headers.get("Date", ""))
    if until is None or sent is None:
        return None
    return min(max(0.0, (until - sent).total_seconds()), LONGEST_RETRY_AFTER_S)


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo is not None else None


def _read(body: bytes, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(body, type=kind)
    except (ValueError, RecursionError):  # also bytes that are no text, and nesting beyond the stack
        return None

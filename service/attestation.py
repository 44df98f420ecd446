"""Judging attestations: those of heartbeats, and those that an exam's server was given with a request. Pure.

What is stated is believed of nobody but the session's agent: the signature has to be that of a key that came over the
session's own channel, and the nonce one that this session was given lately. The judgements on a request stand in a table,
in the order in which they are made; the first that applies is the verdict.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from secureproctor.contract import jws
from secureproctor.contract.attestation import MAX_TOKEN, TYPE, VERDICTS, Claims, Verdict, VerifyBody, VerifyData
from secureproctor.contract.http import ProctoringSettings
from secureproctor.contract.lockdown import RULES, RuleId, RuleStatus
from secureproctor.service import msb_key
from secureproctor.service.audience import fits
from secureproctor.service.session import OVER, Session

MAX_N = 2**63 - 1
"""SQLite's integers end there; an agent that attests a thousand times a second does not come so far."""


@dataclass(frozen=True, slots=True)
class Stated:
    """An attestation that could be read. Nothing of it is true before `signer` has named a key."""

    claims: Claims
    parts: jws.Parts

    def signer(self, keys: Iterable[str]) -> str:
        """The one of these keys that signed it; "" when none did."""
        for x in keys:
            try:
                jws.verify(self.parts, x)
            except jws.Forged:
                continue
            return x
        return ""


def read(token: str) -> Stated | None:
    """An attestation as it came; None when it is none."""
    try:
        parts = jws.read(token, TYPE, MAX_TOKEN)
        jws.strict_object(parts.unverified)
        claims = msgspec.json.decode(parts.unverified, type=Claims)
    except (jws.Malformed, msgspec.DecodeError):
        return None
    return Stated(claims, parts) if 0 <= claims.n <= MAX_N else None


def of_heartbeat(
    stated: Stated, session_id: str, keys: Mapping[str, int], age_s: float | None, max_age_s: float
) -> Verdict:
    """The verdict on a heartbeat's attestation. `keys` are the session's, each with the newest `n` of its heartbeats."""
    claims = stated.claims
    if claims.sid != session_id:
        return "unknown_session"
    signer = stated.signer(keys)
    if not signer:
        return "bad_signature"
    if age_s is None or age_s > max_age_s:
        return "stale"
    if claims.aud or claims.once:
        return "wrong_audience"
    return "ok" if claims.n > keys[signer] else "replayed"


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known when the attestation of a request is judged. `signer` is the key that signed it, "" when none of
    the session's did; `age_s` that of its nonce, None when the session was never given it; `overridden` are the rules
    without which a proctor let the exam go on. `first_use` notes the use of an attestation that is good for one."""

    asked: VerifyBody
    claims: Claims
    session: Session
    signer: str
    age_s: float | None
    overridden: frozenset[RuleId]
    first_use: Callable[[], bool]

    @property
    def of_another(self) -> bool:
        """Whether the exam's server meant another candidate, or another exam."""
        asked, session = self.asked, self.session
        return asked.user_id not in ("", session.user_id) or asked.group_name not in ("", session.group_name)


JUDGEMENTS: tuple[tuple[Verdict, Callable[[Case], bool]], ...] = (
    ("wrong_client", lambda case: case.session.public_key != case.asked.public_key),
    ("wrong_candidate", lambda case: case.of_another),
    ("bad_signature", lambda case: not case.signer),
    ("stale", lambda case: case.age_s is None or case.age_s > case.asked.max_age_s),
    ("wrong_audience", lambda case: not fits(case.claims.aud, case.asked.url, case.claims.once)),
    ("replayed", lambda case: case.claims.once and not case.first_use()),
    ("session_over", lambda case: case.session.state in OVER or case.claims.state in OVER),
    ("not_locked", lambda case: case.claims.phase != "locked"),
    ("rule_missing", lambda case: bool(missing(case.session, case.claims, case.overridden))),
    ("browser_unproven", lambda case: case.session.settings.msb and not _proven(case.claims)),
)
"""What may be said against an attestation of a known session, in this order."""


def judged(case: Case) -> VerifyData:
    """The judgement on the attestation of a request. What it states is repeated only when the session's agent signed it."""
    against = (verdict for verdict, applies in JUDGEMENTS if applies(case))
    verdict: Verdict = next(against, "ok")
    if verdict in ("wrong_client", "wrong_candidate", "bad_signature"):
        return refused(verdict)
    session, claims = case.session, case.claims
    return VerifyData(
        ok=verdict == "ok",
        verdict=verdict,
        reason=VERDICTS[verdict],
        session_id=session.id,
        user_id=session.user_id,
        group_name=session.group_name,
        state=session.state,
        phase=claims.phase,
        rules=claims.rules,
        browser=claims.browser,
        age_s=case.age_s,
    )


def refused(verdict: Verdict) -> VerifyData:
    """A judgement that says nothing of the session."""
    return VerifyData(False, verdict, VERDICTS[verdict])


def missing(session: Session, claims: Claims, overridden: frozenset[RuleId]) -> tuple[RuleId, ...]:
    """The rules that the exam requires, that no proctor has overridden, and that are not in place as stated."""
    stated = {each.rule: each for each in claims.rules}
    return tuple(
        rule
        for rule in RULES
        if rule in required(session.settings) and rule not in overridden
        if (state := stated.get(rule)) is None
        or not state.holds
        or RuleStatus(rule, state.standing, required=True).stops_start
    )


def required(settings: ProctoringSettings) -> frozenset[RuleId]:
    """What Init requires, and the MSB Key beside it. The key was judged by the agent; here it can only add to Init."""
    return frozenset((*settings.lockdown.required, *(msb_key.required(settings.msb_key) if settings.msb else ())))


def _proven(claims: Claims) -> bool:
    return claims.browser is not None and claims.browser.proof != "none"

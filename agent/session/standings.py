"""What is said of the rules: on the record, and to the candidate whose exam cannot start because of one."""

from collections.abc import Iterable

from secureproctor.agent.session.lockdown import Lockdown
from secureproctor.agent.session.recording import record_in
from secureproctor.agent.session.session import Session
from secureproctor.contract.errors import Refusal
from secureproctor.contract.events import Detail
from secureproctor.contract.lockdown import RULES, STANDINGS, RuleStatus
from secureproctor.lockdown.left import AGENT, Note, Restored

ASK = "Ask the exam's staff: a proctor can let it pass."


def record_standings(session: Session, lockdown: Lockdown) -> None:
    """How each rule stands, as far as the record does not say so yet."""
    for each in lockdown.rules:
        known = (each.standing, each.required, each.why)
        if lockdown.standings.get(each.rule) != known:
            lockdown.standings[each.rule] = known
            detail: Detail = {
                "rule": each.rule, "standing": each.standing, "required": each.required, "why": each.why,
            }  # fmt: skip
            record_in(session, "rule_standing", detail=detail)


def left_behind(session: Session, restored: Restored, notes: Iterable[Note]) -> None:
    """What was restored while no agent was there, and by the present one when it started; and what could not be."""
    for by, rules in (*((note.by, note.rules) for note in notes), (AGENT, restored.rules)):
        if rules:
            record_in(session, "lockdown_left_behind", detail={"by": by, "rules": " ".join(rules)})
    for rule, why in restored.stuck:
        record_in(session, "lockdown_stuck", detail={"rule": rule, "why": why})


def summary(lockdown: Lockdown) -> Detail:
    """The rules by how they stand."""
    return {
        standing: " ".join(each.rule for each in lockdown.rules if each.standing == standing) for standing in STANDINGS
    }


def not_enforceable(rules: Iterable[RuleStatus]) -> Refusal:
    """That the exam cannot start because of these."""
    stopping = tuple(rules)
    names = ", ".join(RULES[each.rule].name for each in stopping)
    return Refusal("rules_not_enforceable", rules=names, remedy=remedies(stopping))


def remedies(rules: Iterable[RuleStatus]) -> str:
    """What can be done about rules, each sentence once."""
    return " ".join(dict.fromkeys((*filter(None, (each.remedy for each in rules)), ASK)))

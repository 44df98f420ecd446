"""What of the exam's lockdown this computer can do: all of it, or which rules not, in sentences.

Only a rule that the exam requires, and that no proctor has let pass, fails the check. What could not be found out about the
others is a warning, not a pass; that a system offers no way is not the candidate's fault, and no warning either.
"""

from collections.abc import Iterable

from secureproctor.agent.checks.check import (
    COULD_NOT_CHECK,
    CheckContext,
    CouldNotCheck,
    Failed,
    Outcome,
    Passed,
    Warned,
)
from secureproctor.agent.session.standings import remedies
from secureproctor.contract.lockdown import RULES, RuleStatus, Standing, stopping

SAID: dict[Standing, str] = {
    "observed": "Can be done, and is on the record: {names}.",
    "impossible": "Not possible on this system: {names}.",
    "could_not_check": "Could not be found out: {names}.",
}


async def lockdown(context: CheckContext) -> Outcome:
    """Probes the rules."""
    if context.lockdown is None:
        return CouldNotCheck(COULD_NOT_CHECK, "There is no exam whose lockdown could be checked.")
    return judged(await context.lockdown())


def judged(rules: tuple[RuleStatus, ...]) -> Outcome:
    """What the standings mean for the exam's start."""
    stops = stopping(rules)
    if stops:
        seen = f"The exam requires what cannot be enforced here: {_names(stops)}. {_reasons(stops)}".strip()
        return Failed("not_enforceable", seen, remedies(stops))
    seen = _listed(rules)
    if any(each.standing == "could_not_check" and not each.overridden for each in rules):
        return Warned("unknown", seen)
    return Passed("ok", seen)


def _listed(rules: tuple[RuleStatus, ...]) -> str:
    enforced = sum(each.standing == "enforced" for each in rules)
    let_pass = [each for each in rules if each.overridden]
    kinds = {standing: [each for each in rules if each.standing == standing] for standing in SAID}
    return " ".join(
        (
            f"{enforced} of {len(rules)} rules can be enforced here.",
            *(SAID[standing].format(names=_names(which)) for standing, which in kinds.items() if which),
            *((f"The proctor lets pass: {_names(let_pass)}.",) if let_pass else ()),
        )
    )


def _names(rules: Iterable[RuleStatus]) -> str:
    return ", ".join(RULES[each.rule].name for each in rules)


def _reasons(rules: Iterable[RuleStatus]) -> str:
    return " ".join(dict.fromkeys(each.why for each in rules if each.why))

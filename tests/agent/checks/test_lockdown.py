"""The check of the lockdown: what it says of rules that cannot be enforced, and when it fails."""

from typing import Any

import pytest

from secureproctor.agent.checks.check import Outcome, to_result
from secureproctor.agent.checks.lockdown import judged
from secureproctor.agent.checks.run import CHECKS, run_checks
from secureproctor.contract.lockdown import RuleStatus

MakeContext = Any
(CHECK,) = [check for check in CHECKS if check.id == "lockdown"]


def said(*rules: RuleStatus) -> Outcome:
    return judged((RuleStatus("power", "enforced"), *rules))


def test_what_is_not_enforceable_is_said_and_does_not_fail() -> None:
    outcome = said(RuleStatus("printing", "impossible"), RuleStatus("displays", "observed", required=True))
    assert (outcome.status, outcome.code) == ("passed", "ok")
    assert outcome.seen == (
        "1 of 3 rules can be enforced here. Can be done, and is on the record: Displays. "
        "Not possible on this system: Printing."
    )


def test_what_could_not_be_found_out_is_no_pass() -> None:
    outcome = said(RuleStatus("keys", "could_not_check"))
    assert (outcome.status, outcome.code) == ("warned", "unknown")
    assert "Could not be found out: System keys." in outcome.seen


@pytest.mark.parametrize("standing", ["observed", "impossible", "could_not_check"])
def test_a_required_rule_fails_with_its_own_remedy_until_the_proctor_lets_it_pass(standing: Any) -> None:
    rule = RuleStatus("keys", standing, True, why="Another program holds the keys.", remedy="End that program.")
    outcome = said(rule)
    assert (outcome.status, outcome.code) == ("failed", "not_enforceable")
    assert outcome.seen == (
        "The exam requires what cannot be enforced here: System keys. Another program holds the keys."
    )
    result = to_result(CHECK, outcome, "linux")
    assert result.remedy == "End that program. Ask the exam's staff: a proctor can let it pass."
    passed = said(RuleStatus("keys", standing, True, overridden=True))
    assert passed.status == "passed"
    assert "The proctor lets pass: System keys." in passed.seen


async def test_it_is_the_last_one_and_only_for_an_exam_that_is_locked(make_context: MakeContext) -> None:
    async def probe() -> tuple[RuleStatus, ...]:
        return (RuleStatus("power", "enforced"),)

    assert CHECKS[-1] is CHECK
    assert await run_checks(make_context(), (CHECK,)) == ()
    (result,) = await run_checks(make_context(lockdown=probe), (CHECK,))
    assert (result.id, result.status) == ("lockdown", "passed")


async def test_a_guard_that_fails_is_a_check_that_could_not_run(make_context: MakeContext) -> None:
    async def probe() -> tuple[RuleStatus, ...]:
        raise OSError("there is no display")

    (result,) = await run_checks(make_context(lockdown=probe), (CHECK,))
    assert result.status == "could_not_check"


async def test_without_an_exam_there_is_nothing_to_check(make_context: MakeContext) -> None:
    assert (await CHECK.run(make_context())).status == "could_not_check"

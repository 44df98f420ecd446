"""The one suite over all rules of all systems, over a Mac of values, in each state of its rights."""

from collections.abc import Callable
from pathlib import Path

import pytest

from secureproctor.contract.lockdown import RULES, LockdownSettings, RuleId
from secureproctor.lockdown.macos.api import Rights
from secureproctor.lockdown.macos.place import MacPlace
from secureproctor.lockdown.rule import Exam, Terms
from tests.lockdown.conformance import CHECKS, Subject
from tests.lockdown.macos.fakes import DENIED, EXAM, GRANTED, LISTENING, Mac

STATES = {"granted": GRANTED, "listening": LISTENING, "denied": DENIED}
BY_RIGHTS: tuple[RuleId, ...] = ("keys", "focus", "screenshots", "printing", "injected_input")
CASES = [(rule, state) for rule in RULES for state in STATES if state == "granted" or rule in BY_RIGHTS]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(("rule", "state"), CASES)
def test_every_rule_keeps_its_promises(
    rule: RuleId, state: str, check: Callable[[Subject, Path], None], tmp_path: Path
) -> None:
    check(_subject(rule, STATES[state]), tmp_path)


def _subject(rule: RuleId, rights: Rights) -> Subject:
    mac = Mac(rights=rights)
    terms = Terms(Exam(EXAM), LockdownSettings())
    subject = Subject(lambda: MacPlace(mac.api(), mac.clock), rule, terms, lambda: mac.durable)
    if rule != "focus" or rights != GRANTED:
        return subject

    def leave_full_screen() -> Callable[[], bool]:
        mac.full_screen[EXAM] = False
        return lambda: mac.full_screen[EXAM] is False

    return Subject(subject.open_place, rule, terms, subject.snapshot, leave_full_screen)

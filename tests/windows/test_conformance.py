"""Every rule keeps what all rules of all systems have to keep: over the real registry, the real windows, the real hooks."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from secureproctor.contract.lockdown import RULES, LockdownSettings, RuleId
from secureproctor.lockdown.rule import Exam, Terms
from secureproctor.lockdown.windows.api import Value
from secureproctor.lockdown.windows.api_registry import SystemRegistry
from secureproctor.lockdown.windows.api_windows import DesktopWindows
from secureproctor.lockdown.windows.place import open_place
from secureproctor.lockdown.windows.policies import TABLE
from tests.lockdown.conformance import CHECKS, Meddle, Subject
from tests.windows.stage import Actor

SETTINGS = LockdownSettings(programs="observe")
"""Nothing of what runs here is to be closed."""


def subject(rule: RuleId, exam: Actor) -> Subject:
    return Subject(open_place, rule, Terms(Exam(exam.pid, exam.window), SETTINGS), lambda: snapshot(exam), meddle(rule))


def snapshot(exam: Actor) -> object:
    registry, windows = SystemRegistry(), DesktopWindows(0)
    settings = [setting for row in TABLE.values() for setting in row]
    values = {each.key: registry.get(each.hive, each.path, each.name) for each in settings}
    keys = {each.path: registry.has(each.hive, each.path) for each in settings}
    window = windows.dress(exam.window), windows.rect(exam.window), windows.placement(exam.window)
    return values, keys, window


def meddle(rule: RuleId) -> Meddle | None:
    """Another program sets one of the rule's values."""
    if rule not in TABLE:
        return None
    setting = TABLE[rule][0]

    registry = SystemRegistry()

    def set_it() -> Callable[[], bool]:
        registry.put(setting.hive, setting.path, setting.name, Value(4, 7))
        return lambda: registry.get(setting.hive, setting.path, setting.name) == Value(4, 7)

    return set_it


@pytest.fixture(autouse=True)
def nothing_stays_in_the_registry() -> Iterator[None]:
    yield
    registry = SystemRegistry()
    for setting in (setting for row in TABLE.values() for setting in row):
        registry.remove(setting.hive, setting.path, setting.name)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.__name__))
@pytest.mark.parametrize("rule", RULES)
def test_rule(rule: RuleId, check: Callable[[Subject, Path], None], exam: Actor, tmp_path: Path) -> None:
    check(subject(rule, exam), tmp_path)

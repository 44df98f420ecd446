"""Every rule over a fake Windows keeps what all rules of all systems have to keep; once with all rights, once with none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from secureproctor.contract.lockdown import RULES, LockdownSettings, RuleId
from secureproctor.lockdown.windows.api import Value
from secureproctor.lockdown.windows.place import WindowsPlace
from secureproctor.lockdown.windows.policies import TABLE
from tests.lockdown.conformance import CHECKS, Meddle, Subject
from tests.lockdown.windows.conftest import NAMES
from tests.lockdown.windows.fakes import FakeWindowsSystem, terms


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.__name__))
@pytest.mark.parametrize("rights", ["all", "none"])
@pytest.mark.parametrize("rule", RULES)
def test_rule(rule: RuleId, rights: str, check: Callable[[Subject, Path], None], tmp_path: Path) -> None:
    system = FakeWindowsSystem()
    system.registry.denied = (
        () if rights == "all" else ("HKLM", "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Policies")
    )
    subject = Subject(
        lambda: WindowsPlace(system.api, names=NAMES),
        rule,
        terms(settings=LockdownSettings(programs="observe")),
        lambda: (system.registry.snapshot(), system.windows.snapshot(), system.hooks.is_open),
        meddle(system, rule) if rights == "all" else None,
    )
    check(subject, tmp_path)


def meddle(system: FakeWindowsSystem, rule: RuleId) -> Meddle | None:
    if rule not in TABLE:
        return None
    setting = TABLE[rule][0]

    def set_it() -> Callable[[], bool]:
        system.registry.put(setting.hive, setting.path, setting.name, Value(4, 7))
        return lambda: system.registry.get(setting.hive, setting.path, setting.name) == Value(4, 7)

    return set_it

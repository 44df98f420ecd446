"""Registry values are put back as they were, whatever they were, and only while they are still ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.lockdown.rule import ApplyFailed, RestoreFailed
from secureproctor.lockdown.windows.api import Value
from secureproctor.lockdown.windows.policies import EXPLORER, SYSTEM, TABLE
from secureproctor.lockdown.windows.registry import ON, RegistryPolicy, Setting
from tests.lockdown.windows.fakes import FakeRegistry, FakeWindowsSystem, Stage, terms

ONE = Setting("HKCU", SYSTEM, "DisableTaskMgr")
TWO = Setting("HKCU", EXPLORER, "NoClose")
VALUES = st.none() | st.builds(Value, st.just(4), st.integers(0, 2**32 - 1)) | st.builds(Value, st.just(1), st.text())


@given(VALUES, VALUES, st.booleans())
def test_what_was_there_is_there_again(first: Value | None, second: Value | None, has_keys: bool) -> None:
    registry = FakeRegistry()
    if has_keys:
        registry.make("HKCU", SYSTEM)
    for setting, value in ((ONE, first), (TWO, second)):
        if value is not None:
            registry.put(setting.hive, setting.path, setting.name, value)
    before, policy = registry.snapshot(), RegistryPolicy(registry, (ONE, TWO))
    image = policy.before()
    policy.apply()
    assert policy.holds()
    policy.restore(image)
    policy.restore(image)
    assert registry.snapshot() == before


def test_what_somebody_has_changed_since_is_theirs_and_the_rest_is_put_back() -> None:
    registry = FakeRegistry()
    policy = RegistryPolicy(registry, (ONE, TWO))
    image = policy.before()
    policy.apply()
    registry.put("HKCU", SYSTEM, "DisableTaskMgr", Value(4, 2))
    policy.restore(image)
    assert registry.values == {("HKCU", SYSTEM, "DisableTaskMgr"): Value(4, 2)}
    assert not registry.has("HKCU", EXPLORER)


def test_a_key_in_which_somebody_else_has_put_something_stays() -> None:
    registry = FakeRegistry()
    policy = RegistryPolicy(registry, (ONE,))
    image = policy.before()
    policy.apply()
    registry.put("HKCU", SYSTEM, "Wallpaper", Value(1, "sea"))
    policy.restore(image)
    assert registry.values == {("HKCU", SYSTEM, "Wallpaper"): Value(1, "sea")}


def test_a_policy_that_it_has_set_already_stays_set() -> None:
    registry = FakeRegistry()
    registry.put("HKCU", SYSTEM, "DisableTaskMgr", ON)
    policy = RegistryPolicy(registry, (ONE,))
    image = policy.before()
    policy.apply()
    policy.restore(image)
    assert registry.get("HKCU", SYSTEM, "DisableTaskMgr") == ON


def test_what_is_undone_from_outside_does_not_hold() -> None:
    registry = FakeRegistry()
    policy = RegistryPolicy(registry, (ONE, TWO))
    policy.apply()
    registry.remove("HKCU", EXPLORER, "NoClose")
    assert not policy.holds()
    policy.apply()
    assert policy.holds()


def test_a_right_that_is_missing_is_said_and_nothing_is_lost() -> None:
    registry = FakeRegistry()
    policy = RegistryPolicy(registry, (ONE, TWO))
    image = policy.before()
    policy.apply()
    registry.fail = True
    with pytest.raises(RestoreFailed, match=r"Access is denied\.$"):
        policy.restore(image)
    registry.fail = False
    policy.restore(image)
    assert registry.values == {}
    registry.denied = ("HKCU",)
    with pytest.raises(ApplyFailed):
        policy.apply()


def test_the_shell_is_told() -> None:
    registry = FakeRegistry()
    RegistryPolicy(registry, (ONE,)).apply()
    assert registry.announced == 1


@pytest.mark.parametrize("rule", ["lock_screen", "switch_user", "sign_out"])
def test_a_policy_without_the_right_is_impossible_with_a_remedy(stage: Stage, system: FakeWindowsSystem, rule) -> None:  # type: ignore[no-untyped-def]  # the rule's id
    assert stage.rule(rule).probe(terms()).standing == "enforced"
    system.registry.denied = (f"{TABLE[rule][0].hive}\\{SYSTEM[:20]}",)
    probed = stage.rule(rule).probe(terms())
    assert probed.standing == "impossible"
    assert probed.remedy.startswith("Ask")


def test_switching_users_takes_more_rights_than_the_others(stage: Stage, system: FakeWindowsSystem) -> None:
    system.registry.denied = ("HKLM",)
    assert stage.rule("switch_user").probe(terms()).standing == "impossible"
    assert stage.rule("sign_out").probe(terms()).standing == "enforced"


def test_without_the_right_the_computer_is_kept_awake_all_the_same(stage: Stage, system: FakeWindowsSystem) -> None:
    system.registry.denied = ("HKCU",)
    assert stage.rule("power").probe(terms()).standing == "observed"
    assert stage.apply("power") == {}
    assert system.session.awake
    assert stage.rule("power").verify()
    stage.rule("power").restore({})
    assert not system.session.awake


def test_a_computer_that_does_not_agree_to_stay_awake_is_no_success(stage: Stage, system: FakeWindowsSystem) -> None:
    system.session.agrees = False
    with pytest.raises(ApplyFailed):
        stage.apply("power")


def test_without_the_right_task_managers_are_closed_all_the_same(stage: Stage, system: FakeWindowsSystem) -> None:
    system.registry.denied = ("HKCU",)
    assert stage.rule("task_manager").probe(terms()).standing == "enforced"
    assert stage.apply("task_manager") == {}
    assert stage.rule("task_manager").verify()

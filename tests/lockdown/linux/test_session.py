"""Lock, switch user, sign out: the real `gsettings` on settings of the test's own, and a fake one that fails."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.linux.session import (
    KEYS,
    LOOK_S,
    SCHEMAS,
    DesktopSettingRule,
    NoAnswer,
    Setting,
    gsettings,
    session_rules,
)
from secureproctor.lockdown.rule import ApplyFailed, RestoreFailed
from tests.lockdown.rules.machine import Clock, nobody, terms

GNOME = SCHEMAS["GNOME"]


class Settings:
    """`gsettings` by hand. `fixed` ones are the administrator's; `mute`: nothing answers."""

    def __init__(self) -> None:
        self.values: dict[str, str] = dict.fromkeys(KEYS.values(), "false")
        self.fixed: set[str] = set()
        self.deaf = self.mute = False
        self.asked: list[str] = []

    def __call__(self, arguments: Sequence[str]) -> str:
        if self.mute:
            raise NoAnswer("The desktop's settings do not answer.")
        verb, _, key, *value = arguments
        self.asked.append(verb)
        if verb == "writable":
            return "false" if key in self.fixed else "true"
        if verb == "set" and not self.deaf:
            self.values[key] = value[0]
        return self.values[key]


def rule_over(settings: Settings, clock: Clock | None = None) -> DesktopSettingRule:
    return DesktopSettingRule("lock_screen", Setting(GNOME, KEYS["lock_screen"], settings), clock or Clock())


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings in a file of the test's own, so that neither a bus nor the user's settings are touched."""
    monkeypatch.setenv("GSETTINGS_BACKEND", "keyfile")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.mark.usefixtures("real")
def test_each_setting_is_set_for_real_and_put_back() -> None:
    for name, rule in session_rules({"XDG_CURRENT_DESKTOP": "ubuntu:GNOME"}).items():
        key = KEYS[name]
        before = gsettings(("get", GNOME, key))
        assert rule.probe(terms()).standing == "enforced"
        image = rule.before(terms())
        rule.apply(terms(), nobody)
        assert rule.verify()
        assert gsettings(("get", GNOME, key)) == "true"
        rule.restore(image)
        rule.restore(image)
        assert gsettings(("get", GNOME, key)) == before == "false"
        assert not rule.verify()


@pytest.mark.usefixtures("real")
def test_another_process_can_put_it_back_by_the_image_alone() -> None:
    environ = {"XDG_CURRENT_DESKTOP": "GNOME"}
    rule = session_rules(environ)["sign_out"]
    image = rule.before(terms())
    rule.apply(terms(), nobody)
    session_rules(environ)["sign_out"].restore(image)
    assert gsettings(("get", GNOME, "disable-log-out")) == "false"


@pytest.mark.usefixtures("real")
def test_a_schema_that_is_not_installed_is_no_answer() -> None:
    with pytest.raises(NoAnswer, match=r"refuse"):
        gsettings(("get", "org.nobody.lockdown", "x"))


@pytest.mark.parametrize("desktop", ["", "XFCE", "KDE", "openbox"])
def test_on_another_desktop_it_is_impossible_and_said(desktop: str) -> None:
    rules = session_rules({"XDG_CURRENT_DESKTOP": desktop})
    assert set(rules) == set(KEYS)
    for name, rule in rules.items():
        assert (rule.id, rule.probe(terms()).standing) == (name, "impossible")


def test_what_was_so_already_stays_so() -> None:
    settings = Settings()
    settings.values[KEYS["lock_screen"]] = "true"
    rule = rule_over(settings)
    image = rule.before(terms())
    rule.apply(terms(), nobody)
    rule.restore(image)
    assert image == {}
    assert settings.values[KEYS["lock_screen"]] == "true"
    assert "set" not in settings.asked


def test_what_somebody_else_changed_meanwhile_is_theirs() -> None:
    settings = Settings()
    rule = rule_over(settings)
    image = rule.before(terms())
    rule.apply(terms(), nobody)
    settings.values[KEYS["lock_screen"]] = "false"
    settings.asked.clear()
    rule.restore(image)
    assert "set" not in settings.asked


def test_it_is_seen_when_it_is_undone_and_a_look_is_rare() -> None:
    settings, clock = Settings(), Clock()
    rule = rule_over(settings, clock)
    rule.apply(terms(), nobody)
    settings.asked.clear()
    assert all(rule.verify() for _ in range(100))
    assert settings.asked == []
    settings.values[KEYS["lock_screen"]] = "false"
    clock.now += LOOK_S
    assert not rule.verify()
    rule.apply(terms(), nobody)
    assert rule.verify()


def test_a_setting_of_the_administrator_is_impossible() -> None:
    settings = Settings()
    settings.fixed.add(KEYS["lock_screen"])
    assert rule_over(settings).probe(terms()).standing == "impossible"


def test_settings_that_do_not_answer_are_said_and_nothing_is_claimed() -> None:
    settings, clock = Settings(), Clock()
    rule = rule_over(settings, clock)
    image = rule.before(terms())
    rule.apply(terms(), nobody)
    settings.mute = True
    assert rule.probe(terms()).standing == "could_not_check"
    clock.now += LOOK_S
    assert not rule.verify()
    assert rule.before(terms()) == {}
    with pytest.raises(ApplyFailed):
        rule.apply(terms(), nobody)
    with pytest.raises(RestoreFailed):
        rule.restore(image)


def test_settings_that_do_not_take_the_value_are_not_believed() -> None:
    settings = Settings()
    settings.deaf = True
    with pytest.raises(ApplyFailed):
        rule_over(settings).apply(terms(), nobody)


@pytest.mark.parametrize("image", [{}, {"schema": 1}, {"schema": "a", "key": "b"}])
def test_an_image_of_nothing_restores_nothing(image: dict[str, str | int | float | bool | None]) -> None:
    settings = Settings()
    rule_over(settings).restore({**image})
    assert settings.asked == []


def test_without_gsettings_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoAnswer):
        gsettings(("get", GNOME, "x"))


def test_the_rules_are_those_that_a_desktop_can_take_away() -> None:
    rules: set[RuleId] = {"lock_screen", "switch_user", "sign_out"}
    assert set(session_rules({"XDG_CURRENT_DESKTOP": "MATE"}, Settings())) == rules

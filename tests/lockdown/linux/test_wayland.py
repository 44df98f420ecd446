"""What is said of each rule under Wayland."""

from typing import get_args

import pytest

from secureproctor.contract.lockdown import RULES
from secureproctor.lockdown.linux.wayland import Compositor, compositor, wayland_rules
from tests.lockdown.rules.machine import terms


@pytest.mark.parametrize("family", get_args(Compositor))
def test_no_rule_that_needs_windows_claims_to_work_and_each_says_why_and_what_to_do(family: Compositor) -> None:
    rules = wayland_rules(family)
    assert {"keys", "focus", "clipboard", "hidden_windows", "screenshots", "injected_input"} <= rules.keys()
    for name, rule in rules.items():
        probed = rule.probe(terms())
        assert rule.id == name in RULES
        assert probed.standing in ("impossible", "could_not_check")
        assert probed.why.endswith(".")
        assert probed.remedy.endswith(".")
        assert not rule.verify()


@pytest.mark.parametrize(
    ("desktop", "family"),
    [
        ("ubuntu:GNOME", "gnome"),
        ("KDE", "kde"),
        ("sway", "wlroots"),
        ("Hyprland", "wlroots"),
        ("", "unknown"),
        ("X", "unknown"),
    ],
)
def test_the_family_is_known_by_the_sessions_name(desktop: str, family: Compositor) -> None:
    assert compositor({"XDG_CURRENT_DESKTOP": desktop}) == family
    assert compositor({}) == "unknown"

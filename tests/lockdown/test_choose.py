"""Which place a machine is: a table, over what is looked at."""

import pytest

from secureproctor.lockdown.choose import NoPlace, linux_kind, place_for
from secureproctor.lockdown.leash import GuardianStarter, start_guardian

STARTER: GuardianStarter = start_guardian  # it is one


@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        ({}, "console"),
        ({"DISPLAY": ":0"}, "x11"),
        ({"DISPLAY": ""}, "console"),
        ({"DISPLAY": ":0", "XDG_SESSION_TYPE": "x11"}, "x11"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "wayland"),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "wayland"),
        ({"XDG_SESSION_TYPE": "wayland", "DISPLAY": ":0"}, "wayland"),
        ({"XDG_SESSION_TYPE": "tty"}, "console"),
    ],
)
def test_what_a_linux_session_is(environ: dict[str, str], kind: str) -> None:
    assert linux_kind(environ) == kind


@pytest.mark.parametrize("platform", ["freebsd14", "aix", ""])
def test_a_system_without_rules_says_so_when_its_place_is_opened(platform: str) -> None:
    with pytest.raises(NoPlace, match="no lockdown rules"):
        place_for(platform, {})()


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_choosing_opens_and_imports_nothing(platform: str) -> None:
    """The guardian chooses when it starts, and stays small."""
    assert callable(place_for(platform, {"DISPLAY": ":no such display"}))

"""What a Wayland compositor lets an ordinary program do, rule by rule: little, and it is said plainly.

Wayland has no way for a client to take keys from the compositor, to see or raise another client's window, to watch the
clipboard without being in front, or to see that a picture was taken. `keyboard-shortcuts-inhibit-unstable-v1` works for the
client in front only, which is the browser and not this agent; `wlr-foreign-toplevel` and `ext-data-control` exist on wlroots
and KDE, not on GNOME, and are not used yet. So these rules are `impossible`, or cannot be checked; what needs no windows
(programs, displays, signs) works as on X11. GNOME's own settings work, too (session.py).

This table is by the protocols' documents. No compositor has been tried yet.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.rule import Rule
from secureproctor.lockdown.rules.impossible import CouldNotCheck, Impossible

Compositor = Literal["gnome", "kde", "wlroots", "unknown"]
FAMILIES: dict[str, Compositor] = {
    "gnome": "gnome",
    "ubuntu": "gnome",
    "budgie": "gnome",
    "kde": "kde",
    "sway": "wlroots",
    "wlroots": "wlroots",
    "hyprland": "wlroots",
    "labwc": "wlroots",
    "wayfire": "wlroots",
    "river": "wlroots",
}
"""By the names in XDG_CURRENT_DESKTOP, in lower case."""
X11 = "Sign in with an X11 session (“on Xorg”) where the exam requires this."
BROWSER = "Only the program in front can ask the compositor for this; the secure browser can, this agent cannot."


@dataclass(frozen=True, slots=True)
class Standing:
    """Why a rule does not hold. `unchecked`: a way exists in principle, and is not tried here."""

    why: str
    unchecked: bool = False


WITHOUT_WINDOWS: dict[RuleId, Standing] = {
    "power": Standing(
        "Whether this compositor lets a program keep the screen on could not be found out.", unchecked=True
    ),
    "keys": Standing(f"Wayland gives a program no keys but its own. {BROWSER}"),
    "focus": Standing("Wayland does not let a program see which window is in front, or bring one there."),
    "clipboard": Standing("Wayland shows the clipboard to the program in front only."),
    "hidden_windows": Standing("Wayland does not let a program see the windows of others."),
    "screenshots": Standing("Wayland does not tell a program that a picture of the screen was taken."),
    "injected_input": Standing("Wayland does not tell a program where keys and clicks come from."),
}
INSTEAD: dict[Compositor, dict[RuleId, Standing]] = {
    "gnome": {},
    "kde": {
        "clipboard": Standing("KDE has a way to watch the clipboard, which this version does not use.", unchecked=True),
        "hidden_windows": Standing("KDE has a way to list windows, which this version does not use.", unchecked=True),
    },
    "wlroots": {
        "clipboard": Standing(
            "This compositor may let the clipboard be watched, which is not used yet.", unchecked=True
        ),
        "focus": Standing("This compositor may tell which window is in front, which is not used yet.", unchecked=True),
    },
    "unknown": {},
}
"""Where a family of compositors differs from the rest."""


def compositor(environ: Mapping[str, str] = os.environ) -> Compositor:
    """Which family runs here, by what the session says."""
    names = environ.get("XDG_CURRENT_DESKTOP", "").lower().split(":")
    return next((FAMILIES[name] for name in names if name in FAMILIES), "unknown")


def wayland_rules(family: Compositor) -> dict[RuleId, Rule]:
    """The rules that Wayland changes; all others are those of Linux."""
    return {rule: _rule(rule, standing) for rule, standing in (WITHOUT_WINDOWS | INSTEAD[family]).items()}


def _rule(rule: RuleId, standing: Standing) -> Rule:
    if standing.unchecked:
        return CouldNotCheck(rule, standing.why, X11)
    return Impossible(rule, standing.why, X11)

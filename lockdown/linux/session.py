"""Lock, switch user, sign out: what a Linux desktop lets its own user take away, and nothing where it lets them take nothing.

GNOME, MATE and Cinnamon have settings for public computers (`org.gnome.desktop.lockdown` and their copies), which the user of
the session may write; the desktop obeys at once. They outlive this process, so they have before-images. Other desktops keep
such restrictions in files of the administrator, or have none: there it is impossible, and said.

GNOME's settings were written and put back by the real `gsettings` here, those of MATE and Cinnamon were not; no desktop that
obeys them has been tried yet.
"""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.rule import ApplyFailed, Image, Probed, Report, RestoreFailed, Rule, Terms
from secureproctor.lockdown.rules.impossible import Impossible

TIMEOUT_S = 3.0
LOOK_S = 30.0
"""How often a setting is read again: each time is a program that is started."""
SCHEMAS = {
    "GNOME": "org.gnome.desktop.lockdown",
    "Unity": "org.gnome.desktop.lockdown",
    "Budgie": "org.gnome.desktop.lockdown",
    "MATE": "org.mate.lockdown",
    "X-Cinnamon": "org.cinnamon.desktop.lockdown",
}
"""By the names in XDG_CURRENT_DESKTOP."""
KEYS: dict[RuleId, str] = {
    "lock_screen": "disable-lock-screen",
    "switch_user": "disable-user-switching",
    "sign_out": "disable-log-out",
}
WHY_NOT: dict[RuleId, str] = {
    "lock_screen": "This desktop has no setting by which its user can take locking away.",
    "switch_user": "This desktop has no setting by which its user can take the switching of users away.",
    "sign_out": "This desktop has no setting by which its user can take signing out away.",
}
REMEDY = "Use GNOME, MATE or Cinnamon, or let the exam go on without this rule."


class NoAnswer(Exception):
    """The settings cannot be read or written. The text is a sentence."""


Run = Callable[[Sequence[str]], str]


def gsettings(arguments: Sequence[str]) -> str:
    """What `gsettings` prints. Raises NoAnswer."""
    try:
        done = subprocess.run(
            ["gsettings", *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoAnswer("The desktop's settings do not answer.") from error
    if done.returncode:
        raise NoAnswer(f"The desktop's settings refuse: {done.stderr.strip().splitlines()[-1:] or 'no reason'}.")
    return done.stdout.strip()


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the desktop that is true or false."""

    schema: str
    key: str
    run: Run

    def read(self) -> str:
        """`true` or `false`. Raises NoAnswer."""
        return self.run(("get", self.schema, self.key))

    def write(self, value: str) -> None:
        """Raises NoAnswer."""
        self.run(("set", self.schema, self.key, value))

    def is_writable(self) -> bool:
        """False when an administrator has fixed it. Raises NoAnswer."""
        return self.run(("writable", self.schema, self.key)) == "true"


class DesktopSettingRule:
    """One of these rules as a setting of the desktop."""

    def __init__(self, id: RuleId, setting: Setting, clock: Callable[[], float] = time.monotonic) -> None:  # noqa: A002 - the contract's name
        self.id: RuleId = id
        self._setting = setting
        self._clock = clock
        self._next = 0.0
        self._holds = False

    def probe(self, terms: Terms) -> Probed:
        """`enforced` where the desktop has the setting and lets its user write it."""
        try:
            if self._setting.read() == "true" or self._setting.is_writable():
                return Probed("enforced")
        except NoAnswer as error:
            return Probed("could_not_check", str(error), "Start the exam from the desktop's own session.")
        return Probed("impossible", "The administrator of this computer keeps this setting.", "Ask your IT department.")

    def before(self, terms: Terms) -> Image:
        """What it is. Empty when it is as it shall be."""
        try:
            was = self._setting.read()
        except NoAnswer:
            return {}
        return {"schema": self._setting.schema, "key": self._setting.key, "was": was} if was != "true" else {}

    def apply(self, terms: Terms, report: Report) -> None:
        """Set it. Raises ApplyFailed."""
        try:
            if self._setting.read() != "true":
                self._setting.write("true")
            self._holds = self._setting.read() == "true"
        except NoAnswer as error:
            raise ApplyFailed(str(error)) from error
        if not self._holds:
            raise ApplyFailed("The desktop did not take the setting.")
        self._next = self._clock() + LOOK_S

    def verify(self) -> bool:
        """Looks every LOOK_S only: a look starts a program."""
        if self._holds and self._clock() >= self._next:
            self._next = self._clock() + LOOK_S
            try:
                self._holds = self._setting.read() == "true"
            except NoAnswer:
                self._holds = False
        return self._holds

    def restore(self, image: Image) -> None:
        """Set it back, if it is still as the rule left it. Raises RestoreFailed."""
        self._holds = False
        schema, key, was = image.get("schema"), image.get("key"), image.get("was")
        if not (isinstance(schema, str) and isinstance(key, str) and isinstance(was, str)):
            return
        setting = Setting(schema, key, self._setting.run)
        try:
            if setting.read() == "true" != was:
                setting.write(was)
        except NoAnswer as error:
            raise RestoreFailed(str(error)) from error


def session_rules(
    environ: Mapping[str, str] = os.environ, run: Run = gsettings, clock: Callable[[], float] = time.monotonic
) -> dict[RuleId, Rule]:
    """The three of them, as far as this desktop goes."""
    names = environ.get("XDG_CURRENT_DESKTOP", "").split(":")
    schema = next((SCHEMAS[name] for name in names if name in SCHEMAS), "")
    if not schema:
        return {rule: Impossible(rule, why, REMEDY) for rule, why in WHY_NOT.items()}
    return {rule: DesktopSettingRule(rule, Setting(schema, key, run), clock) for rule, key in KEYS.items()}

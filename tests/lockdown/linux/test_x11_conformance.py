"""What every rule of every system has to keep, on a real X server under openbox."""

from collections.abc import Callable
from pathlib import Path

import pytest

from secureproctor.contract.lockdown import LockdownSettings, RuleId
from secureproctor.lockdown.linux.place import LinuxPlace, open_place
from secureproctor.lockdown.rule import Terms
from secureproctor.lockdown.rules.impossible import Impossible
from tests.lockdown.conformance import CHECKS, Subject
from tests.lockdown.linux.x11_desk import Desk, Puppet

CHANGING: tuple[RuleId, ...] = ("keys", "focus")
LOOKING: tuple[RuleId, ...] = (
    *("power", "clipboard", "windows", "hidden_windows", "screenshots", "displays", "injected_input"),
)
"""They change nothing that outlives the connection, so that more of the same would be proven."""
RULES = [*CHANGING, *(pytest.param(rule, marks=pytest.mark.slow) for rule in LOOKING)]


def only_x(agent: int) -> LinuxPlace:
    """The other rules would close programs of this computer's user."""
    place = open_place("x11", agent=agent)
    own = {*CHANGING, *LOOKING}
    place.rules = tuple(each if each.id in own else Impossible(each.id, "Not in this test.") for each in place.rules)
    return place


def meddle(x11: Desk, exam: Puppet, rule: RuleId) -> Callable[[], Callable[[], bool]] | None:
    def takes_full_screen_away() -> Callable[[], bool]:
        x11.run("wmctrl", "-i", "-r", str(exam.window), "-b", "remove,fullscreen")

        def is_small() -> bool:
            return "_NET_WM_STATE_FULLSCREEN" not in x11.state(exam.window)

        return is_small

    return takes_full_screen_away if rule == "focus" else None


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("rule", RULES)
def test_rule(x11: Desk, exam: Puppet, rule: RuleId, check: Callable[[Subject, Path], None], tmp_path: Path) -> None:
    terms = Terms(exam.exam, LockdownSettings())
    agent = x11.pids["Xvfb"]
    check(Subject(lambda: only_x(agent), rule, terms, x11.snapshot(exam.window), meddle(x11, exam, rule)), tmp_path)

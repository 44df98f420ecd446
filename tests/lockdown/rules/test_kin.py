"""Whose a process is."""

import pytest

from secureproctor.lockdown.readings import Running
from secureproctor.lockdown.rules.kin import Kin
from tests.lockdown.rules.machine import AGENT, BROWSER

TREE = {
    each.pid: each
    for each in (
        Running(5, "supervisor", "/usr/bin/python3", parent=1),
        Running(AGENT, "python3", "/usr/bin/python3", parent=5),
        Running(11, "guardian", "/usr/bin/python3", parent=AGENT),
        Running(12, "anything", "/opt/anything", parent=11),
        Running(BROWSER, "chromium", "/usr/lib/chromium/chromium", parent=6),
        Running(6, "sh", "/usr/bin/dash", parent=1),
        Running(21, "crashpad", "/usr/lib/chromium/crashpad", parent=BROWSER),
        Running(22, "chromium", "", parent=21),
        Running(23, "anydesk", "/opt/anydesk/anydesk", parent=BROWSER),
        Running(24, "gedit", "/usr/bin/gedit", parent=BROWSER),
        Running(30, "python3", "/usr/bin/python3", parent=1),
        Running(31, "chromium", "/usr/lib/chromium/chromium", parent=1),
    )
}


@pytest.mark.parametrize(
    ("pid", "own"),
    [
        *((pid, True) for pid in (AGENT, BROWSER, 5, 11, 12, 21, 22)),
        *((pid, False) for pid in (6, 23, 24, 30, 31)),
    ],
)
def test_own_is_what_belongs_to_the_agent_or_the_exams_browser(pid: int, own: bool) -> None:
    assert Kin(TREE.get, BROWSER, AGENT).is_own(TREE[pid]) is own


def test_parents_in_a_circle_end() -> None:
    circle = {7: Running(7, "a", "/a", parent=8), 8: Running(8, "b", "/b", parent=7)}
    assert not Kin(circle.get, 0, AGENT).is_own(circle[7])

"""Leaves of the exam window."""

from secureproctor.lockdown.rule import Sighting
from secureproctor.lockdown.rules.away import Away
from tests.lockdown.rules.machine import Clock


def test_a_leave_is_told_once_with_its_length_when_it_is_over() -> None:
    seen: list[Sighting] = []
    clock = Clock()
    away = Away(seen.append, clock)
    away.left("gedit", "window")
    away.left("xterm", "window")
    during = away.is_away
    clock.now += 2.5
    away.returned("candidate")
    away.returned("agent")
    assert (during, away.is_away) == (True, False)
    assert [(each.kind, each.detail, each.counts) for each in seen] == [
        ("left_window", {"program": "gedit", "how": "window"}, True),
        ("returned_to_window", {"away_s": 2.5, "by": "candidate"}, False),
    ]


def test_each_leave_is_about_itself_so_that_the_tolerance_can_count_them() -> None:
    seen: list[Sighting] = []
    away = Away(seen.append, Clock())
    for _ in range(3):
        away.left("gedit", "window")
        away.returned("agent")
    assert len({each.about for each in seen if each.kind == "left_window"}) == 3


def test_a_return_without_a_leave_is_no_news() -> None:
    seen: list[Sighting] = []
    Away(seen.append, Clock()).returned("candidate")
    assert seen == []

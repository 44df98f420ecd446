"""Displays as they are, and as they change."""

import pytest

from secureproctor.lockdown.readings import Display
from secureproctor.lockdown.rule import Sighting
from secureproctor.lockdown.rules.displays import SETTLE_S, Displays, DisplaysRule
from tests.lockdown.rules.machine import Clock, terms

PANEL = Display("eDP-1", on=True, technology="internal", internal=True, width=1920, height=1080)
DARK = Display("eDP-1", on=False, technology="internal", internal=True)
HDMI = Display("HDMI-1", on=True, technology="hdmi", internal=False, edid="DEL-40F1", width=2560, height=1440)
MIRROR = Display("HDMI-1", on=True, technology="hdmi", mirrors="eDP-1", width=1920, height=1080)


class Desk:
    """A desk whose displays can be plugged, and a rule that watches it."""

    def __init__(self, *displays: Display, allowed: int = 1) -> None:
        self.displays: Displays = displays
        self.clock = Clock()
        self.seen: list[Sighting] = []
        self.rule = DisplaysRule(lambda: self.displays, self.clock)
        self.rule.apply(terms(displays=allowed), self.seen.append)

    def plug(self, *displays: Display, for_s: float = 3 * SETTLE_S) -> None:
        self.displays = displays
        self.wait(for_s)

    def wait(self, seconds: float) -> None:
        until = self.clock.now + seconds
        while self.clock.now < until:
            assert self.rule.verify()
            self.clock.now += 0.5


def test_the_displays_are_on_the_record_from_the_start() -> None:
    desk = Desk(PANEL)
    assert [(each.kind, each.counts) for each in desk.seen] == [("displays", False)]
    assert desk.seen[0].detail == {
        "count": 1,
        "active": 1,
        "mirrored": 0,
        "allowed": 1,
        "outputs": "eDP-1 internal panel on 1920x1080",
    }


@pytest.mark.parametrize(
    ("displays", "allowed", "violated"),
    [
        ((PANEL,), 1, False),
        ((DARK, HDMI), 1, False),
        ((PANEL, HDMI), 1, True),
        ((PANEL, HDMI), 2, False),
        ((PANEL, MIRROR), 2, True),
        ((), 1, False),
    ],
)
def test_what_counts_is_what_shows_something(displays: tuple[Display, ...], allowed: int, violated: bool) -> None:
    desk = Desk(*displays, allowed=allowed)
    assert desk.seen[0].counts is violated
    assert bool(desk.rule.probe(terms(displays=allowed)).remedy) is violated


def test_a_second_display_is_told_when_it_stays() -> None:
    desk = Desk(PANEL)
    desk.plug(PANEL, HDMI)
    assert [each.counts for each in desk.seen] == [False, True]
    desk.plug(PANEL)
    assert [each.counts for each in desk.seen] == [False, True, False]


def test_what_a_change_passes_through_is_not_told() -> None:
    desk = Desk(PANEL)
    desk.plug(PANEL, HDMI, for_s=0.5)
    desk.plug(for_s=0.5)
    desk.plug(DARK, HDMI)
    assert [each.counts for each in desk.seen] == [False, False]


def test_nothing_changed_is_no_news() -> None:
    desk = Desk(PANEL)
    desk.wait(30)
    assert len(desk.seen) == 1


def test_what_cannot_be_read_is_no_violation_and_no_pass() -> None:
    desk = Desk(PANEL)
    assert DisplaysRule(lambda: None).probe(terms()).standing == "could_not_check"
    desk.displays = None
    desk.wait(5)
    assert (desk.seen[-1].detail["active"], desk.seen[-1].counts) == (None, False)


def test_restored_it_looks_no_more() -> None:
    desk = Desk(PANEL)
    desk.rule.restore({})
    desk.displays = (PANEL, HDMI)
    for _ in range(5):
        assert not desk.rule.verify()
        desk.clock.now += 1
    assert len(desk.seen) == 1

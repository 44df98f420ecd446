"""The same thing seen again and again: told at once, then with how often."""

from secureproctor.lockdown.repeats import Repeats
from secureproctor.lockdown.rule import Sighting


def test_repeats_are_told_at_once_then_with_how_often() -> None:
    repeats, tab = Repeats(), Sighting("keys", "key_stopped", {"keys": "Alt+Tab"}, about="Alt+Tab")
    other = Sighting("keys", "key_stopped", {"keys": "Super"}, about="Super")
    assert repeats.see(tab, 0.0) == (tab,)
    assert repeats.see(tab, 1.0) == ()
    assert repeats.see(other, 1.0) == (other,)
    assert repeats.see(tab, 9.9) == ()
    assert repeats.due(9.9) == ()
    assert [each.detail for each in repeats.due(10.0)] == [{"keys": "Alt+Tab", "times": 2}]
    assert repeats.see(tab, 15.0) == ()
    assert [each.detail["times"] for each in repeats.due(20.0)] == [1]
    assert repeats.due(100.0) == ()
    assert repeats.next_due is None
    assert repeats.see(tab, 101.0) == (tab,)


def test_what_comes_in_pairs_is_always_told() -> None:
    repeats, left = Repeats(), Sighting("focus", "left_window", {"program": "x"})
    assert [len(repeats.see(left, 0.0)) for _ in range(3)] == [1, 1, 1]

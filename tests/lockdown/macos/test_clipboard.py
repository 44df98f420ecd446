"""The clipboard, of which macOS says that it was filled, and not by whom."""

from tests.lockdown.macos.fakes import EXAM, OTHER, Mac, Watched


def test_it_is_emptied_at_the_start_and_at_the_end() -> None:
    watched = Watched(Mac(), "clipboard")
    held = [bool(watched.mac.holds)]
    watched.mac.fill()
    watched.run(0.5)
    held.append(bool(watched.mac.holds))  # the exam's own stays
    watched.restore()
    assert [*held, bool(watched.mac.holds)] == [False, True, False]
    assert [detail["why"] for detail in watched.told("clipboard_emptied")] == ["start", "end"]


def test_what_is_copied_elsewhere_is_taken_out() -> None:
    watched = Watched(Mac(holds=""), "clipboard")
    watched.mac.front = OTHER
    watched.mac.fill()
    watched.run(0.5)
    assert not watched.mac.holds
    assert watched.told("clipboard_emptied") == [{"program": "Notes", "why": "outside"}]


def test_what_was_copied_on_a_quick_visit_elsewhere_is_taken_out() -> None:
    """Between two looks the candidate has left, copied and come back; the look before saw them away."""
    watched = Watched(Mac(holds=""), "clipboard")
    watched.mac.front = OTHER
    watched.run(0.3)
    watched.mac.fill()
    watched.mac.front = EXAM
    watched.run(0.5)
    assert not watched.mac.holds


def test_what_comes_from_another_device_is_taken_out() -> None:
    watched = Watched(Mac(holds=""), "clipboard")
    watched.mac.fill(remote=True)
    watched.run(0.5)
    assert not watched.mac.holds


def test_what_the_exam_copies_stays_and_emptying_is_no_change_of_somebody_else() -> None:
    watched = Watched(Mac(holds=""), "clipboard")
    watched.mac.front = OTHER
    watched.mac.fill()
    watched.run(0.5)
    watched.mac.front = EXAM
    watched.run(0.5)
    watched.mac.fill()
    watched.run(2.0)
    assert watched.mac.holds
    assert len(watched.told("clipboard_emptied")) == 1


def test_it_never_claims_more_than_it_can_and_by_policy_nothing() -> None:
    assert Watched(Mac(), "clipboard").probe().standing == "observed"
    observing = Watched(Mac(), observe_only=True)
    rule = next(each for each in observing.place.rules if each.id == "clipboard")
    assert rule.probe(observing.terms).standing == "impossible"

"""The secure browser's presence: beats, silence, and the end of its process; time is passed in."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from secureproctor.lockdown.browser.presence import Presence, Seen


class Desk:
    """A clock, and the processes that run."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.running = {(7, 1.5)}
        self.presence = Presence(lambda: self.now_s, silent_after_s=15)

    def look(self) -> tuple[Seen, ...]:
        return self.presence.look(lambda pid, started: (pid, started) in self.running)


def test_a_browser_that_beats_changes_nothing() -> None:
    desk = Desk()
    assert not desk.presence.is_there
    assert desk.presence.attached(7, 1.5)
    for n in range(10):
        desk.now_s += 5
        assert desk.presence.beat(n)
        assert desk.look() == ()
    assert (desk.presence.is_there, desk.presence.pid) == (True, 7)


def test_silence_is_told_once_and_its_end_with_how_long_it_was() -> None:
    desk = Desk()
    desk.presence.attached(7, 1.5)
    desk.now_s += 14.9
    assert desk.look() == ()
    desk.now_s += 0.1
    assert desk.look() == (Seen("silent", 15.0),)
    desk.now_s += 5
    assert desk.look() == ()
    for n in (1, 2):
        desk.presence.beat(n)
    assert desk.look() == (Seen("heard", 20.0),)
    assert desk.look() == ()


def test_a_process_that_ended_is_gone_once_and_for_all() -> None:
    desk = Desk()
    desk.presence.attached(7, 1.5)
    desk.now_s += 3
    desk.running.clear()
    assert desk.look() == (Seen("gone", 3.0),)
    assert not desk.presence.beat(9), "a beat of nobody"
    assert desk.look() == ()
    assert (desk.presence.is_there, desk.presence.pid) == (False, 0)


def test_another_process_under_the_same_pid_is_not_the_browser() -> None:
    desk = Desk()
    desk.presence.attached(7, 1.5)
    desk.running = {(7, 2.5)}
    assert [seen.change for seen in desk.look()] == ["gone"]


def test_a_silent_browser_that_ends_is_gone_and_another_one_begins_anew() -> None:
    desk = Desk()
    desk.presence.attached(7, 1.5)
    desk.now_s += 20
    assert [seen.change for seen in desk.look()] == ["silent"]
    desk.running = {(8, 3.0)}
    assert desk.look() == (Seen("gone", 20.0),)
    assert desk.presence.attached(8, 3.0)
    assert desk.look() == ()


def test_the_same_process_that_attaches_again_is_known() -> None:
    desk = Desk()
    assert desk.presence.attached(7, 1.5)
    assert desk.presence.beat(5)
    assert not desk.presence.attached(7, 1.5)
    assert desk.presence.beat(0), "its page was loaded again and counts from the beginning"


def test_an_old_beat_that_is_sent_again_does_not_count() -> None:
    desk = Desk()
    desk.presence.attached(7, 1.5)
    assert desk.presence.beat(3)
    desk.now_s += 15
    assert not desk.presence.beat(3)
    assert not desk.presence.beat(2)
    assert [seen.change for seen in desk.look()] == ["silent"]


class AnyCourse(RuleBasedStateMachine):
    """Whatever happens in whatever order: silent and heard alternate, and gone ends what was there."""

    @initialize()
    def begin(self) -> None:
        self.desk = Desk()
        self.silent = False
        self.pid = 6
        self.n = 0

    @rule()
    def attach(self) -> None:
        self.pid += 1
        self.desk.running = {(self.pid, 1.0)}
        if self.desk.presence.is_there:
            self.take(self.desk.look())
        self.desk.presence.attached(self.pid, 1.0)

    @rule()
    def beat(self) -> None:
        self.n += 1
        assert self.desk.presence.beat(self.n) == self.desk.presence.is_there

    @rule(seconds=st.floats(0.1, 40))
    def wait(self, seconds: float) -> None:
        self.desk.now_s += seconds

    @rule()
    def end(self) -> None:
        self.desk.running.clear()

    @rule()
    def look(self) -> None:
        self.take(self.desk.look())

    def take(self, seen: tuple[Seen, ...]) -> None:
        assert len(seen) <= 1
        for each in seen:
            match each.change:
                case "silent":
                    assert not self.silent
                    assert each.silent_s >= 15
                    self.silent = True
                case "heard":
                    assert self.silent
                    self.silent = False
                case "gone":
                    self.silent = False

    @invariant()
    def a_pid_belongs_to_somebody_who_is_there(self) -> None:
        assert bool(self.desk.presence.pid) == self.desk.presence.is_there


TestAnyCourse = AnyCourse.TestCase

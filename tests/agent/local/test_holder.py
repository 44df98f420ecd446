"""Which page holds the session: told in small plays, and held to its rules over any course of events."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.agent.local.door import Visitor
from secureproctor.agent.local.holder import GRACE_S, Holder

ORIGIN = "https://exam.example"


@dataclass
class Play:
    """A holder with a clock in the hand; `told` and `recorded` as it happened."""

    now: float = 100.0
    going: bool = True
    told: list[tuple[Visitor, bool]] = field(default_factory=list)
    recorded: list[tuple[str, bool]] = field(default_factory=list)
    holder: Holder = field(init=False)

    def __post_init__(self) -> None:
        self.holder = Holder(
            lambda visitor, holding: self.told.append((visitor, holding)),
            lambda origin, taken_over: self.recorded.append((origin, taken_over)),
            lambda: self.going,
            lambda: self.now,
        )

    def page(self, tab: str, origin: str = ORIGIN) -> Visitor:
        visitor = Visitor(origin)
        self.holder.greeted(visitor, tab)
        return visitor

    def after(self, seconds: float) -> None:
        self.now += seconds
        self.holder.look()


@pytest.fixture
def play() -> Play:
    return Play()


def test_the_first_page_holds_and_the_others_wait(play: Play) -> None:
    first, second = play.page("a"), play.page("b")
    assert (play.holder.holds(first), play.holder.holds(second)) == (True, False)
    assert play.told == [(first, True), (second, False)]
    assert play.recorded == []


def test_a_page_that_says_hello_again_is_told_nothing_new(play: Play) -> None:
    first, second = play.page("a"), play.page("b")
    for visitor, tab in ((first, "a"), (second, "b"), (second, "a")):
        play.holder.greeted(visitor, tab)
    assert play.told == [(first, True), (second, False)]


def test_taking_over_tells_both_and_is_on_the_record(play: Play) -> None:
    first, second = play.page("a"), play.page("b", "https://other.example")
    play.told.clear()
    play.holder.take_over(second)
    assert play.told == [(first, False), (second, True)]
    assert play.recorded == [("https://other.example", True)]
    play.holder.take_over(second)
    assert len(play.told) == 2


def test_a_page_that_is_loaded_again_holds_again_and_nobody_else_meanwhile(play: Play) -> None:
    first, second = play.page("a"), play.page("b")
    play.holder.gone(first)
    play.after(GRACE_S - 0.1)
    assert not play.holder.holds(second)
    again = play.page("a")
    assert play.holder.holds(again)
    assert play.told == [(first, True), (second, False), (again, True)]
    assert play.recorded == []
    assert play.holder.look() is None


def test_past_the_grace_the_page_that_waited_longest_holds(play: Play) -> None:
    first, second, third = play.page("a"), play.page("b"), play.page("c")
    play.holder.gone(first)
    assert play.holder.look() == pytest.approx(GRACE_S)
    play.after(GRACE_S)
    assert (play.holder.holds(second), play.holder.holds(third)) == (True, False)
    assert play.told[-1] == (second, True)
    assert play.recorded == [(ORIGIN, False)]
    late = play.page("a")
    assert not play.holder.holds(late)


def test_past_the_grace_without_others_the_next_page_holds(play: Play) -> None:
    play.holder.gone(play.page("a"))
    stranger = play.page("b")
    assert not play.holder.holds(stranger)
    play.holder.gone(stranger)
    play.after(GRACE_S + 1)
    assert play.holder.holds(play.page("c"))
    assert play.recorded == [(ORIGIN, False)]


def test_the_grace_ends_also_when_nobody_looked(play: Play) -> None:
    play.holder.gone(play.page("a"))
    play.now += GRACE_S
    assert play.holder.holds(play.page("b"))


def test_a_tab_without_a_name_leaves_its_place_at_once(play: Play) -> None:
    first, second = play.page(""), play.page("")
    play.holder.gone(first)
    assert play.holder.holds(second)
    play.holder.gone(second)
    assert play.holder.holds(play.page(""))


def test_without_a_session_a_closed_tab_leaves_its_place_at_once(play: Play) -> None:
    first = play.page("a")
    play.going = False
    play.holder.gone(first)
    assert play.holder.holds(play.page("b"))


def test_a_name_of_another_origin_is_another_tab(play: Play) -> None:
    play.holder.gone(play.page("a"))
    stranger = play.page("a", "https://other.example")
    assert not play.holder.holds(stranger)


def test_a_duplicated_tab_takes_nothing_and_is_the_heir(play: Play) -> None:
    first, other, double = play.page("a"), play.page("b"), play.page("a")
    assert play.holder.holds(first)
    play.holder.gone(first)
    assert (play.holder.holds(double), play.holder.holds(other)) == (True, False)
    assert play.recorded == []


def test_a_page_may_take_over_while_the_place_is_kept(play: Play) -> None:
    first, second = play.page("a"), play.page("b")
    play.holder.gone(first)
    play.holder.take_over(second)
    assert play.holder.holds(second)
    assert not play.holder.holds(play.page("a"))


def test_a_waiting_page_that_goes_changes_nothing(play: Play) -> None:
    first, second = play.page("a"), play.page("b")
    play.holder.gone(second)
    play.holder.gone(Visitor(ORIGIN))
    assert play.holder.holds(first)
    assert play.holder.look() is None


def test_a_name_that_is_given_late_counts(play: Play) -> None:
    first = play.page("")
    play.holder.greeted(first, "a")
    play.holder.gone(first)
    assert not play.holder.holds(play.page("b"))
    assert play.holder.holds(play.page("a"))


def test_programs_may_act_and_never_hold(play: Play) -> None:
    program, page = Visitor(), play.page("a")
    play.holder.greeted(program, "a")
    play.holder.take_over(program)
    assert play.holder.holds(program)
    assert play.holder.knows(program)
    assert play.holder.holds(page)
    play.holder.gone(program)
    assert play.told == [(page, True)]


def test_a_page_that_left_holds_nothing_whatever_its_last_call_asks_for(play: Play) -> None:
    page = play.page("")
    play.holder.gone(page)
    play.holder.greeted(page, "a")
    play.holder.take_over(page)
    assert not play.holder.holds(page)
    assert play.holder.holds(play.page("b"))


def test_a_page_that_never_said_hello_is_not_known(play: Play) -> None:
    assert not play.holder.knows(Visitor(ORIGIN))
    assert not play.holder.holds(Visitor(ORIGIN))
    assert play.holder.knows(play.page("a"))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hello"), st.sampled_from(["", "a", "b", "c"])),
        st.tuples(st.sampled_from(["again", "take over", "gone"]), st.integers(0, 9)),
        st.tuples(st.just("wait"), st.sampled_from([0.5, 2.0, GRACE_S, GRACE_S + 1])),
    ),
    max_size=30,
)


@given(STEPS)
def test_whatever_happens_one_page_holds_at_most_and_everybody_knows_where_they_stand(
    steps: list[tuple[str, str | int | float]],
) -> None:
    play = Play()
    there: list[Visitor] = []
    for what, which in steps:
        if what == "hello":
            there.append(play.page(str(which)))
        elif what == "wait":
            play.after(float(which))
        elif there:
            visitor = there[int(which) % len(there)]
            if what == "gone":
                there.remove(visitor)
                play.holder.gone(visitor)
            elif what == "again":
                play.holder.greeted(visitor, "")
            else:
                play.holder.take_over(visitor)
        holding = [each for each in there if play.holder.holds(each)]
        assert len(holding) <= 1
        last_word = dict(play.told)
        assert [each for each in there if last_word[each]] == holding
    play.after(GRACE_S)
    assert play.holder.look() is None
    assert len([each for each in there if play.holder.holds(each)]) == min(1, len(there))

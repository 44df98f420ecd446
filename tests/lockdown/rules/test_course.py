"""The course of a forbidden program, by its moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secureproctor.contract.lockdown import ProgramsPolicy
from secureproctor.lockdown.rules.course import FORCE_S, GRACE_S, SPREE, SPREE_S, Course, Move, Spree


def moves(course: Course, until: float, dies_at: float = float("inf")) -> list[tuple[float, Move]]:
    """Every move but waiting, half a second apart."""
    made: list[tuple[float, Move]] = []
    for step in range(int(until * 2) + 1):
        move = course.step(step / 2, step / 2 < dies_at)
        if move is not Move.WAIT:
            made.append((step / 2, move))
        if move is Move.OVER:
            break
    return made


def test_it_is_asked_when_patience_ends_then_closed_then_given_up() -> None:
    made = moves(Course("close", 20.0), 60)
    asked, closed, given_up = made[0], [each for each in made if each[1] is Move.CLOSE], made[-1]
    assert asked == (20.0, Move.ASK)
    assert closed[0] == (20.0 + GRACE_S, Move.CLOSE)
    assert given_up == (20.0 + GRACE_S + FORCE_S, Move.GIVE_UP)


@pytest.mark.parametrize(("dies_at", "how"), [(5.0, "candidate"), (20.5, "asked"), (20.0 + GRACE_S + 1, "closed")])
def test_how_it_ended_says_who_ended_it(dies_at: float, how: str) -> None:
    course = Course("close", 20.0)
    assert moves(course, 60, dies_at)[-1] == (dies_at, Move.OVER)
    assert course.how == how


def test_one_that_cannot_be_asked_is_closed_without_waiting_for_an_answer() -> None:
    course = Course("close", 0.0)
    assert course.step(0.0, alive=True) is Move.ASK
    course.unheard(0.0)
    assert course.step(0.1, alive=True) is Move.CLOSE


@pytest.mark.parametrize("policy", ["observe", "ask"])
def test_it_is_never_touched_unless_the_policy_is_to_close(policy: ProgramsPolicy) -> None:
    course = Course(policy, 0.0)
    assert moves(course, 600) == []
    assert course.left_s(5.0) is None


def test_it_says_how_long_the_candidate_has_left() -> None:
    course = Course("close", 20.0)
    assert [course.left_s(now) for now in (0.0, 15.0, 30.0)] == [20.0, 5.0, 0.0]


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60), st.floats(0, 30))
def test_however_often_it_is_looked_at_it_is_asked_once_before_it_is_closed(gaps: list[float], deadline: float) -> None:
    course, now, made = Course("close", deadline), 0.0, list[Move]()
    for gap in gaps:
        now += gap
        made.append(course.step(now, alive=True))
        assert made[-1] is Move.WAIT or now >= deadline
    acts = [move for move in made if move is not Move.WAIT]
    assert acts.count(Move.ASK) <= 1
    assert acts.count(Move.GIVE_UP) <= 1
    assert acts[:1] in ([], [Move.ASK])


def test_after_so_many_closings_a_program_is_left_alone_for_a_while() -> None:
    spree = Spree()
    for second in range(SPREE):
        assert spree.rest_until(second) == second
        spree.ended(second)
    assert spree.rest_until(SPREE) == SPREE_S
    assert spree.rest_until(SPREE_S + 1) == SPREE_S + 1

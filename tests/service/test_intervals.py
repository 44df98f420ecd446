"""Interval arithmetic against the plainest model: sets of instants."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from secureproctor.service.intervals import (
    Span,
    bridged,
    clipped,
    complement,
    difference,
    intersection,
    length,
    union,
)

NUMBER = st.integers(-20, 60)
SPANS = st.lists(st.tuples(NUMBER, NUMBER), max_size=8)
WITHIN = st.tuples(st.integers(0, 20), st.integers(0, 40)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def instants(spans: list[Span]) -> set[int]:
    return {at for start, end in spans for at in range(start, end)}


@given(SPANS)
def test_a_union_covers_the_same_time_in_order_and_apart(spans: list[Span]) -> None:
    united = union(spans)
    assert instants(united) == instants(spans)
    assert all(before[1] < after[0] for before, after in pairwise(united))
    assert length(spans) == len(instants(spans))


@given(SPANS, WITHIN)
def test_covered_time_and_its_complement_make_the_whole(spans: list[Span], within: Span) -> None:
    inside, outside = instants(clipped(spans, within)), instants(complement(spans, within))
    assert inside | outside == set(range(*within))
    assert not inside & outside


@given(SPANS, st.integers(0, 10))
def test_bridging_fills_exactly_the_short_holes(spans: list[Span], slack: int) -> None:
    added = union(bridged(spans, slack))
    assert instants(spans) <= instants(added)
    assert all(after[0] - before[1] >= max(slack, 1) for before, after in pairwise(added))
    assert not added or (added[0][0], added[-1][1]) == (union(spans)[0][0], union(spans)[-1][1])


@given(SPANS, SPANS)
def test_intersection_and_difference_divide_the_time(one: list[Span], other: list[Span]) -> None:
    both, rest = intersection(union(one), union(other)), difference(union(one), other)
    assert instants(both) == instants(one) & instants(other)
    assert instants(rest) == instants(one) - instants(other)
    assert all(before[1] <= after[0] for found in (both, rest) for before, after in pairwise(found))

"""Arithmetic of time spans: half-open pairs (start, end) of whole microseconds. Pure."""

from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time without overlaps, in order; spans that touch become one, empty ones vanish."""
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def clipped(spans: Iterable[Span], within: Span) -> list[Span]:
    """What of the spans lies within one."""
    cut = ((max(start, within[0]), min(end, within[1])) for start, end in spans)
    return [span for span in cut if span[0] < span[1]]


def complement(spans: Iterable[Span], within: Span) -> list[Span]:
    """What of `within` no span covers, in order."""
    gaps, at = [], within[0]
    for start, end in union(clipped(spans, within)):
        if at < start:
            gaps.append((at, start))
        at = end
    return [*gaps, (at, within[1])] if at < within[1] else gaps


def intersection(one: Sequence[Span], other: Sequence[Span]) -> list[Span]:
    """What both cover; each in order and without overlaps."""
    found: list[Span] = []
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            found.append((start, end))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return found


def difference(spans: Sequence[Span], less: Iterable[Span]) -> list[Span]:
    """What of the spans (in order and without overlaps) the others do not cover."""
    return intersection(spans, complement(less, (spans[0][0], spans[-1][1]))) if spans else []


def bridged(spans: Iterable[Span], slack: int) -> list[Span]:
    """The union, with holes of less than `slack` counted as covered."""
    joined: list[Span] = []
    for start, end in union(spans):
        if joined and start - joined[-1][1] < slack:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def length(spans: Iterable[Span]) -> int:
    """How much time the spans cover together."""
    return sum(end - start for start, end in union(spans))


def overlaps(one: Span, other: Span) -> bool:
    """Whether two spans share time; an instant (equal ends) overlaps what it lies in."""
    return one[0] <= other[1] and other[0] <= one[1]

"""The two lanes against a model of the link: nothing twice, nothing forgotten, nobody starves, live first."""

import bisect
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from secureproctor.agent.delivery.lanes import (
    BACKLOG_AT_ONCE,
    LEAST_BYTES,
    LIVE_AT_ONCE,
    LIVE_S,
    LIVE_WAITING,
    ORDER,
    QUEUE_S,
    REST_S,
    TURNS,
    Lanes,
)
from secureproctor.contract.streams import Stream

Key = tuple[Stream, int, int]


class Pile:
    """What waits, as a spool would say."""

    def __init__(self, counts: dict[Stream, int]) -> None:
        self.lines: dict[Stream, list[Key]] = {
            stream: [(stream, 0, seq) for seq in range(counts.get(stream, 0))] for stream in ORDER
        }

    def __contains__(self, key: Key) -> bool:
        return key in self.lines[key[0]]

    def __len__(self) -> int:
        return sum(map(len, self.lines.values()))

    def put(self, key: Key) -> None:
        bisect.insort(self.lines[key[0]], key)

    def oldest(self, stream: Stream) -> Iterator[Key]:
        return iter(self.lines[stream])


def piled(counts: dict[Stream, int]) -> tuple[Pile, Lanes]:
    pile = Pile(counts)
    return pile, Lanes(pile.oldest)


def deliver(pile: Pile, lanes: Lanes, key: Key, now: float) -> None:
    pile.lines[key[0]].remove(key)
    lanes.delivered(key, lanes.ended(key), now)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), st.sampled_from(ORDER)),
        st.tuples(st.just("store"), st.sampled_from(ORDER)),
        st.tuples(st.just("begin"), st.integers(0, 200_000)),
        st.tuples(st.just("deliver"), st.integers(0, 30)),
        st.tuples(st.just("fail"), st.integers(0, 30)),
        st.tuples(st.just("puzzle"), st.integers(0, 30)),
        st.tuples(st.just("pass"), st.floats(0, 8)),
    ),
    max_size=200,
)


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_whatever_happens_nothing_goes_twice_and_everything_goes_in_the_end(steps: list[tuple[str, object]]) -> None:
    pile, lanes = piled({})
    now, seq = 0.0, 0
    for what, value in steps:
        flying = sorted(lanes.in_flight)
        match what, value:
            case "offer" | "store", Stream() as stream:
                seq += 1
                pile.put((stream, 0, seq))
                if what == "offer":
                    lanes.offer((stream, 0, seq), now)
            case "begin", int() as size:
                key = lanes.next(now)
                if key is not None:
                    assert key in pile
                    assert key not in lanes.in_flight
                    lanes.began(key, size, now)
            case "deliver", int() as which if flying:
                deliver(pile, lanes, flying[which % len(flying)], now)
            case "fail", int() as which if flying:
                lanes.ended(flying[which % len(flying)])
            case "puzzle", int() as which if flying:
                lanes.rest(flying[which % len(flying)], now)
                lanes.ended(flying[which % len(flying)])
            case "pass", float() as seconds:
                now += seconds
    for _ in range(10 * len(pile) + 1):
        key = lanes.next(now)
        if key is not None:
            lanes.began(key, 1000, now)
        elif lanes.in_flight:
            now += 0.1
            deliver(pile, lanes, next(iter(lanes.in_flight)), now)
        else:
            now += 100
    assert not len(pile)


@given(st.dictionaries(st.sampled_from(ORDER), st.integers(1, 60), min_size=1))
def test_no_stream_starves_in_the_backlog(counts: dict[Stream, int]) -> None:
    pile, lanes = piled(counts)
    last = dict.fromkeys(counts, 0)
    for turn in range(1, sum(counts.values()) + 1):
        key = lanes.next(0)
        assert key is not None
        assert key == next(pile.oldest(key[0])), "oldest first"
        last[key[0]] = turn
        lanes.began(key, 0, 0)
        deliver(pile, lanes, key, 0)
        for stream in counts:
            if next(pile.oldest(stream), None) is not None:
                assert turn - last[stream] <= sum(TURNS.values())
    assert not len(pile)


def test_a_stream_that_comes_back_has_saved_no_turns_up() -> None:
    pile, lanes = piled({Stream.SCREEN: 1000})
    for _ in range(900):
        key = lanes.next(0)
        assert key is not None
        lanes.began(key, 0, 0)
        deliver(pile, lanes, key, 0)
    for seq in range(1000):
        pile.put((Stream.EVENTS, 0, seq))
    taken = []
    for _ in range(30):
        key = lanes.next(0)
        assert key is not None
        taken.append(key[0])
        lanes.began(key, 0, 0)
        deliver(pile, lanes, key, 0)
    assert taken.count(Stream.SCREEN) >= 8


def test_live_goes_first_small_before_large_and_oldest_before_new() -> None:
    pile, lanes = piled(dict.fromkeys(ORDER, 5))
    for stream in reversed(ORDER):
        for seq in (101, 100):
            pile.put((stream, 0, seq))
            lanes.offer((stream, 0, seq), 0)
    order = []
    for _ in range(2 * len(ORDER)):
        key = lanes.next(0)
        assert key is not None
        order.append(key)
        lanes.began(key, 1000, 0)
        deliver(pile, lanes, key, 0)
    assert order == [(stream, 0, seq) for stream in ORDER for seq in (100, 101)]


def test_no_backlog_begins_while_a_live_record_waits() -> None:
    pile, lanes = piled({Stream.EVENTS: 5})
    for seq in range(LIVE_AT_ONCE + 1):
        pile.put((Stream.SCREEN, 0, seq))
        lanes.offer((Stream.SCREEN, 0, seq), 0)
    for _ in range(LIVE_AT_ONCE):
        key = lanes.next(0)
        assert key is not None
        lanes.began(key, 1000, 0)
    assert lanes.next(0) is None
    deliver(pile, lanes, (Stream.SCREEN, 0, 0), 0)
    key = lanes.next(0)
    assert key == (Stream.SCREEN, 0, LIVE_AT_ONCE)
    lanes.began(key, 1000, 0)
    assert lanes.next(0) == (Stream.EVENTS, 0, 0)
    assert lanes.next(0, backlog=False) is None


def test_a_live_record_that_waited_too_long_is_backlog() -> None:
    _, lanes = piled({Stream.SCREEN: 3})
    lanes.offer((Stream.SCREEN, 0, 2), 0)
    assert (lanes.next(LIVE_S), lanes.live(LIVE_S)) == ((Stream.SCREEN, 0, 2), 1)
    later = LIVE_S + 0.01
    assert (lanes.next(later), lanes.live(later)) == ((Stream.SCREEN, 0, 0), 0)
    assert lanes.next(later, backlog=False) is None


def test_the_live_lane_does_not_grow_without_end() -> None:
    _, lanes = piled({})
    for seq in range(100_000):
        lanes.offer((Stream.SCREEN, 0, seq), 0)
    assert lanes.live(0) == LIVE_WAITING


def test_a_live_record_that_failed_is_live_again() -> None:
    _, lanes = piled({Stream.SCREEN: 2})
    lanes.offer((Stream.SCREEN, 0, 1), 0)
    lanes.began((Stream.SCREEN, 0, 1), 1000, 0)
    lanes.ended((Stream.SCREEN, 0, 1))
    assert lanes.next(1) == (Stream.SCREEN, 0, 1)


def test_a_puzzling_record_steps_behind_the_others_and_comes_again() -> None:
    _, lanes = piled({Stream.EVENTS: 1, Stream.SCREEN: 1})
    assert [lanes.rest((Stream.EVENTS, 0, 0), 0), lanes.rest((Stream.EVENTS, 0, 0), 0)] == [1, 2]
    assert lanes.next(2 * REST_S - 0.01) == (Stream.SCREEN, 0, 0)
    assert lanes.next(2 * REST_S) == (Stream.EVENTS, 0, 0)


def test_a_record_larger_than_all_bounds_goes_alone() -> None:
    pile, lanes = piled({Stream.SCREEN: 3})
    lanes.began((Stream.SCREEN, 0, 0), 30_000_000, 0)
    assert lanes.next(0) is None
    deliver(pile, lanes, (Stream.SCREEN, 0, 0), 60)
    assert lanes.next(60) == (Stream.SCREEN, 0, 1)


def begin_all(lanes: Lanes, size: int, now: float) -> int:
    """How many bytes are on their way when all that may has begun."""
    while (key := lanes.next(now)) is not None:
        lanes.began(key, size, now)
    return sum(flight.size for flight in lanes.in_flight.values())


@given(st.integers(20_000, 1_500_000), st.floats(0.01, 0.5), st.integers(1_000, 120_000))
@settings(max_examples=30, deadline=None)
def test_what_is_on_its_way_follows_the_link(bytes_per_s: int, round_trip_s: float, size: int) -> None:
    """A link that carries one record after the other: it never runs empty, and no long queue stands before it."""
    pile, lanes = piled({Stream.SCREEN: 1000})
    free_at, now = 0.0, 0.0
    arrivals: list[tuple[float, Key]] = []
    idle_s = 0.0
    for _ in range(300):
        while (key := lanes.next(now)) is not None:
            lanes.began(key, size, now)
            if now > 10:
                idle_s += max(0.0, now - free_at)
            free_at = max(free_at, now) + size / bytes_per_s
            arrivals.append((free_at + round_trip_s, key))
        queued_s = free_at - now
        now, key = arrivals.pop(0)
        deliver(pile, lanes, key, now)
    enough = BACKLOG_AT_ONCE * size >= 1.2 * bytes_per_s * (round_trip_s + size / bytes_per_s)
    if now > 12 and enough:
        assert idle_s <= 0.1 * (now - 10)
    bound_s = max(LEAST_BYTES / bytes_per_s, 2 * (QUEUE_S + round_trip_s + size / bytes_per_s)) + size / bytes_per_s
    assert queued_s <= bound_s

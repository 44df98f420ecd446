"""Which record goes next: a lane for what the proctor watches live, and one for the backlog, on one uplink. Pure.

The live lane holds what was spooled in the last few seconds, small and irreplaceable before large. Everything else is
the backlog: the oldest that the spool offers, all streams in turns. Both share the link without knowing its width:

- While a live record waits, no request for the backlog is begun.
- Of the backlog as much is on its way as the link moved lately in one round trip and QUEUE_S. Less, and the pipe would
  run empty between two requests; more, and it would stand in the queue before the thinnest link, where a live record
  has to stand behind it. The queue is bounded by what is sent into it, however deep the router lets it become.

Nothing is forgotten here that the spool keeps: a key that leaves a lane is found again among the oldest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf

from secureproctor.agent.delivery.drain import Meter
from secureproctor.agent.delivery.waiting import Key
from secureproctor.contract.streams import Stream

ORDER: tuple[Stream, ...] = (Stream.EVENTS, Stream.STILLS, Stream.AUDIO, Stream.WEBCAM, Stream.SCREEN)
"""What is sent first: small and irreplaceable before large; and a still before sound, as a proctor waits for it."""
TURNS: dict[Stream, int] = {Stream.EVENTS: 4, Stream.STILLS: 4, Stream.AUDIO: 3, Stream.WEBCAM: 2, Stream.SCREEN: 2}
"""How many records of a stream go from the backlog while the others have theirs."""

LIVE_S = 5.0
"""A record that is older is no longer what happens now."""
LIVE_WAITING = 64
LIVE_AT_ONCE = len(ORDER)
"""One for each stream."""
BACKLOG_AT_ONCE = 16
QUEUE_S = 0.5
"""Also what a service may take for its own work before the backlog slows down; a live record waits about twice as long."""
LEAST_BYTES = 64 * 1024
"""Of the backlog on its way while nothing is known of the link: two or three records of usual size."""
RATE_WINDOW_S = 1.5
PUZZLED = 1024
REST_S, LONGEST_REST_S = 2.0, 60.0


@dataclass(frozen=True, slots=True)
class Flight:
    """A record on its way."""

    live: bool
    size: int
    began: float


@dataclass(slots=True)
class Lanes:
    """The two lanes of one session. `oldest` gives what waits of a stream, oldest first, without making a list of it."""

    oldest: Callable[[Stream], Iterator[Key]]
    in_flight: dict[Key, Flight] = field(default_factory=dict)
    _live: dict[Key, float] = field(default_factory=dict)
    _resting: dict[Key, tuple[int, float]] = field(default_factory=dict)
    """How often an answer to it puzzled, and until when it steps behind the others."""
    _turns: dict[Stream, float] = field(default_factory=lambda: dict.fromkeys(ORDER, 0.0))
    _meter: Meter = field(default_factory=lambda: Meter(RATE_WINDOW_S))
    _round_trip_s: float = inf

    def offer(self, key: Key, now: float) -> None:
        """A record was spooled just now."""
        self._live[key] = now
        if len(self._live) > LIVE_WAITING:
            del self._live[next(iter(self._live))]

    def live(self, now: float) -> int:
        """How many records are live, waiting or on their way."""
        self._age(now)
        return len(self._live)

    def next(self, now: float, *, backlog: bool = True) -> Key | None:
        """The record that goes now, if any may; without `backlog`, a live one only."""
        self._age(now)
        live = min((key for key in self._live if self._free(key, now)), key=_rank, default=None)
        if live is not None:
            return live if self._flying(live=True)[0] < LIVE_AT_ONCE else None
        return self._next_of_backlog(now) if backlog and self._room(now) else None

    def began(self, key: Key, size: int, now: float) -> None:
        """A record of `size` bytes is on its way."""
        live = key in self._live
        self.in_flight[key] = Flight(live, size, now)
        if not live:
            self._turn(key[0])

    def ended(self, key: Key) -> Flight:
        """It is no longer on its way; unless `delivered`, it waits again."""
        return self.in_flight.pop(key)

    def delivered(self, key: Key, flight: Flight, now: float) -> None:
        """It has arrived."""
        self.dropped(key)
        self._meter.add(flight.began, now, flight.size)
        self._round_trip_s = min(self._round_trip_s, now - flight.began)

    def dropped(self, key: Key) -> None:
        """It no longer waits."""
        self._live.pop(key, None)
        self._resting.pop(key, None)

    def rest(self, key: Key, now: float) -> int:
        """The record itself is the difficulty: it steps behind the others for a while. How often that was so far."""
        times = self._resting.pop(key, (0, 0.0))[0] + 1
        self._resting[key] = times, now + min(LONGEST_REST_S, REST_S * 2.0 ** min(times - 1, 16))
        if len(self._resting) > PUZZLED:
            del self._resting[next(iter(self._resting))]
        self._live.pop(key, None)
        return times

    def lost_way(self) -> None:
        """The link was gone; it may come back as another one."""
        self._round_trip_s = inf

    def _age(self, now: float) -> None:
        # dicts keep their order, and the oldest offer is the first
        while self._live and next(iter(self._live.values())) < now - LIVE_S:
            del self._live[next(iter(self._live))]

    def _free(self, key: Key, now: float) -> bool:
        return key not in self.in_flight and self._resting.get(key, (0, -inf))[1] <= now

    def _flying(self, *, live: bool) -> tuple[int, int]:
        sizes = [flight.size for flight in self.in_flight.values() if flight.live is live]
        return len(sizes), sum(sizes)

    def _room(self, now: float) -> bool:
        number, size = self._flying(live=False)
        if number == 0:
            return True
        full = max(LEAST_BYTES, self._meter.rate(now) * (min(self._round_trip_s, RATE_WINDOW_S) + QUEUE_S))
        return number < BACKLOG_AT_ONCE and size < full

    def _next_of_backlog(self, now: float) -> Key | None:
        for stream in sorted(ORDER, key=self._turns.__getitem__):  # stable: equals stay in ORDER
            for key in self.oldest(stream):
                if key not in self._live and self._free(key, now):
                    return key
        return None

    def _turn(self, stream: Stream) -> None:
        """Stride scheduling: each turn costs a stream its share; one that was empty for long has saved nothing up."""
        self._turns[stream] += 1 / TURNS[stream]
        latest = self._turns[stream] - 1
        for other, at in self._turns.items():
            self._turns[other] = max(at, latest)


def _rank(key: Key) -> tuple[int, int, int]:
    stream, epoch, seq = key
    return ORDER.index(stream), epoch, seq

"""How often pictures are taken, and when a key frame is due. Pure: the time comes in with each call.

A fixed tick would show a key press up to a tick late and would wake an idle machine. So pictures are paced by a token
bucket: a change after a pause is taken at once, a few may follow closely, and constant motion is held to the rate. The
bucket is kept as one number, the time at which it would be full again (the virtual scheduling form of the generic cell
rate algorithm, ITU-T I.371 annex A).
"""


class Pacer:
    """At most `fps` pictures a second on the long average, `burst` at most in a row, `gap_us` at least between two."""

    def __init__(self, fps: float, burst: int = 4, gap_us: int = 33_000) -> None:
        self._interval_us = round(1_000_000 / fps)
        self._slack_us = (burst - 1) * self._interval_us
        self._gap_us = min(gap_us, self._interval_us)
        self._full_us: int | None = None
        self._last_us = 0

    def delay_us(self, now_us: int) -> int:
        """Microseconds from `now_us` until a picture may be taken; 0 when it may be taken now."""
        if self._full_us is None:
            return 0
        return max(0, self._full_us - self._slack_us - now_us, self._last_us + self._gap_us - now_us)

    def look(self, now_us: int) -> None:
        """Counts a look at `now_us` that showed nothing new: it costs little, so that only the gap follows it."""
        self._last_us = now_us

    def take(self, now_us: int) -> None:
        """Counts a picture taken at `now_us`, also one that the pace would not have allowed (a key frame)."""
        full_us = now_us if self._full_us is None else max(self._full_us, now_us)
        # bounded, so that key frames taken out of turn can delay the next picture by one interval and no more
        self._full_us = min(full_us, now_us + self._slack_us + self._interval_us) + self._interval_us
        self._last_us = now_us


class KeyClock:
    """Says when a key frame is due: at the first picture, and at every multiple of the segment's length.

    All streams cut at the same multiples of one session clock, so that a player can change over between them.
    """

    def __init__(self, segment_us: int) -> None:
        self._segment_us = segment_us
        self._next_us: int | None = None

    @property
    def next_us(self) -> int | None:
        """The session time of the next key frame; None before the first picture."""
        return self._next_us

    def due(self, at_us: int) -> bool:
        """Whether the picture of `at_us` has to be a key frame; if so, the next one is awaited from then on."""
        if self._next_us is not None and at_us < self._next_us:
            return False
        self._next_us = (at_us // self._segment_us + 1) * self._segment_us
        return True

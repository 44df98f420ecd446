"""Notices a time without evidence, from the segments themselves. Pure.

Whatever interrupted a stream (a lost device, sleep, a held test, a crash of the agent), the next segment of the stream
begins later than the last one ended; the difference is the gap. The cause is what the sources told; empty where they told
nothing, as when the whole computer slept.
"""

from dataclasses import dataclass, field

from secureproctor.capture.media import Kind, Segment
from secureproctor.contract.streams import Stream

LEAST_US = 50_000
"""Shorter ones are the seam between two encoders."""


@dataclass(frozen=True, slots=True)
class Gap:
    """No evidence of the stream between the two session times, in microseconds."""

    stream: Stream
    start_us: int
    until_us: int
    cause: str


@dataclass(slots=True)
class GapWatch:
    """Watches the streams of a session. `causes` names, per stream, why it is interrupted just now."""

    until_us: dict[Stream, int] = field(default_factory=dict)
    causes: dict[Stream, str] = field(default_factory=dict)

    def interrupted(self, stream: Stream, cause: str) -> None:
        """The stream stops; the first cause counts until evidence comes again."""
        self.causes.setdefault(stream, cause)

    def see(self, segment: Segment) -> Gap | None:
        """Take note of a segment; the gap before it, if there is one."""
        if segment.kind is not Kind.MEDIA:
            return None
        before_us = self.until_us.get(segment.stream)
        self.until_us[segment.stream] = max(before_us or 0, segment.start_us + segment.duration_us)
        if before_us is None or segment.start_us - before_us < LEAST_US:
            return None
        return Gap(segment.stream, before_us, segment.start_us, self.causes.pop(segment.stream, ""))

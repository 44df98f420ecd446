"""How an event comes on the record: sealed as evidence, and at once before the proctor's eyes if the channel has room."""

from secureproctor.agent.clock import boot_us, wall_ms
from secureproctor.agent.session.session import Pending, Session
from secureproctor.contract.channel import EventSeen
from secureproctor.contract.events import Detail


def record_in(
    session: Session,
    kind: str,
    stream: str = "",
    detail: Detail | None = None,
    span_us: tuple[int, int] | None = None,
) -> None:
    """Put an event of now, or of a time of the boot clock, on the record of a session whose evidence is not all delivered."""
    if session.closed:
        return
    now_us, now_ms = boot_us(), wall_ms()
    at_us, until_us = span_us or (now_us, None)
    at_ms = now_ms - (now_us - at_us) // 1000
    session.record(Pending(kind, at_us, at_ms, stream, until_us, detail or {}))
    session.channel.offer(EventSeen(kind, at_ms, stream, detail or {}))

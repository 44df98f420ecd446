"""In-order, exactly-once delivery of messages over connections that come and go. No I/O, no clock.

Both ends of the proctor channel hold a `Link`. Each numbers what it sends from 1 and keeps it until the peer's `ack` covers
it. A new connection begins with a `Resume` from either side that says what was heard; what lies behind it is sent again, in
order. A number that was taken already is dropped, so that a message takes effect once however often it was sent.

The state of a link (`sent`, `heard`, what is unacknowledged) is plain data: whoever must survive a crash stores
`snapshot()` before acting on what `receive` returned.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from secureproctor.contract.channel import Envelope, Resume


class LinkError(ValueError):
    """The peer broke the protocol; close the connection and begin a new one. Nothing was taken."""


class Snapshot(msgspec.Struct, frozen=True):
    """The state of a link, to be stored: unacknowledged bodies are JSON texts by number."""

    sent: int = 0
    heard: int = 0
    waiting: dict[int, str] = {}


@dataclass(slots=True)
class Link:
    """One end of a channel. `send` and `connected` return frames to write; `receive` returns bodies to act on."""

    sent: int = 0
    heard: int = 0
    waiting: dict[int, bytes] = field(default_factory=dict)
    max_waiting: int = 10_000

    @classmethod
    def restored(cls, snapshot: Snapshot) -> "Link":
        """The link as it was stored."""
        return cls(snapshot.sent, snapshot.heard, {n: body.encode() for n, body in snapshot.waiting.items()})

    def snapshot(self) -> Snapshot:
        """The state to store."""
        return Snapshot(self.sent, self.heard, {n: body.decode() for n, body in self.waiting.items()})

    def connected(self) -> bytes:
        """The first frame of a new connection."""
        return self._frame(0, msgspec.json.encode(Resume(self.heard)))

    def send(self, body: msgspec.Struct) -> bytes:
        """Number a body and keep it until acknowledged; the frame may be written now or lost, it does not matter."""
        if len(self.waiting) >= self.max_waiting:
            raise LinkError(f"{len(self.waiting)} messages wait for the peer")
        self.sent += 1
        self.waiting[self.sent] = msgspec.json.encode(body)
        return self._frame(self.sent, self.waiting[self.sent])

    def momentary(self, body: msgspec.Struct) -> bytes:
        """A frame that is neither numbered nor kept."""
        return self._frame(0, msgspec.json.encode(body))

    def receive(self, data: bytes | str) -> tuple[bytes | None, list[bytes]]:
        """Take a frame: the body to act on (None for a repeated one) and frames to write in answer.

        Raises LinkError when the frame is no envelope, skips a number, or acknowledges what was never sent.
        """
        try:
            envelope = msgspec.json.decode(data, type=Envelope)
            resume = _resume_of(envelope)
        except (ValueError, RecursionError) as error:  # also bytes that are no text, and nesting beyond the stack
            raise LinkError(f"not a frame: {error}") from None
        if envelope.n > self.heard + 1:
            raise LinkError(f"message {envelope.n} came after {self.heard}")
        self._acknowledged(resume.heard if resume else envelope.ack)
        if resume:
            return None, list(self._unheard())
        if envelope.n == 0:
            return bytes(envelope.body), []
        if envelope.n <= self.heard:
            return None, []
        self.heard = envelope.n
        return bytes(envelope.body), []

    def _acknowledged(self, n: int) -> None:
        if n > self.sent:
            raise LinkError(f"message {n} was acknowledged, {self.sent} were sent")
        for done in [number for number in self.waiting if number <= n]:
            del self.waiting[done]

    def _unheard(self) -> Iterable[bytes]:
        return (self._frame(n, self.waiting[n]) for n in sorted(self.waiting))

    def _frame(self, n: int, body: bytes) -> bytes:
        return msgspec.json.encode(Envelope(n, self.heard, msgspec.Raw(body)))


class _Tagged(msgspec.Struct):
    type: str = ""
    heard: int = 0


def _resume_of(envelope: Envelope) -> Resume | None:
    if envelope.n:
        return None
    seen = msgspec.json.decode(envelope.body, type=_Tagged)
    return Resume(seen.heard) if seen.type == "resume" else None

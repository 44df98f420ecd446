"""The proctor channel without its socket: frames in, messages out, and the other way round.

A message type that this agent does not know is acknowledged, logged and ignored: the service may be newer. One that it knows
but cannot read is acknowledged, too, and comes out as `Misread`, so that the proctor can be told; it must not break each
connection anew. What contract.link refuses is no message at all and breaks the connection (LinkError).
"""

import logging
import typing
from dataclasses import dataclass, field

import msgspec

from secureproctor.contract.channel import (
    Chat,
    ChatMark,
    Command,
    KeepAlive,
    ProctorError,
    Resume,
    ServiceEnded,
    ToAgent,
)
from secureproctor.contract.link import Link

log = logging.getLogger(__name__)

CROWDED = 1000
"""When so many messages wait for the service, nothing is added that can be done without."""


@dataclass(frozen=True, slots=True)
class Misread:
    """A message of a known type that could not be read: of which `type`, why, and its id if there is one."""

    type: str
    reason: str
    id: str = ""
    kind: str = ""


FromService = Command | Chat | ChatMark | ProctorError | ServiceEnded | KeepAlive | Misread
KNOWN: dict[str, type[msgspec.Struct]] = {
    str(kind.__struct_config__.tag): kind for kind in typing.get_args(ToAgent) if kind.__struct_config__.tag
}


class _Tagged(msgspec.Struct):
    type: str


class _Named(msgspec.Struct):
    id: str = ""
    kind: str = ""


@dataclass(slots=True)
class ProctorProtocol:
    """The agent's end. Frames may be written only while `ready`: after the service has said what it heard."""

    link: Link = field(default_factory=Link)
    ready: bool = False

    def connected(self) -> bytes:
        """A new connection: the first frame to write."""
        self.ready = False
        return self.link.connected()

    def disconnected(self) -> None:
        """The connection is gone; what is sent now waits for the next one."""
        self.ready = False

    def receive(self, frame: bytes | str) -> tuple[FromService | None, list[bytes]]:
        """A message to act on, if the frame brought a new one, and frames to write. Raises LinkError."""
        body, answers = self.link.receive(frame)
        self.ready = self.ready or body is None
        return (None if body is None else _decode(body)), answers

    def send(self, message: msgspec.Struct) -> bytes | None:
        """Number and keep a message; the frame to write now, if one can be. Raises LinkError when too many wait."""
        frame = self.link.send(message)
        return frame if self.ready else None

    @property
    def crowded(self) -> bool:
        """Whether so many messages wait that what can be done without is to be left out."""
        return len(self.link.waiting) >= CROWDED

    def waiting(self, kind: type[msgspec.Struct]) -> list[msgspec.Struct]:
        """The messages of a type that the service has not acknowledged, oldest first."""
        tag = str(kind.__struct_config__.tag)
        bodies = (body for _, body in sorted(self.link.waiting.items()))
        return [
            msgspec.json.decode(body, type=kind)
            for body in bodies
            if msgspec.json.decode(body, type=_Tagged).type == tag
        ]

    def momentary(self, message: msgspec.Struct) -> bytes | None:
        """A frame that means something only now; None while it cannot be written."""
        return self.link.momentary(message) if self.ready else None


def _decode(body: bytes) -> FromService | None:
    tag = ""
    try:
        tag = msgspec.json.decode(body, type=_Tagged).type
        if tag not in KNOWN:
            log.info("the service sent a message of the unknown type %.40r", tag)
            return None
        message = msgspec.json.decode(body, type=KNOWN[tag])
    except (ValueError, RecursionError) as error:  # also bytes that are no text, and nesting beyond the stack
        return Misread(tag, str(error)[:200], *_named(body))
    return None if isinstance(message, Resume) else typing.cast(FromService, message)


def _named(body: bytes) -> tuple[str, str]:
    """Id and kind of a message of which they are all that can be read."""
    try:
        named = msgspec.json.decode(body, type=_Named)
    except (ValueError, RecursionError):
        return "", ""
    return (named.id, named.kind[:32]) if len(named.id) <= 64 else ("", "")

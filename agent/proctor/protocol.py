"""The proctor channel without its socket: frames in, messages out, and the other way round.

A message type that this agent does not know is acknowledged, logged and ignored: the service may be newer. One that it
knows but cannot read breaks the connection (LinkError), and so does everything that contract.link refuses.
"""

import logging
import typing
from dataclasses import dataclass, field

import msgspec

from secureproctor.contract.channel import Chat, Command, KeepAlive, ProctorError, ServiceEnded, ToAgent
from secureproctor.contract.link import Link, LinkError

log = logging.getLogger(__name__)

FromService = Command | Chat | ProctorError | ServiceEnded
KNOWN: dict[str, type[msgspec.Struct]] = {
    str(kind.__struct_config__.tag): kind for kind in typing.get_args(ToAgent) if kind.__struct_config__.tag
}


class _Tagged(msgspec.Struct):
    type: str


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
        """Number and keep a message; the frame to write now, if one can be."""
        frame = self.link.send(message)
        return frame if self.ready else None

    def momentary(self, message: msgspec.Struct) -> bytes | None:
        """A frame that means something only now; None while it cannot be written."""
        return self.link.momentary(message) if self.ready else None


def _decode(body: bytes) -> FromService | None:
    try:
        tag = msgspec.json.decode(body, type=_Tagged).type
        if tag not in KNOWN:
            log.info("the service sent a message of the unknown type %.40r", tag)
            return None
        message = msgspec.json.decode(body, type=KNOWN[tag])
    except (ValueError, RecursionError) as error:  # also bytes that are no text, and nesting beyond the stack
        raise LinkError(f"a message that cannot be read: {error}") from None
    return message if isinstance(message, FromService) and not isinstance(message, KeepAlive) else None

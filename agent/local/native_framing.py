"""The browsers' framing of native messages, without I/O: a length in four bytes of native order, then JSON in UTF-8.

Chromium and Firefox speak the same (developer.chrome.com/docs/extensions/develop/concepts/native-messaging): a host may send
at most 1 MB, and is sent up to 64 MB (Firefox: 4 GB). A frame of the agent that is longer goes in parts, which the extension
puts together; a message of the browser that is longer than anything the agent takes is skipped without being kept.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from msgspec import Meta

from secureproctor.contract.errors import ErrorInfo

LENGTH = struct.Struct("=I")
TO_BROWSER = 1024 * 1024
FROM_BROWSER = 10 * 1024 * 1024
"""Room for a picture that a secure browser hands over; whether a message may be so long the agent judges by what it is."""
PART = 128 * 1024
"""Characters of a part: as JSON text inside of JSON they take at most six bytes each, and mostly one."""


@dataclass(frozen=True, slots=True)
class Oversized:
    """A message that was skipped; its length in bytes."""

    size: int


@dataclass(slots=True)
class Deframer:
    """Puts messages together from what is read, of whatever length. `limit` is the longest that is kept, in bytes."""

    limit: int = FROM_BROWSER
    _buffer: bytearray = field(default_factory=bytearray)
    _skip: int = 0

    def feed(self, data: bytes) -> Iterator[bytes | Oversized]:
        """The messages that are complete now, in order."""
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        self._buffer += memoryview(data)[skipped:]
        while (message := self._next()) is not None:
            yield message

    @property
    def pending(self) -> int:
        """Bytes that are kept for a message that is not complete."""
        return len(self._buffer)

    def _next(self) -> bytes | Oversized | None:
        if len(self._buffer) < LENGTH.size:
            return None
        (size,) = LENGTH.unpack_from(self._buffer)
        end = LENGTH.size + size
        if size > self.limit:
            self._skip = max(0, end - len(self._buffer))
            del self._buffer[:end]
            return Oversized(size)
        if len(self._buffer) < end:
            return None
        message = bytes(self._buffer[LENGTH.size : end])
        del self._buffer[:end]
        return message


class Opening(msgspec.Struct, frozen=True):
    """Extension → host, first: for which page it speaks, as the browser knows it, and the extension's version.

    Without an origin, a secure browser's extension speaks for the browser itself; no page can make it say so."""

    origin: Annotated[str, Meta(pattern="^[!-~]{0,512}$")]
    version: str = ""


class Carried(msgspec.Struct, frozen=True):
    """Either way: a JSON-RPC frame of page or agent, as it is on the WebSocket."""

    frame: msgspec.Raw


class Part(msgspec.Struct, frozen=True):
    """Host → extension: a piece of the text of a frame that is too long for one message."""

    part: str
    last: bool


class Closed(msgspec.Struct, frozen=True):
    """Host → extension, last: why the connection to the agent ends."""

    closed: ErrorInfo


def framed(message: msgspec.Struct) -> bytes:
    """A message with its length before it."""
    content = msgspec.json.encode(message)
    return LENGTH.pack(len(content)) + content


def carried(frame: str) -> Iterator[bytes]:
    """A frame of the agent as messages that the browser takes: one, or parts."""
    whole = framed(Carried(msgspec.Raw(frame.encode())))
    if len(whole) <= TO_BROWSER:
        yield whole
        return
    for start in range(0, len(frame), PART):
        yield framed(Part(frame[start : start + PART], start + PART >= len(frame)))

"""What may be given up when there is no room, and in which order: the oldest video first, by the time of the record.

Never an init record, without which a whole epoch is worth nothing; never events, stills or sound. Nor a record that is not
what its name says, which is for the uploader to find and to tell: nobody shall get rid of evidence by damaging it on a full
disk.
"""

from dataclasses import dataclass, field

from secureproctor.agent.delivery.examine import examine
from secureproctor.agent.delivery.held import Held
from secureproctor.agent.delivery.shelf import Dropped, Shelf
from secureproctor.agent.delivery.waiting import Key, Waiting
from secureproctor.contract.record import Header, RecordError, RecordKind
from secureproctor.contract.streams import Stream

VIDEO: tuple[Stream, ...] = (Stream.SCREEN, Stream.WEBCAM)
"""What may be given up."""


def may_go(header: Header) -> bool:
    """Whether a record is of what may be given up."""
    return header.stream in VIDEO and header.kind is RecordKind.MEDIA


@dataclass(slots=True)
class Eldest:
    """Finds and gives up what is oldest on the disk. It looks at no record twice: `_from` goes on where it found one."""

    shelf: Shelf
    waiting: Waiting
    held: Held
    _from: dict[Stream, tuple[int, int]] = field(default_factory=lambda: dict.fromkeys(VIDEO, (0, 0)))

    def give_up(self) -> tuple[Dropped, int] | None:
        """Give up one record, and the bytes that it had; None when there is none. Raises OSError when the disk does not let
        it go; it waits as before then.
        """
        while (oldest := min(filter(None, map(self._oldest, VIDEO)), default=None)) is not None:
            _, key = oldest
            if (given := self._try(key)) is not None:
                return given
            self._pass(key)
        return None

    def back(self, key: Key) -> None:
        """A record has come to the disk behind where the looking is."""
        stream, epoch, seq = key
        if stream in VIDEO:
            self._from[stream] = min(self._from[stream], (epoch, seq))

    def _oldest(self, stream: Stream) -> tuple[int, Key] | None:
        """The oldest of a stream, with its time."""
        for key in self.waiting.from_(stream, *self._from[stream]):
            if key not in self.held:
                try:
                    header = self.shelf.head(key)
                except (OSError, RecordError):
                    header = None
                if header is not None and header.key == key and may_go(header):
                    return header.start_us, key
            self._pass(key)
        return None

    def _try(self, key: Key) -> tuple[Dropped, int] | None:
        """None when it cannot be given up, or is no longer there to be."""
        try:
            data = self.shelf.read(key)
        except FileNotFoundError:
            return None
        if examine(key, data, None) is not None or self.waiting.take(key) is None:
            return None
        try:
            return self.shelf.give_up(key, data), len(data)
        except FileNotFoundError:  # acknowledged in between
            return None
        except OSError:
            self.waiting.put(key, len(data))
            raise

    def _pass(self, key: Key) -> None:
        stream, epoch, seq = key
        self._from[stream] = epoch, seq + 1

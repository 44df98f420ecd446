"""Records in memory, while the disk takes none: bounded, and the oldest video gives way there, too."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from secureproctor.agent.delivery.waiting import Key

LIMIT = 64 * 1024 * 1024


@dataclass(slots=True)
class Held:
    """Bytes by key, in the order in which they came. One thread puts, any takes: each step is one of the interpreter."""

    _records: dict[Key, bytes] = field(default_factory=dict)

    def __contains__(self, key: Key) -> bool:
        return key in self._records

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Key]:
        return iter(list(self._records))

    @property
    def size(self) -> int:
        """All bytes together."""
        return sum(map(len, list(self._records.values())))

    def get(self, key: Key) -> bytes | None:
        """A record's bytes, if it is held."""
        return self._records.get(key)

    def put(self, key: Key, data: bytes) -> None:
        """Hold a record."""
        self._records[key] = data

    def take(self, key: Key) -> bytes | None:
        """Hold it no longer; its bytes, if it was held."""
        return self._records.pop(key, None)

    def clear(self) -> None:
        """Hold nothing."""
        self._records.clear()

"""A session's folder on the candidate's disk: all that a new agent needs to go on where a dead one stopped.

    journal     what happened, durable before it was acted on (journal.py)
    spool/      sealed records that the service has not acknowledged (delivery/spool.py)
    places      where each stream's chain is: epoch, next seq, hash of the last record, end of the last evidence
    link        the state of the proctor channel (contract/link.py)
    contact     when the service was last heard, on the boot clock
    departed    what the service has acknowledged, counted (delivery/departed.py)

`places` is synchronised with every record, `link` with every message: an end of the channel that stood behind what it had
acknowledged would miss messages that its peer keeps no longer. `contact` and `departed` survive a crash of the agent; a power
cut may lose their last change, which costs a deadline some seconds early or a count.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from secureproctor.agent.durable import save
from secureproctor.contract.link import Snapshot
from secureproctor.contract.page import DepartedRow
from secureproctor.contract.streams import Stream

T = TypeVar("T")


class Place(msgspec.Struct, frozen=True):
    """Where a stream is. `head` is hexadecimal; `until_us` is the session time at which its evidence ends."""

    epoch: int
    seq: int
    head: str
    until_us: int = 0


class Contact(msgspec.Struct, frozen=True):
    """When the service was last heard; `boot` names the boot that the clock belongs to."""

    boot_us: int
    wall_ms: int
    boot: str


@dataclass(frozen=True, slots=True)
class SessionFolder:
    """The folder of one session. Loading gives None where there is nothing that can be read."""

    path: Path

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.path / "journal"

    @property
    def spool(self) -> Path:
        """The spool's folder."""
        return self.path / "spool"

    def remove(self) -> None:
        """Leave no trace of the session."""
        shutil.rmtree(self.path, ignore_errors=True)

    def save_places(self, places: dict[Stream, Place]) -> None:
        """Keep where the streams are. Raises OSError."""
        save(self.path / "places", msgspec.json.encode(places))

    def places(self) -> dict[Stream, Place]:
        """Where the streams were."""
        return _load(self.path / "places", dict[Stream, Place]) or {}

    def save_link(self, snapshot: Snapshot) -> None:
        """Keep the state of the proctor channel. Raises OSError."""
        save(self.path / "link", msgspec.json.encode(snapshot))

    def link(self) -> Snapshot:
        """The state of the proctor channel."""
        return _load(self.path / "link", Snapshot) or Snapshot()

    def save_departed(self, rows: tuple[DepartedRow, ...]) -> None:
        """Keep the count of what has left this computer. Raises OSError."""
        save(self.path / "departed", msgspec.json.encode(rows), sync=False)

    def departed(self) -> tuple[DepartedRow, ...]:
        """What had left this computer when it was last kept."""
        return _load(self.path / "departed", tuple[DepartedRow, ...]) or ()

    def save_contact(self, contact: Contact) -> None:
        """Keep when the service was last heard. Raises OSError."""
        save(self.path / "contact", msgspec.json.encode(contact), sync=False)

    def contact(self) -> Contact | None:
        """When the service was last heard."""
        return _load(self.path / "contact", Contact)


def _load(path: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        return None

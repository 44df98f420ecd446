"""What became of records on the candidate's disk, as few events: a deleted folder is one finding, not ten thousand. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from secureproctor.contract.events import Detail
from secureproctor.contract.streams import Stream

MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Damage:
    """A record that is not what was written. `kind` as in the event record_damaged, or `missing`; `found` is what lies
    in its place."""

    stream: Stream
    epoch: int
    seq: int
    kind: str
    found: str = ""
    count: int = 1


def merged(damages: Iterable[Damage]) -> list[Damage]:
    """In the order of the streams' chains, missing records that follow each other as one."""
    found: list[Damage] = []
    for each in sorted(damages, key=lambda damage: (damage.stream, damage.epoch, damage.seq)):
        last = found[-1] if found else None
        if last is not None and last.kind == each.kind == MISSING and _next_place(last) == _place(each):
            found[-1] = Damage(last.stream, last.epoch, last.seq, MISSING, "", last.count + each.count)
        else:
            found.append(each)
    return found


def event_of(damage: Damage) -> tuple[str, Detail]:
    """The event's kind and detail."""
    place: Detail = {"epoch": damage.epoch, "seq": damage.seq}
    if damage.kind == MISSING:
        return "record_missing", {**place, "count": damage.count}
    return "record_damaged", {**place, "kind": damage.kind, "found": damage.found}


def _place(damage: Damage) -> tuple[Stream, int, int]:
    return damage.stream, damage.epoch, damage.seq


def _next_place(damage: Damage) -> tuple[Stream, int, int]:
    return damage.stream, damage.epoch, damage.seq + damage.count

"""Whether a stream's hash chain holds: from its first record, link by link, past every announced head. Pure.

A chain is judged from its end to its beginning, since a record's hash is vouched for by what came after it: by the `previous`
of its successor, and by the heads that the agent announced while it ran. The key that seals records is public, so a candidate
can seal one of their own in a record's place: it opens, and only a voucher contradicts it. A contradicted record vouches for
nobody. So what hangs on it, back to the last announced head and on to the next, is not counted as evidence either: whoever
sealed one record could have sealed those. A hole, on the other hand, says nothing against the records beside it.

Evidence that the agent gave up when its disk was full is named by the agent, hash by hash (`gap` events with `hash` and
`previous`). Such records are links like all others, only that they are not there: a chain that runs through them holds.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from secureproctor.contract.channel import Head
from secureproctor.contract.record import GENESIS
from secureproctor.contract.report import Finding
from secureproctor.contract.streams import Stream
from secureproctor.service.evidence import StoredRecord

Key = tuple[Stream, int, int]
Place = tuple[int, int]
"""Epoch and seq."""


def key(record: StoredRecord) -> Key:
    """What names a record within its session."""
    return record.stream, record.epoch, record.seq


@dataclass(frozen=True, slots=True)
class Unopened:
    """Why a record's content cannot be read: `altered` before it arrived, or `spoilt` afterwards, on the service's disk."""

    kind: Literal["altered", "spoilt"]
    why: str


@dataclass(frozen=True, slots=True)
class Link:
    """A place of a chain: of a record that is here, or of one that was given up."""

    epoch: int
    seq: int
    hash: bytes
    previous: bytes
    stored: bool = True

    @property
    def place(self) -> Place:
        """What names it within its stream."""
        return self.epoch, self.seq


@dataclass(frozen=True, slots=True)
class Hole:
    """Places whose records are not here. `until_seq` is None when nobody knows how many they are."""

    epoch: int
    seq: int
    until_seq: int | None
    tail: bool = False
    """Nothing that came later is here."""

    def __contains__(self, place: Place) -> bool:
        return (
            place[0] == self.epoch and self.seq <= place[1] and (self.until_seq is None or place[1] <= self.until_seq)
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a chain shows. `wrong` names the records that are not what they should be; `unsound` holds those and all others
    that are not counted as evidence."""

    stream: Stream
    records: int
    head: str
    wrong: tuple[Finding, ...]
    holes: tuple[Hole, ...]
    unsound: frozenset[Key]


def judge(
    stream: Stream,
    records: Sequence[StoredRecord],
    unopened: Mapping[Key, Unopened],
    heads: Iterable[Head],
    dropped: Iterable[Link] = (),
) -> Verdict:
    """The stream's chain. `records` are those that are here, `dropped` those that the agent says it gave up."""
    announced = {(head.epoch, head.seq): head.hash for head in heads}
    here = {(record.epoch, record.seq) for record in records}
    links = [Link(record.epoch, record.seq, record.hash, record.previous) for record in records]
    for link in dropped:
        if link.place in here:
            announced.setdefault(link.place, link.hash.hex())  # it was given up, and had arrived all the same
        else:
            links.append(link)
            here.add(link.place)
    links.sort(key=lambda link: link.place)
    closed = {(epoch, seq): reason for (of, epoch, seq), reason in unopened.items() if of == stream}
    chain = _Chain(stream, links, announced, closed)
    chain.contradict()
    unsound = chain.distrusted() | closed.keys()
    return Verdict(
        stream,
        len(records),
        records[-1].hash.hex() if records else "",
        tuple(chain.wrong[place] for place in sorted(chain.wrong)),
        tuple(_holes(links, announced)),
        frozenset((stream, *place) for place in unsound),
    )


@dataclass(slots=True)
class _Chain:
    stream: Stream
    links: Sequence[Link]
    announced: Mapping[Place, str]
    closed: Mapping[Place, Unopened]
    wrong: dict[Place, Finding] = field(default_factory=dict)

    def contradict(self) -> None:
        """Find what is not what it should be, from the end to the beginning."""
        after: Link | None = None
        for link in reversed(self.links):
            place = link.place
            reason = self.closed.get(place)
            if reason:
                self._blame(link, reason.kind, reason.why, "store" if reason.kind == "spoilt" else "record")
            if place in self.announced:
                self._compare_announced(link, after)
            elif after and follows(link, after) and after.previous != link.hash and self._vouches(after):
                self._blame(link, "replaced", f"it is not the one that {name(*after.place)} was chained to", "chain")
            after = link
        if after and after.place == (0, 0) and after.previous != GENESIS:
            self._blame(after, "replaced", "it names a record before it, and there can be none", "chain")

    def distrusted(self) -> set[Place]:
        """The replaced records, and those that only they vouch for or that were chained to them."""
        found: set[Place] = set()
        for index, link in enumerate(self.links):
            if link.place in self.wrong and self.wrong[link.place].kind == "replaced":
                found.add(link.place)
                for step in (-1, 1):
                    for place in self._hanging(index, step):
                        if place in found:
                            break  # a walk from another one has been here
                        found.add(place)
        return found

    def _compare_announced(self, link: Link, after: Link | None) -> None:
        if self.announced[link.place] != link.hash.hex():
            self._blame(link, "replaced", "it is not the one that the agent had announced", "head")
        elif after and follows(link, after) and after.previous != link.hash:
            self._blame(
                after, "replaced", f"it does not follow {name(*link.place)}, which the agent had announced", "head"
            )

    def _vouches(self, link: Link) -> bool:
        """Whether a record's own word counts: it does not when the record was made or changed by somebody else."""
        return link.place not in self.wrong or self.wrong[link.place].kind == "spoilt"

    def _hanging(self, index: int, step: int) -> Iterable[Place]:
        """What only the record at `index` vouches for, before or after it."""
        at = index + step
        while 0 <= at < len(self.links):
            one, other = sorted((at, at - step))
            linked = self.links[other].previous == self.links[one].hash
            near, link = self.links[at - step], self.links[at]
            beside = linked or (step < 0 and near is self.links[index] and follows(link, near))
            if not beside or not link.stored or self.announced.get(link.place) == link.hash.hex():
                return
            yield link.place
            at += step

    def _blame(self, link: Link, kind: str, why: str, source: str) -> None:
        if link.stored:
            sentence = f"{name(*link.place)}: {why}."
            self.wrong.setdefault(link.place, Finding(kind, self.stream, *link.place, link.seq, sentence, source))


def follows(before: Link, after: Link) -> bool:
    """Whether their numbers follow each other within an epoch."""
    return after.epoch == before.epoch and after.seq == before.seq + 1


def name(epoch: int, seq: int, until_seq: int | None = -1) -> str:
    """Records as people read them; without `until_seq`, one of them."""
    if until_seq is None:
        return f"Records from {epoch}/{seq} on"
    return f"Record {epoch}/{seq}" if until_seq in (-1, seq) else f"Records {epoch}/{seq} to {epoch}/{until_seq}"


def _holes(links: Sequence[Link], announced: Mapping[Place, str]) -> list[Hole]:
    """Where records are missing, in order."""
    holes = list(_before(links[0])) if links and links[0].previous != GENESIS else []
    for before, after in pairwise(links):
        if after.previous != before.hash and not follows(before, after):
            holes += _between(before, after, announced)
    there = {link.place for link in links}
    last = links[-1].place if links else (0, -1)
    end = max(announced, default=last)
    if end > last:
        holes.append(Hole(end[0], last[1] + 1 if end[0] == last[0] else 0, end[1], tail=True))
    holes.sort(key=_begin)
    # the numbers close up around it and the hashes too: the rest was chained anew without it
    silent = [Hole(*place, place[1]) for place in announced if place not in there and not _within(place, holes)]
    return sorted([*holes, *silent], key=_begin)


def _begin(hole: Hole) -> Place:
    return hole.epoch, hole.seq


def _within(place: Place, holes: Sequence[Hole]) -> bool:
    at = bisect_right(holes, place, key=_begin)
    return at > 0 and place in holes[at - 1]


def _before(first: Link) -> list[Hole]:
    earlier = [Hole(0, 0, None)] if first.epoch else []
    return [*earlier, Hole(first.epoch, 0, first.seq - 1)] if first.seq else earlier


def _between(before: Link, after: Link, announced: Mapping[Place, str]) -> list[Hole]:
    if before.epoch == after.epoch:
        return [Hole(before.epoch, before.seq + 1, after.seq - 1)]
    known = max((seq for epoch, seq in announced if epoch == before.epoch), default=-1)
    head = [Hole(after.epoch, 0, after.seq - 1)] if after.seq else []
    middle = [Hole(before.epoch + 1, 0, None)] if after.epoch > before.epoch + 1 else []
    if known > before.seq:
        return [Hole(before.epoch, before.seq + 1, known), *middle, *head]
    return [*middle, *head] or [Hole(before.epoch, before.seq + 1, None)]

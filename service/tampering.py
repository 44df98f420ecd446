"""What was done to the evidence before it arrived, by name. Pure.

Three witnesses speak of a place, and the most exact of them is heard: the agent, which found something else on its disk than
it had written (`record_missing`, `record_damaged`); the service, which was offered something else (refusals.py); the chain,
which shows that a record is not there or not the one (chains.py). What is missing while the agent still delivers is no finding:
it may come. So nobody is accused because of a slow line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from secureproctor.contract.events import Event
from secureproctor.contract.report import Finding
from secureproctor.contract.streams import Stream
from secureproctor.service.chains import Hole, Key, Link, Verdict, name
from secureproctor.service.evidence import StoredRecord
from secureproctor.service.intervals import Span
from secureproctor.service.refusals import Refused

TAIL_LEAST_US = 10_000_000
"""A stream whose evidence ends so long before the session did, without a cause, was cut: a segment has 4 s at most."""
MAX_MISSING = 10_000_000
"""No session has more records; a larger count is nobody's word."""

SENTENCES: dict[str, str] = {
    "deleted": "{places}: removed from the candidate's disk.",
    "truncated": "{places}: cut short on the candidate's disk.",
    "altered": "{places}: changed on the candidate's disk.",
    "unreadable": "{places}: the candidate's disk cannot read it.",
    "reordered": "{places}: exchanged with {found}.",
    "replayed": "{places}: {found} came in its place.",
    "replaced": "{places}: another record was offered after one had been stored; the stored one stays.",
    "withheld": "{places}: announced by the agent, and never delivered.",
}
_WORDS = {"truncated", "altered", "unreadable"}


@dataclass(frozen=True, slots=True)
class Word:
    """What a witness says of places. `found` is what lay there instead, as an address."""

    stream: Stream
    epoch: int
    seq: int
    until_seq: int
    kind: str
    source: str
    found: str = ""


def dropped(events: Iterable[Event]) -> dict[Stream, list[Link]]:
    """The records that the agent says it gave up, by stream."""
    links: dict[Stream, list[Link]] = {}
    for event in events:
        link = _given_up(event) if event.kind == "gap" else None
        if link is not None:
            links.setdefault(Stream(event.stream), []).append(link)
    return links


def findings(
    session_id: str, verdicts: Sequence[Verdict], final: Mapping[Stream, bool], words: Sequence[Word], here: set[Key]
) -> tuple[Finding, ...]:
    """All findings, by stream and place. `final`: whether what is missing of a stream does not come any more."""
    named = _named(session_id, words, here)
    found = list(named.values())
    for verdict in verdicts:
        found += [each for each in verdict.wrong if (verdict.stream, each.epoch, each.seq) not in named]
        holes = verdict.holes if final[verdict.stream] else ()
        spoken = [each for (stream, *_), each in named.items() if stream == verdict.stream]
        found += [_missing(verdict.stream, part) for hole in holes for part in without(hole, spoken)]
    order = list(Stream)
    found.sort(key=lambda each: (order.index(Stream(each.stream)), each.epoch, each.seq))
    return tuple(found)


def cut_short(stream: Stream, last: StoredRecord | None, tail: Span | None) -> tuple[Finding, ...]:
    """The finding of a stream whose last unexplained gap `tail` reaches to the end of the running time."""
    if tail is None or tail[1] - tail[0] < TAIL_LEAST_US:
        return ()
    epoch, seq = (last.epoch, last.seq + 1) if last else (0, 0)
    seconds = (tail[1] - tail[0]) / 1e6
    sentence = (
        f"{name(epoch, seq, None)}: the session went on for {seconds:.1f} s, and nothing says why there is no evidence."
    )
    return (Finding("withheld", stream, epoch, seq, None, sentence, "coverage"),)


def told(events: Iterable[Event]) -> list[Word]:
    """What the agent says of its own disk."""
    words = []
    for event in events:
        if event.kind not in ("record_missing", "record_damaged") or event.stream not in set(Stream):
            continue
        epoch, seq, count = (_number(event, name_) for name_ in ("epoch", "seq", "count"))
        if epoch is None or seq is None:
            continue
        kind = "deleted" if event.kind == "record_missing" else str(event.detail.get("kind"))
        until = seq + min(max(count or 1, 1), MAX_MISSING) - 1
        words.append(Word(Stream(event.stream), epoch, seq, until, kind, "agent", str(event.detail.get("found") or "")))
    return words


def offered(refused: Iterable[Refused]) -> list[Word]:
    """What the service was offered and did not take."""
    return [
        Word(each.stream, each.epoch, each.seq, each.seq, "replaced" if each.kind == "second" else each.kind, "upload",
             each.found)
        for each in refused
    ]  # fmt: skip


def without(hole: Hole, known: Iterable[Finding]) -> list[Hole]:
    """What is left of a hole besides places that something else is known of."""
    parts, at = [], hole.seq
    spans = (
        (each.seq, each.seq if each.until_seq is None else each.until_seq) for each in known if each.epoch == hole.epoch
    )
    for first, last in sorted(span for span in spans if span[1] >= hole.seq):
        if hole.until_seq is not None and first > hole.until_seq:
            break
        if at < first:
            parts.append(replace(hole, seq=at, until_seq=first - 1))
        at = max(at, last + 1)
    rest = hole.until_seq is None or at <= hole.until_seq
    return [*parts, replace(hole, seq=at)] if rest else parts


def _named(session_id: str, words: Sequence[Word], here: set[Key]) -> dict[Key, Finding]:
    """One finding for each place that a witness names; the agent is heard first."""
    lying = {
        (word.stream, word.epoch, word.seq): _address(session_id, word) for word in words if word.kind == "misplaced"
    }
    named: dict[Key, Finding] = {}
    for word in sorted(words, key=lambda each: each.source != "agent"):
        at = word.stream, word.epoch, word.seq
        if word.source == "upload" and word.kind in _WORDS and at in here:
            continue  # it came whole the next time: something on the way had cut it
        if word.kind == "deleted" and all((word.stream, word.epoch, seq) in here for seq in _seqs(word)):
            continue  # it had arrived already
        kind = word.kind
        if kind == "misplaced":
            kind = "reordered" if lying[at] in lying.keys() - {at} else "replayed"
        elif kind not in SENTENCES:
            kind = "altered"
        named.setdefault(at, _finding(word, kind))
    return named


def _seqs(word: Word) -> range:
    return range(word.seq, word.until_seq + 1)


def _finding(word: Word, kind: str) -> Finding:
    places = name(word.epoch, word.seq, word.until_seq)
    sentence = SENTENCES[kind].format(places=places, found=f"record {word.found}" if word.found else "another record")
    return Finding(kind, word.stream, word.epoch, word.seq, word.until_seq, sentence, word.source)


def _missing(stream: Stream, hole: Hole) -> Finding:
    kind, source = ("withheld", "head") if hole.tail else ("deleted", "chain")
    sentence = SENTENCES[kind].format(places=name(hole.epoch, hole.seq, hole.until_seq))
    return Finding(kind, stream, hole.epoch, hole.seq, hole.until_seq, sentence, source)


def _address(session_id: str, word: Word) -> Key | None:
    """The place within this session that the found bytes belong to; None of another session, or of none at all."""
    *session, stream, epoch, seq = ("", "", "", *word.found.split("/"))
    if "".join(session) not in ("", session_id) or stream not in set(Stream):
        return None
    return (Stream(stream), int(epoch), int(seq)) if epoch.isdecimal() and seq.isdecimal() else None


def _given_up(event: Event) -> Link | None:
    epoch, seq = _number(event, "epoch"), _number(event, "seq")
    if epoch is None or seq is None or event.stream not in set(Stream):
        return None
    try:
        hashes = [bytes.fromhex(str(event.detail.get(each))) for each in ("hash", "previous")]
    except ValueError:
        return None
    return Link(epoch, seq, hashes[0], hashes[1], stored=False)


def _number(event: Event, name_: str) -> int | None:
    value = event.detail.get(name_)
    return value if isinstance(value, int) and value >= 0 else None

"""The report of a session, built from its facts. Pure: nothing here reads a file, a clock or a key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from secureproctor.contract.channel import EventSeen, Head
from secureproctor.contract.events import Event
from secureproctor.contract.record import RecordKind
from secureproctor.contract.report import (
    SCHEMA,
    ChainReport,
    ChatReport,
    CommandReport,
    EventReport,
    Finding,
    Gap,
    IdentityReport,
    Report,
    StillReport,
    StreamReport,
)
from secureproctor.contract.streams import MEDIA, Stream
from secureproctor.service.chains import Key, Link, Unopened, Verdict, judge, key, name
from secureproctor.service.coverage import (
    UNKNOWN,
    Explanation,
    absences,
    awaited,
    covered,
    explanations,
    gaps,
    likely,
    running_time,
)
from secureproctor.service.evidence import StoredRecord
from secureproctor.service.flags import credibility, raise_flags
from secureproctor.service.flat import flat
from secureproctor.service.intervals import Span, length
from secureproctor.service.lockdown import Lockdown
from secureproctor.service.lockdown_report import lockdown_report
from secureproctor.service.refusals import Refused
from secureproctor.service.session import Session
from secureproctor.service.tampering import cut_short, dropped, findings, offered, told

MAX_FAULTS = 20
"""Of a chain; more are counted, not listed."""
MAX_FINDINGS = 200
"""In a report; the flag says how many there are."""
SAME_EVENT_MS = 1000
"""An event told over the channel and one in a sealed record within this time are one."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of a session. `unopened` says of each record that cannot be read why not; `events` are the contents
    of the records that can. `silent`: the agent has not been heard for some time, so that nothing is on its way."""

    session: Session
    records: Sequence[StoredRecord]
    unopened: Mapping[Key, Unopened]
    events: Mapping[Key, Sequence[Event]]
    seen: Sequence[EventSeen]
    heads: Sequence[tuple[Stream, Head]]
    commands: Sequence[CommandReport]
    chat: Sequence[ChatReport]
    access: str = ""
    refused: Sequence[Refused] = ()
    silent: bool = True
    stills: Sequence[StillReport] = ()
    identity: IdentityReport = IdentityReport()  # noqa: RUF009 - a frozen value
    lockdown: Lockdown = Lockdown()  # noqa: RUF009 - as above

    def of(self, stream: Stream) -> list[StoredRecord]:
        """The records of one stream."""
        return [record for record in self.records if record.stream == stream]

    def final(self, stream: Stream) -> bool:
        """Whether what is missing does not come any more. Events and stills may be sealed beyond the end, media are not."""
        return self.session.through and (self.silent or stream in MEDIA)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the chains show: a verdict for each stream, findings, and the events that may be believed."""

    verdicts: Mapping[Stream, Verdict]
    tampering: tuple[Finding, ...]
    events: Sequence[Event]

    @property
    def unsound(self) -> frozenset[Key]:
        """The records that are no evidence."""
        return frozenset().union(*(verdict.unsound for verdict in self.verdicts.values()))


def build_report(facts: Facts) -> Report:
    """The whole report."""
    session = facts.session
    running = running_time(session, facts.records)
    running_s = length([running]) / 1e6
    judged = _judged(facts)
    events = _events(facts, judged.unsound)
    chains = tuple(_chain(verdict, facts.final(verdict.stream)) for verdict in judged.verdicts.values())
    streams, all_gaps, cut = _streams(facts, judged, running)
    tampering = (*judged.tampering, *cut)
    flags = raise_flags(session, events, all_gaps, chains, tampering, running, facts.lockdown)
    return Report(
        schema=SCHEMA,
        session_id=session.id,
        user_id=session.user_id,
        group_name=session.group_name,
        user_name=session.user_name,
        user_email=session.user_email,
        state=session.state,
        end_reason=session.end_reason,
        registered_ms=session.registered_ms,
        started_ms=session.started_ms,
        ended_ms=session.ended_ms,
        running_s=running_s,
        expiry_s=session.expiry_s,
        settings=flat(session.settings),
        not_enforced=(),
        verified=bool(chains) and all(chain.verified for chain in chains),
        streams=streams,
        chains=chains,
        gaps=all_gaps,
        flags=flags,
        events=tuple(map(_event, events)),
        commands=tuple(facts.commands),
        chat=tuple(facts.chat),
        credibility=credibility(flags, streams, running_s),
        running_from_s=running[0] / 1e6,
        running_until_s=running[1] / 1e6,
        tampering=tampering[:MAX_FINDINGS],
        identity=facts.identity,
        stills=tuple(facts.stills),
        lockdown=lockdown_report(session, facts.lockdown, events, running),
    )


def expected(session: Session) -> tuple[Stream, ...]:
    """The media streams that the settings ask for."""
    off = {Stream.SCREEN: not session.settings.screen_capture, Stream.AUDIO: not session.settings.audio_proctoring}
    return tuple(stream for stream in MEDIA if not off.get(stream))


def _judged(facts: Facts) -> Judged:
    """The chain of events is judged first: what a replaced record says is believed of no other stream."""
    every = [event for events in facts.events.values() for event in events]
    own = _judge(facts, Stream.EVENTS, dropped(every))
    believed = [event for at, events in facts.events.items() if at not in own.unsound for event in events]
    given_up = dropped(believed)
    verdicts = {stream: _judge(facts, stream, given_up) for stream in Stream}
    verdicts = {stream: each for stream, each in verdicts.items() if each.records or each.holes or given_up.get(stream)}
    words = [*told(believed), *offered(facts.refused)]
    here = {key(record) for record in facts.records} - {place for each in verdicts.values() for place in each.unsound}
    final = {stream: facts.final(stream) for stream in Stream}
    found = findings(facts.session.id, list(verdicts.values()), final, words, here)
    return Judged(verdicts, found, sorted(believed, key=lambda event: event.at_us))


def _judge(facts: Facts, stream: Stream, given_up: Mapping[Stream, Sequence[Link]]) -> Verdict:
    heads = [head for of, head in facts.heads if of == stream]
    return judge(stream, facts.of(stream), facts.unopened, heads, given_up.get(stream, ()))


def _chain(verdict: Verdict, final: bool) -> ChainReport:
    holes = [name(hole.epoch, hole.seq, hole.until_seq) for hole in verdict.holes]
    wrong = [finding.sentence for finding in verdict.wrong]
    faults = _listed([*wrong, *(f"{places}: missing." for places in holes if final)])
    waiting = _listed([f"{places}: not arrived yet." for places in holes if not final])
    verified = not faults and not waiting
    return ChainReport(verdict.stream, verdict.records, verified, verdict.head, faults, waiting)


def _listed(sentences: Sequence[str]) -> tuple[str, ...]:
    more = len(sentences) - MAX_FAULTS
    return tuple(sentences) if more <= 0 else (*sentences[:MAX_FAULTS], f"{more} more.")


def _events(facts: Facts, unsound: frozenset[Key]) -> list[Event]:
    """The sealed events, and those that were only told (their records were lost), in the order of time."""
    sealed = [_unsealed(event) if at in unsound else event for at, events in facts.events.items() for event in events]
    known: dict[tuple[str, str], list[int]] = {}
    for event in sealed:
        known.setdefault((event.kind, event.stream), []).append(event.wall_ms)
    zero_ms = facts.session.started_ms
    only_told = [
        _unsealed(Event(seen.kind, (seen.at_ms - zero_ms) * 1000, seen.at_ms, seen.stream, None, seen.detail))
        for seen in facts.seen
        if zero_ms is not None
        if not any(abs(at - seen.at_ms) <= SAME_EVENT_MS for at in known.get((seen.kind, seen.stream), ()))
    ]
    return sorted([*sealed, *only_told], key=lambda event: event.at_us)


def _unsealed(event: Event) -> Event:
    """An event that no sound record holds."""
    return msgspec.structs.replace(event, detail={**event.detail, "sealed": False})


def _streams(
    facts: Facts, judged: Judged, running: Span
) -> tuple[tuple[StreamReport, ...], tuple[Gap, ...], tuple[Finding, ...]]:
    """The streams, their gaps, and which of them were cut short."""
    reports: list[StreamReport] = []
    all_gaps: list[Gap] = []
    cut: list[Finding] = []
    for stream in expected(facts.session):
        records = facts.of(stream)
        spans = covered(records, judged.unsound, running)
        reports.append(_stream(facts, stream, records, spans, running))
        found = gaps(spans, running, _reasons(facts, judged, stream, running))
        all_gaps += [Gap(stream, span[0] / 1e6, span[1] / 1e6, cause) for span, cause in found]
        tail = next((span for span, cause in found if cause == UNKNOWN and span[1] == running[1]), None)
        cut += cut_short(stream, records[-1] if records else None, tail if facts.final(stream) else None)
    return tuple(reports), tuple(all_gaps), tuple(cut)


def _reasons(facts: Facts, judged: Judged, stream: Stream, running: Span) -> list[Explanation]:
    """Why there may be no evidence of a stream, the surest reason first."""
    records, verdict = facts.of(stream), judged.verdicts.get(stream)
    holes = verdict.holes if verdict else ()
    kinds = {(each.epoch, each.seq): each.kind for each in judged.tampering if each.stream == stream}
    exact = explanations(stream, judged.events, facts.session, running)
    return [
        *exact,
        *absences(records, holes, kinds, judged.unsound, running, facts.final(stream)),
        *likely(exact, judged.events, running, records),
        *([] if facts.final(stream) else awaited(records, running)),
    ]


def _stream(
    facts: Facts, stream: Stream, records: Sequence[StoredRecord], spans: Sequence[Span], running: Span
) -> StreamReport:
    covered_us, whole_us = length(spans), length([running])
    media = [record for record in records if record.kind is RecordKind.MEDIA]
    playlist = f"/v1/sessions/{facts.session.id}/media/{stream}.m3u8?access={facts.access}"
    return StreamReport(
        stream=stream,
        segments=len(media),
        bytes=sum(record.size for record in records),
        covered_s=covered_us / 1e6,
        coverage_pct=round(100 * covered_us / whole_us, 2) if whole_us else 0.0,
        codec=next((record.codec for record in reversed(records) if record.codec), ""),
        playlist=playlist if media and facts.session.settings.recording else "",
    )


def _event(event: Event) -> EventReport:
    until_s = None if event.until_us is None else event.until_us / 1e6
    return EventReport(event.kind, event.at_us / 1e6, event.wall_ms, event.stream, until_s, event.detail)

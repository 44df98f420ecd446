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
    Gap,
    Report,
    StreamReport,
)
from secureproctor.contract.streams import MEDIA, Stream
from secureproctor.service.chains import Key, verify_chain
from secureproctor.service.coverage import covered, explanations, gaps, running_time
from secureproctor.service.evidence import StoredRecord
from secureproctor.service.flags import credibility, raise_flags
from secureproctor.service.init import not_enforced
from secureproctor.service.intervals import Span, length
from secureproctor.service.session import Session

SAME_EVENT_MS = 1000
"""An event told over the channel and one in a sealed record within this time are one."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of a session. `unopened` says of each record that does not open why not."""

    session: Session
    records: Sequence[StoredRecord]
    unopened: Mapping[Key, str]
    events: Sequence[Event]
    seen: Sequence[EventSeen]
    heads: Sequence[tuple[Stream, Head]]
    commands: Sequence[CommandReport]
    chat: Sequence[ChatReport]
    access: str = ""


def build_report(facts: Facts) -> Report:
    """The whole report."""
    session = facts.session
    running = running_time(session, facts.records)
    running_s = running[1] / 1e6
    events = _events(facts)
    chains, unsound = _chains(facts)
    streams, all_gaps = _streams(facts, events, unsound, running)
    flags = raise_flags(session, events, all_gaps, chains, running_s)
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
        settings=msgspec.to_builtins(session.settings),
        not_enforced=not_enforced(session.settings),
        verified=bool(chains) and all(chain.verified for chain in chains),
        streams=streams,
        chains=chains,
        gaps=all_gaps,
        flags=flags,
        events=tuple(map(_event, events)),
        commands=tuple(facts.commands),
        chat=tuple(facts.chat),
        credibility=credibility(flags, streams, running_s),
    )


def expected(session: Session) -> tuple[Stream, ...]:
    """The media streams that the settings ask for."""
    off = {Stream.SCREEN: not session.settings.screen_capture, Stream.AUDIO: not session.settings.audio_proctoring}
    return tuple(stream for stream in MEDIA if not off.get(stream))


def _events(facts: Facts) -> list[Event]:
    """The sealed events, and those that were only told (their records were lost), in the order of time."""
    known = {(event.kind, event.stream): [] for event in facts.events}  # type: dict[tuple[str, str], list[int]]
    for event in facts.events:
        known[event.kind, event.stream].append(event.wall_ms)
    zero_ms = facts.session.started_ms
    told = [
        Event(seen.kind, (seen.at_ms - zero_ms) * 1000, seen.at_ms, seen.stream, None, {**seen.detail, "sealed": False})
        for seen in facts.seen
        if zero_ms is not None
        if not any(abs(at - seen.at_ms) <= SAME_EVENT_MS for at in known.get((seen.kind, seen.stream), ()))
    ]
    return sorted([*facts.events, *told], key=lambda event: event.at_us)


def _chains(facts: Facts) -> tuple[tuple[ChainReport, ...], set[Key]]:
    reports: list[ChainReport] = []
    unsound: set[Key] = set()
    for stream in Stream:
        records = [record for record in facts.records if record.stream == stream]
        heads = [head for of, head in facts.heads if of == stream]
        if records or heads:
            chain, bad = verify_chain(stream, records, facts.unopened, heads)
            reports.append(chain)
            unsound |= bad
    return tuple(reports), unsound


def _streams(
    facts: Facts, events: Sequence[Event], unsound: set[Key], running: Span
) -> tuple[tuple[StreamReport, ...], tuple[Gap, ...]]:
    reports: list[StreamReport] = []
    all_gaps: list[Gap] = []
    for stream in expected(facts.session):
        records = [record for record in facts.records if record.stream == stream]
        spans = covered(records, unsound, running)
        reports.append(_stream(facts, stream, records, spans, running))
        reasons = explanations(stream, events, facts.session, running)
        all_gaps += [Gap(stream, span[0] / 1e6, span[1] / 1e6, cause) for span, cause in gaps(spans, running, reasons)]
    return tuple(reports), tuple(all_gaps)


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

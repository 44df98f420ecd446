"""The report of built sessions: coverage, gaps with causes, chains that hold and chains that do not, flags, the index."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from secureproctor.contract.channel import EventSeen, Head
from secureproctor.contract.events import FLAGS, Event
from secureproctor.contract.http import ProctoringSettings
from secureproctor.contract.record import GENESIS, RecordKind
from secureproctor.contract.report import Report
from secureproctor.contract.streams import MEDIA, Stream
from secureproctor.service.chains import Unopened
from secureproctor.service.evidence import StoredRecord
from secureproctor.service.flags import DEDUCTIONS
from secureproctor.service.report import Facts, build_report
from secureproctor.service.session import Session

S = 1_000_000
STARTED_MS = 1_700_000_000_000


def chained(stream: Stream, spans: list[tuple[int, int]]) -> list[StoredRecord]:
    """An init and one media record for each span of seconds, properly chained."""
    previous, records = GENESIS, []
    for seq, (start, end) in enumerate([(0, 0), *spans]):
        digest = f"{stream}{seq}".encode().rjust(32, b"\0")
        kind = RecordKind.MEDIA if seq else RecordKind.INIT
        records.append(
            StoredRecord(
                stream,
                0,
                seq,
                kind,
                False,
                start * S,
                (end - start) * S,
                0,
                "avc1.42c01f",
                previous,
                digest,
                100,
                0,
                False,
            )
        )
        previous = digest
    return records


WHOLE = [(at, at + 2) for at in range(0, 100, 2)]


def facts(**changes: object) -> Facts:
    session = Session(
        "s", "u", "g", "Ada", "ada@example.org", "k", ProctoringSettings(), 300, STARTED_MS - 1000, b"", b"",
        "ended", "stopped", STARTED_MS, STARTED_MS + 100_000, 100 * S, running_us=0, through=True,
    )  # fmt: skip
    records = [record for stream in MEDIA for record in chained(stream, WHOLE)]
    base = Facts(session, records, {}, {}, [], [], [], [], "1.x")
    if "events" in changes:  # in one record that nothing is said against
        changes["events"] = {(Stream.EVENTS, 0, 0): changes["events"]}
    return replace(base, **changes)  # type: ignore[arg-type] # the tests name fields


def with_screen(spans: list[tuple[int, int]], **changes: object) -> Report:
    records = [*chained(Stream.SCREEN, spans), *chained(Stream.WEBCAM, WHOLE), *chained(Stream.AUDIO, WHOLE)]
    return build_report(facts(records=records, **changes))


def event(kind: str, at_s: float, stream: str = "", until_s: float | None = None, **detail: str) -> Event:
    until_us = None if until_s is None else int(until_s * S)
    return Event(kind, int(at_s * S), STARTED_MS + int(at_s * 1000), stream, until_us, dict(detail))


def test_a_whole_session_is_covered_verified_and_credible() -> None:
    report = build_report(facts())
    assert [(each.stream, each.coverage_pct, each.segments) for each in report.streams] == [
        ("screen", 100.0, 50), ("webcam", 100.0, 50), ("audio", 100.0, 50)
    ]  # fmt: skip
    assert report.verified
    assert (report.gaps, report.flags, report.running_s) == ((), (), 100.0)
    assert (report.credibility.score, report.credibility.band) == (100.0, "High")
    assert report.streams[0].playlist == "/v1/sessions/s/media/screen.m3u8?access=1.x"


def test_a_gap_without_a_cause_is_unknown_and_flagged() -> None:
    report = with_screen([(at, at + 2) for at in range(0, 100, 2) if not 40 <= at < 50])
    assert [(gap.stream, gap.start_s, gap.end_s, gap.cause) for gap in report.gaps] == [
        ("screen", 40.0, 50.0, "unknown")
    ]
    assert report.streams[0].coverage_pct == 90.0
    assert [flag.flag for flag in report.flags] == ["EVIDENCE_GAP"]
    assert report.credibility.score == 85.0


@pytest.mark.parametrize(
    ("events", "cause"),
    [
        ([event("gap", 40, "screen", 50, cause="agent_restarted")], "agent_restarted"),
        ([event("source_lost", 41, "screen", code="missing"), event("source_recovered", 49, "screen")], "missing"),
    ],
)
def test_a_gap_has_the_cause_that_the_agent_recorded(events: list[Event], cause: str) -> None:
    report = with_screen([(at, at + 2) for at in range(0, 100, 2) if not 40 <= at < 50], events=events)
    assert [gap.cause for gap in report.gaps] == [cause]
    assert "EVIDENCE_GAP" not in [flag.flag for flag in report.flags]


@pytest.mark.parametrize(("kind", "cause"), [("machine_slept", "machine asleep"), ("agent_stalled", "agent stalled")])
def test_sleep_explains_a_gap_before_what_came_of_it(kind: str, cause: str) -> None:
    events = [
        event(kind, 40, until_s=50),
        event("gap", 40, "screen", 50, cause="stalled"),
        event("source_lost", 50.1, "screen", code="stalled"),
        event("source_recovered", 50.2, "screen"),
    ]
    report = with_screen([(at, at + 2) for at in range(0, 100, 2) if not 40 <= at < 50], events=events)
    assert [(gap.start_s, gap.end_s, gap.cause) for gap in report.gaps] == [(40.0, 50.0, cause)]


def test_an_agent_that_came_back_explains_the_time_since_its_last_evidence() -> None:
    report = with_screen([(at, at + 2) for at in range(0, 80, 2)], events=[event("agent_restarted", 300)])
    assert [(gap.start_s, gap.end_s, gap.cause) for gap in report.gaps] == [(80.0, 100.0, "agent restarted")]
    assert report.tampering == ()


def test_a_clock_that_was_set_is_told() -> None:
    report = build_report(facts(events=[event("clock_changed", 30, by_s="-3600")]))
    assert [(flag.flag, flag.start_s, flag.evidence) for flag in report.flags] == [("CLOCK_CHANGED", 30.0, (0,))]


def test_a_cause_explains_no_more_than_its_time() -> None:
    events = [event("source_lost", 20, "screen", code="busy"), event("source_recovered", 25, "screen")]
    report = with_screen([(0, 20), (80, 100)], events=events)
    assert [(gap.start_s, gap.end_s, gap.cause) for gap in report.gaps] == [
        (20.0, 30.0, "busy"),
        (30.0, 80.0, "unknown"),
    ]


def test_the_running_time_begins_when_all_sources_deliver_and_bears_the_edges_of_a_block_of_sound() -> None:
    base = facts()
    begun = replace(base.session, running_us=2 * S, ended_us=100 * S + 150_000)
    report = build_report(replace(base, session=begun))
    assert (report.running_from_s, report.running_until_s, report.running_s) == (2.0, 100.15, 98.15)
    assert [each.coverage_pct for each in report.streams] == [100.0] * 3
    assert report.gaps == ()


def test_more_than_an_edge_at_either_end_is_missing() -> None:
    base = facts()
    late = replace(base.session, running_us=-S, ended_us=100 * S + 250_000)
    report = build_report(replace(base, session=late))
    assert {(gap.start_s, gap.end_s, gap.cause) for gap in report.gaps} == {
        (-1.0, 0.0, "unknown"),
        (100.0, 100.25, "unknown"),
    }


def test_a_stream_that_is_switched_off_is_not_missed() -> None:
    settings = ProctoringSettings(screen_capture=False, audio_proctoring=False)
    only = facts(records=chained(Stream.WEBCAM, WHOLE))
    report = build_report(replace(only, session=replace(only.session, settings=settings)))
    assert [each.stream for each in report.streams] == ["webcam"]


def test_live_only_evidence_counts_as_covered_but_cannot_be_played() -> None:
    base = facts()
    dropped = [replace(record, live_only=True, dropped=True) for record in base.records]
    report = build_report(
        replace(base, records=dropped, session=replace(base.session, settings=ProctoringSettings(recording=False)))
    )
    assert [(each.coverage_pct, each.playlist) for each in report.streams] == [(100.0, "")] * 3
    assert report.verified


def test_a_missing_record_breaks_the_chain() -> None:
    base = facts()
    report = build_report(replace(base, records=[r for r in base.records if (r.stream, r.seq) != (Stream.AUDIO, 7)]))
    faults = {chain.stream: chain.faults for chain in report.chains}
    assert faults["audio"] == ("Record 0/7: missing.",)
    assert [(each.kind, each.stream, each.seq) for each in report.tampering] == [("deleted", "audio", 7)]
    assert faults["screen"] == ()
    assert not report.verified
    assert "CHAIN_BROKEN" in [flag.flag for flag in report.flags]


def test_a_replaced_record_breaks_the_chain_and_covers_nothing() -> None:
    base = facts()
    swapped = [replace(r, hash=b"x" * 32) if (r.stream, r.seq) == (Stream.SCREEN, 5) else r for r in base.records]
    heads = [(Stream.SCREEN, Head(0, 3, next(r.hash.hex() for r in base.records if r.seq == 3)))]
    report = build_report(replace(base, records=swapped, heads=heads))
    assert report.chains[0].faults == ("Record 0/5: it is not the one that Record 0/6 was chained to.",)
    assert [(gap.start_s, gap.end_s, gap.cause) for gap in report.gaps] == [
        (6.0, 8.0, "not verified"),  # announced was only what lies before it
        (8.0, 10.0, "replaced"),
    ]


def test_a_record_that_does_not_open_covers_nothing() -> None:
    report = build_report(facts(unopened={(Stream.WEBCAM, 0, 1): Unopened("altered", "it does not open")}))
    assert [(gap.stream, gap.start_s, gap.end_s) for gap in report.gaps] == [("webcam", 0.0, 2.0)]
    assert not report.verified


@pytest.mark.parametrize(
    ("head", "holds"),
    [
        (lambda last: Head(0, 50, last.hash.hex()), True),
        (lambda last: Head(0, 20, f"{b'screen20'.rjust(32, bytes(1)).hex()}"), True),
        (lambda last: Head(0, 50, "0" * 64), False),
        (lambda last: Head(0, 51, "0" * 64), False),
        (lambda last: Head(1, 0, "0" * 64), False),
    ],
)
def test_the_chain_must_hold_what_was_announced(head: Callable[[StoredRecord], Head], holds: bool) -> None:
    base = facts()
    last = [record for record in base.records if record.stream is Stream.SCREEN][-1]
    report = build_report(replace(base, heads=[(Stream.SCREEN, head(last))]))
    assert report.chains[0].verified is holds


def test_a_chain_whose_beginning_is_missing_does_not_hold() -> None:
    base = facts()
    report = build_report(replace(base, records=[r for r in base.records if r.seq]))
    assert not any(chain.verified for chain in report.chains)


def test_flags_come_from_events_and_point_to_them() -> None:
    events = [
        event("page_hidden", 10),
        event("page_shown", 10.3),
        event("page_hidden", 20),
        event("page_hidden", 21),
        event("page_shown", 30),
        event("source_lost", 40, "webcam", code="missing"),
        event("source_recovered", 45, "webcam"),
        event("link_lost", 90),
    ]
    report = build_report(facts(events=events))
    assert [(flag.flag, flag.start_s, flag.end_s, flag.evidence) for flag in report.flags] == [
        ("AWAY_FROM_WINDOW", 20.0, 30.0, (2,)),
        ("CAMERA_UNAVAILABLE", 40.0, 45.0, (5,)),
        ("LINK_LOST", 90.0, 100.0, (7,)),
    ]
    assert report.credibility.score == 84.0
    assert len(report.credibility.computed) == 4


def test_an_event_that_was_only_told_is_shown_as_unsealed() -> None:
    seen = [EventSeen("page_hidden", STARTED_MS + 5200), EventSeen("page_shown", STARTED_MS + 9000)]
    report = build_report(facts(events=[event("page_hidden", 5)], seen=seen))
    assert [(each.kind, each.at_s, dict(each.detail)) for each in report.events] == [
        ("page_hidden", 5.0, {}),
        ("page_shown", 9.0, {"sealed": False}),
    ]


def test_a_session_whose_agent_vanished_runs_to_the_last_sign_of_it() -> None:
    base = facts()
    gone = replace(base.session, ended_us=None, contact_us=104 * S, end_reason="expired")
    report = build_report(replace(base, session=gone))
    assert report.running_s == 104.0
    assert [flag.flag for flag in report.flags].count("SESSION_EXPIRED") == 1
    assert {gap.start_s for gap in report.gaps} == {100.0}


def test_a_session_that_never_ran_has_a_report_too() -> None:
    base = facts(records=[])
    report = build_report(replace(base, session=replace(base.session, started_ms=None, ended_us=None)))
    assert (report.running_s, report.verified, report.credibility.band) == (0.0, False, "Low")


def test_every_flag_has_its_deduction() -> None:
    assert DEDUCTIONS.keys() == FLAGS.keys()


def test_chains_of_the_tests_are_chained() -> None:
    assert all(after.previous == before.hash for before, after in pairwise(chained(Stream.SCREEN, WHOLE)))

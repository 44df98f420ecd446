"""What is done to the evidence on the candidate's disk is detected and named; what is given up in the open is no fault."""

import uuid
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secureproctor.contract.events import Event
from secureproctor.contract.record import GENESIS
from secureproctor.contract.report import BLAMELESS, TAMPERING, Report
from secureproctor.contract.streams import Stream
from secureproctor.service.chains import Unopened, judge
from secureproctor.service.evidence import StoredRecord
from secureproctor.service.refusals import Refused, damage
from secureproctor.service.report import Facts, build_report
from tests.service.chainmodel import S, chain, facts, given_up, sealed, session

SCREEN = Stream.SCREEN


@st.composite
def courses(draw: st.DrawFn) -> tuple[list[StoredRecord], list[StoredRecord]]:
    """A chain of the screen, and its records that were announced: some, and always the last."""
    records = chain(SCREEN, draw(st.lists(st.integers(1, 8), min_size=1, max_size=3)))
    announced = draw(st.sets(st.sampled_from(range(len(records))), max_size=4))
    return records, [records[index] for index in sorted(announced | {len(records) - 1})]


def length_us(records: Sequence[StoredRecord]) -> int:
    return max(record.start_us + record.duration_us for record in records)


def told(report: Report) -> list[tuple[str, int, int, int | None]]:
    return [(each.kind, each.epoch, each.seq, each.until_seq) for each in report.tampering]


def flags(report: Report) -> set[str]:
    return {flag.flag for flag in report.flags}


def event(what: str, at_s: float, stream: str = "", **detail: str | int) -> Event:
    return Event(what, int(at_s * S), 0, stream, None, dict(detail))


def with_events(base: Facts, *events: Event) -> Facts:
    """The events in one record of their own chain."""
    record = replace(chain(Stream.EVENTS, [0])[0], stream=Stream.EVENTS)
    return replace(base, records=[*base.records, record], events={(Stream.EVENTS, 0, 0): list(events)})


def ends_an_epoch(records: Sequence[StoredRecord], index: int) -> bool:
    """Whether a missing record after this one could not be told from this one being another."""
    return index + 1 < len(records) and records[index + 1].epoch != records[index].epoch


# what nobody touched


@settings(deadline=None)
@given(courses(), st.data())
def test_a_chain_that_nobody_touched_is_verified_whatever_was_given_up(
    course: tuple[list[StoredRecord], list[StoredRecord]], data: st.DataObject
) -> None:
    records, heads = course
    lost = data.draw(st.sets(st.sampled_from(range(len(records)))))
    kept = [record for index, record in enumerate(records) if index not in lost]
    base = facts(kept, heads, length_us(records))
    report = build_report(with_events(base, *(given_up(records[index]) for index in lost)))
    assert report.verified
    assert report.tampering == ()
    assert "CHAIN_BROKEN" not in flags(report)
    assert ("EVIDENCE_DROPPED" in flags(report)) == bool(lost)
    assert {gap.cause for gap in report.gaps if gap.stream == SCREEN} <= {"disk full"}


def test_evidence_that_was_given_up_must_link_what_is_left() -> None:
    records = chain(SCREEN, [8])
    word = given_up(records[4])
    lying = Event(word.kind, word.at_us, 0, SCREEN, word.until_us, {**word.detail, "previous": "00" * 32})
    kept = [record for record in records if record.seq != 4]
    report = build_report(with_events(facts(kept, records[-1:], 16 * S), lying))
    assert not report.verified
    assert ("replaced", 0, 3, 3) in told(report)


# each manipulation


@settings(deadline=None)
@given(courses(), st.data())
def test_deletion_is_named(course: tuple[list[StoredRecord], list[StoredRecord]], data: st.DataObject) -> None:
    records, heads = course
    first = data.draw(st.integers(0, len(records) - 1))
    last = data.draw(st.integers(first, len(records) - 1))
    kept = [*records[:first], *records[last + 1 :]]
    report = build_report(facts(kept, heads, length_us(records)))
    assert not report.verified
    assert {"CHAIN_BROKEN", "EVIDENCE_TAMPERED"} <= flags(report)
    gone = {(record.epoch, record.seq) for record in records[first : last + 1]}
    kinds = {each.kind for each in report.tampering}
    assert kinds <= {"deleted", "withheld"}
    for each in report.tampering:
        open_end = each.until_seq is None
        places = {(each.epoch, seq) for seq in range(each.seq, each.seq + 1 if open_end else (each.until_seq or 0) + 1)}
        assert places <= gone, "nobody is accused of more than was done"
    assert ("withheld" in kinds) == (last == len(records) - 1)


@settings(deadline=None)
@given(courses(), st.data())
def test_replacement_by_records_that_open_is_named_and_covers_nothing(
    course: tuple[list[StoredRecord], list[StoredRecord]], data: st.DataObject
) -> None:
    records, heads = course
    first = data.draw(st.integers(0, len(records) - 1))
    last = data.draw(st.integers(first, len(records) - 1))
    forged, previous = list(records), records[first].previous
    for index in range(first, last + 1):
        forged[index] = sealed(records[index], previous, "another scene")
        previous = forged[index].hash
    report = build_report(facts(forged, heads, length_us(records)))
    assert not report.verified
    assert "EVIDENCE_TAMPERED" in flags(report)
    announced = {(record.epoch, record.seq) for record in heads}
    if ends_an_epoch(records, last) and (records[last].epoch, records[last].seq) not in announced:
        return  # a record after the forged ones may as well have been deleted: that is what is named
    assert ("replaced", records[last].epoch, records[last].seq, records[last].seq) in told(report)
    verdict = judge(SCREEN, forged, {}, [each[1] for each in facts([], heads, 0).heads])
    assert {(SCREEN, record.epoch, record.seq) for record in forged[first : last + 1]} <= verdict.unsound
    kept = [record for record in forged if (SCREEN, record.epoch, record.seq) not in verdict.unsound]
    assert report.streams[0].covered_s == sum(record.duration_us for record in kept) / 1e6


@settings(deadline=None)
@given(courses(), st.data())
def test_a_changed_record_is_named_by_its_not_opening(
    course: tuple[list[StoredRecord], list[StoredRecord]], data: st.DataObject
) -> None:
    records, heads = course
    index = data.draw(st.integers(0, len(records) - 1))
    altered = list(records)
    altered[index] = replace(records[index], hash=b"x" * 32)
    place = (SCREEN, records[index].epoch, records[index].seq)
    report = build_report(
        facts(altered, heads, length_us(records), unopened={place: Unopened("altered", "it does not open")})
    )
    assert not report.verified
    assert ("altered", place[1], place[2], place[2]) in told(report)
    assert "replaced" not in {each.kind for each in report.tampering}, "a record that does not open accuses no other"


@settings(deadline=None)
@given(courses(), st.data())
def test_two_records_exchanged_are_named_so(
    course: tuple[list[StoredRecord], list[StoredRecord]], data: st.DataObject
) -> None:
    records, heads = course
    one, other = data.draw(st.lists(st.sampled_from(range(len(records))), min_size=2, max_size=2, unique=True))
    kept = [record for index, record in enumerate(records) if index not in (one, other)]
    pair = [(records[one], records[other]), (records[other], records[one])]
    refused = [Refused(SCREEN, at.epoch, at.seq, "misplaced", f"s/screen/{it.epoch}/{it.seq}") for at, it in pair]
    report = build_report(facts(kept, heads, length_us(records), refused=refused))
    assert not report.verified
    named = {(each.epoch, each.seq): each.kind for each in report.tampering}
    assert {named[at.epoch, at.seq] for at, _ in pair} == {"reordered"}


@settings(deadline=None)
@given(courses(), st.data(), st.sampled_from(["s", str(uuid.UUID(int=7))]))
def test_a_record_offered_in_anothers_place_is_a_replay(
    course: tuple[list[StoredRecord], list[StoredRecord]], data: st.DataObject, owner: str
) -> None:
    records, heads = course
    older, place = sorted(
        data.draw(st.lists(st.sampled_from(range(len(records))), min_size=2, max_size=2, unique=True))
    )
    at, offered = records[place], records[older]
    found = f"{owner}/screen/{offered.epoch}/{offered.seq}"
    kept = [record for record in records if record is not at]
    refused = [Refused(SCREEN, at.epoch, at.seq, "misplaced", found)]
    report = build_report(facts(kept, heads, length_us(records), refused=refused))
    assert not report.verified
    assert ("replayed", at.epoch, at.seq, at.seq) in told(report)


@pytest.mark.parametrize("opens", [True, False])
def test_a_record_that_is_not_the_true_one_accuses_no_other(opens: bool) -> None:
    records = chain(SCREEN, [8])
    records[5] = replace(records[5], hash=b"x" * 32, previous=b"y" * 32)
    unopened = {} if opens else {(SCREEN, 0, 5): Unopened("altered", "it does not open")}
    report = build_report(facts(records, records[-1:], 16 * S, unopened=unopened))
    assert told(report) == [("replaced" if opens else "altered", 0, 5, 5)]


# who saw it


@pytest.mark.parametrize(
    ("kind", "found", "named"),
    [
        ("truncated", "", "truncated"),
        ("altered", "", "altered"),
        ("unreadable", "", "unreadable"),
        ("misplaced", "screen/0/2", "replayed"),
        ("misplaced", "", "replayed"),
        ("a kind of the future", "", "altered"),
    ],
)
def test_what_the_agent_found_on_its_disk_is_named(kind: str, found: str, named: str) -> None:
    records = chain(SCREEN, [8])
    kept = [record for record in records if record.seq != 5]
    word = event("record_damaged", 20, "screen", epoch=0, seq=5, kind=kind, found=found)
    report = build_report(with_events(facts(kept, records[-1:], 16 * S), word))
    assert told(report) == [(named, 0, 5, 5)]
    assert report.tampering[0].source == "agent"
    assert [(gap.start_s, gap.end_s, gap.cause) for gap in report.gaps if gap.stream == SCREEN] == [(8.0, 10.0, named)]
    assert ("EVIDENCE_TAMPERED" in flags(report)) == (named not in BLAMELESS)


def test_records_that_the_agent_misses_are_deleted_also_before_it_is_through() -> None:
    records = chain(SCREEN, [8])
    kept = [record for record in records if record.seq not in (3, 4, 5)]
    word = event("record_missing", 20, "screen", epoch=0, seq=3, count=3)
    base = replace(facts(kept, records[-1:], 16 * S), session=session(16 * S, through=False))
    assert told(build_report(with_events(base, word))) == [("deleted", 0, 3, 5)]


def test_a_deletion_around_a_damaged_record_is_named_beside_it() -> None:
    records = chain(SCREEN, [8])
    kept = [record for record in records if not 2 <= record.seq <= 6]
    refused = [Refused(SCREEN, 0, 4, "truncated")]
    report = build_report(facts(kept, records[-1:], 16 * S, refused=refused))
    assert told(report) == [("deleted", 0, 2, 3), ("truncated", 0, 4, 4), ("deleted", 0, 5, 6)]


def test_bytes_that_were_cut_on_the_way_and_came_whole_afterwards_are_no_tampering() -> None:
    records = chain(SCREEN, [4])
    report = build_report(facts(records, records[-1:], 8 * S, refused=[Refused(SCREEN, 0, 2, "truncated")]))
    assert report.tampering == ()


def test_a_second_record_for_a_filled_place_is_named_and_the_stored_one_stays_good() -> None:
    records = chain(SCREEN, [4])
    report = build_report(facts(records, records[-1:], 8 * S, refused=[Refused(SCREEN, 0, 2, "second")]))
    assert (told(report), report.verified) == ([("replaced", 0, 2, 2)], True)
    assert "EVIDENCE_TAMPERED" in flags(report)


def test_the_services_own_damage_is_told_and_nobodys_fault() -> None:
    records = chain(SCREEN, [4])
    unopened = {(SCREEN, 0, 2): Unopened("spoilt", "its file is gone")}
    report = build_report(facts(records, records[-1:], 8 * S, unopened=unopened))
    assert told(report) == [("spoilt", 0, 2, 2)]
    assert "EVIDENCE_TAMPERED" not in flags(report)
    assert not report.verified


def test_what_a_replaced_record_of_events_says_is_not_believed() -> None:
    records, events = chain(SCREEN, [4]), chain(Stream.EVENTS, [2])
    forged = [events[0], sealed(events[1], events[0].hash, "a full disk"), events[2]]
    kept = [record for record in records if record.seq != 2]
    base = facts([*kept, *forged], [records[-1], events[0], events[2]], 8 * S)
    report = build_report(replace(base, events={(Stream.EVENTS, 0, 1): [given_up(records[2])]}))
    assert told(report) == [("deleted", 0, 2, 2), ("replaced", 0, 1, 1)]
    assert [each.detail["sealed"] for each in report.events] == [False]


# nobody is accused too early


def test_what_may_still_come_is_awaited_and_not_deleted() -> None:
    records = chain(SCREEN, [8])
    kept = [record for record in records if record.seq not in (3, 4, 8)]
    base = replace(facts(kept, records[-1:], 16 * S), session=session(16 * S, through=False))
    report = build_report(base)
    assert (report.verified, report.tampering) == (False, ())
    chain_report = report.chains[0]
    assert chain_report.faults == ()
    assert chain_report.waiting == ("Records 0/3 to 0/4: not arrived yet.", "Record 0/8: not arrived yet.")
    screen = [(gap.start_s, gap.end_s, gap.cause) for gap in report.gaps if gap.stream == SCREEN]
    assert screen == [(4.0, 8.0, "not arrived"), (14.0, 16.0, "not arrived")]
    assert not flags(report) & {"CHAIN_BROKEN", "EVIDENCE_TAMPERED", "EVIDENCE_GAP"}


def test_events_are_awaited_until_the_agent_is_silent() -> None:
    events = chain(Stream.EVENTS, [2])
    early, late = (build_report(facts(events[:-1], events[-1:], 0, silent=silent)) for silent in (False, True))
    assert (early.tampering, told(late)) == ((), [("withheld", 0, 2, 2)])


def test_a_stream_that_ends_long_before_its_session_was_cut() -> None:
    records = chain(SCREEN, [8])
    report = build_report(facts(records, records[-1:], 40 * S))
    assert told(report)[0] == ("withheld", 0, 9, None)
    assert report.tampering[0].source == "coverage"
    explained = with_events(facts(records, records[-1:], 40 * S), event("source_lost", 16.5, "screen", code="missing"))
    assert [each for each in build_report(explained).tampering if each.stream == SCREEN] == []


def test_every_kind_of_finding_is_known() -> None:
    assert TAMPERING.keys() > BLAMELESS


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "truncated"),
        (b"SP", "truncated"),
        (b"SPR1" + bytes(20), "truncated"),
        (b"SPR1" + bytes(88) + b"\x03abc" + (10).to_bytes(4, "big") + bytes(9), "truncated"),
        (b"SPR1" + bytes(88) + b"\x03abc" + (10).to_bytes(4, "big") + bytes(11), "altered"),
        (b"nothing of the kind", "altered"),
        (bytes(500), "altered"),
    ],
)
def test_bytes_that_are_no_record_are_cut_or_changed(data: bytes, kind: str) -> None:
    assert damage(data) == kind


def test_the_first_record_has_none_before_it() -> None:
    records = chain(SCREEN, [2])
    assert records[0].previous == GENESIS
    forged = [replace(records[0], previous=b"x" * 32), *records[1:]]
    assert ("replaced", 0, 0, 0) in told(build_report(facts(forged, [], 4 * S)))

"""Live coverage and flags: what a glance at a running session shows, from rows only."""

from dataclasses import replace

import pytest

from secureproctor.contract.channel import EventSeen
from secureproctor.contract.http import ProctoringSettings
from secureproctor.contract.streams import MEDIA, Stream
from secureproctor.service import ledger
from secureproctor.service.changes import Arrival
from secureproctor.service.glance import EVERY_S, MAX_FLAGS, running_so_far
from secureproctor.service.session import Session
from secureproctor.service.sessions import load, save
from tests.service.house import House

S = 1_000_000


@pytest.fixture
def session(house: House) -> Session:
    return house.register()


def stored(
    house: House, session: Session, stream: Stream, spans: dict[int, tuple[float, float]], tell: bool = True
) -> None:
    """Rows of media records: the seconds that each number covers."""
    for seq, (start, end) in spans.items():
        with house.store.transaction() as db:
            db.execute(
                "INSERT INTO records VALUES (?, ?, 0, ?, 2, 0, ?, ?, 0, '', x'00', x'00', 1, 1, 0)",
                (session.id, stream, seq, int(start * S), int((end - start) * S)),
            )
        if tell:
            house.glances.arrived(Arrival(session.id, stream, 0, seq))


def look(house: House, session: Session, **changes: object) -> dict[str, float]:
    """The coverage now, at least EVERY_S after the last look."""
    house.now += EVERY_S
    with house.store.transaction() as db:
        now = replace(load(db, session.id), **changes)  # type: ignore[arg-type] # the tests name fields
    return {stream.value: percent for stream, percent in house.glances.of(now).coverage.items()}


def whole(until: int) -> dict[int, tuple[float, float]]:
    return {at // 2 + 1: (at, at + 2) for at in range(0, until, 2)}


def test_what_arrives_is_added_to_what_was_there(house: House, session: Session) -> None:
    for stream in MEDIA:
        stored(house, session, stream, whole(10), tell=False)
    assert look(house, session) == {"screen": 100.0, "webcam": 100.0, "audio": 100.0}
    for stream in MEDIA:
        stored(house, session, stream, {6: (10, 12), 8: (14, 16)} if stream is Stream.WEBCAM else {6: (10, 16)})
    assert look(house, session) == {"screen": 100.0, "webcam": 87.5, "audio": 100.0}
    stored(house, session, Stream.WEBCAM, {7: (12, 14)})
    assert look(house, session)["webcam"] == 100.0


def test_what_may_be_on_its_way_is_not_missed_yet(house: House, session: Session) -> None:
    stored(house, session, Stream.SCREEN, whole(20))
    stored(house, session, Stream.WEBCAM, whole(16))
    stored(house, session, Stream.AUDIO, whole(10))
    assert look(house, session, contact_us=21 * S) == {"screen": 100.0, "webcam": 100.0, "audio": 50.0}


def test_a_stream_without_a_record_is_not_covered(house: House, session: Session) -> None:
    stored(house, session, Stream.SCREEN, whole(20))
    assert look(house, session) == {"screen": 100.0, "webcam": 0.0, "audio": 0.0}


def test_before_the_running_time_and_for_what_is_off_there_is_no_figure(house: House, session: Session) -> None:
    assert look(house, session) == {}
    settings = ProctoringSettings(screen_capture=False, audio_proctoring=False)
    stored(house, session, Stream.WEBCAM, whole(4))
    assert look(house, session, settings=settings) == {"webcam": 100.0}


def test_after_the_end_the_running_time_is_fixed(house: House, session: Session) -> None:
    stored(house, session, Stream.SCREEN, whole(16))
    assert look(house, session, ended_us=20 * S)["screen"] == 80.0
    stored(house, session, Stream.SCREEN, {9: (16, 20)})
    assert look(house, session, ended_us=20 * S)["screen"] == 100.0


@pytest.mark.parametrize(
    ("contact_s", "last_s", "until_s"), [(None, 0, 2), (3, 0, 2), (30, 0, 25), (30, 28, 28), (1, 40, 40)]
)
def test_the_running_time_so_far_goes_to_the_last_sign(contact_s: int | None, last_s: int, until_s: int) -> None:
    session = Session(
        "s", "u", "g", "", "", "k", ProctoringSettings(), 300, 0, b"", b"", started_ms=0, running_us=2 * S
    )
    contact_us = None if contact_s is None else contact_s * S
    spans = {Stream.SCREEN: [(0, last_s * S)] if last_s else []}
    assert running_so_far(replace(session, contact_us=contact_us), spans) == (2 * S, until_s * S)


def told(house: House, session: Session, *events: tuple[str, float]) -> None:
    zero_ms = house.sessions.find(session.id).started_ms or 0
    with house.store.transaction() as db:
        for kind, at_s in events:
            ledger.seen(db, session.id, EventSeen(kind, zero_ms + int(at_s * 1000)))


def flags(house: House, session: Session) -> list[tuple[str, float, float]]:
    glance = house.glances.of(house.sessions.find(session.id))
    return [(flag.flag, flag.start_s, flag.end_s) for flag in glance.flags]


def test_flags_come_as_events_are_told_and_no_sooner_than_the_next_look(house: House, session: Session) -> None:
    stored(house, session, Stream.SCREEN, whole(20))
    assert flags(house, session) == []
    told(house, session, ("page_hidden", 5), ("page_shown", 9))
    assert (flags(house, session), house.glances.due()) == ([], [])
    house.now += EVERY_S
    assert house.glances.due() == [session.id], "somebody asked too soon, and is to be told"
    assert flags(house, session) == [("AWAY_FROM_WINDOW", 5.0, 9.0)]
    assert house.glances.due() == []


def test_the_newest_flags_are_shown(house: House, session: Session) -> None:
    for n in range(MAX_FLAGS + 5):
        told(house, session, ("page_hidden", n * 10), ("page_shown", n * 10 + 5))
    shown = flags(house, session)
    assert (len(shown), shown[-1][1]) == (MAX_FLAGS, (MAX_FLAGS + 4) * 10)


def test_a_session_that_was_purged_is_forgotten(house: House, session: Session) -> None:
    house.glances.of(session)
    house.glances.forget(session.id)
    house.now += EVERY_S
    assert house.glances.due() == []


def test_an_hour_is_looked_at_as_fast_as_a_minute(house: House, session: Session) -> None:
    """What was added up is not read again: rows that nobody told of are not seen by a second look."""
    stored(house, session, Stream.SCREEN, whole(10))
    with house.store.transaction() as db:
        save(db, replace(load(db, session.id), contact_us=10 * S))
    before = look(house, session)
    stored(house, session, Stream.SCREEN, {100: (50, 60)}, tell=False)
    assert look(house, session) == before


def test_events_are_kept_up_to_a_number_and_a_size(
    house: House, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "MAX_SEEN", 5)
    with house.store.transaction() as db:
        for n in range(20):
            ledger.seen(
                db, session.id, EventSeen(f"kind {n}" + "x" * 200, n, "", {"text": "y" * (10_000 if n % 2 else 10)})
            )
        kept = ledger.events_seen(db, session.id, 100)
    assert [each.at_ms for each in kept] == [15, 16, 17, 18, 19]
    assert [bool(each.detail) for each in kept] == [False, True, False, True, False]
    assert {len(each.kind) for each in kept} == {64}

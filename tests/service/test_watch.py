"""Who is heard and does not attest is noticed; who is away, has not begun, or has the machine back for a pause is not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from secureproctor.contract.attestation import MISSING_AFTER_S
from secureproctor.service import doubts
from secureproctor.service.doubts import Doubt
from secureproctor.service.sessions import load, save
from secureproctor.service.watch import STEP_S
from tests.service.house import House

BEAT_S = 5


@pytest.fixture
def session_id(house: House) -> str:
    return house.register(navigation_control=True).id


def change(house: House, session_id: str, **changes: Any) -> None:
    with house.store.transaction() as db:
        save(db, replace(load(db, session_id), **changes))


def pass_by(house: House, session_id: str, seconds: float, *, heard: bool = True, attests: bool = False) -> None:
    """Time goes by in rounds of the service; the agent is heard every BEAT_S, or not at all."""
    for n in range(1, int(seconds * 2) + 1):
        house.now += 0.5
        if heard and n % (BEAT_S * 2) == 0:
            house.contacts.heard(session_id)
            if attests:
                change(house, session_id, attested=house.sessions.find(session_id).attested + 1)
        house.watch.look(house.sessions.alive())


def found(house: House, session_id: str) -> tuple[Doubt, ...]:
    with house.store.transaction() as db:
        return doubts.of(db, session_id)


def test_who_attests_is_not_doubted(house: House, session_id: str) -> None:
    pass_by(house, session_id, 300, attests=True)
    assert found(house, session_id) == ()


def test_who_does_not_is_told_after_half_a_minute_and_for_as_long_as_it_lasts(house: House, session_id: str) -> None:
    pass_by(house, session_id, 60, attests=True)
    begun_ms = house.clock.now_ms()
    pass_by(house, session_id, MISSING_AFTER_S - BEAT_S)
    assert found(house, session_id) == ()
    pass_by(house, session_id, 60 - (MISSING_AFTER_S - BEAT_S))
    (doubt,) = found(house, session_id)
    assert (doubt.kind, doubt.from_ms, doubt.heard_ms) == ("missing", begun_ms, 60_000)
    assert doubt.until_ms == begun_ms + 60_000
    pass_by(house, session_id, 300, attests=True)
    (settled,) = found(house, session_id)
    assert settled.heard_ms - doubt.heard_ms <= STEP_S * 1000
    pass_by(house, session_id, 40)
    assert len(found(house, session_id)) == 2


def test_a_doubt_is_told_as_a_change_when_it_comes_and_grows(house: House, session_id: str) -> None:
    pass_by(house, session_id, 34.5)
    house.now += 0.5
    house.contacts.heard(session_id)
    house.contacts.heard(session_id)
    told = house.watch.look(house.sessions.alive())
    assert (told, house.watch.look(house.sessions.alive())) == ([session_id], [])


SPARED: dict[str, Callable[[House, str], None]] = {
    "before the start": lambda house, it: change(house, it, state="ready"),
    "after the end": lambda house, it: change(house, it, state="draining"),
    "lifted for a pause": lambda house, it: change(house, it, state="paused", phase="lifted"),
}


@pytest.mark.parametrize("case", SPARED)
def test_who_need_not_attest_is_not_doubted(house: House, session_id: str, case: str) -> None:
    SPARED[case](house, session_id)
    pass_by(house, session_id, 120)
    assert found(house, session_id) == ()


def test_an_exam_without_a_lockdown_has_nothing_to_attest(house: House) -> None:
    session_id = house.register().id
    pass_by(house, session_id, 120)
    assert found(house, session_id) == ()


def test_a_pause_in_which_the_lockdown_is_kept_is_attested_too(house: House, session_id: str) -> None:
    change(house, session_id, state="paused", phase="locked")
    pass_by(house, session_id, 40)
    assert len(found(house, session_id)) == 1


def test_who_is_away_is_not_doubted_and_has_time_to_attest_when_back(house: House, session_id: str) -> None:
    for _ in range(4):
        pass_by(house, session_id, 20, attests=True)
        pass_by(house, session_id, 300, heard=False)
        pass_by(house, session_id, 10)
    assert found(house, session_id) == ()


def test_a_short_silence_is_no_loss_of_the_link(house: House, session_id: str) -> None:
    """An agent cannot escape by being heard as rarely as it may."""
    for _ in range(6):
        pass_by(house, session_id, 14, heard=False)
        house.contacts.heard(session_id)
        house.watch.look(house.sessions.alive())
    assert len(found(house, session_id)) == 1


def test_who_leaves_out_heartbeats_and_sends_evidence_is_heard(house: House, session_id: str) -> None:
    """Any contact counts; `contacts.heard` is what the ingest of evidence calls."""
    for _ in range(10):
        house.now += 4
        house.contacts.heard(session_id)
        house.watch.look(house.sessions.alive())
    assert len(found(house, session_id)) == 1


def test_a_round_of_the_service_looks_and_a_purge_forgets(house: House, session_id: str) -> None:
    for _ in range(12):
        house.now += 4
        house.contacts.heard(session_id)
        house.once()
    assert len(found(house, session_id)) == 1
    house.watch.forget(session_id)
    house.now += 4
    house.contacts.heard(session_id)
    assert house.watch.look(house.sessions.alive()) == []

"""What the service does by its own clock: expiry, the live window, the retention time, recovery after a crash."""

import asyncio
import errno
import uuid
from pathlib import Path

import apsw
import msgspec
import pytest
from cryptography.exceptions import InvalidTag

from secureproctor.contract.channel import ChatMark, ServiceEnded, SessionChanged
from secureproctor.contract.errors import Refusal
from secureproctor.contract.link import Link
from secureproctor.contract.record import GENESIS, Header, RecordKind, parse, record_hash
from secureproctor.contract.streams import Stream
from secureproctor.service.evidence import Evidence
from secureproctor.service.rounds import EVERY_S
from secureproctor.service.schema import MIGRATIONS
from secureproctor.service.session import changed
from secureproctor.service.sessions import load, load_link
from secureproctor.service.store import Store, StoreError
from tests.service.house import House


def test_a_session_that_is_silent_for_too_long_expires_and_the_agent_will_hear_of_it(house: House) -> None:
    session = house.register()
    house.now += 59.5
    house.once()
    assert house.sessions.find(session.id).state == "running"
    house.now += 0.5
    house.once()
    after = house.sessions.find(session.id)
    assert (after.state, after.end_reason, after.ended_ms) == ("ended", "expired", house.clock.now_ms())
    with house.store.transaction() as db:
        waiting = load_link(db, session.id).waiting
    assert [msgspec.json.decode(body, type=ServiceEnded) for body in waiting.values()] == [ServiceEnded("expired")]


def test_a_sign_of_life_begins_the_expiry_time_anew(house: House) -> None:
    session = house.register()
    for _ in range(5):
        house.now += 50
        house.contacts.heard(session.id)
        house.once()
    assert house.sessions.find(session.id).state == "running"


def test_a_session_that_does_not_run_never_expires(house: House) -> None:
    session = house.register(running=False)
    house.now += 3000
    house.once()
    assert house.sessions.find(session.id).state == "registered"


def test_who_is_heard_at_the_last_moment_has_not_expired(house: House) -> None:
    session = house.register()
    house.now += 60
    assert house.contacts.expired() == [session.id]
    house.contacts.heard(session.id)
    asyncio.run(house.channel.expire(session.id))
    assert house.sessions.find(session.id).state == "running"


def test_a_session_expires_also_when_there_is_no_room_for_another_message(house: House) -> None:
    session = house.register()
    full = [ChatMark(str(n), "read", 1) for n in range(Link().max_waiting)]
    asyncio.run(house.channel.send(session.id, lambda _db: full))
    with pytest.raises(Refusal, match="too much to do"):
        asyncio.run(house.channel.send(session.id, lambda _db: full[:1]))
    house.now += 60
    house.once()
    assert house.sessions.find(session.id).end_reason == "expired"


def test_a_session_that_was_purged_meanwhile_does_not_expire(house: House) -> None:
    asyncio.run(house.channel.expire("nobody"))


def test_a_wall_clock_that_is_set_moves_no_deadline(house: House) -> None:
    session = house.register()
    for jump in (-1e6, 2e6):
        house.now += jump
        house.booted += jump
        house.once()
        assert house.sessions.find(session.id).state == "running"


@pytest.mark.parametrize("away_s", [0.0, 10.0, 10_000.0])
@pytest.mark.parametrize("rebooted", [False, True])
def test_a_restart_of_the_service_cuts_its_own_length_out_of_every_silence(
    house: House, away_s: float, rebooted: bool
) -> None:
    silent, heard = house.register(), house.register()
    house.now += 40
    house.contacts.heard(heard.id)
    house.once()
    house.store.close()
    house.now += away_s
    if rebooted:
        house.booted = house.now - 1
    house.__post_init__()
    for more_s, running in ((19.5, True), (0.5, False)):
        house.now += more_s
        house.once()
        assert (house.sessions.find(silent.id).state == "running") is running
    assert house.sessions.find(heard.id).state == "running"
    house.now += 40
    house.once()
    assert house.sessions.find(heard.id).end_reason == "expired"


def test_a_heartbeat_and_the_attended_time_are_stored_together(house: House) -> None:
    session = house.register()
    house.now += 30
    house.contacts.heard(session.id)
    with house.store.transaction() as db:
        house.contacts.keep_within(db, [session.id, "nobody"])
    house.store.close()
    house.__post_init__()
    assert house.contacts.silent_s(session.id) == 0


def test_expiry_is_looked_at_at_least_twice_a_second() -> None:
    assert EVERY_S <= 0.5


def test_evidence_is_taken_after_the_expiry_until_the_retention_time_is_over(house: House) -> None:
    session = house.register()
    house.put(session, Stream.SCREEN, 0)
    house.now += 61
    house.once()
    for seq in (1, 2, 3):
        house.now += 3599
        asyncio.run(house.rounds.purge())
        house.put(session, Stream.SCREEN, seq)
    house.now += 3601
    asyncio.run(house.rounds.purge())
    with pytest.raises(Refusal, match="not known"):
        house.sessions.find(session.id)


def test_what_an_expired_session_tells_later_fills_in_its_end_but_does_not_revive_it(house: House) -> None:
    session = house.register()
    house.now += 61
    house.once()
    told = changed(house.sessions.find(session.id), SessionChanged("paused", house.clock.now_ms(), 70_000_000))
    told = changed(told, SessionChanged("ended", house.clock.now_ms(), 90_000_000, "stopped"))
    assert (told.state, told.end_reason, told.ended_us) == ("ended", "expired", 90_000_000)
    assert told.through


def test_the_running_time_begins_with_the_first_word_that_the_session_runs(house: House) -> None:
    session = house.register(running=False)
    for state, at_us in (("ready", None), ("paused", 700_000), ("running", 5_000_000)):
        session = changed(session, SessionChanged(state, house.clock.now_ms(), at_us))
    assert (session.running_us, session.started_ms) == (700_000, house.clock.now_ms() - 700)
    assert not session.through


def test_live_only_media_are_dropped_after_the_live_window_and_their_rows_stay(house: House) -> None:
    session = house.register(recording=False)
    for seq in (0, 1):
        house.put(session, Stream.SCREEN, seq, live_only=True)
    house.put(session, Stream.EVENTS, 0, live_only=True)
    house.now += 31
    house.put(session, Stream.SCREEN, 2, live_only=True)
    house.once()
    rows = house.evidence.records(session.id, Stream.SCREEN)
    assert [row.dropped for row in rows] == [False, True, False]
    assert sorted(path.name for path in (house.folder / "records").rglob("screen/*")) == ["0-0.spr", "0-2.spr"]
    assert house.evidence.records(session.id, Stream.EVENTS)[0].dropped is False


def test_a_session_is_purged_after_the_retention_time(house: House) -> None:
    old, young = house.register(running=False), house.register(running=False)
    house.put(old, Stream.SCREEN, 0)
    house.now += 3000
    house.put(young, Stream.SCREEN, 0)
    house.now += 601
    asyncio.run(house.rounds.purge())
    with pytest.raises(Refusal, match="not known"):
        house.sessions.find(old.id)
    assert house.sessions.find(young.id)
    assert len(house.files()) == 1
    with house.store.transaction() as db:
        assert db.execute("SELECT count(*) FROM records").fetchone() == (1,)


def test_after_a_crash_files_and_rows_are_brought_together(house: House) -> None:
    session = house.register()
    lost, kept = house.put(session, Stream.SCREEN, 0), house.put(session, Stream.SCREEN, 1)
    folder = house.folder / "records" / session.id / "screen"
    with house.store.transaction() as db:
        db.execute("DELETE FROM records WHERE seq = 1")
    (folder / "0-0.spr").unlink()
    (folder / "0-2.spr").write_bytes(kept)
    (folder / "0-3.spr.abcd.part").write_bytes(b"half")
    (house.folder / "records" / str(uuid.uuid4()) / "screen").mkdir(parents=True)
    assert house.evidence.recover(house.clock.now_ms()) == (1, 1)
    assert [row.hash for row in house.evidence.records(session.id)] == [record_hash(kept)]
    assert house.files() == {"0-1.spr"}
    assert house.evidence.put(lost, parse(lost).header, 0), "a record that was lost can be brought again"


def test_evidence_is_refused_before_the_disk_is_full(house: House) -> None:
    session = house.register()
    full = Evidence(house.store, house.folder / "records", disk_floor=2**62)
    sealed = house.put(session, Stream.SCREEN, 0)
    with pytest.raises(Refusal, match="cannot store evidence") as refused:
        full.put(sealed, Header(RecordKind.MEDIA, Stream.SCREEN, uuid.UUID(session.id), 0, 1, 0, 0, 0, GENESIS), 0)
    assert refused.value.status == 503
    assert full.put(sealed, parse(sealed).header, 0) is False


def test_a_full_disk_is_told_and_leaves_nothing_behind(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    session = house.register()

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(Refusal, match="No space left") as refused:
            house.put(session, Stream.SCREEN, 0)
    assert refused.value.code == "storage_full"
    assert house.files() == set()
    house.put(session, Stream.SCREEN, 0)


def test_the_exams_setting_decides_what_is_live_only_not_the_records_flag(house: House) -> None:
    recorded, unrecorded = house.register(), house.register(recording=False)
    house.put(recorded, Stream.SCREEN, 1, live_only=True)
    house.put(unrecorded, Stream.SCREEN, 1, live_only=False)
    house.now += 31
    house.once()
    assert [house.evidence.records(each.id)[0].dropped for each in (recorded, unrecorded)] == [False, True]


def test_a_record_of_a_purged_session_is_refused_and_leaves_nothing(house: House) -> None:
    session = house.register()
    with house.store.transaction() as db:
        db.execute("DELETE FROM sessions")
    with pytest.raises(Refusal, match="not known"):
        house.put(session, Stream.SCREEN, 0)
    assert house.files() == set()


def test_a_second_service_on_the_same_folder_is_told_so(house: House) -> None:
    with pytest.raises(StoreError, match="Another service uses"):
        Store.opened(house.folder)


def test_a_database_of_a_newer_version_is_left_alone(house: House) -> None:
    with house.store.transaction() as db:
        db.execute("PRAGMA user_version=999")
    house.store.close()
    with pytest.raises(StoreError, match="newer version"):
        Store.opened(house.folder)
    house.store = Store.opened(house.folder.parent)


def test_a_database_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    old = apsw.Connection(str(tmp_path / "service.db"))
    old.execute(MIGRATIONS[1]).fetchall()
    columns = "id, user_id, group_name, user_name, user_email, public_key, settings, expiry_s, registered_ms"
    row = ("s", "u", "g", "", "", "k", "{}", 60, 1, b"", b"", "running")
    old.execute(f"INSERT INTO sessions ({columns}, sealing_key, wrapped_key, state) VALUES ({'?, ' * 11}?)", row)
    old.execute("PRAGMA user_version=1").fetchall()
    old.close()
    house = House(tmp_path)
    try:
        session = house.sessions.find("s")
        assert (session.state, session.running_us, session.through) == ("running", None, False)
        house.once()
        house.now += 60
        house.once()
        assert house.sessions.find("s").end_reason == "expired"
    finally:
        house.store.close()


def test_a_private_key_opens_only_for_its_own_session(house: House) -> None:
    one, other = house.register(), house.register()
    assert house.sessions.private_key(one).public_key().public_bytes_raw() == one.sealing_key
    with house.store.transaction() as db:
        db.execute("UPDATE sessions SET wrapped_key = ? WHERE id = ?", (one.wrapped_key, other.id))
        stolen = load(db, other.id)
    with pytest.raises(InvalidTag):
        house.sessions.private_key(stolen)

"""A database of the version before, with a session in it, goes on in this one."""

from pathlib import Path

import apsw
import msgspec
import pytest

from secureproctor.contract.channel import Command, LockdownChanged
from secureproctor.contract.link import Link
from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.contract.report import SCHEMA, LockdownReport
from secureproctor.service import attested, conversation, doubts, ledger, lockdown
from secureproctor.service.lockdown import Lockdown
from secureproctor.service.report import Facts, build_report
from secureproctor.service.schema import MIGRATIONS, VERSION
from secureproctor.service.sessions import load_link
from tests.service.house import House

SESSION = "0b0c6c7a-0000-4000-8000-000000000001"
SETTINGS = '{"authorization": true, "candidatePhotoUrl": "https://exam.example/ada.jpg"}'


def second_version(folder: Path) -> None:
    """A database as version 2 made and filled it, a command on its way."""
    link = Link()
    link.send(Command("c2", "end", 2000, 300.0, "so long"))
    old = apsw.Connection(str(folder / "service.db"))
    for version in (1, 2):
        old.execute(MIGRATIONS[version]).fetchall()
    old.execute(
        "INSERT INTO sessions (id, user_id, group_name, user_name, user_email, public_key, settings, expiry_s,"
        " registered_ms, sealing_key, wrapped_key, state, link, backlog, running_us, through)"
        " VALUES (?, 'u', 'g', '', '', 'k', ?, 60, 1000, x'00', x'00', 'running', ?, 3, 700000, 0)",
        (SESSION, SETTINGS, msgspec.json.encode(link.snapshot()).decode()),
    )
    for stream, epoch, seq in (("screen", 0, 9), ("screen", 1, 2), ("audio", 0, 4)):
        row = (SESSION, stream, epoch, seq)
        old.execute("INSERT INTO records VALUES (?, ?, ?, ?, 2, 0, 0, 1, 0, '', x'00', x'00', 1, 1, 0)", row)
    old.execute("INSERT INTO totals VALUES (?, 'screen', 2, 2, 1), (?, 'audio', 1, 1, 1)", (SESSION, SESSION))
    old.execute(
        "INSERT INTO commands (session, id, kind, status, issued_ms, received_ms) VALUES"
        " (?, 'c1', 'pause', 'acknowledged', 1000, 1001), (?, 'c2', 'end', 'issued', 2000, NULL)",
        (SESSION, SESSION),
    )
    old.execute(
        "INSERT INTO chat VALUES (?, '1', 'candidate', 'hello', 5), (?, '2', 'proctor', 'hello you', 6)",
        (SESSION, SESSION),
    )
    old.execute("INSERT INTO seen VALUES (?, 'page_hidden', '', 7, '{}')", (SESSION,))
    old.execute("PRAGMA user_version=2").fetchall()
    old.close()


def third_version(folder: Path) -> None:
    """A database as version 3 made it, with a session that asked for what had no effect then."""
    second_version(folder)
    old = apsw.Connection(str(folder / "service.db"))
    old.execute(MIGRATIONS[3]).fetchall()
    old.execute(
        "UPDATE sessions SET settings = ?, state = 'ended', end_reason = 'stopped', started_ms = 2000, ended_ms = 9000,"
        " ended_us = 7000000, through = 1, heard_ms = 9000, step = 'authorized'",
        ('{"navigationControl": true, "msb": true, "msbKey": "made in advance"}',),
    )
    old.execute("PRAGMA user_version=3").fetchall()
    old.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    second_version(tmp_path)
    return tmp_path


def test_all_that_was_known_is_known_still(folder: Path) -> None:
    house = House(folder)
    try:
        session = house.sessions.find(SESSION)
        assert (session.state, session.backlog, session.running_us, session.through) == ("running", 3, 700_000, False)
        assert (session.backlog_bytes, session.quality, session.step, session.consent_ms) == (0, "full", "", None)
        assert session.settings.authorization
        with house.store.transaction() as db:
            assert [(each.sender, each.delivered_ms, each.read_ms) for each in conversation.chat(db, SESSION)] == [
                ("candidate", 5, None), ("proctor", None, None)
            ]  # fmt: skip
            assert [(each.id, each.status, each.expires_ms) for each in ledger.commands(db, SESSION)] == [
                ("c1", "acknowledged", 301_000), ("c2", "issued", 302_000)
            ]  # fmt: skip
            totals = dict(db.execute("SELECT stream, epoch || '/' || seq FROM totals"))
            assert [each.kind for each in ledger.events_seen(db, SESSION)] == ["page_hidden"]
        assert totals == {"screen": "1/2", "audio": "0/4"}
    finally:
        house.store.close()


def test_an_old_command_that_reached_nobody_lapses(folder: Path) -> None:
    house = House(folder)
    try:
        house.once()
        with house.store.transaction() as db:
            assert ledger.commands(db, SESSION)[1].status == "expired"
            (body,) = load_link(db, SESSION).waiting.values()
        assert msgspec.json.decode(body, type=Command).lifetime_s == 0
    finally:
        house.store.close()


def test_a_session_of_the_version_before_has_no_lockdown_to_tell_of_and_opens(tmp_path: Path) -> None:
    third_version(tmp_path)
    house = House(tmp_path)
    try:
        session = house.sessions.find(SESSION)
        assert (session.step, session.state, session.phase, session.attested, session.zero_ms) == (
            "authorized", "ended", "off", 0, None
        )  # fmt: skip
        assert session.settings.locked
        assert session.settings.lockdown == LockdownSettings()
        house.once()
        with house.store.transaction() as db:
            known = attested.known(db, SESSION)
        assert known == Lockdown()
        report = build_report(Facts(session, [], {}, {}, [], [], [], [], lockdown=known))
        assert (report.schema, report.lockdown, report.not_enforced) == (SCHEMA, LockdownReport(), ())
        assert report.settings["msbKey"] == "made in advance"
        assert [flag.flag for flag in report.flags if flag.flag == "ATTESTATION_MISSING"] == []
    finally:
        house.store.close()


def test_an_old_lockdown_goes_with_its_session(tmp_path: Path) -> None:
    third_version(tmp_path)
    house = House(tmp_path)
    try:
        with house.store.transaction() as db:
            lockdown.tell(db, SESSION, LockdownChanged("locked", (), 1))
            doubts.note(db, SESSION, doubts.Doubt("missing", 1, 2, 1))
            attested.first_use(db, SESSION, "x", 1, 1)
            db.execute("DELETE FROM sessions WHERE id = ?", (SESSION,))
            for table in ("lockdowns", "doubts", "used_attestations"):
                assert next(db.execute(f"SELECT count(*) FROM {table}")) == (0,)
            doubts.note(db, SESSION, doubts.Doubt("missing", 1, 2, 1))
            assert doubts.of(db, SESSION) == (), "a look that comes after the purge is for nobody"
    finally:
        house.store.close()


def test_it_is_migrated_once(folder: Path) -> None:
    for _ in range(2):
        house = House(folder)
        with house.store.transaction() as db:
            assert next(db.execute("PRAGMA user_version")) == (VERSION,)
        house.store.close()


def test_every_version_has_its_script() -> None:
    assert sorted(MIGRATIONS) == list(range(1, VERSION + 1))

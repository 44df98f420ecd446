"""The journal: whatever is cut off or changed, what is read is a beginning of what was written."""

import os
import stat
import zlib
from pathlib import Path

import pytest

from secureproctor.agent.session.journal import (
    AcknowledgementSwitched,
    AuthorizationMoved,
    ChatMarked,
    ChatTaken,
    CommandMoved,
    EndOrdered,
    Entry,
    Journal,
    QualityAsked,
    Registered,
    SnapshotBegun,
    Started,
    StateEntered,
    read,
)
from secureproctor.contract.channel import Chat, Command
from secureproctor.contract.http import InitData, ProctoringSettings

DATA = InitData("token", "0f-id", 300, ProctoringSettings(), "a2V5", (), (), 1, 3600, "user", "group")
ENTRIES: list[Entry] = [
    Registered(DATA, "https://exam.example", 1),
    AcknowledgementSwitched(True),
    StateEntered("registered", 2),
    Started(3_000_000, 3),
    CommandMoved("c-1", "pause", "failed", 4, "page", "Zeile\neins \r é 🙂"),
    StateEntered("draining", 5, 4_000_000, "stopped"),
    StateEntered("paused", 5, command="c-1"),
    CommandMoved("c-2", "end", "received", 4, whole=Command("c-2", "end", 3, 60, "Time is up.\n", by="Ada")),
    AuthorizationMoved("capture", 4, ("photo", "id_card"), "Again, please.", "Ada", "c-3"),
    QualityAsked("least", "c-4"),
    SnapshotBegun("c-5"),
    ChatTaken(Chat("m-1", "proctor", "hello", 5, "Ada"), 6),
    ChatMarked("m-1", "read", 6),
    EndOrdered("expired"),
]


def written(path: Path, entries: list[Entry]) -> bytes:
    with Journal(path) as journal:
        for entry in entries:
            journal.write(entry)
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "session" / "journal"


def test_what_was_written_is_read(path: Path) -> None:
    written(path, ENTRIES)
    assert list(read(path)) == ENTRIES


def test_an_entry_is_one_line_whatever_its_text(path: Path) -> None:
    assert len(written(path, ENTRIES).split(b"\n")) == len(ENTRIES) + 1


def test_an_entry_is_in_the_file_when_write_returns(path: Path) -> None:
    with Journal(path) as journal:
        for count, entry in enumerate(ENTRIES, 1):
            journal.write(entry)
            assert list(read(path)) == ENTRIES[:count]


def test_only_the_user_can_read_it(path: Path) -> None:
    """It holds the session's token."""
    written(path, ENTRIES)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_cut_at_any_byte_holds_the_entries_before_the_cut(path: Path) -> None:
    data = written(path, ENTRIES)
    ends = [at + 1 for at, byte in enumerate(data) if byte == 0x0A]
    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        assert list(read(path)) == ENTRIES[: sum(end <= length for end in ends)]


@pytest.mark.parametrize("change", [0x01, 0x20, 0x80, 0xFF, "newline", "return"])
def test_a_changed_byte_anywhere_leaves_a_beginning_of_the_entries(path: Path, change: int | str) -> None:
    data = written(path, ENTRIES)
    for at, byte in enumerate(data):
        value = byte ^ change if isinstance(change, int) else {"newline": 0x0A, "return": 0x0D}[change]
        path.write_bytes(data[:at] + bytes([value]) + data[at + 1 :])
        found = list(read(path))
        assert found == ENTRIES[: len(found)]
        assert len(found) >= data[:at].count(b"\n")


def test_writing_goes_on_after_a_torn_tail(path: Path) -> None:
    """At every length of the tail: what comes after it is found again."""
    data = written(path, ENTRIES[:2])
    first = data.index(b"\n") + 1
    for length in range(first, len(data)):
        path.write_bytes(data[:length])
        written(path, [ENTRIES[4]])
        assert list(read(path)) == [ENTRIES[0], ENTRIES[4]]


def test_writing_goes_on_after_the_last_whole_entry(path: Path) -> None:
    written(path, ENTRIES[:3])
    written(path, ENTRIES[3:])
    assert list(read(path)) == ENTRIES


def test_garbage_is_no_entry_and_is_cut(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(os.urandom(500))
    assert list(read(path)) == []
    written(path, ENTRIES)
    assert list(read(path)) == ENTRIES


def test_closing_twice_is_harmless(path: Path) -> None:
    journal = Journal(path)
    journal.close()
    journal.close()
    assert list(read(path)) == []


def test_a_line_that_the_disk_took_only_in_part_is_an_error_and_does_not_hide_what_follows(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: the system takes the first bytes and says so, without an error."""
    whole_write = os.write
    with Journal(path) as journal:
        journal.write(ENTRIES[0])
        monkeypatch.setattr(os, "write", lambda file, data: whole_write(file, data[:7]))
        with pytest.raises(OSError, match="No space left on device"):
            journal.write(ENTRIES[1])
        monkeypatch.setattr(os, "write", whole_write)
        journal.write(ENTRIES[2])
    assert list(read(path)) == [ENTRIES[0], ENTRIES[2]]


OLD = [
    (
        b'{"type":"registered","data":{"token":"t","session_id":"0f-id","expiry_s":300,"settings":{"authorization":true},'
        b'"sealing_key":"a2V5","origins":[],"not_enforced":["authorization"],"now_ms":1,"retention_s":3600,"user_id":"u",'
        b'"group_name":"g","user_name":""},"service_url":"https://exam.example","at_ms":1}'
    ),
    b'{"type":"automatic","enabled":false}',
    b'{"type":"state","state":"ready","at_ms":2,"at_us":null,"reason":""}',
    b'{"type":"command","id":"c-1","kind":"pause","status":"received","at_ms":3,"by":"","reason":""}',
]


def lines(texts: list[bytes]) -> bytes:
    return b"".join(b"%08x %b\n" % (zlib.crc32(text), text) for text in texts)


def test_a_journal_of_the_first_version_is_read_and_written_on(path: Path) -> None:
    """Its entries lack the fields that came later, and are longer or shorter than this version writes them."""
    path.parent.mkdir()
    path.write_bytes(lines(OLD) + b"torn")
    with Journal(path) as journal:
        journal.write(EndOrdered("expired"))
    registered, *others = read(path)
    assert isinstance(registered, Registered)
    assert registered.data.settings.authorization
    assert others == [
        AcknowledgementSwitched(False), StateEntered("ready", 2), CommandMoved("c-1", "pause", "received", 3),
        EndOrdered("expired"),
    ]  # fmt: skip


def test_an_entry_of_a_newer_version_is_passed_over_and_kept(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(lines([*OLD[:2], b'{"type":"hologram","depth":3}', OLD[2]]))
    with Journal(path) as journal:
        journal.write(EndOrdered("expired"))
    assert [type(entry) for entry in read(path)] == [Registered, AcknowledgementSwitched, StateEntered, EndOrdered]
    assert b"hologram" in path.read_bytes()

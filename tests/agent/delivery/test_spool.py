"""The spool on a real disk: what is durable when, what is found again, and who may touch what when."""

import os
import shutil
import stat
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from secureproctor.agent.delivery import shelf
from secureproctor.agent.delivery.room import GIB, Room
from secureproctor.agent.delivery.sealer import Sealed
from secureproctor.agent.delivery.spool import Gone, Key, Spool
from secureproctor.contract.record import GENESIS, Header, RecordKind, seal
from secureproctor.contract.streams import Stream

KEY = X25519PrivateKey.generate().public_key()
SESSION = uuid.UUID(int=1)
KINDS = {Stream.EVENTS: RecordKind.EVENTS}
SCREEN_1: Key = (Stream.SCREEN, 0, 1)


def sealed(key: Key, body: bytes = b"evidence", start_us: int = 0, wall_us: int = 0) -> Sealed:
    stream, epoch, seq = key
    kind = KINDS.get(stream, RecordKind.MEDIA if seq else RecordKind.INIT)
    header = Header(kind, stream, SESSION, epoch, seq, start_us, 2_000_000, wall_us, GENESIS, "avc1.42e01f")
    return Sealed(header, seal(header, body, KEY))


def everything(spool: Spool) -> list[Key]:
    return [key for stream in Stream for key in spool.oldest(stream)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "sessions" / "id" / "spool"


@pytest.fixture
def spool(folder: Path) -> Spool:
    return Spool(folder, session=SESSION).open()


# on the disk


def test_a_record_is_whole_under_its_name_and_only_the_user_can_look(spool: Spool, folder: Path) -> None:
    record = sealed((Stream.AUDIO, 2, 34))
    spool.append(record)
    (path,) = folder.iterdir()
    assert (path.name, path.read_bytes()) == ("audio-000002-0000000034.record", record.data)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_record_is_on_the_disk_before_its_name_is(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data, then the name, then the folder: in this order, or a power cut leaves a name without its data."""
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "data")
        fsync(descriptor)

    def noted_replace(path: Path, to: Path) -> Path:
        steps.append("name")
        return replace(path, to)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    spool.append(sealed((Stream.SCREEN, 0, 0)))
    assert steps == ["data", "name", "folder"]


def test_the_order_is_that_of_epoch_and_seq_and_no_clock_changes_it(spool: Spool, folder: Path) -> None:
    """Neither the wall clock in the header nor the files' times count: a clock set back does not reorder evidence."""
    keys: list[Key] = [(Stream.SCREEN, 0, 9), (Stream.SCREEN, 0, 10), (Stream.SCREEN, 1, 0), (Stream.SCREEN, 10, 0)]
    for back, key in enumerate(keys):
        spool.append(sealed(key, wall_us=10**15 - back * 10**12))
        os.utime(spool.folder / f"screen-{key[1]:06d}-{key[2]:010d}.record", (0, 10**9 - back * 10**6))
    assert list(spool.oldest(Stream.SCREEN)) == keys
    assert list(Spool(folder).open().oldest(Stream.SCREEN)) == keys


def test_a_number_longer_than_its_digits_is_found_again(spool: Spool, folder: Path) -> None:
    key = (Stream.SCREEN, 10**7, 10**12)
    spool.append(sealed(key))
    assert everything(Spool(folder).open()) == [key]


def test_what_waits_after_a_place_is_found_without_what_waits_before_it(spool: Spool) -> None:
    keys: list[Key] = [(Stream.WEBCAM, epoch, seq) for epoch in (0, 1) for seq in range(3)]
    for key in keys:
        spool.append(sealed(key))
    assert list(spool.after(Stream.WEBCAM, 0, 2)) == keys[2:]
    assert list(spool.after(Stream.WEBCAM, 0, 3)) == keys[3:]
    assert list(spool.after(Stream.WEBCAM, 1, 3)) == []


def test_a_key_that_comes_twice_does_not_overwrite_what_waits(spool: Spool, folder: Path) -> None:
    first, second = sealed(SCREEN_1, b"first"), sealed(SCREEN_1, b"second")
    spool.append(first)
    spool.append(second)
    assert (spool.read(SCREEN_1), spool.waiting[0], spool.aside) == (second.data, 1, 1)
    assert (folder / "aside" / "screen-000000-0000000001.record").read_bytes() == first.data


# refused for good


def test_what_the_service_refuses_is_kept_and_counted_but_not_offered_again(spool: Spool, folder: Path) -> None:
    record = sealed(SCREEN_1)
    for _ in range(2):  # another one under the same name does not replace the first
        spool.append(record)
        spool.set_aside(SCREEN_1)
    again = Spool(folder).open()
    for each in (spool, again):
        assert (each.waiting, everything(each), each.aside) == ((0, 0), [], 2)
    kept = [path.read_bytes() for path in (folder / "aside").iterdir()]
    assert kept == [record.data] * 2
    again.purge()
    assert not folder.exists()


def test_a_record_that_is_gone_cannot_be_set_aside_and_is_not_counted(spool: Spool, folder: Path) -> None:
    spool.append(sealed(SCREEN_1))
    next(folder.glob("*.record")).unlink()
    spool.set_aside(SCREEN_1)
    assert (spool.waiting, spool.aside) == ((0, 0), 0)


# orphans and strangers


def test_what_was_never_finished_is_removed_and_a_stranger_is_left_alone(folder: Path) -> None:
    folder.mkdir(parents=True)
    strangers = [
        "notes.txt", "copy of screen.record", "screen-1-1.record", "screen-+00001-0000000001.record",
        "screen-000001-000000000１.record", "screen-0000001-0000000001.record", "identity-000000-0000000000.record",
        "screen-000000-99999999999999999999.record", "other.part",
    ]  # fmt: skip
    for name in (*strangers, "screen-000001-0000000001.record.part"):
        (folder / name).write_text("mine")
    spool = Spool(folder).open()
    assert (spool.waiting, everything(spool)) == ((0, 0), [])
    assert {path.name for path in folder.iterdir()} == set(strangers)


def test_links_pipes_and_folders_are_no_records(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(parents=True)
    (tmp_path / "secret").write_text("not evidence")
    (folder / "screen-000000-0000000001.record").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "screen-000000-0000000002.record")
    (folder / "screen-000000-0000000003.record").mkdir()
    assert everything(Spool(folder).open()) == []


@pytest.mark.parametrize("put", [lambda path: path.symlink_to("/etc/hostname"), os.mkfifo, Path.mkdir])
def test_what_was_put_in_a_records_place_is_neither_followed_nor_waited_for(
    spool: Spool, folder: Path, put: Any
) -> None:
    spool.append(sealed(SCREEN_1))
    (path,) = folder.iterdir()
    path.unlink()
    put(path)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match=r"symbolic links|regular file") as error:
        spool.read(SCREEN_1)
    assert not isinstance(error.value, Gone)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_huge_file_is_not_read_to_its_end(spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "LONGEST", 1000)
    spool.append(sealed(SCREEN_1))
    os.truncate(next(folder.iterdir()), 100 * GIB)  # a hole, which costs no disk
    data = spool.read(SCREEN_1)
    fault = spool.examine(SCREEN_1, data)
    assert len(data) == 1001
    assert fault is not None
    assert fault.kind == "altered"
    assert Spool(folder).open().waiting == (1, 1000)


# gone


def test_a_record_that_vanished_is_gone_and_can_be_forgotten_once(spool: Spool, folder: Path) -> None:
    spool.append(sealed(SCREEN_1))
    shutil.rmtree(folder)
    with pytest.raises(Gone, match="No such file"):
        spool.read(SCREEN_1)
    assert spool.waiting[0] == 1
    assert [spool.forget(SCREEN_1), spool.forget(SCREEN_1)] == [True, False]
    assert spool.waiting == (0, 0)


def test_a_folder_that_vanished_is_made_again_and_the_session_goes_on(spool: Spool, folder: Path) -> None:
    spool.append(sealed(SCREEN_1))
    shutil.rmtree(folder.parent)
    second = sealed((Stream.SCREEN, 0, 2))
    spool.append(second)
    assert (spool.trouble, spool.read((Stream.SCREEN, 0, 2))) == ("", second.data)
    assert everything(Spool(folder).open()) == [(Stream.SCREEN, 0, 2)]


def test_a_file_in_the_folders_place_is_trouble_that_passes(spool: Spool, folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("in the way")
    record = sealed(SCREEN_1)
    spool.append(record)
    assert spool.trouble != ""
    assert (spool.read(SCREEN_1), len(spool.held)) == (record.data, 1)
    folder.unlink()
    spool.write_down()
    assert (spool.trouble, len(spool.held)) == ("", 0)
    assert (everything(Spool(folder).open()), spool.read(SCREEN_1)) == ([SCREEN_1], record.data)


def test_a_folder_that_cannot_be_made_is_an_error_of_open(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        Spool(tmp_path / "file").open()


# two at once


def test_records_come_and_go_in_two_threads_while_they_are_looked_through(spool: Spool) -> None:
    """One thread appends; the other walks over what waits and acknowledges half of it, the walk of before still open."""
    records = [sealed((stream, 0, seq), bytes(50)) for seq in range(40) for stream in (Stream.SCREEN, Stream.AUDIO)]

    def write() -> None:
        for record in records:
            spool.append(record)

    writer = threading.Thread(target=write)
    walk, taken = spool.oldest(Stream.SCREEN), list[Key]()
    writer.start()
    while writer.is_alive():
        for key in (each for each in spool.oldest(Stream.AUDIO) if each[2] % 2):
            assert len(spool.read(key)) > 50
            spool.acknowledge(key)
            taken.append(key)
        records_waiting, size = spool.waiting
        assert (records_waiting > 0) == (size > 0)
    writer.join()
    for key in (each for each in spool.oldest(Stream.AUDIO) if each[2] % 2):
        spool.acknowledge(key)
        taken.append(key)
    assert list(walk) == [record.header.key for record in records if record.header.stream is Stream.SCREEN]
    assert sorted(taken) == [(Stream.AUDIO, 0, seq) for seq in range(1, 40, 2)]
    left = [record for record in records if record.header.key not in set(taken)]
    assert spool.waiting == (len(left), sum(len(record.data) for record in left))
    assert len(list(spool.folder.iterdir())) == len(left)


def test_a_second_agent_that_takes_the_unfinished_file_away_costs_nothing(
    spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """agent/lock.py lets none in; were there one, the record is written again."""
    fsync, opened = os.fsync, list[Spool]()

    def interfered(descriptor: int) -> None:
        fsync(descriptor)
        if not opened:
            opened.append(Spool(folder).open())

    monkeypatch.setattr(os, "fsync", interfered)
    record = sealed(SCREEN_1)
    spool.append(record)
    assert (spool.trouble, spool.read(SCREEN_1), opened[0].waiting) == ("", record.data, (0, 0))


def test_a_record_delivered_while_it_is_written_down_leaves_no_file(
    spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shelf, "save", _refusing)
        spool.append(sealed(SCREEN_1))
    fsync = os.fsync

    def delivered(descriptor: int) -> None:
        fsync(descriptor)
        spool.acknowledge(SCREEN_1)

    monkeypatch.setattr(os, "fsync", delivered)
    spool.write_down()
    assert (spool.waiting, len(spool.held), list(folder.iterdir())) == ((0, 0), 0, [])


def test_a_held_record_that_is_refused_for_good_is_set_aside_as_well(
    spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shelf, "save", _refusing)
        spool.append(sealed(SCREEN_1))
    spool.set_aside(SCREEN_1)
    assert (spool.waiting, spool.aside, Spool(folder).open().aside) == ((0, 0), 1, 1)


def test_a_file_that_cannot_be_removed_is_offered_again_by_the_next_agent(
    spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.append(sealed(SCREEN_1))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", _refusing)
        spool.acknowledge(SCREEN_1)
    assert (spool.waiting, everything(Spool(folder).open())) == ((0, 0), [SCREEN_1])


def test_opening_asks_the_disk_for_its_room(folder: Path) -> None:
    spool = Spool(folder, Room(1000, 0, lambda _: 300, lambda _: 300)).open()
    assert (spool.room_status(), spool.level, spool.dropping) == ((300, None), "full", False)


def _refusing(*_: Any, **__: Any) -> None:
    raise OSError(28, "No space left on device")

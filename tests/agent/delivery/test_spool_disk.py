"""A disk that runs short: what is given up and told, what is held, what is refused, and how all comes back."""

import errno
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from secureproctor.agent.delivery import shelf
from secureproctor.agent.delivery import spool as spooling
from secureproctor.agent.delivery.room import Room
from secureproctor.agent.delivery.sealer import Sealed
from secureproctor.agent.delivery.spool import Dropped, Gone, Key, Spool, SpoolFull
from secureproctor.agent.durable import save
from secureproctor.contract.record import GENESIS, Header, RecordKind, record_hash, seal
from secureproctor.contract.streams import Stream

PUBLIC = X25519PrivateKey.generate().public_key()
SESSION = uuid.UUID(int=1)
BODY = 1000
SIZE = len(seal(Header(RecordKind.MEDIA, Stream.SCREEN, SESSION, 0, 0, 0, 0, 0, GENESIS), bytes(BODY), PUBLIC))


def sealed(stream: Stream, seq: int, start_s: int = 0, epoch: int = 0) -> Sealed:
    """A record of SIZE bytes; of media, seq 0 is the init record."""
    own = {Stream.EVENTS: RecordKind.EVENTS, Stream.STILLS: RecordKind.STILL}
    kind = own.get(stream, RecordKind.MEDIA if seq else RecordKind.INIT)
    header = Header(kind, stream, SESSION, epoch, seq, start_s * 10**6, 2 * 10**6, 0, GENESIS)
    return Sealed(header, seal(header, bytes(BODY), PUBLIC))


def everything(spool: Spool) -> list[Key]:
    return [key for stream in Stream for key in spool.oldest(stream)]


class Refusing:
    """A disk that answers each write with an error, while it is in place."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
        self.monkeypatch, self.code, self.asked = monkeypatch, code, 0
        self.real = save

    def __call__(self, *_: Any, **__: Any) -> None:
        self.asked += 1
        raise OSError(self.code, os.strerror(self.code))

    def __enter__(self) -> "Refusing":
        self.monkeypatch.setattr(shelf, "save", self)
        return self

    def __exit__(self, *_: object) -> None:
        self.monkeypatch.setattr(shelf, "save", self.real)


@pytest.fixture
def told() -> list[Dropped]:
    return []


@pytest.fixture
def spool(tmp_path: Path, told: list[Dropped]) -> Spool:
    """With room for six records and a half."""
    room = Room(6 * SIZE + SIZE // 2, 0)
    return Spool(tmp_path / "spool", room, told.append, SESSION).open()


def filled(spool: Spool) -> dict[Key, Sealed]:
    """Two inits, three pieces of video and one of sound, the webcam's the oldest."""
    records = [
        sealed(Stream.SCREEN, 0), sealed(Stream.WEBCAM, 0), sealed(Stream.WEBCAM, 1, 0),
        sealed(Stream.SCREEN, 1, 1), sealed(Stream.WEBCAM, 2, 2), sealed(Stream.AUDIO, 1, 0),
    ]  # fmt: skip
    for record in records:
        spool.append(record)
    return {record.header.key: record for record in records}


def test_the_oldest_video_goes_first_and_each_is_told_with_its_hash(spool: Spool, told: list[Dropped]) -> None:
    records = filled(spool)
    assert (told, spool.dropping) == ([], False)
    new = [sealed(Stream.AUDIO, 2), sealed(Stream.EVENTS, 0), sealed(Stream.SCREEN, 2, 4)]
    for record in new:
        spool.append(record)
    gone = [(Stream.WEBCAM, 0, 1), (Stream.SCREEN, 0, 1), (Stream.WEBCAM, 0, 2)]
    assert told == [Dropped(records[key].header, record_hash(records[key].data)) for key in gone]
    assert (spool.dropping, spool.level, spool.trouble) == (True, "least", "")
    assert set(everything(spool)) == (set(records) - set(gone)) | {record.header.key for record in new}
    assert spool.waiting == (6, 6 * SIZE)
    with pytest.raises(Gone):
        spool.read(gone[0])
    assert spool.forget(gone[0]) is False  # nobody took it away


def test_without_older_video_a_new_one_is_held_and_sound_events_and_stills_are_written(
    spool: Spool, told: list[Dropped]
) -> None:
    for seq in range(6):
        spool.append(sealed(Stream.AUDIO, seq))
    spool.append(sealed(Stream.SCREEN, 1))
    assert (spool.trouble, list(spool.held)) == ("No space left on device", [(Stream.SCREEN, 0, 1)])
    for stream in (Stream.AUDIO, Stream.EVENTS, Stream.STILLS, Stream.WEBCAM):  # the last one an init record
        spool.append(sealed(stream, 6 if stream is Stream.AUDIO else 0))
    assert (spool.trouble, len(spool.held), len(list(spool.folder.iterdir())), told) == ("", 1, 10, [])
    for seq in range(6):
        spool.acknowledge((Stream.AUDIO, 0, seq))
    spool.write_down()
    assert (len(spool.held), everything(Spool(spool.folder).open())) == (0, everything(spool))


def test_what_was_given_up_is_known_until_the_gap_is_on_the_record(spool: Spool, told: list[Dropped]) -> None:
    filled(spool)
    spool.append(sealed(Stream.AUDIO, 2))
    again = Spool(spool.folder, session=SESSION).open()
    assert list(again.untold()) == list(spool.untold()) == told
    for _ in range(2):
        again.bridged((Stream.WEBCAM, 0, 1))
    assert list(again.untold()) == list(Spool(spool.folder).open().untold()) == []


def test_what_is_left_of_a_given_up_record_is_its_header(spool: Spool) -> None:
    filled(spool)
    spool.append(sealed(Stream.AUDIO, 2))
    (left,) = spool.folder.glob("*.dropped")
    assert left.stat().st_size == SIZE - BODY - 48


def test_a_damaged_record_is_not_given_up_but_left_for_the_uploader_to_tell(spool: Spool, told: list[Dropped]) -> None:
    filled(spool)
    for name, damage in (
        ("webcam-000000-0000000001", b"junk"),
        ("screen-000000-0000000001", sealed(Stream.SCREEN, 9).data),
    ):
        (spool.folder / f"{name}.record").write_bytes(damage)
    (spool.folder / "webcam-000000-0000000002.record").unlink()
    spool.append(sealed(Stream.AUDIO, 2))
    assert (told, len(everything(spool))) == ([], 7)


def test_a_disk_that_says_full_though_room_was_seen_gets_room_made(
    spool: Spool, told: list[Dropped], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a user's quota does, of which the free space says nothing."""
    spool.room.quota_bytes = 10**9
    records = filled(spool)

    def within_quota(path: Path, data: bytes) -> None:
        if sum(each.stat().st_size for each in spool.folder.iterdir()) + len(data) > 6 * SIZE:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
        save(path, data)

    monkeypatch.setattr(shelf, "save", within_quota)
    monkeypatch.setattr(spooling, "SLACK", 0)
    spool.append(sealed(Stream.AUDIO, 2))
    assert [dropped.header.key for dropped in told] == [(Stream.WEBCAM, 0, 1), (Stream.SCREEN, 0, 1)]
    assert (spool.trouble, spool.dropping, spool.level, len(spool.held)) == ("", True, "least", 0)
    assert spool.room_status()[0] == 0
    assert len(everything(spool)) == len(records) - 1


def test_others_who_fill_the_disk_do_not_make_it_give_up_everything(
    spool: Spool, told: list[Dropped], monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.room.quota_bytes = 10**9
    filled(spool)
    monkeypatch.setattr(spooling, "SLACK", 0)
    with Refusing(monkeypatch, errno.ENOSPC) as disk:
        spool.append(sealed(Stream.AUDIO, 2))
        assert (disk.asked, len(told), spool.trouble) == (3, 2, "No space left on device")
    assert spool.read((Stream.AUDIO, 0, 2)) == spool.held.get((Stream.AUDIO, 0, 2))


def test_a_disk_below_its_floor_costs_no_more_than_comes_in(spool: Spool, told: list[Dropped]) -> None:
    spool.room.quota_bytes = 10**9
    filled(spool)
    spool.room.floor_bytes, spool.room.free, spool.room.total = 10**9, lambda _: 10**8, lambda _: 10**12
    spool.append(sealed(Stream.EVENTS, 0))
    assert (len(told), spool.waiting[0]) == (1, 6)


def test_a_disk_that_lets_nothing_go_keeps_it_all_waiting(
    spool: Spool, told: list[Dropped], monkeypatch: pytest.MonkeyPatch
) -> None:
    records = filled(spool)
    with monkeypatch.context() as patch, Refusing(monkeypatch, errno.EROFS):
        patch.setattr(Path, "replace", _read_only)
        spool.append(sealed(Stream.SCREEN, 2, 4))
    assert (told, spool.trouble, len(spool.held)) == ([], "No space left on device", 1)
    assert all(spool.read(key) == record.data for key, record in records.items())
    spool.append(sealed(Stream.SCREEN, 3, 6))  # and the oldest is still the first to go
    assert [dropped.header.key for dropped in told] == [(Stream.WEBCAM, 0, 1)]


def _read_only(*_: Any) -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


# in memory


def test_a_read_only_disk_is_met_in_memory_and_written_down_later(
    spool: Spool, told: list[Dropped], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Refusing(monkeypatch, errno.EROFS):
        for seq in range(1, 6):
            spool.append(sealed(Stream.AUDIO, seq))
        assert (spool.trouble, len(spool.held), spool.level) == ("Read-only file system", 5, "least")
        spool.write_down()
        assert (spool.trouble, spool.waiting) == ("Read-only file system", (5, 5 * SIZE))
        assert list(spool.folder.iterdir()) == []
    spool.append(sealed(Stream.AUDIO, 6))
    assert (spool.trouble, len(spool.held)) == ("", 1)  # some at once, so that the new one need not wait long
    spool.write_down()
    assert len(spool.held) == 0
    assert (
        everything(Spool(spool.folder).open()) == everything(spool) == [(Stream.AUDIO, 0, seq) for seq in range(1, 7)]
    )
    assert told == []


def test_in_memory_too_the_oldest_video_gives_way_and_then_media_are_refused(
    spool: Spool, told: list[Dropped], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "MEMORY_LIMIT", 3 * SIZE)
    with Refusing(monkeypatch, errno.EACCES):
        video = [sealed(Stream.SCREEN, seq, seq) for seq in (0, 1, 2)]
        for record in video:
            spool.append(record)
        spool.append(sealed(Stream.AUDIO, 1))
        assert told == [Dropped(video[1].header, record_hash(video[1].data))]
        spool.append(sealed(Stream.AUDIO, 2))
        assert told[1].header == video[2].header
        for record in (sealed(Stream.AUDIO, 3), sealed(Stream.WEBCAM, 1)):
            with pytest.raises(SpoolFull, match="Permission denied"):
                spool.append(record)
        spool.append(sealed(Stream.EVENTS, 0))
        spool.append(sealed(Stream.WEBCAM, 0))
        assert (len(spool.held), spool.waiting, spool.dropping) == (5, (5, 5 * SIZE), True)
    assert list(spool.untold()) == []  # they never were on the disk


def test_what_was_delivered_from_memory_is_not_written_down(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    with Refusing(monkeypatch, errno.EROFS):
        spool.append(sealed(Stream.AUDIO, 1))
    spool.acknowledge((Stream.AUDIO, 0, 1))
    spool.write_down()
    assert (list(spool.folder.iterdir()), spool.waiting) == ([], (0, 0))


def test_a_record_written_down_late_is_still_the_oldest_to_give_up(
    spool: Spool, told: list[Dropped], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Refusing(monkeypatch, errno.EROFS):
        spool.append(sealed(Stream.SCREEN, 1))
    for seq in range(2, 8):
        spool.append(sealed(Stream.SCREEN, seq, seq))
    assert [dropped.header.key for dropped in told] == [(Stream.SCREEN, 0, 1)]


# real disks


@pytest.mark.parametrize("course", ["full", "read_only", "limited"])
def test_on_a_real_disk(course: str, tmp_path: Path) -> None:
    """The course is told in small_disk.py. It runs in a mount namespace of its own, so that nothing stays mounted."""
    program = [sys.executable, str(Path(__file__).with_name("small_disk.py")), course, str(tmp_path)]
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", *program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, ["done"]), done.stderr

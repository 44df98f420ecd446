"""Courses of a spool on a disk of 2 MB that really fills up, or really takes nothing: `small_disk.py COURSE FOLDER`.

To be run in a mount namespace of its own (unshare --map-root-user --mount), with which the disk goes.
"""

import resource
import signal
import subprocess
import sys
import uuid
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from secureproctor.agent.delivery.room import Room
from secureproctor.agent.delivery.sealer import Sealed
from secureproctor.agent.delivery.spool import Dropped, Spool
from secureproctor.contract.record import GENESIS, Header, RecordKind, seal
from secureproctor.contract.streams import Stream

PUBLIC = X25519PrivateKey.generate().public_key()
SESSION = uuid.UUID(int=1)
BLIND = Room(10**12, 0, lambda _: 10**12, lambda _: 10**12)
"""A guard that sees room where there is none: only the disk itself says no."""


def sealed(stream: Stream, seq: int, size: int) -> Sealed:
    kind = RecordKind.MEDIA if seq else RecordKind.INIT
    header = Header(kind, stream, SESSION, 0, seq, seq * 10**6, 10**6, 0, GENESIS)
    return Sealed(header, seal(header, bytes(size), PUBLIC))


def mounted(folder: Path, *options: str) -> Path:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(folder)], check=True)
    return folder / "spool"


def remounted(folder: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(folder)], check=True)


def full(folder: Path) -> None:
    """The disk fills: the oldest video goes. Others fill it, too: records are held. They leave: all is written down."""
    told: list[Dropped] = []
    spool = Spool(mounted(folder), BLIND, told.append, SESSION).open()
    for seq in range(40):
        spool.append(sealed(Stream.SCREEN, seq, 100_000))
        spool.append(sealed(Stream.AUDIO, seq, 8_000))
        assert spool.trouble == "", spool.trouble
    gone = [dropped.header.seq for dropped in told]
    assert gone == list(range(1, len(gone) + 1)), gone
    assert [key[2] for key in spool.oldest(Stream.SCREEN)] == [0, *range(len(gone) + 1, 40)]
    assert [key[2] for key in spool.oldest(Stream.AUDIO)] == list(range(40))
    _filled_by_others(folder / "others", spool)
    again = Spool(folder / "spool", session=SESSION).open()
    assert again.waiting == spool.waiting
    assert all(again.examine(key, again.read(key)) is None for stream in Stream for key in again.oldest(stream))
    assert [dropped.header for dropped in again.untold()] == [dropped.header for dropped in told]


def _filled_by_others(others: Path, spool: Spool) -> None:
    for key in list(spool.oldest(Stream.SCREEN))[1:]:
        spool.acknowledge(key)
    try:
        with others.open("wb", buffering=0) as file:
            while file.write(bytes(4096)) == 4096:
                pass
    except OSError:
        pass
    for seq in (40, 41):
        spool.append(sealed(Stream.AUDIO, seq, 8_000))
    assert (spool.trouble, len(spool.held)) == ("No space left on device", 2)
    assert list(spool.folder.glob("*.part")) == []
    others.unlink()
    spool.append(sealed(Stream.AUDIO, 42, 8_000))
    assert (spool.trouble, len(spool.held)) == ("", 0)
    assert [key[2] for key in spool.oldest(Stream.AUDIO)] == list(range(43))


def read_only(folder: Path) -> None:
    """Nothing is lost on a disk that becomes read-only, an agent can open it and deliver, and it recovers."""
    first, second = sealed(Stream.SCREEN, 1, 1000), sealed(Stream.SCREEN, 2, 1000)
    spool = Spool(mounted(folder), session=SESSION).open()
    spool.append(first)
    (spool.folder / "screen-000000-0000000009.record.part").write_bytes(b"torn")
    remounted(folder, "ro")
    spool.append(second)
    assert (spool.trouble, spool.read(second.header.key)) == ("Read-only file system", second.data)
    spool.acknowledge(first.header.key)
    spool.set_aside(first.header.key)
    again = Spool(folder / "spool", session=SESSION).open()
    assert (again.waiting[0], again.read(first.header.key)) == (1, first.data)
    remounted(folder, "rw")
    spool.write_down()
    assert (spool.trouble, len(spool.held)) == ("", 0)
    assert Spool(folder / "spool").open().waiting[0] == 2
    assert list(folder.glob("spool/*.part")) == []


def limited(folder: Path) -> None:
    """RLIMIT_FSIZE refuses a record in the middle of its write; nothing of it stays on the disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    spool = Spool(mounted(folder), session=SESSION).open()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    for seq, size in ((1, 500), (2, 1100)):
        spool.append(sealed(Stream.SCREEN, seq, size))
    assert (spool.trouble, list(spool.held)) == ("File too large", [(Stream.SCREEN, 0, 2)])
    assert len(list(spool.folder.iterdir())) == 1


if __name__ == "__main__":
    {"full": full, "read_only": read_only, "limited": limited}[sys.argv[1]](Path(sys.argv[2]))
    sys.stdout.write("done\n")

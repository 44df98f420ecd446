"""The spool on a real disk: against a model, across crashes, and when the disk takes nothing more."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from secureproctor.agent.delivery import spool as spooling
from secureproctor.agent.delivery.sealer import Sealed
from secureproctor.agent.delivery.spool import Key, Spool, SpoolFull
from secureproctor.contract.record import GENESIS, Header, RecordKind
from secureproctor.contract.streams import Stream


def sealed(key: Key, data: bytes = b"record") -> Sealed:
    stream, epoch, seq = key
    return Sealed(Header(RecordKind.MEDIA, stream, uuid.UUID(int=1), epoch, seq, 0, 0, 0, GENESIS), data)


def disk_that_refuses(*_: Any) -> None:
    raise OSError(28, "No space left on device")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "sessions" / "id" / "spool"


@pytest.fixture
def spool(folder: Path) -> Spool:
    return Spool(folder).open()


class SpoolModel(RuleBasedStateMachine):
    """A spool and a dict: whatever is asked of both, crashes and refusals of the disk included."""

    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="spool-model-"))
        self.spool = Spool(self.folder).open()
        self.model: dict[Key, bytes] = {}
        self.in_memory: set[Key] = set()
        self.write = spooling.Spool._write

    @rule(
        target=keys,
        stream=st.sampled_from(Stream),
        epoch=st.integers(0, 2),
        seq=st.integers(0, 12),
        data=st.binary(max_size=9),
    )
    def append(self, stream: Stream, epoch: int, seq: int, data: bytes) -> Key:
        key = (stream, epoch, seq)
        self.spool.append(sealed(key, data))
        self.model[key] = data
        self.in_memory.discard(key)
        assert self.spool.trouble == ""
        return key

    @rule(target=keys, stream=st.sampled_from(Stream), seq=st.integers(20, 25), data=st.binary(max_size=9))
    def append_to_a_full_disk(self, stream: Stream, seq: int, data: bytes) -> Key:
        key = (stream, 0, seq)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "open", disk_that_refuses)
            self.spool.append(sealed(key, data))
        self.model[key] = data
        self.in_memory.add(key)
        assert self.spool.trouble == "No space left on device"
        return key

    @rule(key=consumes(keys))
    def acknowledge(self, key: Key) -> None:
        self.spool.acknowledge(key)
        self.spool.acknowledge(key)
        self.model.pop(key, None)
        self.in_memory.discard(key)

    @rule(junk=st.binary(max_size=5))
    def crash(self, junk: bytes) -> None:
        """What was in memory is lost with the process; what was on the disk is found, and half a record is not."""
        (self.folder / "screen-000009-0000000009.part").write_bytes(junk)
        for key in self.in_memory:
            del self.model[key]
        self.in_memory.clear()
        self.spool = Spool(self.folder).open()
        assert list(self.folder.glob("*.part")) == []

    @invariant()
    def the_spool_holds_what_the_model_holds(self) -> None:
        assert {key: self.spool.read(key) for key in self.spool.sizes} == self.model
        assert self.spool.waiting == (len(self.model), sum(map(len, self.model.values())))
        for stream in Stream:
            assert list(self.spool.oldest(stream)) == sorted(key for key in self.model if key[0] is stream)

    def teardown(self) -> None:
        self.spool.purge()
        assert not self.folder.exists()


SpoolModel.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestSpoolModel = SpoolModel.TestCase


def test_a_record_is_whole_under_its_name_and_only_the_user_can_look(spool: Spool, folder: Path) -> None:
    spool.append(sealed((Stream.AUDIO, 2, 34)))
    assert [path.name for path in folder.iterdir()] == ["audio-000002-0000000034.record"]
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


def test_a_reopened_spool_delivers_in_the_same_order(spool: Spool, folder: Path) -> None:
    for key in ((Stream.SCREEN, 1, 0), (Stream.SCREEN, 0, 10), (Stream.SCREEN, 0, 9)):
        spool.append(sealed(key))
    assert [key[1:] for key in Spool(folder).open().oldest(Stream.SCREEN)] == [(0, 9), (0, 10), (1, 0)]


def test_a_number_longer_than_its_digits_is_found_again(spool: Spool, folder: Path) -> None:
    key = (Stream.SCREEN, 10**7, 10**12)
    spool.append(sealed(key))
    assert list(Spool(folder).open().sizes) == [key]


def test_a_stranger_in_the_folder_is_left_alone(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("notes.txt", "copy of screen.record", "screen-1.record"):
        (folder / name).write_text("mine")
    spool = Spool(folder).open()
    assert spool.waiting == (0, 0)
    assert len(list(folder.iterdir())) == 3


def test_a_record_that_vanished_is_an_error_to_read(spool: Spool, folder: Path) -> None:
    key = (Stream.SCREEN, 0, 0)
    spool.append(sealed(key))
    shutil.rmtree(folder)
    with pytest.raises(OSError, match="No such file"):
        spool.read(key)


def test_trouble_ends_with_the_first_record_that_the_disk_takes(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", disk_that_refuses)
        spool.append(sealed((Stream.SCREEN, 0, 0), b"held"))
    assert (spool.trouble, spool.read((Stream.SCREEN, 0, 0))) == ("No space left on device", b"held")
    assert list(spool.folder.iterdir()) == []
    spool.append(sealed((Stream.SCREEN, 0, 1)))
    assert (spool.trouble, spool.waiting[0]) == ("", 2)


def test_memory_is_bounded_and_then_the_record_is_refused(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "MEMORY_LIMIT", 10)
    monkeypatch.setattr(Path, "open", disk_that_refuses)
    spool.append(sealed((Stream.SCREEN, 0, 0), b"12345"))
    spool.append(sealed((Stream.SCREEN, 0, 1), b"67890"))
    with pytest.raises(SpoolFull, match="No space left"):
        spool.append(sealed((Stream.SCREEN, 0, 2), b"1"))
    assert spool.waiting == (2, 10)
    spool.acknowledge((Stream.SCREEN, 0, 0))
    spool.append(sealed((Stream.SCREEN, 0, 2), b"1"))
    assert spool.waiting == (2, 6)


LIMITED = """
import resource, signal, sys, uuid
from pathlib import Path
from secureproctor.agent.delivery.sealer import Sealed
from secureproctor.agent.delivery.spool import Spool
from secureproctor.contract.record import GENESIS, Header, RecordKind
from secureproctor.contract.streams import Stream

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
spool = Spool(Path(sys.argv[1])).open()
for seq, size in enumerate((900, 1100)):
    header = Header(RecordKind.MEDIA, Stream.SCREEN, uuid.UUID(int=1), 0, seq, 0, 0, 0, GENESIS)
    spool.append(Sealed(header, bytes(size)))
print(spool.trouble, *(len(spool.read(key)) for key in spool.oldest(Stream.SCREEN)), len(list(spool.folder.iterdir())))
"""


def test_a_real_limit_of_the_system_is_met_in_memory(folder: Path) -> None:
    """RLIMIT_FSIZE refuses the second record in the middle of its write; nothing of it stays on the disk."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder)], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.split() == ["File", "too", "large", "900", "1100", "1"]

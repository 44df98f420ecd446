"""Before-images: there before anything is changed, whole or not at all, and never overwritten."""

import json
import os
import stat
import sys
import zlib
from pathlib import Path

import pytest

from secureproctor.lockdown.holding import Held, hold, holder, holding, release
from secureproctor.lockdown.rule import Image
from secureproctor.lockdown.undo import StillKept, Undo

IMAGE: Image = {"was": {"a": "1", "b": None}, "ours": "x", "list": ["ü"], "deep": 1.5, "yes": True, "none": None}


@pytest.fixture
def undo(tmp_path: Path) -> Undo:
    return Undo(tmp_path, "linux/x11", lambda: 12.345)


def test_what_is_kept_is_left_until_it_is_forgotten(undo: Undo) -> None:
    undo.keep("power", IMAGE)
    (left,) = undo.left()
    assert (left.rule, left.image, left.place, left.pid, left.wall_ms) == (
        "power",
        IMAGE,
        "linux/x11",
        os.getpid(),
        12345,
    )
    undo.forget("power")
    assert undo.left() == ()
    assert undo.is_empty


def test_the_oldest_comes_first_whatever_the_clock_says(undo: Undo) -> None:
    for rule in ("printing", "keys", "power"):
        undo.keep(rule, IMAGE)
    undo.forget("keys")
    undo.keep("keys", IMAGE)
    assert [left.rule for left in undo.left()] == ["printing", "power", "keys"]


def test_an_older_image_is_never_overwritten(undo: Undo) -> None:
    undo.keep("power", IMAGE)
    with pytest.raises(StillKept):
        undo.keep("power", {"was": "locked by us"})
    assert undo.left()[0].image == IMAGE


def test_forgetting_what_is_not_there_is_harmless(undo: Undo) -> None:
    undo.forget("keys")
    assert Undo(undo.folder / "nowhere").left() == ()


def test_it_is_durable_in_the_order_that_matters(undo: Undo, monkeypatch: pytest.MonkeyPatch) -> None:
    """The content is on the disk before the name, and the name before anything is changed."""
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def noted_replace(path: Path, to: Path) -> Path:
        steps.append("name")
        return replace(path, to)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    undo.keep("power", IMAGE)
    assert steps == (["file", "name"] if sys.platform == "win32" else ["file", "name", "folder"])


def test_what_could_not_be_made_durable_is_not_kept(undo: Undo, monkeypatch: pytest.MonkeyPatch) -> None:
    for failing in (1, 2):  # the content, then the name
        calls = 0

        def fsync(_: int, failing: int = failing) -> None:
            nonlocal calls
            calls += 1
            if calls == failing:
                raise OSError(5, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fsync)
            with pytest.raises(OSError, match="Input/output"):
                undo.keep("power", IMAGE)
        assert undo.is_empty
        assert not list(undo.folder.glob("*.part"))
    undo.keep("power", IMAGE)


def damaged(data: bytes) -> list[bytes]:
    """What a disk may make of a file, and what a later version may have written."""
    flipped = [bytes((*data[:at], data[at] ^ 1, *data[at + 1 :])) for at in range(len(data))]
    return [data[:at] for at in range(len(data))] + flipped + [b"\x00" * len(data), data + b"x", b"null", b"[]"]


def test_a_file_that_was_damaged_anywhere_is_kept_aside_and_stops_no_other_one(undo: Undo) -> None:
    undo.keep("power", IMAGE)
    undo.keep("keys", IMAGE)
    path = undo.folder / "power.json"
    data = path.read_bytes()
    versions = damaged(data)
    for count, version in enumerate(versions, 1):
        path.write_bytes(version)
        assert [left.rule for left in undo.left()] == ["keys"], version
        assert not path.exists()
        assert len(undo.aside) == count
    assert {each.read_bytes() for each in undo.aside} == set(versions)


@pytest.mark.parametrize(("field", "value"), [("schema", 2), ("rule", "no_such_rule"), ("rule", "keys")])
def test_what_a_later_version_wrote_is_kept_aside(undo: Undo, field: str, value: object) -> None:
    undo.keep("power", IMAGE)
    path = undo.folder / "power.json"
    kept = json.loads(path.read_text())["kept"] | {field: value}
    body = json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()
    path.write_bytes(b'{"crc32":"%08x","kept":%s}' % (zlib.crc32(body), body))
    assert undo.left() == ()
    assert len(undo.aside) == 1


def test_files_are_for_this_user_only(tmp_path: Path) -> None:
    folder = tmp_path / "lockdown"
    with holding(folder, "the agent"):
        Undo(folder).keep("power", IMAGE)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}


def test_one_is_answerable_at_a_time_and_the_other_is_told_who(tmp_path: Path) -> None:
    with holding(tmp_path, "the agent"):
        with pytest.raises(Held, match=f"the agent, process {os.getpid()}"):
            hold(tmp_path, "the guardian")
        assert holder(tmp_path) == f"the agent, process {os.getpid()}"
    with holding(tmp_path, "the guardian"):
        pass


def test_the_lock_is_inherited_by_no_child(tmp_path: Path) -> None:
    descriptor = hold(tmp_path, "the agent")
    assert not os.get_inheritable(descriptor)
    release(descriptor)

"""Why a camera or a microphone does not open: what the kernel says, in every way that it can say it."""

import errno
import os
from pathlib import Path

import pytest

from secureproctor.capture import alsa, v4l2
from secureproctor.capture.microphone import diagnosis_of
from secureproctor.capture.source import Diagnosis


def refuses(number: int) -> v4l2.Ioctl:
    def ioctl(_fd: int, _request: int, _data: bytearray) -> object:
        raise OSError(number, os.strerror(number))

    return ioctl


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOENT, Diagnosis.MISSING),
        (errno.ENODEV, Diagnosis.MISSING),
        (errno.EACCES, Diagnosis.NO_PERMISSION),
        (errno.EPERM, Diagnosis.NO_PERMISSION),
        (errno.EIO, Diagnosis.STALLED),
    ],
)
def test_a_camera_that_cannot_be_opened_says_why(number: int, expected: Diagnosis) -> None:
    def opener(_path: str, _flags: int) -> int:
        raise OSError(number, os.strerror(number))

    assert v4l2.diagnose("/dev/video0", opener) is expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [(errno.EBUSY, Diagnosis.BUSY), (errno.ENOTTY, Diagnosis.MISSING), (errno.EINVAL, Diagnosis.MISSING)],
)
def test_a_camera_that_opens_and_gives_no_buffers_says_why(tmp_path: Path, number: int, expected: Diagnosis) -> None:
    (tmp_path / "video0").touch()
    before = len(os.listdir("/proc/self/fd"))
    assert v4l2.diagnose(str(tmp_path / "video0"), ioctl=refuses(number)) is expected
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_free_camera_is_asked_for_a_buffer_and_gets_it_back(tmp_path: Path) -> None:
    (tmp_path / "video0").touch()
    asked = []

    def ioctl(_fd: int, request: int, data: bytearray) -> object:
        asked.append((request, int.from_bytes(data[:4], "little")))
        return 0

    assert v4l2.diagnose(str(tmp_path / "video0"), ioctl=ioctl) is Diagnosis.OK
    assert asked == [(0xC0145608, 1), (0xC0145608, 0)]


def test_a_file_that_is_no_camera_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "video0").touch()
    assert v4l2.diagnose(str(tmp_path / "video0")) is Diagnosis.MISSING
    assert v4l2.diagnose(str(tmp_path / "video1")) is Diagnosis.MISSING


def test_an_index_names_a_node_and_a_path_stays() -> None:
    assert v4l2.node(3) == "/dev/video3"
    assert v4l2.node("/dev/v4l/by-id/usb") == "/dev/v4l/by-id/usb"


def sound_card(folder: Path, node: bool = True, listed: bool = True) -> tuple[Path, Path]:
    nodes, cards = folder / "snd", folder / "cards"
    nodes.mkdir()
    if node:
        (nodes / "pcmC0D0c").touch()
    cards.write_text(" 0 [PCH ]: HDA-Intel - HDA\n" if listed else "--- no soundcards ---\n")
    return nodes, cards


@pytest.mark.parametrize(
    ("node", "listed", "allowed", "expected"),
    [
        (True, True, True, Diagnosis.OK),
        (True, True, False, Diagnosis.NO_PERMISSION),
        (False, True, True, Diagnosis.MISSING),
        (False, False, True, Diagnosis.MISSING),
    ],
)
def test_no_card_and_no_permission_are_told_apart(
    tmp_path: Path, node: bool, listed: bool, allowed: bool, expected: Diagnosis
) -> None:
    assert alsa.diagnose(*sound_card(tmp_path, node, listed), may_record=lambda _: allowed) is expected


@pytest.mark.parametrize(
    ("number", "system", "expected"),
    [
        (-9985, Diagnosis.OK, Diagnosis.BUSY),
        (-9998, Diagnosis.OK, Diagnosis.BUSY),
        (-9996, Diagnosis.NO_PERMISSION, Diagnosis.NO_PERMISSION),
        (-9996, Diagnosis.MISSING, Diagnosis.MISSING),
        (None, Diagnosis.OK, Diagnosis.MISSING),
    ],
)
def test_portaudios_errors_are_translated(number: int | None, system: Diagnosis, expected: Diagnosis) -> None:
    assert diagnosis_of(number, system) is expected

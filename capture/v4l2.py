"""Why a Linux camera does not open, asked of the device itself (Video4Linux2).

OpenCV says "not opened" for a missing, a forbidden and a busy camera alike. The kernel tells them apart: open(2) gives
ENOENT or EACCES; a busy camera opens, and only asking for buffers gives EBUSY. Numbers and structures: linux/videodev2.h.
"""

import errno
import os
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from secureproctor.capture.source import Diagnosis

_QUERYCAP, _QUERYCAP_BYTES = 0x80685600, 104
_REQBUFS = 0xC0145608
_CAPTURE, _MMAP = 1, 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_MMAP
_DEVICE_CAPS_OFFSET, _CAN_CAPTURE = 88, 0x1

_BY_ERRNO: dict[int, Diagnosis] = {
    errno.ENOENT: Diagnosis.MISSING,
    errno.ENODEV: Diagnosis.MISSING,
    errno.ENXIO: Diagnosis.MISSING,
    errno.ENOTTY: Diagnosis.MISSING,  # something else than a camera answers there
    errno.EINVAL: Diagnosis.MISSING,  # a node without pictures, such as a camera's metadata node
    errno.EACCES: Diagnosis.NO_PERMISSION,
    errno.EPERM: Diagnosis.NO_PERMISSION,
    errno.EBUSY: Diagnosis.BUSY,
}

Ioctl = Callable[[int, int, bytearray], object]


def _ioctl(fd: int, request: int, data: bytearray) -> object:
    if sys.platform == "linux":
        import fcntl  # not on Windows, where this module is imported nevertheless

        return fcntl.ioctl(fd, request, data)
    else:  # noqa: RET505 - mypy knows the platform in this form only
        raise OSError(errno.ENOTTY, "Video4Linux2 exists on Linux only")


def node(device: int | str) -> str:
    """The device file of a camera index; a path stays as it is."""
    return f"/dev/video{device}" if isinstance(device, int) else device


def diagnose(path: str, opener: Callable[[str, int], int] = os.open, ioctl: Ioctl = _ioctl) -> Diagnosis:
    """Tries the camera at `path` and lets go of it. OK means that it could deliver now."""
    try:
        fd = opener(path, os.O_RDWR)
        try:
            for count in (1, 0):  # one buffer to see whether the queue is free, none to give it back
                ioctl(fd, _REQBUFS, bytearray(struct.pack("=5I", count, _CAPTURE, _MMAP, 0, 0)))
        finally:
            os.close(fd)
    except OSError as problem:
        return _BY_ERRNO.get(problem.errno or 0, Diagnosis.STALLED)
    return Diagnosis.OK


def cameras(sysfs: Path = Path("/sys/class/video4linux"), ioctl: Ioctl = _ioctl) -> list[tuple[int, str]]:
    """(index, name) of each node that delivers pictures; one that may not be opened is listed, as its kind is unknown."""
    found = []
    for entry in sorted(sysfs.glob("video*"), key=lambda path: int(path.name[5:])):
        index = int(entry.name[5:])
        if _captures(node(index), ioctl):
            with suppress(OSError):  # unplugged while listing
                found.append((index, (entry / "name").read_text().strip()))
    return found


def _captures(path: str, ioctl: Ioctl) -> bool:
    data = bytearray(_QUERYCAP_BYTES)
    try:
        fd = os.open(path, os.O_RDWR)
    except OSError as problem:
        return problem.errno in (errno.EACCES, errno.EPERM)
    try:
        ioctl(fd, _QUERYCAP, data)
    except OSError:
        return False
    finally:
        os.close(fd)
    return bool(struct.unpack_from("=I", data, _DEVICE_CAPS_OFFSET)[0] & _CAN_CAPTURE)

"""The displays, by QueryDisplayConfig: which picture goes to which output, and what is behind it (wingdi.h)."""

import ctypes
from ctypes import wintypes

from secureproctor.lockdown.windows import calls
from secureproctor.lockdown.windows.api import DisplayPath

QDC_ALL_PATHS, QDC_ONLY_ACTIVE_PATHS = 1, 2
PATH_ACTIVE, INSUFFICIENT_BUFFER = 0x1, 122
MODE_SOURCE, NO_MODE, GET_TARGET_NAME = 1, 0xFFFFFFFF, 2
EDID_IDS_VALID = 0x4


class _Luid(ctypes.Structure):
    _fields_ = (("low", wintypes.DWORD), ("high", wintypes.LONG))


class _Source(ctypes.Structure):
    _fields_ = (("adapter", _Luid), ("id", wintypes.UINT), ("mode", wintypes.UINT), ("status", wintypes.UINT))


class _Target(ctypes.Structure):
    _fields_ = (
        ("adapter", _Luid),
        ("id", wintypes.UINT),
        ("mode", wintypes.UINT),
        ("technology", wintypes.UINT),
        ("rotation", wintypes.UINT),
        ("scaling", wintypes.UINT),
        ("refresh", wintypes.UINT * 2),
        ("order", wintypes.UINT),
        ("available", wintypes.BOOL),
        ("status", wintypes.UINT),
    )


class _Path(ctypes.Structure):
    """DISPLAYCONFIG_PATH_INFO, 72 bytes."""

    _fields_ = (("source", _Source), ("target", _Target), ("flags", wintypes.UINT))


class _Mode(ctypes.Structure):
    """DISPLAYCONFIG_MODE_INFO, 64 bytes; of its union only a source's width and height are read."""

    _fields_ = (
        ("type", wintypes.UINT),
        ("id", wintypes.UINT),
        ("adapter", _Luid),
        ("width", wintypes.UINT),
        ("height", wintypes.UINT),
        ("rest", wintypes.UINT * 10),
    )


class _Name(ctypes.Structure):
    """DISPLAYCONFIG_TARGET_DEVICE_NAME."""

    _fields_ = (
        ("type", wintypes.UINT),
        ("size", wintypes.UINT),
        ("adapter", _Luid),
        ("id", wintypes.UINT),
        ("flags", wintypes.UINT),
        ("technology", wintypes.UINT),
        ("maker", wintypes.USHORT),
        ("product", wintypes.USHORT),
        ("connector", wintypes.UINT),
        ("friendly", wintypes.WCHAR * 64),
        ("path", wintypes.WCHAR * 128),
    )


class DisplayConfig:
    """Reads all outputs to which something is connected; where a system knows only of active ones, those."""

    def __init__(self) -> None:
        user = calls.Library("user32")
        count = ctypes.POINTER(wintypes.UINT)
        self._sizes = user("GetDisplayConfigBufferSizes", wintypes.LONG, wintypes.UINT, count, count)
        self._query = user(
            "QueryDisplayConfig",
            wintypes.LONG,
            wintypes.UINT,
            count,
            ctypes.POINTER(_Path),
            count,
            ctypes.POINTER(_Mode),
            ctypes.c_void_p,
        )
        self._info = user("DisplayConfigGetDeviceInfo", wintypes.LONG, ctypes.POINTER(_Name))

    def paths(self) -> tuple[DisplayPath, ...] | None:
        """`displays` of api.Readers."""
        for which in (QDC_ALL_PATHS, QDC_ONLY_ACTIVE_PATHS):
            read = self._read(which)
            if read is not None:
                paths, modes = read
                return self._plain(paths, modes)
        return None

    def _read(self, which: int) -> tuple[list[_Path], list[_Mode]] | None:
        path_count, mode_count = wintypes.UINT(), wintypes.UINT()
        while True:
            if self._sizes(which, ctypes.byref(path_count), ctypes.byref(mode_count)):
                return None
            paths, modes = (_Path * path_count.value)(), (_Mode * mode_count.value)()
            code = self._query(which, ctypes.byref(path_count), paths, ctypes.byref(mode_count), modes, None)
            if code == 0:
                return list(paths[: path_count.value]), list(modes[: mode_count.value])
            if code != INSUFFICIENT_BUFFER:  # a display came between the two calls
                return None

    def _plain(self, paths: list[_Path], modes: list[_Mode]) -> tuple[DisplayPath, ...]:
        found: dict[str, DisplayPath] = {}
        for path in paths:
            active = bool(path.flags & PATH_ACTIVE)
            target = f"{_key(path.target.adapter)}/{path.target.id}"
            # of all paths, most are ways that one display could be driven; its active one is what counts
            if (active or path.target.available) and (active or target not in found):
                found[target] = self._one(path, target, active, modes)
        return tuple(found.values())

    def _one(self, path: _Path, target: str, active: bool, modes: list[_Mode]) -> DisplayPath:
        name = _Name(type=GET_TARGET_NAME, size=ctypes.sizeof(_Name), adapter=path.target.adapter, id=path.target.id)
        named = self._info(ctypes.byref(name)) == 0
        valid = named and bool(name.flags & EDID_IDS_VALID)
        width, height = _size(path, modes) if active else (0, 0)
        return DisplayPath(
            source=f"{_key(path.source.adapter)}/{path.source.id}",
            target=target,
            active=active,
            technology=path.target.technology,
            name=name.friendly if named else "",
            maker=name.maker if valid else 0,
            product=name.product if valid else 0,
            width=width,
            height=height,
        )


def _key(luid: _Luid) -> str:
    return f"{luid.high & 0xFFFFFFFF:x}-{luid.low:x}"


def _size(path: _Path, modes: list[_Mode]) -> tuple[int, int]:
    index = path.source.mode
    if index == NO_MODE or index >= len(modes) or modes[index].type != MODE_SOURCE:
        return 0, 0
    return modes[index].width, modes[index].height

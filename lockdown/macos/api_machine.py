"""What macOS's own tools print of this machine, and sysctl. Not yet run on a Mac.

The tools ask the system anew each time, which the calls of AppKit would not do in an agent without a main run loop. `ioreg` and
`system_profiler` are asked at the start and when a display comes or goes, `netstat` every few seconds.
"""

import ctypes
import plistlib
import re
import xml.parsers.expat
from collections.abc import Mapping

from secureproctor.lockdown.macos.api import Properties
from secureproctor.lockdown.macos.frameworks import function, output

LIBRARY = "/usr/lib/libSystem.dylib"
ROOM = 1024
NUMBER = re.compile(r"[0-9a-fA-F]{1,8}")


class Machine:
    """Most of Readers of api.py."""

    def __init__(self) -> None:
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        self._sysctl = function(
            LIBRARY, "sysctlbyname", ctypes.c_int, ctypes.c_char_p, pointer, ctypes.POINTER(size), pointer, size
        )

    def control(self, name: str) -> str | None:
        """sysctlbyname: a number of four bytes, or a text."""
        room, length = ctypes.create_string_buffer(ROOM), ctypes.c_size_t(ROOM)
        if self._sysctl(name.encode(), room, ctypes.byref(length), None, 0):
            return None
        return control_text(room.raw[: length.value])

    def registry(self, name: str) -> tuple[Properties, ...] | None:
        """ioreg; objects of the class and of those derived from it."""
        return listed(output("/usr/sbin/ioreg", "-a", "-r", "-d", "1", "-c", name))

    def connections(self) -> str | None:
        """netstat."""
        printed = output("/usr/sbin/netstat", "-an", "-p", "tcp")
        return None if printed is None else printed.decode(errors="replace")

    def profile(self) -> Mapping[int, Properties] | None:
        """system_profiler."""
        printed = output("/usr/sbin/system_profiler", "-xml", "SPDisplaysDataType")
        found = listed(printed)
        return None if found is None else profile_of(found)


def control_text(value: bytes) -> str:
    """What sysctl gave: texts end with a NUL, and four bytes without one at their end's place are a number."""
    if len(value) == 4 and not (value[:3].isalnum() and value[3:] == b"\0"):
        return str(int.from_bytes(value, "little", signed=True))
    return value.partition(b"\0")[0].decode(errors="replace")


def listed(printed: bytes | None) -> tuple[Properties, ...] | None:
    """The dictionaries of a property list; nothing printed is none of them, which `ioreg` does for a class without objects."""
    if printed is None:
        return None
    if not printed.strip():
        return ()
    try:
        read = plistlib.loads(printed)
    except (ValueError, plistlib.InvalidFileException, xml.parsers.expat.ExpatError):
        return None
    return tuple(each for each in read if isinstance(each, dict)) if isinstance(read, list) else None


def profile_of(found: tuple[Properties, ...]) -> Mapping[int, Properties]:
    """Each display by its number (`_spdisplays_displayID`, hexadecimal): a report has graphics cards, these have displays."""
    cards = (card for report in found for card in _dictionaries(report.get("_items")))
    shown = (display for card in cards for display in _dictionaries(card.get("spdisplays_ndrvs")))
    numbered = ((str(display.get("_spdisplays_displayID", "")), display) for display in shown)
    return {int(number, 16): display for number, display in numbered if NUMBER.fullmatch(number)}


def _dictionaries(value: object) -> tuple[Properties, ...]:
    return tuple(each for each in value if isinstance(each, dict)) if isinstance(value, list) else ()

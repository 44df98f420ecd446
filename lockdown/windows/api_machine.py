"""Whether a hypervisor runs below Windows, and whether there is a battery.

CPUID cannot be asked from Python; the kernel tells what it was told itself (NtQuerySystemInformation, class 159, which phnt's
headers call SystemHypervisorDetailInformation: rows of four numbers, the first of them leaf 0x40000000). Microsoft does not
document it, Wine does not have it, and it has not been run on a real Windows yet: whatever looks otherwise than expected is
`None`, unknown.
"""

import ctypes
from ctypes import wintypes

from secureproctor.lockdown.windows import calls

HYPERVISOR_DETAIL, ROWS = 159, 7
NO_BATTERY, UNKNOWN_BATTERY = 128, 255


class _Power(ctypes.Structure):
    """SYSTEM_POWER_STATUS."""

    _fields_ = (
        ("line", ctypes.c_ubyte),
        ("battery", ctypes.c_ubyte),
        ("percent", ctypes.c_ubyte),
        ("saver", ctypes.c_ubyte),
        ("left_s", wintypes.DWORD),
        ("full_s", wintypes.DWORD),
    )


class Machine:
    """The readers `hypervisor` and `battery` of api.Readers."""

    def __init__(self) -> None:
        self._query = calls.Library("ntdll")(
            "NtQuerySystemInformation",
            wintypes.LONG,
            ctypes.c_int,
            ctypes.c_void_p,
            wintypes.ULONG,
            ctypes.POINTER(wintypes.ULONG),
        )
        self._power = calls.Library("kernel32")("GetSystemPowerStatus", wintypes.BOOL, ctypes.POINTER(_Power))

    def hypervisor(self) -> str | None:
        """Twelve characters (`Microsoft Hv`, `KVMKVMKVM`), empty without a hypervisor."""
        room, size = (ctypes.c_ubyte * (16 * ROWS))(), wintypes.ULONG()
        if self._query(HYPERVISOR_DETAIL, room, ctypes.sizeof(room), ctypes.byref(size)) != 0:
            return None
        return vendor(bytes(room[:16]))

    def battery(self) -> bool | None:
        """GetSystemPowerStatus."""
        power = _Power()
        if not self._power(ctypes.byref(power)) or power.battery == UNKNOWN_BATTERY:
            return None
        return not power.battery & NO_BATTERY


def vendor(row: bytes) -> str | None:
    """EBX, ECX and EDX of the leaf, behind EAX; None when that is no name."""
    name = row[4:16].rstrip(b"\0")
    return name.decode() if all(0x20 <= byte < 0x7F for byte in name) else None

"""What Windows says of displays, seat and hardware, in the words of lockdown/readings.py and the rules over it. Pure."""

import os
import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from secureproctor.lockdown.readings import Display, Processes
from secureproctor.lockdown.rules.hardware import Hardware
from secureproctor.lockdown.rules.seat import PORTS, Seat
from secureproctor.lockdown.windows.api import Adapter, Api, Connection, DisplayPath, Registry

T = TypeVar("T")

TECHNOLOGIES = {
    0: "vga",
    4: "dvi",
    5: "hdmi",
    6: "internal",
    10: "displayport",
    11: "internal",
    12: "displayport",
    13: "internal",
    15: "wireless",
    16: "usb",
    17: "virtual",
    18: "displayport",
    0x80000000: "internal",
}
"""DISPLAYCONFIG_VIDEO_OUTPUT_TECHNOLOGY (wingdi.h): 6 is LVDS, 11 and 13 are embedded, 16 and 17 are indirect displays."""
LISTEN, ESTABLISHED = 2, 5
LOOPBACK = ("127.", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.")

TERMINAL = "SYSTEM\\CurrentControlSet\\Control\\Terminal Server"
BIOS, CPU = "HARDWARE\\DESCRIPTION\\System\\BIOS", "HARDWARE\\DESCRIPTION\\System\\CentralProcessor\\0"
PCI_DEVICES = "SYSTEM\\CurrentControlSet\\Enum\\PCI"
DISKS = "SYSTEM\\CurrentControlSet\\Services\\disk\\Enum"
SERVICES = "SYSTEM\\CurrentControlSet\\Services"
GUEST_KEYS = {
    f"{SERVICES}\\VBoxGuest": "VirtualBox guest",
    f"{SERVICES}\\VMTools": "VMware Tools",
    f"{SERVICES}\\QEMU-GA": "QEMU guest agent",
    f"{SERVICES}\\xenbus": "Xen guest",
    f"{SERVICES}\\prl_tools": "Parallels Tools",
    "SOFTWARE\\Microsoft\\Virtual Machine\\Guest\\Parameters": "Hyper-V guest",
}
"""What is installed in guests only. The services vmic* of Hyper-V are on every Windows, and vmci is on VMware's hosts."""
MADE_BY_SOFTWARE = re.compile(
    r"hyper-v virtual ethernet|vmware virtual ethernet|virtualbox host-only|wi-fi direct|wan miniport|bluetooth|\btap\b|tap-"
    r"|tunnel|vpn|loopback|kernel debug|npcap",
    re.IGNORECASE,
)
"""Adapters that a real computer has besides its own: a host's side of its virtual machines, and tunnels."""


def displays(paths: tuple[DisplayPath, ...] | None) -> tuple[Display, ...] | None:
    """A display for each output. Two of them with one picture: the second mirrors the first."""
    if paths is None:
        return None
    names = _distinct([path.name or "display" for path in paths])
    shown: dict[str, str] = {}
    found = []
    for path, name in zip(paths, names, strict=True):
        technology = TECHNOLOGIES.get(path.technology, "unknown")
        mirrors = shown.setdefault(path.source, name) if path.active else name
        found.append(
            Display(
                name=name,
                on=path.active,
                technology=technology,
                internal=None if technology == "unknown" else technology == "internal",
                mirrors="" if mirrors == name else mirrors,
                edid=edid(path.maker, path.product),
                width=path.width,
                height=path.height,
            )
        )
    return tuple(found)


def edid(maker: int, product: int) -> str:
    """`DEL-40F1`: three letters of five bits in the byte order of EDID (VESA E-EDID, bytes 8 to 11), and the product."""
    if not maker:
        return ""
    swapped = (maker & 0xFF) << 8 | maker >> 8
    letters = "".join(chr(64 + (swapped >> shift & 31)) for shift in (10, 5, 0))
    return f"{letters}-{product:04X}"


def seat(api: Api) -> Seat:
    """Where the person sits. What X or logind would say is empty here, and not unknown."""
    connections = api.read.connections()
    return Seat(
        remote=_is_remote(api),
        service="",
        ssh=False,
        display="",
        display_server="",
        listening=_ports(connections, api.processes, lambda each: each.state == LISTEN),
        connected=_ports(connections, api.processes, lambda each: each.state == ESTABLISHED and not _is_local(each)),
    )


def hardware(api: Api) -> Hardware:
    """What this computer says of its make. Sensors are not asked: Windows tells of them with rights only, if at all."""
    registry, vendor, adapters = api.registry, api.read.hypervisor(), api.read.adapters()

    def text(path: str, *names: str) -> str | None:
        return _text(registry, path, names)

    return Hardware(
        maker=text(BIOS, "SystemManufacturer"),
        product=text(BIOS, "SystemProductName"),
        board=text(BIOS, "BaseBoardManufacturer", "BaseBoardProduct"),
        firmware=text(BIOS, "BIOSVendor", "BIOSVersion"),
        cpu=text(CPU, "ProcessorNameString"),
        hypervisor=None if vendor is None else bool(vendor),
        hypervisor_vendor=vendor,
        macs=None if adapters is None else _macs(adapters),
        pci=_readable(lambda: _pci(registry)),
        disks=_readable(lambda: _disks(registry)),
        guests=_readable(lambda: tuple(name for key, name in GUEST_KEYS.items() if registry.has("HKLM", key))),
        battery=api.read.battery(),
        cores=os.cpu_count(),
    )


def _is_remote(api: Api) -> bool | None:
    """SM_REMOTESESSION misses sessions with a virtual graphics card: those are told by another session on the glass
    (Microsoft, "Detecting the Terminal Services environment")."""
    if api.session.is_remote() or api.session.is_controlled() or (api.session.protocol() or 0) != 0:
        return True
    glass, own = _readable(lambda: api.registry.get("HKLM", TERMINAL, "GlassSessionId")), api.session.number()
    if glass is not None and own is not None:
        return glass.data != own
    return None if api.session.protocol() is None else False


def _ports(
    connections: tuple[Connection, ...] | None, processes: Processes, wanted: Callable[[Connection], bool]
) -> tuple[tuple[int, str], ...] | None:
    if connections is None:
        return None
    found = {(each.port, each.pid) for each in connections if each.port in PORTS and wanted(each)}
    named = {(port, _program(processes, pid)) for port, pid in found}
    return tuple(sorted(named))


def _program(processes: Processes, pid: int) -> str:
    running = processes.describe(pid)
    return running.name if running is not None else ""


def _is_local(connection: Connection) -> bool:
    return connection.remote.startswith(LOOPBACK)


def _macs(adapters: Iterable[Adapter]) -> tuple[str, ...]:
    return tuple(each.address for each in adapters if not MADE_BY_SOFTWARE.search(each.description))


def _pci(registry: Registry) -> tuple[str, ...]:
    found = (re.match(r"VEN_(\w{4})&DEV_(\w{4})", name) for name in registry.children("HKLM", PCI_DEVICES))
    return tuple(f"{each[1]}:{each[2]}".lower() for each in found if each)


def _disks(registry: Registry) -> tuple[str, ...]:
    """Those that are there now: `SCSI\\Disk&Ven_VBOX&Prod_HARDDISK\\…` is a `VBOX HARDDISK`."""
    count = registry.get("HKLM", DISKS, "Count")
    numbers = range(int(count.data)) if count is not None else range(0)
    values = (registry.get("HKLM", DISKS, str(number)) for number in numbers)
    return tuple(_model(str(value.data)) for value in values if value is not None)


def _model(device: str) -> str:
    return " ".join(re.findall(r"(?:Ven|Prod)_([^&\\]*)", device)).replace("_", " ").strip() or device


def _text(registry: Registry, path: str, names: Iterable[str]) -> str | None:
    values = _readable(lambda: [registry.get("HKLM", path, name) for name in names])
    return " ".join(str(value.data) for value in values or () if value is not None) or None


def _readable(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except OSError:
        return None


def _distinct(names: list[str]) -> list[str]:
    return [
        name if names.count(name) == 1 else f"{name} {names[:index].count(name) + 1}"
        for index, name in enumerate(names)
    ]

"""What macOS says of displays, seat and hardware, in the words of lockdown/readings.py and the rules over it. Pure.

The tables that are read here are what macOS's own tools print (netstat, ioreg, system_profiler). Their forms were taken from
documentation and from what others read of them; they have not been held against a Mac yet. What is not understood is unknown.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from secureproctor.lockdown.macos.api import Panel, Properties, Readers, Screen
from secureproctor.lockdown.readings import Display, Processes, Sign, Signs
from secureproctor.lockdown.rules import seat as seats
from secureproctor.lockdown.rules.hardware import Hardware
from secureproctor.lockdown.rules.seat import PORTS, Seat

UNKNOWN_VENDORS = frozenset({0, 0xFFFFFFFF, 0x756E6B6E})
"""kDisplayVendorIDUnknown (`unkn`), and no EDID at all."""
SSH = frozenset({"SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"})
SHARING = frozenset({"ScreensharingAgent", "screensharingd"})
"""They are started when somebody connects; ARDAgent runs wherever Remote Management is on, and says nothing."""
GUESTS = frozenset(
    {"prl_tools_service", "prltoolsd", "vmware-tools-daemon", "VBoxService", "VBoxClient", "spice-vdagent"}
)
TRANSLATED = "sysctl.proc_translated"


class Connection(NamedTuple):
    """A line of netstat's."""

    port: int
    state: str
    from_here: bool


class Outputs:
    """The displays, with what System Information says of them; that is slow, and asked again when another one is there."""

    def __init__(self, screen: Screen, read: Readers) -> None:
        self._screen, self._read = screen, read
        self._known: frozenset[int] | None = None
        self._profile: Mapping[int, Properties] = {}

    def displays(self) -> tuple[Display, ...] | None:
        """As DisplaysRule reads them."""
        panels = self._screen.displays()
        if panels is None:
            return None
        numbers = frozenset(panel.number for panel in panels)
        if numbers != self._known:
            self._known, self._profile = numbers, self._read.profile() or {}
        return displays(panels, self._profile)


def displays(panels: Iterable[Panel], profile: Mapping[int, Properties]) -> tuple[Display, ...]:
    """One that mirrors another shows something, though macOS does not count it as active. The panel of a closed notebook is not
    among them at all."""
    panels = tuple(panels)
    names = {panel.number: f"display {index + 1}" for index, panel in enumerate(panels)}
    return tuple(
        Display(
            name=names[panel.number],
            on=(panel.active or panel.mirrors != 0) and not panel.asleep,
            technology=technology(panel, profile.get(panel.number, {})),
            internal=panel.internal,
            mirrors=names.get(panel.mirrors, ""),
            edid=edid(panel.vendor, panel.model),
            width=panel.width,
            height=panel.height,
        )
        for panel in panels
    )


def technology(panel: Panel, said: Properties) -> str:
    """macOS has no public call for it. Sidecar says that it is AirPlay."""
    if panel.internal:
        return "internal"
    if said.get("spdisplays_connection_type") == "spdisplays_airplay":
        return "wireless"
    return "virtual" if said.get("spdisplays_virtualdevice") == "spdisplays_yes" else "unknown"


def edid(vendor: int, model: int) -> str:
    """`DEL-40F1`: three letters of five bits (VESA E-EDID, bytes 8 and 9, high byte first), and the product."""
    if vendor in UNKNOWN_VENDORS or vendor > 0x7FFF:
        return ""
    letters = "".join(chr(64 + (vendor >> shift & 31)) for shift in (10, 5, 0))
    return f"{letters}-{model & 0xFFFF:04X}"


class Sharing:
    """Programs that run while somebody shares the screen. A process is looked at once: there are hundreds, most of them old."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._names: dict[int, str] = {}

    def running(self) -> tuple[str, ...]:
        """Their names."""
        pids = self._processes.pids()
        for pid in pids - self._names.keys():
            running = self._processes.describe(pid)
            self._names[pid] = running.name if running is not None else ""
        self._names = {pid: name for pid, name in self._names.items() if pid in pids}
        return tuple(sorted(SHARING & set(self._names.values())))


def remote_signs(
    on_console: bool | None, table: str | None, sharing: Iterable[str], environ: Mapping[str, str]
) -> Signs:
    """The signs of a remote session. What X or logind would say is empty here, and not unknown."""
    lines = None if table is None else tuple(connections(table))
    signs = seats.signs_of(
        Seat(
            remote=None if on_console is None else not on_console,
            service="",
            ssh=not SSH.isdisjoint(environ),
            display="",
            display_server="",
            listening=_ports(lines, "LISTEN"),
            connected=_ports(lines, "ESTABLISHED"),
        )
    )
    shared = (Sign("service", 0.4, name) for name in sharing)
    return Signs((*signs.found, *shared), signs.unknown)


def connections(table: str) -> Iterator[Connection]:
    """The TCP connections of `netstat -an -p tcp`; other lines are passed over."""
    for line in table.splitlines():
        match line.split():
            case [protocol, _, _, local, remote, state, *_] if protocol.startswith("tcp"):
                _, _, port = local.rpartition(".")
                if port.isdecimal():
                    yield Connection(int(port), state, remote.startswith(("127.", "::1.", "fe80::1%lo0.")))


def running_of(names: frozenset[str], processes: Processes) -> tuple[str, ...]:
    """Those of these programs that run, by name."""
    described = (processes.describe(pid) for pid in processes.pids())
    return tuple(sorted({each.name for each in described if each is not None} & names))


def hardware(read: Readers, processes: Processes) -> Hardware:
    """What this computer says of its make. A program that is translated (Rosetta) is told of a processor that does not exist,
    on a real Mac, so then the processor is unknown. Sensors are not readable without rights."""
    expert = _first(read.registry("IOPlatformExpertDevice"))
    guest = read.control("kern.hv_vmm_present")
    return Hardware(
        maker=text(expert.get("manufacturer")),
        product=read.control("hw.model") or text(expert.get("model")),
        board=text(expert.get("board-id")) or ("" if expert else None),
        firmware="" if expert else None,
        cpu=None if read.control(TRANSLATED) == "1" else read.control("machdep.cpu.brand_string"),
        hypervisor=None if guest is None else guest == "1",
        hypervisor_vendor=None if guest is None else "",
        macs=_each(read.registry("IOEthernetController"), _mac),
        pci=_each(read.registry("IOPCIDevice"), _pci),
        disks=_each(read.registry("IOBlockStorageDevice"), _disk),
        guests=running_of(GUESTS, processes),
        battery=_is_any(read.registry("AppleSmartBattery")),
        cores=os.cpu_count(),
    )


def text(value: object) -> str | None:
    """A text of the I/O Registry, which has many as bytes with a NUL."""
    if isinstance(value, bytes):
        return value.decode(errors="replace").strip("\0 ")
    return value if isinstance(value, str) else None


def _first(found: tuple[Properties, ...] | None) -> Properties:
    return found[0] if found else {}


def _is_any(found: tuple[Properties, ...] | None) -> bool | None:
    return None if found is None else bool(found)


def _each(found: tuple[Properties, ...] | None, read: Callable[[Properties], str]) -> tuple[str, ...] | None:
    return None if found is None else tuple(text for each in found if (text := read(each)))


def _mac(adapter: Properties) -> str:
    address = adapter.get("IOMACAddress")
    return address.hex(":") if isinstance(address, bytes) and len(address) == 6 else ""


def _pci(device: Properties) -> str:
    """Numbers of two bytes, low byte first, in fields of four."""
    vendor, kind = device.get("vendor-id"), device.get("device-id")
    if not isinstance(vendor, bytes) or not isinstance(kind, bytes):
        return ""
    return ":".join(f"{int.from_bytes(number[:2], 'little'):04x}" for number in (vendor, kind))


def _disk(device: Properties) -> str:
    said = device.get("Device Characteristics")
    name = said.get("Product Name") if isinstance(said, Mapping) else None
    return re.sub(r"\s+", " ", name).strip() if isinstance(name, str) else ""


def _ports(lines: tuple[Connection, ...] | None, state: str) -> tuple[tuple[int, str], ...] | None:
    """Whose they are is not told to other users, and these belong to the system."""
    if lines is None:
        return None
    ports = {each.port for each in lines if each.state == state and each.port in PORTS and not each.from_here}
    return tuple((port, "") for port in sorted(ports))

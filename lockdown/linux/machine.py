"""What a Linux machine says of its own make: SMBIOS, processor, adapters, devices, disks, guest services, sensors.

All of it is readable by everybody; what is not there is unknown, and weighs nothing (rules/hardware.py has the weights).
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from secureproctor.lockdown.readings import Signs
from secureproctor.lockdown.rules.hardware import Hardware, signs_of

GUESTS = frozenset(
    {
        "VBoxService",
        "VBoxClient",
        "vmtoolsd",
        "vmware-vmblock-",
        "qemu-ga",
        "spice-vdagent",
        "spice-vdagentd",
        "hv_kvp_daemon",
        "hv_vss_daemon",
        "xe-daemon",
        "prltoolsd",
        "prlcc",
        "google_guest_ag",
        "amazon-ssm-agen",
        "waagent",
    }
)
"""Services of guests, by the kernel's short names. Their packages start them in a virtual machine only."""
XEN = "XenVMMXenVMM"
SENSORS = ("*/temp*_input", "*/fan*_input", "thermal_zone*/temp")


def read_signs(root: Path = Path("/")) -> Signs:
    """The signs of a virtual machine."""
    return signs_of(read_hardware(root))


def read_hardware(root: Path = Path("/")) -> Hardware:
    """All readings. `root` is where /sys and /proc are."""
    dmi, cpu = root / "sys/class/dmi/id", _text(root / "proc/cpuinfo")
    flags = _field(cpu, "flags")
    hypervisor = None if flags is None else "hypervisor" in flags.split()
    return Hardware(
        maker=_text(dmi / "sys_vendor"),
        product=_text(dmi / "product_name") or _text(root / "proc/device-tree/model"),
        board=_joined(dmi / "board_vendor", dmi / "board_name"),
        firmware=_joined(dmi / "bios_vendor", dmi / "bios_version"),
        cpu=_field(cpu, "model name"),
        hypervisor=hypervisor,
        hypervisor_vendor=_vendor(root) if hypervisor else "",
        macs=_macs(root / "sys/class/net"),
        pci=_each(root / "sys/bus/pci/devices", _pci),
        disks=_each(root / "sys/block", lambda disk: _text(disk / "device/model")),
        guests=_guests(root / "proc"),
        battery=_battery(root / "sys/class/power_supply"),
        sensors=_sensors(root),
        cores=cpu.count("processor\t:") or None if cpu else None,
    )


def _vendor(root: Path) -> str | None:
    """Only Xen tells it by a file."""
    kind = _text(root / "sys/hypervisor/type")
    return XEN if kind == "xen" else None


def _macs(folder: Path) -> tuple[str, ...] | None:
    """Of adapters that are devices: bridges of virtual machines on this computer have addresses like theirs."""
    return _each(folder, lambda adapter: _text(adapter / "address") if (adapter / "device").exists() else None)


def _pci(device: Path) -> str | None:
    vendor, kind = _text(device / "vendor"), _text(device / "device")
    return f"{vendor[2:]}:{kind[2:]}" if vendor and kind else None


def _guests(proc: Path) -> tuple[str, ...] | None:
    names = _each(proc, lambda process: _text(process / "comm") if process.name.isdecimal() else None)
    return None if names is None else tuple(sorted(GUESTS & set(names)))


def _battery(folder: Path) -> bool | None:
    kinds = _each(folder, lambda supply: _text(supply / "type"))
    return None if kinds is None else "Battery" in kinds


def _sensors(root: Path) -> bool | None:
    """A kernel without either folder cannot have any, and says nothing."""
    folders = [folder for name in ("hwmon", "thermal") if (folder := root / "sys/class" / name).is_dir()]
    found = (sensor for folder in folders for glob in SENSORS for sensor in folder.glob(glob))
    return any(True for _ in found) if folders else None


def _each(folder: Path, read: Callable[[Path], str | None]) -> tuple[str, ...] | None:
    """What is read of each entry; None without the folder."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return None
    return tuple(text for entry in entries if (text := read(entry)))


def _text(file: Path) -> str | None:
    try:
        return file.read_text(errors="replace").strip("\0 \n\t")
    except OSError:
        return None


def _joined(*files: Path) -> str | None:
    texts = [text for file in files if (text := _text(file)) is not None]
    return " ".join(texts) if texts else None


def _field(cpuinfo: str | None, name: str) -> str | None:
    """The first one with this name."""
    return next(_fields(cpuinfo or "", name), None)


def _fields(cpuinfo: str, name: str) -> Iterator[str]:
    for line in cpuinfo.splitlines():
        key, colon, value = line.partition(":")
        if colon and key.strip() == name:
            yield value.strip()

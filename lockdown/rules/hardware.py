"""What a machine says of its own make, and which of that is a sign of a virtual one.

A system's folder fills in `Hardware`; the weights are here, in one table, for all of them. A weight is how much a sign says
against what harmless machines show, too: a Windows 11 PC runs on Microsoft's hypervisor by default (virtualization-based
security), a PC of somebody who uses virtual machines has their network adapters, a Surface is made by Microsoft.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields

from secureproctor.lockdown.readings import Sign, Signs


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """Raw readings, as the system gives them; None: could not be read. A reading that the system cannot have at all (a
    battery on a server) is not unknown but empty or False.

    `maker`, `product`, `board`, `firmware` are SMBIOS strings (SMBIOS 3.7, types 0 to 2; on macOS the model). `hypervisor` is
    the bit of CPUID leaf 1, ECX 31; `hypervisor_vendor` the 12 characters of leaf 0x40000000, empty without the bit. `macs`
    are addresses of adapters that are hardware, no bridges and no host-only adapters. `pci` are `vendor:device` in lower-case
    hexadecimal. `disks` are models. `guests` are services of a hypervisor's guest that run. `battery`, `sensors` (of
    temperature or fans) say whether there is one. `cores` are logical processors.
    """

    maker: str | None = None
    product: str | None = None
    board: str | None = None
    firmware: str | None = None
    cpu: str | None = None
    hypervisor: bool | None = None
    hypervisor_vendor: str | None = None
    macs: tuple[str, ...] | None = None
    pci: tuple[str, ...] | None = None
    disks: tuple[str, ...] | None = None
    guests: tuple[str, ...] | None = None
    battery: bool | None = None
    sensors: bool | None = None
    cores: int | None = None


READINGS = frozenset(field.name for field in fields(Hardware))
MADE_UP = re.compile(
    r"virtualbox|innotek|vmware|\bqemu\b|\bkvm\b|bochs|\bxen\b|hvm domu|parallels (arm )?virtual|bhyve|virtual machine"
    r"|apple virtualization|virtualmac|standard pc \((i440fx|q35)|google compute engine|amazon ec2|openstack|nutanix|ovirt"
    r"|rhev|alibaba cloud|droplet|vserver|scaleway|linode|cloud hypervisor|firecracker",
    re.IGNORECASE,
)
"""What hypervisors and clouds write into SMBIOS. `Microsoft Corporation` is not among them: it makes real computers."""
MADE_UP_CPU = re.compile(r"\bqemu\b|\bkvm\b processor|virtual cpu|virtualapple", re.IGNORECASE)
MADE_UP_DISK = re.compile(r"vbox|vmware|\bqemu\b|virtual (disk|hd)\b", re.IGNORECASE)
ALSO_ON_REAL = "msft virtual disk"
"""A disk image that Windows has mounted, as anybody can."""
OUIS = {
    "08:00:27": "VirtualBox",
    "52:54:00": "QEMU",
    "00:05:69": "VMware",
    "00:0c:29": "VMware",
    "00:1c:14": "VMware",
    "00:50:56": "VMware",
    "00:15:5d": "Hyper-V",
    "00:16:3e": "Xen",
    "00:1c:42": "Parallels",
}
"""First halves of the addresses that hypervisors give out (IEEE's registry; 52:54:00 is QEMU's habit)."""
PCI = {
    "80ee:": ("VirtualBox", 0.6),
    "15ad:": ("VMware", 0.6),
    "1ab8:": ("Parallels", 0.6),
    "1b36:": ("QEMU", 0.5),
    "1234:1111": ("QEMU", 0.5),
    "1af4:": ("virtio", 0.4),
    "5853:": ("Xen", 0.5),
    "1414:5353": ("Hyper-V", 0.4),
    "1d0f:": ("Amazon", 0.4),
    "1ae0:": ("Google", 0.4),
}
"""Makers of devices that only hypervisors have (pci.ids). Microsoft's 1414 is on every Windows PC but for this one device."""
HYPERVISORS = {"": 0.5, "Microsoft Hv": 0.05}
"""What the bit weighs by its vendor; where the vendor is known and not here, 0.6."""


def signs_of(hardware: Hardware) -> Signs:
    """All signs, and what could not be read. One name a kind: evidence.py lets only the strongest of a name count."""
    found = tuple(sign for look in LOOKS for sign in look(hardware))
    return Signs(found, tuple(field.name for field in fields(Hardware) if getattr(hardware, field.name) is None))


def _smbios(hardware: Hardware) -> Iterator[Sign]:
    for text in (hardware.maker, hardware.product, hardware.board, hardware.firmware):
        if text and MADE_UP.search(text):
            yield Sign("smbios", 0.8, text)


def _cpu(hardware: Hardware) -> Iterator[Sign]:
    if hardware.cpu and MADE_UP_CPU.search(hardware.cpu):
        yield Sign("cpu", 0.5, hardware.cpu)


def _hypervisor(hardware: Hardware) -> Iterator[Sign]:
    if hardware.hypervisor:
        vendor = (hardware.hypervisor_vendor or "").strip("\0 ")
        yield Sign("hypervisor", HYPERVISORS.get(vendor, 0.6), vendor or "present")


def _macs(hardware: Hardware) -> Iterator[Sign]:
    """Among real adapters a virtual one says that somebody uses virtual machines, not that this is one."""
    addresses = [address.lower().replace("-", ":") for address in hardware.macs or ()]
    virtual = [OUIS[address[:8]] for address in addresses if address[:8] in OUIS]
    weight = 0.35 if len(virtual) == len(addresses) else 0.05
    yield from (Sign("mac", weight, maker) for maker in sorted(set(virtual)))


def _pci(hardware: Hardware) -> Iterator[Sign]:
    for prefix, (maker, weight) in PCI.items():
        if any(device.lower().startswith(prefix) for device in hardware.pci or ()):
            yield Sign("pci", weight, maker)


def _disks(hardware: Hardware) -> Iterator[Sign]:
    for model in sorted(set(hardware.disks or ())):
        if MADE_UP_DISK.search(model):
            yield Sign("disk", 0.05 if ALSO_ON_REAL in model.lower() else 0.5, model)


def _guests(hardware: Hardware) -> Iterator[Sign]:
    yield from (Sign("guest", 0.5, name) for name in sorted(set(hardware.guests or ())))


def _missing(hardware: Hardware) -> Iterator[Sign]:
    """What nearly every real computer has. A desktop has no battery, and an old one no sensor that the system knows."""
    if hardware.sensors is False:
        yield Sign("sensors", 0.1 if hardware.battery is False else 0.03, "no sensor of temperature or fans")
    if hardware.cores == 1:
        yield Sign("cores", 0.1, "one processor")


LOOKS: tuple[Callable[[Hardware], Iterable[Sign]], ...] = (
    _smbios,
    _cpu,
    _hypervisor,
    _macs,
    _pci,
    _disks,
    _guests,
    _missing,
)

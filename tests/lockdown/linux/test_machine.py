"""A Linux machine's own make, read from folders like /sys and /proc."""

from pathlib import Path

import pytest

from secureproctor.lockdown.linux.machine import read_hardware, read_signs
from secureproctor.lockdown.rules.evidence import weight_of

QEMU = {
    "sys/class/dmi/id/sys_vendor": "QEMU",
    "sys/class/dmi/id/product_name": "Standard PC (Q35 + ICH9, 2009)",
    "sys/class/dmi/id/bios_vendor": "SeaBIOS",
    "sys/class/dmi/id/bios_version": "1.16",
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: Xeon\nflags\t\t: fpu hypervisor sse\n\nprocessor\t: 1\nflags\t: fpu",
    "sys/class/net/eth0/address": "52:54:00:12:34:56",
    "sys/class/net/eth0/device/vendor": "0x1af4",
    "sys/class/net/virbr0/address": "52:54:00:99:99:99",
    "sys/bus/pci/devices/0000:00:01.0/vendor": "0x1af4",
    "sys/bus/pci/devices/0000:00:01.0/device": "0x1041",
    "sys/block/sda/device/model": "QEMU HARDDISK",
    "sys/block/loop0/size": "0",
    "proc/12/comm": "qemu-ga",
    "proc/13/comm": "bash",
    "sys/class/power_supply/AC/type": "Mains",
    "sys/class/hwmon/hwmon0/name": "acpi",
    "sys/hypervisor/type": "xen",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in QEMU.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    return tmp_path


def test_everything_is_read_from_where_the_kernel_has_it(root: Path) -> None:
    read = read_hardware(root)
    assert (read.maker, read.product, read.board) == ("QEMU", "Standard PC (Q35 + ICH9, 2009)", None)
    assert (read.firmware, read.cpu, read.cores) == ("SeaBIOS 1.16", "Xeon", 2)
    assert (read.hypervisor, read.hypervisor_vendor) == (True, "XenVMMXenVMM")
    assert (read.pci, read.disks, read.guests) == (("1af4:1041",), ("QEMU HARDDISK",), ("qemu-ga",))
    assert (read.battery, read.sensors) == (False, False)


def test_a_bridge_is_no_adapter(root: Path) -> None:
    assert read_hardware(root).macs == ("52:54:00:12:34:56",)


def test_a_sensor_is_seen(root: Path) -> None:
    (root / "sys/class/hwmon/hwmon0/temp1_input").write_text("41000\n")
    assert read_hardware(root).sensors is True


def test_its_signs_together_weigh_more_than_any_alone(root: Path) -> None:
    assert weight_of(read_signs(root)) > 0.95


def test_what_is_not_there_is_unknown_and_weighs_nothing(tmp_path: Path) -> None:
    signs = read_signs(tmp_path)
    assert signs.found == ()
    assert "maker" in signs.unknown
    assert "hypervisor" in signs.unknown


def test_this_machine_can_be_read() -> None:
    assert read_hardware().cores is not None

"""What Windows says of displays, seat, hardware and access lists, and what it means; with fixtures of harmless machines."""

import pytest

from secureproctor.lockdown.rules.displays import wrong_with
from secureproctor.lockdown.rules.evidence import weight_of
from secureproctor.lockdown.rules.hardware import signs_of as signs_of_hardware
from secureproctor.lockdown.rules.remote_session import SUSPECTED as REMOTE
from secureproctor.lockdown.rules.seat import signs_of as signs_of_seat
from secureproctor.lockdown.rules.virtual_machine import SUSPECTED as VIRTUAL
from secureproctor.lockdown.windows import readers
from secureproctor.lockdown.windows.access import only_admin_writes
from secureproctor.lockdown.windows.api import Access, Adapter, Connection, DisplayPath, Entry, Value
from secureproctor.lockdown.windows.api_machine import vendor
from secureproctor.lockdown.windows.facts import WindowsFacts
from tests.lockdown.windows.fakes import FakeWindowsSystem

INTERNAL, HDMI, DISPLAYPORT, USB = 0x80000000, 5, 10, 16
DELL = 0xAC10  # "DEL" in the byte order of EDID
PANEL = DisplayPath("0/0", "0/0", True, INTERNAL, "", 0, 0, 1920, 1080)
DESK = DisplayPath("0/1", "0/1", True, HDMI, "DELL U2720Q", DELL, 0x40F1, 3840, 2160)


def test_a_display_is_described_with_its_connection_and_its_edid() -> None:
    (display,) = readers.displays((DESK,)) or ()
    assert (display.name, display.technology, display.edid, display.internal) == (
        "DELL U2720Q",
        "hdmi",
        "DEL-40F1",
        False,
    )
    assert (display.width, display.height, display.on, display.mirrors) == (3840, 2160, True, "")


def test_two_displays_with_one_picture_mirror_each_other() -> None:
    first, second = readers.displays((PANEL, DESK._replace(source="0/0"))) or ()
    assert (first.mirrors, second.mirrors) == ("", first.name)


@pytest.mark.parametrize(
    "paths",
    [
        (PANEL,),
        (PANEL._replace(active=False, width=0, height=0), DESK),
        (DESK._replace(technology=DISPLAYPORT),),
        (DESK._replace(technology=USB),),
        (DESK._replace(technology=99),),
    ],
    ids=["a notebook", "its lid closed", "a dock", "a dock by USB", "something new"],
)
def test_harmless_displays_are_one_display(paths: tuple[DisplayPath, ...]) -> None:
    assert wrong_with(readers.displays(paths) or (), 1) == ""


def test_displays_of_one_make_have_names_of_their_own() -> None:
    names = [each.name for each in readers.displays((DESK, DESK._replace(source="0/2", target="0/2"))) or ()]
    assert names == ["DELL U2720Q 1", "DELL U2720Q 2"]


def test_displays_that_cannot_be_read_are_unknown() -> None:
    assert readers.displays(None) is None


def real_machine(system: FakeWindowsSystem) -> None:
    """A Surface with virtualization-based security, WSL and VirtualBox, as many have it."""
    write(system, readers.BIOS, "SystemManufacturer", "Microsoft Corporation")
    write(system, readers.BIOS, "SystemProductName", "Surface Laptop 5")
    write(system, readers.BIOS, "BIOSVendor", "Microsoft Corporation")
    write(system, readers.DISKS, "Count", 1)
    write(system, readers.DISKS, "0", "SCSI\\Disk&Ven_NVMe&Prod_SAMSUNG_MZ9L4\\5&1")
    system.registry.make("HKLM", f"{readers.PCI_DEVICES}\\VEN_8086&DEV_9A49&SUBSYS_0")
    system.registry.make("HKLM", f"{readers.SERVICES}\\vmicheartbeat")
    system.registry.make("HKLM", f"{readers.SERVICES}\\VBoxDrv")
    system.readings.hypervisor = "Microsoft Hv"
    system.readings.adapters = (
        Adapter("a4:c3:f0:11:22:33", "Intel(R) Wi-Fi 6E AX211"),
        Adapter("00:15:5d:01:02:03", "Hyper-V Virtual Ethernet Adapter"),
        Adapter("0a:00:27:00:00:05", "VirtualBox Host-Only Ethernet Adapter"),
        Adapter("00:50:56:c0:00:08", "VMware Virtual Ethernet Adapter for VMnet8"),
    )


def virtual_machine(system: FakeWindowsSystem) -> None:
    write(system, readers.BIOS, "SystemManufacturer", "innotek GmbH")
    write(system, readers.BIOS, "SystemProductName", "VirtualBox")
    write(system, readers.DISKS, "Count", 1)
    write(system, readers.DISKS, "0", "SCSI\\Disk&Ven_VBOX&Prod_HARDDISK\\4&2")
    system.registry.make("HKLM", f"{readers.PCI_DEVICES}\\VEN_80EE&DEV_CAFE&SUBSYS_0")
    system.registry.make("HKLM", f"{readers.SERVICES}\\VBoxGuest")
    system.readings.hypervisor = "VBoxVBoxVBox"
    system.readings.adapters = (Adapter("08:00:27:aa:bb:cc", "Intel(R) PRO/1000 MT Desktop Adapter"),)
    system.readings.battery = False


def write(system: FakeWindowsSystem, path: str, name: str, data: int | str) -> None:
    system.registry.put("HKLM", path, name, Value(1 if isinstance(data, str) else 4, data))


def test_a_real_pc_with_a_hypervisor_is_no_virtual_machine(system: FakeWindowsSystem) -> None:
    real_machine(system)
    hardware = readers.hardware(system.api)
    assert hardware.macs == ("a4:c3:f0:11:22:33",)
    assert hardware.disks == ("NVMe SAMSUNG MZ9L4",)
    assert hardware.guests == ()
    assert weight_of(signs_of_hardware(hardware)) < 0.2 < VIRTUAL


def test_a_virtual_machine_has_many_signs(system: FakeWindowsSystem) -> None:
    virtual_machine(system)
    signs = signs_of_hardware(readers.hardware(system.api))
    assert {"smbios", "disk", "pci", "guest", "mac", "hypervisor"} <= {sign.name for sign in signs.found}
    assert weight_of(signs) > VIRTUAL


def test_what_cannot_be_read_is_unknown_and_weighs_nothing(system: FakeWindowsSystem) -> None:
    system.readings.hypervisor = system.readings.adapters = system.readings.battery = None
    signs = signs_of_hardware(readers.hardware(system.api))
    assert weight_of(signs) == 0
    assert {"maker", "hypervisor", "macs", "battery", "sensors"} <= set(signs.unknown)


def test_the_hypervisors_name_is_read_from_its_leaf() -> None:
    assert vendor(b"\x0b\x00\x00\x40Microsoft Hv") == "Microsoft Hv"
    assert vendor(b"\x01\x00\x00\x40KVMKVMKVM\0\0\0") == "KVMKVMKVM"
    assert vendor(bytes(16)) == ""
    assert vendor(b"\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c") is None


def connection(state: int, port: int, remote: str = "0.0.0.0", pid: int = 400) -> Connection:
    return Connection(state, "0.0.0.0", port, remote, 50000, pid)


def test_a_session_at_the_computer_is_no_remote_one_though_remote_desktop_listens(system: FakeWindowsSystem) -> None:
    system.processes.add(400, "C:\\Windows\\System32\\svchost.exe")
    system.readings.connections = (
        connection(2, 3389),
        connection(5, 3389, "127.0.0.1"),
        connection(5, 443, "203.0.113.9"),
    )
    signs = signs_of_seat(readers.seat(system.api))
    assert weight_of(signs) < REMOTE
    assert signs.unknown == ()


@pytest.mark.parametrize("how", ["remote", "controlled", "protocol", "glass"])
def test_what_windows_says_of_a_remote_session_is_a_sign(system: FakeWindowsSystem, how: str) -> None:
    system.processes.add(400, "C:\\Windows\\System32\\svchost.exe")
    system.readings.connections = (connection(5, 3389, "203.0.113.9"),)
    match how:
        case "protocol":
            system.session.client_protocol = 2
        case "glass":
            write(system, readers.TERMINAL, "GlassSessionId", 4)
        case _:
            setattr(system.session, how, True)
    seat = readers.seat(system.api)
    assert seat.remote is True
    assert seat.connected == ((3389, "svchost.exe"),)
    assert weight_of(signs_of_seat(seat)) >= REMOTE


def test_the_session_on_the_glass_is_this_one(system: FakeWindowsSystem) -> None:
    write(system, readers.TERMINAL, "GlassSessionId", 1)
    assert readers.seat(system.api).remote is False


def test_a_seat_that_cannot_be_read_is_unknown(system: FakeWindowsSystem) -> None:
    system.session.client_protocol = system.session.id = system.readings.connections = None
    seat = readers.seat(system.api)
    assert (seat.remote, seat.listening, seat.connected) == (None, None, None)


ADMIN, USERS, SYSTEM_SID = "S-1-5-32-544", "S-1-5-32-545", "S-1-5-18"
FULL, READ, ADD_FOLDER = 0x1F01FF, 0x1200A9, 0x4


def listed(*entries: Entry, owner: str = ADMIN) -> Access:
    return Access(owner, (Entry(True, SYSTEM_SID, FULL), Entry(True, USERS, READ), *entries))


BROWSER = "C:\\Program Files\\Browser\\browser.exe"
CLOSED = {
    "C:\\": listed(Entry(True, USERS, ADD_FOLDER), Entry(True, USERS, FULL, inherit_only=True)),
    "C:\\Program Files": listed(),
    "C:\\Program Files\\Browser": listed(),
    BROWSER: listed(),
}


def test_a_program_where_programs_belong_is_for_administrators_only() -> None:
    assert only_admin_writes(BROWSER, CLOSED.get) is True


@pytest.mark.parametrize("where", CLOSED)
@pytest.mark.parametrize("right", [0x40, 0x10000, 0x40000, 0x80000, 0x10000000])
def test_a_right_to_take_over_anything_above_it_opens_it(where: str, right: int) -> None:
    if where == BROWSER and right == 0x40:
        right = 0x2  # files have no children; writing is what opens them
    opened = {**CLOSED, where: listed(Entry(True, USERS, right))}
    assert only_admin_writes(BROWSER, opened.get) is False


def test_owners_missing_lists_and_what_cannot_be_read() -> None:
    assert only_admin_writes(BROWSER, {**CLOSED, BROWSER: listed(owner="S-1-5-21-1-2-3-1001")}.get) is False
    assert only_admin_writes(BROWSER, {**CLOSED, BROWSER: Access(ADMIN, None)}.get) is False
    unreadable = {path: access for path, access in CLOSED.items() if path != "C:\\"}
    assert only_admin_writes(BROWSER, unreadable.get) is None


def test_a_parent_is_older_than_its_child(system: FakeWindowsSystem) -> None:
    """Windows keeps the number of a parent that ended, and gives it to another process."""
    system.processes.add(10, "C:\\a.exe", started=1.0)
    system.processes.add(20, "C:\\b.exe", started=2.0, parent=10)
    system.processes.add(30, "C:\\c.exe", started=3.0, parent=20)
    facts = WindowsFacts(system.processes, lambda: (), lambda _: None)
    assert [each.pid for each in facts.ancestors(30)] == [20, 10]
    system.processes.add(20, "C:\\late.exe", started=9.0)
    assert facts.ancestors(30) == ()


def test_a_peer_is_who_has_the_other_end_of_a_loopback_connection(system: FakeWindowsSystem) -> None:
    rows = (
        Connection(5, "127.0.0.1", 7000, "127.0.0.1", 50123, 1),
        Connection(5, "127.0.0.1", 50123, "127.0.0.1", 7000, 77),
        Connection(5, "192.0.2.1", 50124, "192.0.2.9", 7000, 88),
    )
    facts = WindowsFacts(system.processes, lambda: rows, lambda _: None)
    assert facts.peer(7000, 50123) == 77
    assert facts.peer(7000, 50124) is None
    assert WindowsFacts(system.processes, lambda: None, lambda _: None).peer(7000, 50123) is None

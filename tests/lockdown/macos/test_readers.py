"""What macOS's tools print, and what is a sign and what is not."""

import plistlib

import pytest

from secureproctor.lockdown.macos import readers
from secureproctor.lockdown.macos.api_machine import control_text, listed, profile_of
from secureproctor.lockdown.macos.api_screen import window_of
from secureproctor.lockdown.readings import Signs
from secureproctor.lockdown.rules.evidence import weight_of
from secureproctor.lockdown.rules.hardware import signs_of
from secureproctor.lockdown.rules.virtual_machine import SUSPECTED
from tests.lockdown.macos.fakes import BUILT_IN, NEW, FakeProcesses, Mac, program

NETSTAT = """Active Internet connections (including servers)
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)
tcp4       0      0  192.168.1.7.5900       192.168.1.9.60123      ESTABLISHED
tcp4       0      0  127.0.0.1.5901         127.0.0.1.60124        ESTABLISHED
tcp46      0      0  *.5900                 *.*                    LISTEN
tcp4       0      0  192.168.1.7.51234      10.0.0.1.443           ESTABLISHED
udp4       0      0  *.5353                 *.*
"""
EXTERNAL = BUILT_IN._replace(number=2, internal=False, vendor=0x10AC, model=0x40F1)


def hardware_signs(mac: Mac) -> Signs:
    return signs_of(readers.hardware(mac.api().read, FakeProcesses(mac)))


def test_a_mirrored_display_shows_something_though_macos_calls_it_inactive() -> None:
    first, second = readers.displays((BUILT_IN, EXTERNAL._replace(active=False, mirrors=1)), {})
    assert (second.on, second.mirrors, second.edid) == (True, first.name, "DEL-40F1")


def test_a_display_that_sleeps_or_has_no_edid() -> None:
    (asleep,) = readers.displays((EXTERNAL._replace(asleep=True, vendor=0x756E6B6E),), {})
    assert (asleep.on, asleep.edid, asleep.technology, asleep.internal) == (False, "", "unknown", False)


def test_displays_that_cannot_be_read_are_unknown() -> None:
    mac = Mac(panels=None)
    api = mac.api()
    assert readers.Outputs(api.screen, api.read).displays() is None


def test_a_virtual_display_is_told_by_system_information() -> None:
    printed = plistlib.dumps(
        [
            {
                "_items": [
                    {
                        "spdisplays_ndrvs": [
                            {"_spdisplays_displayID": "2c", "spdisplays_virtualdevice": "spdisplays_yes"}
                        ]
                    }
                ]
            }
        ]
    )
    found = listed(printed)
    assert found is not None
    profile = profile_of(found)
    assert readers.technology(EXTERNAL, profile[0x2C]) == "virtual"


@pytest.mark.parametrize("printed", [None, b"no plist", b"<plist><dict/></plist>"])
def test_what_a_tool_prints_and_nobody_understands_is_unknown(printed: bytes | None) -> None:
    assert listed(printed) is None


def test_a_class_without_objects_is_none_of_them() -> None:
    assert listed(b"\n") == ()


def test_connections_of_others_to_a_shared_screen_count_and_those_from_here_do_not() -> None:
    assert [(each.port, each.from_here) for each in readers.connections(NETSTAT)] == [
        (5900, False),
        (5901, True),
        (5900, False),
        (51234, False),
    ]
    signs = readers.remote_signs(True, NETSTAT, ("ScreensharingAgent",), {})
    assert {(sign.name, sign.seen) for sign in signs.found} == {
        ("listening", "VNC"),
        ("connected", "VNC"),
        ("service", "ScreensharingAgent"),
    }
    assert weight_of(signs) > 0.5


def test_an_ordinary_mac_shows_no_sign_of_a_remote_session() -> None:
    signs = readers.remote_signs(True, "", (), {})
    assert not signs.found
    assert not signs.unknown


def test_a_session_that_is_not_on_the_console_and_what_cannot_be_read() -> None:
    signs = readers.remote_signs(False, None, (), {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"})
    assert {sign.name for sign in signs.found} == {"session", "ssh"}
    assert {"listening", "connected"} <= set(signs.unknown)


def test_sharing_is_found_when_it_begins_and_each_process_is_looked_at_once() -> None:
    mac = Mac()
    sharing = readers.Sharing(FakeProcesses(mac))
    assert sharing.running() == ()
    mac.running[NEW] = program(NEW, "/System/Library/CoreServices/RemoteManagement/ScreensharingAgent")
    assert sharing.running() == ("ScreensharingAgent",)
    del mac.running[NEW]
    assert sharing.running() == ()


def test_a_real_mac_shows_no_sign_of_a_virtual_machine() -> None:
    signs = hardware_signs(Mac())
    assert not signs.found
    assert set(signs.unknown) == {"sensors"}


def test_a_translated_agent_on_a_real_mac_is_no_sign() -> None:
    """Under Rosetta, the processor calls itself VirtualApple."""
    mac = Mac()
    mac.controls |= {"machdep.cpu.brand_string": "VirtualApple @ 2.50GHz", "sysctl.proc_translated": "1"}
    assert not hardware_signs(mac).found


def test_a_virtual_mac_shows_several_signs() -> None:
    mac = Mac()
    mac.controls |= {"hw.model": "VirtualMac2,1", "kern.hv_vmm_present": "1"}
    mac.registry |= {
        "IOPCIDevice": ({"vendor-id": b"\xf4\x1a\0\0", "device-id": b"\x41\x10\0\0"},),
        "AppleSmartBattery": (),
    }
    signs = hardware_signs(mac)
    assert {sign.name for sign in signs.found} == {"smbios", "hypervisor", "pci"}
    assert weight_of(signs) >= SUSPECTED


def test_what_cannot_be_read_of_the_hardware_is_unknown_and_no_sign() -> None:
    mac = Mac(registry={}, controls={})
    signs = hardware_signs(mac)
    assert not signs.found
    assert {"maker", "product", "cpu", "hypervisor", "macs", "pci", "disks", "battery"} <= set(signs.unknown)


@pytest.mark.parametrize(
    ("value", "text"), [(b"\1\0\0\0", "1"), (b"\0\0\0\0", "0"), (b"Mac14,2\0", "Mac14,2"), (b"abc\0", "abc")]
)
def test_sysctl_gives_texts_and_numbers(value: bytes, text: str) -> None:
    assert control_text(value) == text


def test_a_window_is_read_without_its_title() -> None:
    read = window_of(
        {
            "kCGWindowNumber": 5,
            "kCGWindowOwnerPID": 42,
            "kCGWindowLayer": 3,
            "kCGWindowAlpha": 0.5,
            "kCGWindowSharingState": 0,
            "kCGWindowName": "a secret",
            "kCGWindowBounds": {"X": 1, "Y": 2, "Width": 3, "Height": 4},
        }
    )
    assert (read.pid, read.layer, read.shared, read.rect) == (42, 3, False, (1, 2, 3, 4))
    assert "a secret" not in map(str, read)

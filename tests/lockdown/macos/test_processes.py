"""Records of the kernel by their bytes, bundles, signers, and what is known of a process that says it is the browser."""

import os
import plistlib
import struct
from pathlib import Path

import pytest

from secureproctor.lockdown.macos import proc_info
from secureproctor.lockdown.macos.api_makers import bundle_identifier, signer_name
from secureproctor.lockdown.macos.facts import MacosFacts
from tests.lockdown.macos.fakes import EXAM, NEW, FakeProcesses, Mac, program

LOCAL, ELSEWHERE = b"\x7f\0\0\1", b"\x0a\0\0\1"


def bsd_info(status: int = 2) -> bytes:
    record = bytearray(proc_info.BSD_INFO_SIZE)
    struct.pack_into("<4xI4xIII", record, 0, status, 42, 7, 501)
    record[48:53] = b"short"
    record[64:76] = b"a longer one"
    struct.pack_into("<QQ", record, 120, 1_700_000_000, 250_000)
    return bytes(record)


def socket_info(
    port: int, peer_port: int, address: bytes, peer: bytes | None = None, kind: int = 2, state: int = 4
) -> bytes:
    record = bytearray(792)
    struct.pack_into("<i", record, 256, kind)
    struct.pack_into(">H2xH", record, 264, peer_port, port)
    ipv4 = len(address) == 4
    record[264 + 24] = 1 if ipv4 else 2
    for at, end in ((264 + 32, peer or address), (264 + 48, address)):
        record[at + (12 if ipv4 else 0) : at + 16] = end
    struct.pack_into("<i", record, 264 + 80, state)
    return bytes(record)


def facts(mac: Mac, has_list: bool = False) -> MacosFacts:
    return MacosFacts(FakeProcesses(mac), lambda port, peer: 42, lambda pid: "Example Ltd", lambda path: has_list)


def test_a_process_is_read_from_its_record() -> None:
    assert proc_info.process_of(bsd_info()) == proc_info.Process(42, 7, 501, "a longer one", 1_700_000_000.25)


def test_a_process_that_has_ended_or_cannot_be_read_is_none() -> None:
    assert proc_info.process_of(bsd_info(proc_info.ZOMBIE)) is None
    assert proc_info.process_of(b"") is None
    assert proc_info.other_process_of(b"") is None


def test_of_other_users_processes_there_is_no_start() -> None:
    record = bytearray(proc_info.SHORT_INFO_SIZE)
    struct.pack_into("<II4xI", record, 0, 42, 1, 2)
    record[16:27] = b"screenshare"
    struct.pack_into("<I", record, 36, 0)
    assert proc_info.other_process_of(bytes(record)) == proc_info.Process(42, 1, 0, "screenshare")


def test_only_sockets_are_looked_at() -> None:
    assert proc_info.sockets_in(struct.pack("<iIiIiI", 3, 1, 4, 2, 9, 2) + b"rest") == (4, 9)


@pytest.mark.parametrize("address", [LOCAL, bytes(15) + b"\1", bytes(10) + b"\xff\xff" + LOCAL])
def test_a_connection_on_the_loopback_is_found(address: bytes) -> None:
    assert proc_info.socket_of(socket_info(50000, 8123, address)) == proc_info.Socket(50000, 8123)


@pytest.mark.parametrize(
    "record",
    [
        socket_info(50000, 8123, LOCAL, ELSEWHERE),
        socket_info(50000, 8123, LOCAL, state=1),
        socket_info(50000, 8123, LOCAL, kind=3),
        b"",
    ],
    ids=["elsewhere", "listens", "no TCP", "nothing"],
)
def test_other_sockets_are_not(record: bytes) -> None:
    assert proc_info.socket_of(record) is None


@pytest.mark.parametrize(
    ("certificate", "name"),
    [
        ("Developer ID Application: Example Ltd (A1B2C3D4E5)", "Example Ltd"),
        ("Apple Distribution: Example (Holding) Ltd (A1B2C3D4E5)", "Example (Holding) Ltd"),
        ("Software Signing", "Software Signing"),
        (
            "Apple Development: somebody@example.com (A1B2C3D4E5)",
            "Apple Development: somebody@example.com (A1B2C3D4E5)",
        ),
    ],
)
def test_a_signer_is_named_as_its_maker(certificate: str, name: str) -> None:
    """Anybody gets a development certificate for nothing, so its name is not taken for a maker's."""
    assert signer_name(certificate) == name


def test_the_innermost_bundle_names_a_program(tmp_path: Path) -> None:
    outer = tmp_path / "Outer.app" / "Contents"
    inner = outer / "Frameworks" / "Inner.app" / "Contents"
    (inner / "MacOS").mkdir(parents=True)
    for folder, name in ((outer, "com.example.outer"), (inner, "com.example.inner")):
        (folder / "Info.plist").write_bytes(plistlib.dumps({"CFBundleIdentifier": name}))
    assert bundle_identifier(str(inner / "MacOS" / "program")) == "com.example.inner"
    assert bundle_identifier(str(outer / "MacOS" / "program")) == "com.example.outer"


@pytest.mark.parametrize("text", [None, b"", b"broken", plistlib.dumps(["no dictionary"]), plistlib.dumps({})])
def test_a_bundle_that_says_nothing_has_no_name(text: bytes | None, tmp_path: Path) -> None:
    contents = tmp_path / "A.app" / "Contents"
    contents.mkdir(parents=True)
    if text is not None:
        (contents / "Info.plist").write_bytes(text)
    assert bundle_identifier(str(contents / "MacOS" / "a")) == ""


def test_the_browsers_signer_is_that_of_the_code_that_runs() -> None:
    mac = Mac()
    mac.running[EXAM] = program(EXAM, "/opt/browser", signer="What its file says")
    running = facts(mac).describe(EXAM)
    assert running is not None
    assert running.signer == "Example Ltd"
    assert facts(mac).describe(9999) is None


def test_ancestors_end_with_the_first_process_and_a_life_with_its_start() -> None:
    mac = Mac()
    mac.running[NEW] = program(NEW, "/opt/child", parent=EXAM)
    known = facts(mac)
    assert [each.pid for each in known.ancestors(NEW)] == [EXAM, 1]
    assert known.is_alive(EXAM, float(EXAM))
    assert not known.is_alive(EXAM, 1.0)


def test_who_may_change_a_program(tmp_path: Path) -> None:
    known = facts(Mac())
    mine = tmp_path.resolve() / "program"
    mine.write_bytes(b"")
    mine.chmod(0o777)
    assert known.only_admin_writes(str(mine)) is False
    assert known.only_admin_writes("relative") is None
    assert known.only_admin_writes(str(mine) + "-missing") is None
    link = mine.with_name("link")
    link.symlink_to(mine)
    assert known.only_admin_writes(str(link)) is None
    assert facts(Mac(), has_list=True).only_admin_writes(os.path.realpath("/usr")) is None

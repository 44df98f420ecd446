"""Programs by their names, also by those that they were given by their makers; their windows; and what can be known of them."""

import ctypes
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.lockdown.windows.api_makers import Makers
from secureproctor.lockdown.windows.facts import open_facts
from tests.windows.stage import Actor, Measure, Stage

Renamed = Callable[[str, str], str]
FORBIDDEN = LockdownSettings(forbidden_programs=("pythonw.exe",), programs="close", program_patience_s=0.2)


def test_a_renamed_forbidden_program_is_told_and_closed(
    stage: Stage, exam: Actor, candidate: Actor, renamed: Renamed, measured: Measure
) -> None:
    notes = renamed("notes.exe", "pythonw.exe")
    stage.apply("programs", exam=exam, settings=FORBIDDEN)
    stage.pump_for(0.5)
    seen = []
    for _ in range(3):
        stage.told.clear()
        pid = candidate.tell("run", notes, "-c", "import time; time.sleep(60)")
        stage.pump_until(lambda: stage.first("program_forbidden", program="notes.exe", by="original_name"))
        seen.append(time.time() - started_at(pid))
        stage.pump_until(lambda: stage.first("program_closed", program="notes.exe"), "the closing")
        assert open_facts().describe(pid) is None
    measured("a forbidden program was started: told after", seen)


def test_new_windows_are_told(stage: Stage, exam: Actor, act: Callable[..., Actor]) -> None:
    stage.apply("windows", exam=exam)
    stage.pump_for(0.3)
    act("300", "200")
    stage.pump_until(lambda: stage.first("window_opened", program="python.exe", topmost=False))


def test_a_program_is_described_with_its_makers_name_and_signature(renamed: Renamed) -> None:
    notes = renamed("notes.exe", "python.exe")
    assert Makers().made_by(notes) == ("python.exe", "Python Software Foundation")


def test_a_signature_over_other_bytes_is_none(renamed: Renamed) -> None:
    notes = renamed("notes.exe", "python.exe")
    with open(notes, "r+b") as file:
        file.seek(0x2000)
        file.write(b"\xff" * 8)
    assert Makers().made_by(notes) == ("python.exe", "")


def test_the_agents_own_facts() -> None:
    facts = open_facts()
    own = facts.describe(os.getpid())
    assert own is not None
    assert (own.name, own.path.casefold(), own.own) == ("python.exe", sys.executable.casefold(), True)
    assert facts.is_alive(own.pid, own.started)
    assert not facts.is_alive(own.pid, own.started + 1)
    assert facts.describe(0x7FFFFFFC) is None


def test_a_child_knows_its_parents() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert open_facts().ancestors(child.pid)[0].pid == os.getpid()
    finally:
        child.communicate(b"\n")


def test_the_other_end_of_a_connection_has_a_process() -> None:
    facts = open_facts()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0]:
            assert facts.peer(port, client.getsockname()[1]) == os.getpid()
            assert facts.peer(port, 1) is None


def test_who_may_change_a_file_is_read(tmp_path: Path) -> None:
    """Under Wine, the folders belong to the user: nothing there is for administrators only."""
    facts = open_facts()
    path = tmp_path / "browser.exe"
    path.write_bytes(b"")
    assert facts.only_admin_writes(str(path)) is False
    assert facts.only_admin_writes(str(tmp_path / "missing")) in (None, False)


def started_at(pid: int) -> float:
    running = open_facts().describe(pid)
    assert running is not None
    return running.started - 11644473600  # from 1601 to 1970


def test_a_window_that_excludes_itself_from_capture_is_read(exam: Actor) -> None:
    """Wine refuses to exclude one, so only that nothing is excluded is seen here; the rule itself runs over a fake."""
    user: Any = vars(ctypes)["WinDLL"]("user32")
    affinity = ctypes.c_uint32(99)
    assert user.GetWindowDisplayAffinity(ctypes.c_size_t(exam.window), ctypes.byref(affinity))
    assert affinity.value == 0

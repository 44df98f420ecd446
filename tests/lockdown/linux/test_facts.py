"""What Linux knows of a process that says it is the secure browser."""

import itertools
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from secureproctor.lockdown.linux.facts import LinuxFacts
from secureproctor.lockdown.linux.proc import describe

DEADLINE_S = 20.0
CLIENT = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection:
    print(connection.getsockname()[1], flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_the_process_behind_a_connection_is_found(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as server:
        server.bind((host, 0))
        server.listen()
        port = server.getsockname()[1]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen([sys.executable, "-c", CLIENT, host, str(port)], **pipes) as client:  # type: ignore[call-overload]  # pipes
            assert client.stdout is not None
            accepted, _ = server.accept()
            with accepted:
                peer_port = int(client.stdout.readline())
                assert LinuxFacts().peer(port, peer_port) == client.pid
                assert LinuxFacts().peer(peer_port, port) == os.getpid()
                assert LinuxFacts().peer(port, peer_port + 1) is None


def test_without_a_table_of_connections_nobody_can_tell(tmp_path: Path) -> None:
    assert LinuxFacts(tmp_path).peer(1, 2) is None


def test_ancestors_go_up_to_the_first_process() -> None:
    above = LinuxFacts().ancestors(os.getpid())
    assert above[0].pid == os.getppid()
    assert all(child.parent == parent.pid for child, parent in itertools.pairwise(above))


def test_ancestors_of_nobody_are_none() -> None:
    assert LinuxFacts().ancestors(2**22 + 1) == ()


def test_a_process_is_alive_by_its_start_and_not_by_its_number() -> None:
    process = subprocess.Popen(["/bin/sleep", "60"])
    running = describe(process.pid)
    assert running is not None
    facts = LinuxFacts()
    assert facts.describe(process.pid) is not None
    assert facts.is_alive(process.pid, running.started)
    assert not facts.is_alive(process.pid, running.started + 1)
    process.kill()
    process.wait(DEADLINE_S)
    assert not facts.is_alive(process.pid, running.started)


def test_a_program_of_the_system_is_written_by_administrators_only() -> None:
    assert LinuxFacts().only_admin_writes("/bin/sleep") is True


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program in a folder of its own. Where it lies, others may write further up, so that only its own part is judged."""
    folder = tmp_path / "opt"
    folder.mkdir(mode=0o755)
    file = folder / "browser"
    file.touch(mode=0o755)
    return file


def judged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: Path) -> bool | None:
    """As if everything above and outside of the test's folder were in order, and this user were the administrator."""
    from secureproctor.lockdown.linux import facts

    real = facts._only_root_writes
    monkeypatch.setattr(facts, "ADMIN", os.getuid())
    monkeypatch.setattr(facts, "_only_root_writes", lambda at: not at.startswith(f"{tmp_path}/") or real(at))
    return LinuxFacts().only_admin_writes(str(path))


def test_nobody_else_writes_a_program_with_ordinary_rights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: Path
) -> None:
    assert judged(monkeypatch, tmp_path, program) is True


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o1777])
def test_a_folder_that_others_may_write_is_enough_to_replace_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: Path, mode: int
) -> None:
    program.parent.chmod(mode)
    assert judged(monkeypatch, tmp_path, program) is False


@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_a_program_that_others_may_write_is_not_the_administrators(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: Path, mode: int
) -> None:
    program.chmod(mode)
    assert judged(monkeypatch, tmp_path, program) is False


def test_links_are_followed_and_judged_where_they_lead(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: Path
) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    (open_to_all / "real").touch(mode=0o755)
    program.unlink()
    program.symlink_to("../open/real")
    assert judged(monkeypatch, tmp_path, program) is True
    open_to_all.chmod(0o777)
    assert judged(monkeypatch, tmp_path, program) is False


def test_what_is_not_there_or_leads_nowhere_cannot_be_told(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to("round")
    facts = LinuxFacts()
    assert facts.only_admin_writes("/nowhere/at/all") is None
    assert facts.only_admin_writes("browser") is None
    assert facts.only_admin_writes("") is None


def test_nothing_stays_open_after_a_question() -> None:
    before, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    LinuxFacts().peer(1, 2)
    LinuxFacts().ancestors(os.getpid())
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == (before, threads)

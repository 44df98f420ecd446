"""Processes by /proc, on real processes of this machine that the tests start themselves."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from secureproctor.lockdown.linux import proc
from secureproctor.lockdown.linux.proc import LinuxProcesses, describe, read_stat, script_of
from tests.lockdown.rules.machine import Clock

Start = Callable[..., "subprocess.Popen[bytes]"]
DEADLINE_S = 20.0
DEAF = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); sys.stdin.read()"


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts processes, and ends what is left of them."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(*arguments: str | Path, **more: object) -> "subprocess.Popen[bytes]":
        started.append(subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **more))  # type: ignore[call-overload]  # options
        return started[-1]

    yield begin
    for each in started:
        each.kill()
        each.communicate()


@pytest.fixture
def named(tmp_path: Path) -> Callable[[str], Path]:
    """A program that sleeps, under another name."""

    def copy(name: str) -> Path:
        return Path(shutil.copy("/bin/sleep", tmp_path / name))

    return copy


def name_of(pid: int) -> str:
    running = describe(pid)
    return "" if running is None else running.name


def test_a_process_is_what_its_file_is_whatever_it_calls_itself(start: Start, named: Callable[[str], Path]) -> None:
    program = named("teamviewer")
    process = start("innocent", "60", executable=program)
    until(lambda: name_of(process.pid) == "teamviewer")
    running = describe(process.pid)
    assert running is not None
    assert (running.path, running.parent, running.own) == (str(program), os.getpid(), True)


def test_a_long_name_is_whole(start: Start, named: Callable[[str], Path]) -> None:
    name = "simplescreenrecorder"
    process = start(named(name), "60")
    until(lambda: name_of(process.pid) == name)


def test_a_program_whose_file_was_deleted_keeps_its_name(start: Start, named: Callable[[str], Path]) -> None:
    program = named("anydesk")
    process = start(program, "60")
    until(lambda: name_of(process.pid) == "anydesk")
    program.unlink()
    assert name_of(process.pid) == "anydesk"


def test_a_script_is_named_by_its_file_and_its_interpreter_stands_beside(start: Start, tmp_path: Path) -> None:
    script = tmp_path / "kazam"
    script.write_text(f"#!{sys.executable}\nimport sys\nsys.stdin.read()\n")
    script.chmod(0o755)
    process = start(script)
    until(lambda: name_of(process.pid) == "kazam")
    running = describe(process.pid)
    assert running is not None
    assert running.original_name == Path(os.path.realpath(sys.executable)).name
    assert running.path == os.path.realpath(sys.executable)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["python3", "/usr/bin/kazam", "--tray"], "kazam"),
        (["python3", "-m", "http.server"], "http"),
        (["python3", "-c", "import zoom"], ""),
        (["perl", "-w", "/usr/bin/shutter"], "shutter"),
        (["bash", "-c", "zoom"], ""),
        (["bash"], ""),
        (["-bash"], ""),
        ([], ""),
    ],
)
def test_what_an_interpreter_runs_is_its_first_argument_that_is_a_file(arguments: list[str], name: str) -> None:
    assert script_of(arguments) == name


@pytest.mark.parametrize(
    ("short", "path", "arguments", "named"),
    [
        ("TeamViewer.exe", "/usr/lib/wine/wine64-preloader", ["C:\\TV\\TeamViewer.exe", "-x"], "TeamViewer.exe"),
        ("wineserver", "/usr/lib/wine/wineserver64", ["wineserver"], "wineserver64"),
        ("simplescreenrec", "", ["/usr/bin/simplescreenrecorder"], "simplescreenrecorder"),
        ("simplescreenrec", "", ["innocent"], "simplescreenrec"),
        ("simplescreenrec", "", [], "simplescreenrec"),
    ],
)
def test_what_has_no_readable_file_of_its_own_is_named_by_what_else_is_known(
    short: str, path: str, arguments: list[str], named: str
) -> None:
    assert proc._names(short, path, lambda: arguments)[0] == named


def test_a_name_with_brackets_and_spaces_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text("7 (a) b (c)) S 3 " + " ".join(map(str, range(40))))
    stat = read_stat(7, tmp_path)
    assert stat is not None
    assert (stat.name, stat.state, stat.parent) == ("a) b (c)", "S", 3)


def test_a_dead_process_that_nobody_collected_is_gone(start: Start) -> None:
    process = start("/bin/true")
    until(lambda: describe(process.pid) is None)
    assert Path(f"/proc/{process.pid}").exists()


def test_a_thread_of_the_kernel_is_nobodys_program() -> None:
    running = describe(2)
    assert running is None or (running.path, running.own) == ("", False)


def test_the_list_is_the_same_set_until_something_starts(start: Start) -> None:
    """Other tests may start processes at the same moment, so that only this process's own children are looked at."""
    processes = LinuxProcesses()
    before = processes.pids()
    process = start("/bin/sleep", "60")
    assert os.getpid() in before
    assert process.pid not in before
    assert process.pid in processes.pids()


@pytest.mark.parametrize(("loadavg", "reads_again"), [("0 0 0 1/2 77", False), ("0 0 0 1/2 0", True), ("", True)])
def test_while_the_last_number_stays_the_list_is_not_read_again(
    tmp_path: Path, loadavg: str, reads_again: bool
) -> None:
    clock = Clock()
    (tmp_path / "loadavg").write_text(loadavg)
    processes = LinuxProcesses(clock=clock, proc=tmp_path)
    assert processes.pids() == frozenset()
    (tmp_path / "77").mkdir()
    assert (77 in processes.pids()) is reads_again
    clock.now += proc.LIST_S
    assert processes.pids() == {77}


def test_one_with_windows_is_asked_by_them(start: Start) -> None:
    asked: list[int] = []

    def close_windows(pid: int) -> bool:
        asked.append(pid)
        return True

    processes = LinuxProcesses(has_window=lambda pid: True, close_windows=close_windows)
    process = start("/bin/sleep", "60")
    assert processes.ask_to_close(process.pid)
    assert processes.has_window(process.pid)
    assert asked == [process.pid]
    assert process.poll() is None


def test_one_without_windows_is_told_to_terminate(start: Start) -> None:
    process = start("/bin/sleep", "60")
    assert LinuxProcesses().ask_to_close(process.pid)
    assert process.wait(DEADLINE_S) == -signal.SIGTERM


def test_one_that_does_not_hear_is_killed_in_a_later_call(start: Start) -> None:
    clock = Clock()
    processes = LinuxProcesses(clock=clock)
    process = start(sys.executable, "-c", DEAF)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    assert not processes.close(process.pid)
    assert not processes.close(process.pid)
    clock.now += proc.TERM_S
    processes.close(process.pid)
    assert process.wait(DEADLINE_S) == -signal.SIGKILL
    assert processes.close(process.pid)


def test_a_process_that_is_gone_is_closed_and_cannot_be_asked(start: Start) -> None:
    process = start("/bin/true")
    process.wait(DEADLINE_S)
    assert LinuxProcesses().close(process.pid)
    assert not LinuxProcesses().ask_to_close(process.pid)


def test_a_signal_for_a_process_that_had_the_number_before_is_not_sent(start: Start) -> None:
    process = start("/bin/sleep", "60")
    running = describe(process.pid)
    assert running is not None
    assert not proc._send(process.pid, signal.SIGTERM, running.started - 1, proc.PROC)
    assert process.poll() is None


def test_closing_leaves_no_file_open(start: Start) -> None:
    processes = LinuxProcesses()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        process = start("/bin/sleep", "60")
        processes.close(process.pid)
        process.wait(DEADLINE_S)
        process.communicate()
    assert len(os.listdir("/proc/self/fd")) == before

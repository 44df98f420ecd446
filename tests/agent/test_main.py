"""The command line as a person runs it: real processes, each with folders of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from websockets.sync.client import connect

from secureproctor.agent.__main__ import main
from secureproctor.agent.local.pairing import Pairing, find
from secureproctor.agent.lock import ANOTHER_AGENT
from secureproctor.config.settings import COMMAND_ONLY, FIELDS, POLICY_ONLY, Origin

DEADLINE_S = 20.0
NOBODY = "http://127.0.0.1:9"


@dataclass(slots=True)
class Place:
    """Folders of one user, and commands run in them."""

    home: Path

    @property
    def folders(self) -> list[str]:
        return ["--state-dir", str(self.home / "state"), "--runtime-dir", str(self.home / "run")]

    @property
    def environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("SECUREPROCTOR_", "XDG_"))}
        return {**ours, "HOME": str(self.home), "COLUMNS": "100"}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-W", "error", "-m", "secureproctor.agent", *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = self.command(*words)
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )

    def agent(self, *words: str) -> subprocess.Popen[str]:
        command = self.command("agent", "--service-url", NOBODY, *self.folders, *words)
        return subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE, text=True)

    def pairing(self, process: subprocess.Popen[str]) -> Pairing:
        """What the agent published once it listens."""
        end = time.monotonic() + DEADLINE_S
        while (found := find(self.home / "run")) is None:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < end, "the agent did not begin to listen"
            time.sleep(0.01)
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def running(place: Place) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Agents that listen; all are gone at the end."""
    with ExitStack() as stack:

        def start(*words: str) -> subprocess.Popen[str]:
            process = stack.enter_context(place.agent("--local-port", "0", *words))
            stack.callback(process.kill)
            place.pairing(process)
            return process

        yield start


Start = Callable[..., subprocess.Popen[str]]


def test_status_of_a_running_agent_as_data_and_as_a_table(place: Place, running: Start) -> None:
    running()
    asked = place.run("status", "--json", *place.folders)
    assert (asked.returncode, asked.stderr) == (0, "")
    status = json.loads(asked.stdout)
    assert (status["state"], status["capturing"], status["session_id"]) == ("idle", [], "")
    assert status["agent"].startswith("secureproctor-agent ")
    shown = place.run("status", *place.folders)
    assert shown.returncode == 0
    assert "nothing" in shown.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_agent_at_once_and_its_pairing_file_goes(place: Place, running: Start, number: int) -> None:
    agent = running()
    began = time.monotonic()
    agent.send_signal(number)
    _, errors = agent.communicate(timeout=3)
    assert time.monotonic() - began < 3
    assert agent.returncode == 0
    assert "Traceback" not in errors
    assert list((place.home / "run").iterdir()) == []


def test_a_supervised_agent_comes_back_when_it_is_killed_and_goes_with_its_supervisor(
    place: Place, running: Start
) -> None:
    supervisor = running("--supervised")
    try:
        first = place.pairing(supervisor)
        os.kill(first.pid, signal.SIGKILL)
        end = time.monotonic() + DEADLINE_S
        while (second := place.pairing(supervisor)).pid == first.pid:
            assert time.monotonic() < end, "the agent did not come back"
            time.sleep(0.01)
        assert place.run("status", *place.folders).returncode == 0
    finally:
        supervisor.terminate()
        supervisor.communicate(timeout=DEADLINE_S)
    assert supervisor.returncode == 0
    with pytest.raises(ProcessLookupError):
        os.kill(second.pid, 0)


def test_a_program_that_introduces_itself_is_known_by_the_process_behind_its_connection(
    place: Place, running: Start
) -> None:
    pairing = place.pairing(running())
    headers = {"Authorization": f"Bearer {pairing.token}"}
    with connect(pairing.address, additional_headers=headers, proxy=None) as socket:
        socket.send('{"jsonrpc":"2.0","id":1,"method":"attach","params":{"product":"A test"}}')
        while "id" not in (answer := json.loads(socket.recv(DEADLINE_S))):
            pass
    browser = answer["result"]["browser"]
    own = psutil.Process()
    assert browser["pid"] in {own.pid, *(each.pid for each in own.parents())}
    assert Path(browser["path"]).samefile(own.exe())
    assert browser["proof"] == "none"


def test_the_machine_is_given_back_by_command_and_keys_are_looked_at(place: Place) -> None:
    """The commands with modules of their own are found; what they do is tested there."""
    given = place.run("unlock", "--state-dir", str(place.home / "state"))
    assert (given.returncode, given.stdout) == (0, "Nothing of a lockdown is left on this computer.\n")
    assert place.run("msb-key", "inspect", str(place.home / "none")).returncode == 1
    assert place.run("msb-key").returncode == 2


def test_without_an_agent_status_says_how_to_start_one(place: Place) -> None:
    asked = place.run("status", *place.folders)
    assert (asked.returncode, asked.stdout) == (1, "")
    assert asked.stderr == "secureproctor: No agent is running for this user.\n  Start it with: secureproctor agent\n"


def test_a_taken_port_is_a_sentence(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with place.agent("--local-port", str(port)) as agent:
            _, errors = agent.communicate(timeout=DEADLINE_S)
    assert agent.returncode == 1
    assert errors.startswith(f"secureproctor: Port {port} on 127.0.0.1 is taken, perhaps by another agent.\n")
    assert "Traceback" not in errors
    assert find(place.home / "run") is None


def test_a_second_agent_ends_with_an_exit_code_of_its_own(place: Place, running: Start) -> None:
    """Who started it finds the first one."""
    running()
    with place.agent("--local-port", "0") as agent:
        _, errors = agent.communicate(timeout=DEADLINE_S)
    assert agent.returncode == ANOTHER_AGENT == 3
    assert "another agent works on" in errors
    assert "Traceback" not in errors
    assert place.run("status", *place.folders).returncode == 0


def test_the_native_host_is_made_known_to_browsers_and_taken_away(place: Place) -> None:
    asked = place.run("native-host", "--install", "--browser", "chromium", "--browser", "firefox", *place.folders)
    assert (asked.returncode, asked.stderr) == (0, "")
    written = [Path(line) for line in asked.stdout.splitlines()]
    assert written == [
        place.home / ".config/chromium/NativeMessagingHosts/secureproctor.agent.json",
        place.home / ".mozilla/native-messaging-hosts/secureproctor.agent.json",
    ]
    launcher = Path(json.loads(written[0].read_text())["path"])
    assert all(word in launcher.read_text() for word in place.folders)
    asked = place.run("native-host", "--uninstall")
    assert asked.stdout.splitlines() == [str(path.parent) for path in written]
    assert [path for path in place.home.rglob("*") if path.is_file()] == []
    assert place.run("native-host", "--uninstall").stdout == ""


def test_a_browsers_folder_that_cannot_be_written_is_a_sentence(place: Place) -> None:
    (place.home / "file").write_text("a file in its place")
    asked = place.run("native-host", "--install", "--into", str(place.home / "file"))
    assert asked.returncode == 1
    assert "administrator" in asked.stderr
    assert "Traceback" not in asked.stderr


def test_a_launcher_starts_a_host_whatever_the_browser_says_of_itself(place: Place) -> None:
    place.run("native-host", "--install", "--browser", "chromium", "--into", str(place.home / "hosts"), *place.folders)
    command = [
        str(place.home / "hosts" / "secureproctor.agent"),
        "/a/manifest.json",
        "@secureproctor",
        "--parent-window=0",
    ]
    host = subprocess.run(
        command, env=place.environment, input=b"", capture_output=True, timeout=DEADLINE_S, check=False
    )
    assert (host.returncode, host.stdout, host.stderr) == (0, b"", b"")


def test_a_runtime_folder_that_cannot_be_made_is_a_sentence(place: Place) -> None:
    (place.home / "run").write_text("a file in its place")
    with place.agent("--local-port", "0") as agent:
        _, errors = agent.communicate(timeout=DEADLINE_S)
    assert agent.returncode == 1
    assert "secureproctor: The agent cannot run:" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--local-port", "70000"], "'local_port' (command line) is not valid"),
        (["--local-port", "http"], "'local_port' (command line) is not valid"),
        (["--log-level", "LOUD"], "'log_level' (command line) is not valid"),
        (["--segment-s", "0"], "'segment_s' (command line) is not valid"),
    ],
)
def test_a_wrong_value_is_a_sentence_that_names_it(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["agent", *words]) == 1
    assert said in capsys.readouterr().err


def test_every_setting_but_those_of_the_policy_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["agent", "--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    for name, field in FIELDS.items():
        assert (f"--{name.replace('_', '-')}" in shown) == (field.metadata["by"] != POLICY_ONLY)
        assert Origin.COMMAND_LINE in field.metadata["by"] or field.metadata["by"] == POLICY_ONLY
    assert shown.count("(command line only)") == sum(field.metadata["by"] == COMMAND_ONLY for field in FIELDS.values())


@pytest.mark.parametrize("command", ["agent", "check"])
def test_certificates_that_cannot_be_read_are_a_sentence(place: Place, command: str) -> None:
    words = place.command(command, "--local-port", "0", "--service-url", "https://localhost:9", *place.folders)
    environment = {**place.environment, "SSL_CERT_FILE": "/nowhere/ca.pem", "SSL_CERT_DIR": ""}
    asked = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert asked.returncode == 1
    assert "the certificates of /nowhere/ca.pem cannot be read (No such file or directory)" in asked.stderr
    assert "SSL_CERT_FILE" in asked.stderr.splitlines()[-1]
    assert "Traceback" not in asked.stderr


@pytest.mark.parametrize("words", [[], ["explode"], ["status", "--explode"], ["agent", "--local-port"]])
def test_a_wrong_command_line_has_an_exit_code_of_its_own(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage: secureproctor" in capsys.readouterr().err


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    listed = {line.split()[0] for line in shown.splitlines() if line.startswith("    ")}
    assert {"agent", "check", "status", "native-host", "service", "demo"} <= listed


def test_the_environment_and_the_users_file_are_read_and_named_when_they_are_wrong(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place.home))
    monkeypatch.setenv("SECUREPROCTOR_LOCAL_PORT", "many")
    assert main(["agent"]) == 1
    assert "'local_port' (environment)" in capsys.readouterr().err
    monkeypatch.delenv("SECUREPROCTOR_LOCAL_PORT")
    (place.home / "secureproctor").mkdir()
    (place.home / "secureproctor" / "settings.toml").write_text('service_url = "http://evil.example"')
    assert main(["agent"]) == 1
    assert "'service_url' cannot be set by the user file" in capsys.readouterr().err

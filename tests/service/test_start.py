"""Starting and ending the service as an operator does."""

import json
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from secureproctor.service.__main__ import _kept_keys


def refused(*options: str) -> str:
    command = [sys.executable, "-W", "error", "-m", "secureproctor.service", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_closes_its_sockets_and_ends_within_two_seconds(launch: Any, number: int) -> None:
    server = launch()
    candidate = server.register()
    with candidate.channel() as agent, server.console() as console:
        agent.beat()
        console.snapshot(candidate.id)
        begun = time.monotonic()
        assert server.stop(number) == (0, "")
        assert time.monotonic() - begun < 2
        assert agent.closed() == 1012


def test_the_ready_file_is_private_and_says_where_everything_is(server: Any) -> None:
    assert server.ready["mode"] == 0o600
    assert server.ready["pid"] == server.process.pid
    assert server.ready["console_url"].startswith(f"{server.url}/console#key=")


def test_secrets_are_private_files_and_stay(launch: Any, tmp_path: Path) -> None:
    first = launch()
    token = first.register().authorization
    key = first.proctor_key
    first.stop()
    secrets = [path for path in (tmp_path / "data").iterdir() if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    second = launch()
    assert second.proctor_key == key
    assert second.http.get("/v1/sessions/x/segments", headers=token).json()["error"]["code"] == "token_invalid"


def test_without_a_key_a_pair_is_made_once(tmp_path: Path) -> None:
    made = _kept_keys(tmp_path / "keys.json")
    assert len(made) == 1
    assert _kept_keys(tmp_path / "keys.json") == made == json.loads((tmp_path / "keys.json").read_text())


def test_origins_and_public_address_are_told_to_the_agent(launch: Any) -> None:
    server = launch("--origin", "https://exam.example", "--public-url", "https://proctor.example/")
    assert server.ready["url"] == "https://proctor.example"


def test_candidates_are_told_who_the_operator_is(launch: Any) -> None:
    server = launch("--operator", "University of Example")
    assert server.register().data.operator == "University of Example"


def test_a_port_in_use_is_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"Port {port} is in use" in refused("--port", port, "--data", str(tmp_path))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--port", "99999"), "no port 99999"),
        (("--host", "192.0.2.1"), "cannot listen on 192.0.2.1"),
        (("--key", "nothing"), "is not PUBLIC:PRIVATE"),
        (("--port", "0", "--photo-host", "http://x"), "is not HOST or HOST:PORT"),
    ],
)
def test_an_option_that_cannot_be_is_a_sentence(tmp_path: Path, options: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused("--data", str(tmp_path), *options)


def test_a_folder_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert "cannot be used" in refused("--port", "0", "--data", str(tmp_path / "file" / "data"))


def test_a_spoilt_key_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "master.key").write_text("not hexadecimal")
    assert "cannot be read" in refused("--port", "0", "--data", str(tmp_path))


def test_a_folder_in_use_is_a_sentence(launch: Any, tmp_path: Path) -> None:
    launch()
    assert "Another service uses the folder" in refused("--port", "0", "--data", str(tmp_path / "data"))

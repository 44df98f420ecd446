"""Where the person sits, read from folders like /run, /proc and /tmp, and from an environment."""

import os
import socket
from pathlib import Path

import pytest

from secureproctor.lockdown.linux import remote
from secureproctor.lockdown.linux.proc import describe
from secureproctor.lockdown.linux.remote import read_seat, read_signs

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def line(local: str, peer: str, state: str, inode: int) -> str:
    return f"   0: {local} {peer} {state} 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0 100 0\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "run/systemd/sessions").mkdir(parents=True)
    (tmp_path / "tmp").mkdir()
    (tmp_path / "proc/net/tcp").write_text(HEAD)
    return tmp_path


def test_what_logind_says_of_the_session_is_read(root: Path) -> None:
    (root / "run/systemd/sessions/c2").write_text("UID=1000\nREMOTE=1\nSERVICE=xrdp-sesman\n")
    seat = read_seat({"XDG_SESSION_ID": "c2"}, root)
    assert (seat.remote, seat.service) == (True, "xrdp-sesman")


@pytest.mark.parametrize("session", ["", "c9", "../../etc/passwd"])
def test_without_a_session_of_that_name_nobody_can_tell(root: Path, session: str) -> None:
    seat = read_seat({"XDG_SESSION_ID": session}, root)
    assert (seat.remote, seat.service) == (None, None)


def test_the_server_of_a_display_is_the_one_that_locked_it(root: Path) -> None:
    (root / "tmp/.X7-lock").write_text("        42\n")
    (root / "proc/42").mkdir()
    (root / "proc/42/stat").write_text("42 (Xtigervnc) S 1 " + " ".join(["0"] * 40))
    assert read_seat({"DISPLAY": ":7.0"}, root).display_server == "Xtigervnc"
    assert read_seat({"DISPLAY": ":8"}, root).display_server is None
    assert read_seat({"DISPLAY": "localhost:7.0"}, root).display_server is None


def test_a_connection_that_comes_in_on_a_port_of_such_a_tool_is_found(root: Path) -> None:
    tcp = line("0100A8C0:170C", "0200A8C0:D431", "01", 11) + line("00000000:170C", "00000000:0000", "0A", 12)
    (root / "proc/net/tcp").write_text(HEAD + tcp + line("0100A8C0:01BB", "0200A8C0:D432", "01", 13))
    seat = read_seat({}, root)
    assert (seat.listening, seat.connected) == (((5900, ""),), ((5900, ""),))


def test_a_connection_from_this_computer_to_itself_is_none(root: Path) -> None:
    (root / "proc/net/tcp").write_text(HEAD + line("0100007F:170C", "0100007F:D431", "01", 11))
    assert read_seat({}, root).connected == ()


def test_a_secure_shell_alone_is_a_weak_sign(root: Path) -> None:
    signs = read_signs({"SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"}, root)
    assert [(sign.name, sign.weight) for sign in signs.found] == [("ssh", 0.2)]
    assert "1.2.3.4" not in str(signs)


def test_without_tables_nobody_can_tell(tmp_path: Path) -> None:
    assert set(read_signs({}, tmp_path).unknown) >= {"remote", "service", "listening", "connected"}


def test_a_listening_program_of_this_user_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listening:
        listening.bind(("0.0.0.0", 0))
        listening.listen()
        port = listening.getsockname()[1]
        monkeypatch.setattr(remote, "PORTS", {port: "a tool"})
        seat = read_seat({})
        own = describe(os.getpid())
    assert own is not None
    assert seat.listening == ((port, own.name),)

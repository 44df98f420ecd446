"""A person's hands for tests: keys that come to an X server from a keyboard of its own, not by XTEST.

Xtigervnc makes its keyboard's events from what a VNC viewer sends; this is such a viewer (RFB 3.8, RFC 6143, 7.1 to 7.5.4).
"""

import os
import secrets
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from Xlib import XK

from secureproctor.demo.program import end, read_line
from secureproctor.demo.xserver import _write_authority


class Hands:
    """A viewer that presses keys."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(20)
        self._socket.connect(str(path))
        self._socket.sendall(self._read(12))  # the version
        kinds = self._read(self._read(1)[0])
        assert 1 in kinds  # no security, behind a socket that only this user opens
        self._socket.sendall(b"\1")
        assert self._read(4) == bytes(4)
        self._socket.sendall(b"\1")
        _, _, length = struct.unpack(">HH16xI", self._read(24))[0:3]
        self._read(length)

    def _read(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            piece = self._socket.recv(count - len(got))
            assert piece, "the server hung up"
            got += piece
        return got

    def press(self, *keys: str) -> None:
        """Press these together."""
        symbols = [XK.string_to_keysym(key) for key in keys]
        for down, order in ((1, symbols), (0, symbols[::-1])):
            for symbol in order:
                self._socket.sendall(struct.pack(">BBHI", 4, down, 0, symbol))

    def close(self) -> None:
        self._socket.close()


@contextmanager
def vnc_server(folder: Path) -> Iterator[tuple[dict[str, str], int, Path]]:
    """Its environment, its process and the socket for `Hands`."""
    place, authority = folder / "rfb", folder / "Xauthority"
    environment = {**os.environ, "XAUTHORITY": str(authority)}
    cookie = secrets.token_bytes(16)
    _write_authority(authority, cookie, b"")
    told, tell = os.pipe()
    argv = ["Xtigervnc", "-displayfd", str(tell), "-auth", str(authority), "-SecurityTypes", "None", "-rfbport", "-1"]
    log = (folder / "vnc.log").open("wb")
    process = subprocess.Popen(
        [*argv, "-rfbunixpath", str(place), "-nolisten", "tcp", "-geometry", "640x480"],
        env=environment, pass_fds=[tell], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
    )  # fmt: skip
    try:
        number = read_line(told, "Xtigervnc", folder / "vnc.log")
        environment["DISPLAY"] = f":{number}"
        _write_authority(authority, cookie, number.encode())
        yield environment, process.pid, place
    finally:
        for each in (told, tell):
            os.close(each)
        log.close()
        end(process)

"""The desk's screen: Xvfb with a cookie of its own, openbox as window manager, and a desktop that is not black.

Xvfb picks the display number itself and tells it (`-displayfd`), so that desks started at the same moment never clash.
"""

import errno
import os
import secrets
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from Xlib import Xatom
from Xlib.display import Display

from secureproctor.demo.program import read_line, running, wait_until

DESKTOP_COLOUR = 0x2F4858
_FAMILY_LOCAL, _FAMILY_WILD = 256, 65535  # X11/Xauth.h
_AF_UNIX = 1  # socket.AF_UNIX, which the type stubs have for some systems only


@contextmanager
def xserver(environment: dict[str, str], folder: Path, width: int, height: int) -> Iterator[dict[str, int]]:
    """A running X server and window manager, written into `environment`; yields the process ids by program."""
    cookie, authority = secrets.token_bytes(16), folder / "Xauthority"
    _write_authority(authority, cookie, b"")
    environment["XAUTHORITY"] = str(authority)
    with ExitStack() as stack:
        display, x_pid = stack.enter_context(_xvfb(environment, folder, f"{width}x{height}x24"))
        _write_authority(authority, cookie, display.encode())
        environment["DISPLAY"] = f":{display}"
        log = folder / "openbox.log"
        home = {
            "XDG_CONFIG_HOME": str(folder),
            "XDG_CACHE_HOME": str(folder),
        }  # openbox writes there, and only it shall
        openbox = stack.enter_context(running(["openbox"], environment | home, log))
        _dress(environment, log, openbox)
        yield {"Xvfb": x_pid, "openbox": openbox.pid}


@contextmanager
def _xvfb(environment: dict[str, str], folder: Path, screen: str) -> Iterator[tuple[str, int]]:
    """Display number and process id; afterwards also the lock and socket of a server that was killed are gone."""
    log = folder / "xvfb.log"
    told, tell = os.pipe()
    display, pid = "", 0
    arguments = ["-screen", "0", screen, "-dpi", "96", "-displayfd", str(tell), "-auth", environment["XAUTHORITY"]]
    try:
        with running(
            ["Xvfb", *arguments, "-nolisten", "tcp", "-noreset"], environment, log, pass_fds=(tell,)
        ) as process:
            display, pid = read_line(told, "Xvfb", log), process.pid
            yield display, pid
    finally:
        os.close(told)
        os.close(tell)
        _unlock(display, pid)


def _unlock(display: str, pid: int) -> None:
    """Remove what a killed server left; the number may be another server's by now.

    So the lock must name `pid`, and nobody may answer at the socket (with `-displayfd`, Xvfb 21 makes no lock at all).
    """
    lock, place = Path(f"/tmp/.X{display}-lock"), Path(f"/tmp/.X11-unix/X{display}")  # noqa: S108 - X fixes these places
    if lock.exists() and lock.read_text().strip() == str(pid):
        lock.unlink()
    with socket.socket(_AF_UNIX, socket.SOCK_STREAM) as client:
        if display and client.connect_ex(str(place)) == errno.ECONNREFUSED:
            place.unlink(missing_ok=True)


def _write_authority(path: Path, cookie: bytes, display: bytes) -> None:
    """An Xauthority file (format: Xau's AuFileName.c, big-endian counted strings).

    libX11 and the server take the wild entry, which survives a change of the host's name; python-xlib looks for the local one.
    """
    entries = [(_FAMILY_LOCAL, socket.gethostname().encode(), display), (_FAMILY_WILD, b"", b"")]
    record = b""
    for family, address, number in entries:
        record += struct.pack(">H", family)
        for field in (address, number, b"MIT-MAGIC-COOKIE-1", cookie):
            record += struct.pack(">H", len(field)) + field
    path.touch(mode=0o600)
    path.write_bytes(record)


def _dress(environment: dict[str, str], log: Path, openbox: subprocess.Popen[bytes]) -> None:
    """Paint the desktop (a black one looks like a failed capture) and wait for the window manager to be in charge."""
    os.environ["XAUTHORITY"] = environment["XAUTHORITY"]  # python-xlib takes it from nowhere else
    display = Display(environment["DISPLAY"])
    try:
        root = display.screen().root
        root.change_attributes(background_pixel=DESKTOP_COLOUR)
        root.clear_area()
        check = display.get_atom("_NET_SUPPORTING_WM_CHECK")
        wait_until(lambda: root.get_full_property(check, Xatom.WINDOW) is not None, "openbox", log, openbox)
    finally:
        display.close()

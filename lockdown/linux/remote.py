"""Whether the person sits at this computer, as Linux tells: logind's session, the environment, the X server, connections.

The session's file is what libsystemd reads as well (sd_session_is_remote(3)). Which X server a display has is in its lock
file. rules/seat.py has the weights.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from secureproctor.lockdown.linux.proc import describe
from secureproctor.lockdown.linux.sockets import ESTABLISHED, LISTENING, Socket, owner, sockets
from secureproctor.lockdown.readings import Signs
from secureproctor.lockdown.rules.seat import PORTS, Seat, is_forwarded, signs_of

SSH = frozenset({"SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"})


def read_signs(environ: Mapping[str, str] = os.environ, root: Path = Path("/")) -> Signs:
    """The signs of a remote session."""
    return signs_of(read_seat(environ, root))


def read_seat(environ: Mapping[str, str] = os.environ, root: Path = Path("/")) -> Seat:
    """All readings. `root` is where /run, /proc and /tmp are."""
    session, display = _session(environ, root), environ.get("DISPLAY")
    ports = _ports(root / "proc")
    return Seat(
        remote=None if session is None else session.get("REMOTE") == "1",
        service=None if session is None else session.get("SERVICE", ""),
        ssh=not SSH.isdisjoint(environ),
        display=display or "",
        display_server=_server(display, root) if display else "",
        listening=None if ports is None else tuple(_programs(ports, LISTENING, root / "proc")),
        connected=None if ports is None else tuple(_programs(ports, ESTABLISHED, root / "proc")),
    )


def _session(environ: Mapping[str, str], root: Path) -> dict[str, str] | None:
    name = environ.get("XDG_SESSION_ID", "")
    if not name.isalnum():
        return None
    try:
        lines = (root / "run/systemd/sessions" / name).read_text(errors="replace").splitlines()
    except OSError:
        return None
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def _server(display: str, root: Path) -> str | None:
    """The program behind a display of this computer; None when nobody can tell."""
    number = display.rpartition(":")[2].partition(".")[0]
    if is_forwarded(display) or not number.isdecimal():
        return None
    try:
        pid = int((root / f"tmp/.X{number}-lock").read_text())
    except (OSError, ValueError):
        return None
    running = describe(pid, root / "proc")
    return None if running is None else running.name


def _ports(proc: Path) -> tuple[Socket, ...] | None:
    """Connections on the ports that matter, unless both ends are here."""
    try:
        return tuple(each for each in sockets(proc) if each.port in PORTS and not each.from_here)
    except OSError:
        return None


def _programs(ports: tuple[Socket, ...], state: str, proc: Path) -> Iterator[tuple[int, str]]:
    """Each port once. Whose it is costs a look at all processes, which only these few are worth."""
    inodes = {each.port: each.inode for each in ports if each.state == state}
    for port, inode in sorted(inodes.items()):
        pid = owner(inode, proc)
        running = None if pid is None else describe(pid, proc)
        yield port, "" if running is None else running.name

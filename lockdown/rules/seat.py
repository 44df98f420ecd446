"""Where the person sits who uses this session, as far as the system tells, and which of that is a sign of a remote one.

A system's folder fills in `Seat`; the weights are here, in one table. To listen is not to be used: a PC on which Remote
Desktop is switched on is no remote session. A connection that comes in on such a port is more.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields

from secureproctor.lockdown.readings import Sign, Signs


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Raw readings; None: could not be read.

    `remote` is what the system itself says of this session (Windows: SM_REMOTESESSION; logind: Remote=yes). `service` is what
    made the session (logind: `xrdp-sesman`, `sshd`). `ssh`: the environment is one of a secure shell. `display` is the name
    of the display where the system has several (`:0`, `localhost:10.0`). `display_server` is the program behind it.
    `listening` and `connected` are (port, program) of tools that offer the screen: that wait, and to which somebody elsewhere
    is connected now; program is empty where it is unknown.
    """

    remote: bool | None = None
    service: str | None = None
    ssh: bool | None = None
    display: str | None = None
    display_server: str | None = None
    listening: tuple[tuple[int, str], ...] | None = None
    connected: tuple[tuple[int, str], ...] | None = None


READINGS = frozenset(field.name for field in fields(Seat))
PORTS = {
    3389: "RDP",
    3350: "xrdp",
    4000: "NoMachine",
    5938: "TeamViewer",
    6568: "AnyDesk",
    7070: "AnyDesk",
    21118: "RustDesk",
    **dict.fromkeys(range(5900, 5910), "VNC"),
    **dict.fromkeys((5800, 6080), "VNC in a browser"),
}
"""Ports on which the screen is offered by default, by their makers' documentation."""
SERVERS = {
    "xvnc": 0.7,
    "xtigervnc": 0.7,
    "xtightvnc": 0.7,
    "xrealvnc": 0.7,
    "vncserver-x11-core": 0.6,
    "x2goagent": 0.7,
    "nxagent": 0.7,
    "nxnode.bin": 0.7,
    "xrdp": 0.7,
    "xpra": 0.6,
    "weston-rdp": 0.6,
}
"""Display servers whose screen is elsewhere. A virtual one without a screen (Xvfb) shows it to nobody, and is not here."""
SERVICES = {"xrdp-sesman": 0.6, "x2go": 0.6, "gnome-remote-desktop": 0.6, "sshd": 0.2, "ssh": 0.2}


def signs_of(seat: Seat) -> Signs:
    """All signs, and what could not be read."""
    found = tuple(sign for look in LOOKS for sign in look(seat))
    return Signs(found, tuple(field.name for field in fields(Seat) if getattr(seat, field.name) is None))


def is_forwarded(display: str) -> bool:
    """Whether an X display's name has a host in it: `localhost:10.0` is what a secure shell makes of a remote one."""
    host, colon, _ = display.rpartition(":")
    return bool(colon) and host not in ("", "unix") and not host.startswith("/")


def _session(seat: Seat) -> Iterator[Sign]:
    if seat.remote:
        yield Sign("session", 0.6, "the system says that it is remote")


def _service(seat: Seat) -> Iterator[Sign]:
    weight = SERVICES.get((seat.service or "").lower())
    if weight and seat.service:
        yield Sign("service", weight, seat.service)


def _ssh(seat: Seat) -> Iterator[Sign]:
    if seat.ssh:
        yield Sign("ssh", 0.2, "the environment is one of a secure shell")


def _display(seat: Seat) -> Iterator[Sign]:
    if seat.display and is_forwarded(seat.display):
        yield Sign("display", 0.5, "the display is on another computer")


def _server(seat: Seat) -> Iterator[Sign]:
    weight = SERVERS.get((seat.display_server or "").lower())
    if weight and seat.display_server:
        yield Sign("display_server", weight, seat.display_server)


def _listening(seat: Seat) -> Iterator[Sign]:
    yield from _ports(seat.listening or (), "listening", 0.1, 0.2)


def _connected(seat: Seat) -> Iterator[Sign]:
    yield from _ports(seat.connected or (), "connected", 0.6, 0.6)


def _ports(ports: Iterable[tuple[int, str]], name: str, unknown: float, known: float) -> Iterator[Sign]:
    for port, program in ports:
        if port in PORTS:
            yield Sign(name, known if program else unknown, f"{PORTS[port]}{f' by {program}' if program else ''}")


LOOKS: tuple[Callable[[Seat], Iterable[Sign]], ...] = (
    _session,
    _service,
    _ssh,
    _display,
    _server,
    _listening,
    _connected,
)

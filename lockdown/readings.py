"""What the rules of every system read from theirs: processes, displays, signs of a remote session or a virtual machine.

A system's folder gives these readings; the rules over them (lockdown/rules/) are the same everywhere. `None` and `unknown`
mean that something could not be read: never that it is fine, and never that it is not.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Running:
    """A process. `name` is its program's file name, `path` the whole path, `original_name` what the program's makers called
    it (of its version resource), `signer` the name in its signature; empty where the system does not tell. `started` is a
    number that another process with the same pid does not have (the system's unit)."""

    pid: int
    name: str
    path: str = ""
    original_name: str = ""
    signer: str = ""
    parent: int = 0
    started: float = 0.0
    own: bool = True
    """Whether it belongs to the user of this agent."""


class Processes(Protocol):
    """The processes of this machine."""

    def pids(self) -> frozenset[int]:
        """All of them; fast, since it is asked several times a second where the system tells nothing by event."""

    def describe(self, pid: int) -> Running | None:
        """One of them; None when it is gone."""

    def has_window(self, pid: int) -> bool | None:
        """Whether it shows a window; None when nobody can tell."""

    def ask_to_close(self, pid: int) -> bool:
        """Ask it as a person would, by closing its windows; whether it could be asked."""

    def close(self, pid: int) -> bool:
        """End it, by force if need be; whether it is gone. False: the right is missing."""


class ProcessFacts(Protocol):
    """What the system knows of a process that says it is the secure browser."""

    def describe(self, pid: int) -> Running | None:
        """As in Processes."""

    def ancestors(self, pid: int) -> tuple[Running, ...]:
        """Its parent, the parent of that, and so on."""

    def peer(self, port: int, peer_port: int) -> int | None:
        """The process behind the other end of a loopback TCP connection to our `port`; None when nobody can tell."""

    def only_admin_writes(self, path: str) -> bool | None:
        """Whether a program file, and every folder above it, can be changed by administrators only."""

    def is_alive(self, pid: int, started: float) -> bool:
        """Whether this very process still runs."""


@dataclass(frozen=True, slots=True)
class Display:
    """A display. `technology` is how it is connected (`internal`, `hdmi`, `displayport`, `dvi`, `vga`, `usb`, `wireless`,
    `virtual`, `unknown`). `on`: it shows something now; an internal panel behind a closed lid is connected and not on.
    `mirrors` names the display whose picture it shows. `edid` is maker and product as in its EDID (`DEL-40F1`), no serial."""

    name: str
    on: bool
    technology: str = "unknown"
    internal: bool | None = None
    mirrors: str = ""
    edid: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of something, with its weight from 0 to 1 and what was seen."""

    name: str
    weight: float
    seen: str


@dataclass(frozen=True, slots=True)
class Signs:
    """All signs that were found, and what could not be read."""

    found: tuple[Sign, ...] = ()
    unknown: tuple[str, ...] = ()


class Watching(Protocol):
    """Something that the place looks after in its `pump`."""

    def fileno(self) -> int:
        """A file that is readable when there is news; -1 for none."""

    @property
    def period_s(self) -> float | None:
        """How often to call `react` anyway; None: only when the file is readable."""

    def react(self) -> None:
        """Look what is new. Never blocks."""

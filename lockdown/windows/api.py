"""What the rules need of Windows, as narrow protocols over plain values.

The rules decide, and run on every system over fakes; the modules `api_*` do, and exist on Windows only. Nothing in here is a
handle that must be closed: what is open belongs to the implementation. Numbers keep their names from Microsoft's headers, with
the header's value beside them in the module that uses them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from secureproctor.lockdown.readings import Processes, Running

Hive = Literal["HKCU", "HKLM"]


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the registry. `data` is a number for REG_DWORD and REG_QWORD, the text for REG_SZ and REG_EXPAND_SZ, and the
    bytes in hexadecimal for every other type (`hex:…`): what is put back is what was there, whatever it was."""

    type: int
    data: int | str


class Registry(Protocol):
    """The registry. Every call raises PermissionError where the right is missing."""

    def get(self, hive: Hive, path: str, name: str) -> Value | None:
        """A value; None when it or its key is not there."""

    def put(self, hive: Hive, path: str, name: str, value: Value) -> None:
        """Set a value; its key is made if it is missing."""

    def remove(self, hive: Hive, path: str, name: str) -> None:
        """Remove a value. Nothing is done when it is not there."""

    def has(self, hive: Hive, path: str) -> bool:
        """Whether a key is there."""

    def prune(self, hive: Hive, path: str) -> None:
        """Remove a key if it is there and holds nothing at all."""

    def may_write(self, hive: Hive, path: str) -> bool:
        """Whether `put` would work. Changes nothing."""

    def children(self, hive: Hive, path: str) -> tuple[str, ...]:
        """The names of the keys below a key; none when it is not there."""

    def announce(self) -> None:
        """Tell the shell that policies have changed. It waits for a hung shell no longer than a moment."""


class Stroke(NamedTuple):
    """A key that goes down or up. `scan` is the code of the keyboard, `at_ms` the system's clock, which begins anew every 49.7
    days. `injected`: a program pressed it. A NamedTuple, since one is made in the hook for every key of the machine."""

    key: int
    down: bool
    scan: int
    injected: bool
    at_ms: int


class Hooks(Protocol):
    """The low-level hooks for keyboard and mouse.

    Windows waits for them with every key of every program, and removes a hook that was slow without telling anybody
    (LowLevelHooksTimeout). So they live in a thread of their own that does nothing else; the callbacks come in that thread.
    """

    def open(self, key: Callable[[Stroke], bool], pointer: Callable[[], None], seen: Callable[[], None]) -> None:
        """Hook. `key` says whether a key is stopped, `pointer` is called for an injected click or movement, `seen` for a key of
        `mark`. Raises OSError."""

    def close(self) -> None:
        """Unhook, and wait until no callback comes any more. Twice is harmless."""

    def mark(self) -> bool:
        """Press a key that means nothing and that only our hook will see; whether Windows took it."""

    def press(self, keys: tuple[int, ...]) -> None:
        """Press these and let them go, so that our hook lets them pass."""

    def is_down(self, key: int) -> bool:
        """Whether a key is held now, as far as programs were told."""


class SystemProcesses(Processes, Protocol):
    """Processes, and a look at one of them that never takes long."""

    def glance(self, pid: int) -> Running | None:
        """As `describe`, without original name and signer: to verify a signature all of a program is read, which may be
        hundreds of megabytes, and meanwhile somebody else's window would be in front."""


class Rect(NamedTuple):
    """A rectangle on the desktop, in pixels: left, top, right, bottom."""

    left: int
    top: int
    right: int
    bottom: int

    def covers(self, other: "Rect") -> bool:
        """Whether nothing of the other one lies outside."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )


class Dress(NamedTuple):
    """A window's styles: `style` (GWL_STYLE) and `extended` (GWL_EXSTYLE)."""

    style: int
    extended: int


class Placement(NamedTuple):
    """Where a window is when it is neither minimized nor maximized, and as which of these it is shown (WINDOWPLACEMENT)."""

    show: int
    normal: Rect


class Windows(Protocol):
    """The windows of the desktop, by their handles. A window that is gone has no owner, and does nothing."""

    def foreground(self) -> int:
        """The window in front; 0 when there is none just now."""

    def all(self) -> tuple[int, ...]:
        """The visible top-level windows, front to back."""

    def owner(self, window: int) -> int:
        """The process of a window; 0 when the window is gone."""

    def is_top(self, window: int) -> bool:
        """Whether it is a visible top-level window, and not a part of one."""

    def is_minimized(self, window: int) -> bool:
        """Whether it is minimized."""

    def is_hung(self, window: int) -> bool:
        """Whether its program answers no more, so that nothing may be asked of it that waits."""

    def rect(self, window: int) -> Rect:
        """Where it is."""

    def screen(self, window: int) -> Rect:
        """The whole of the display that it is on."""

    def dress(self, window: int) -> Dress:
        """Its styles."""

    def placement(self, window: int) -> Placement:
        """Where it would be restored to."""

    def affinity(self, window: int) -> int | None:
        """Whether capture sees it (WDA_NONE is 0); None when Windows does not tell."""

    def activate(self, window: int) -> bool:
        """Bring it in front; whether it is there now."""

    def wear(self, window: int, dress: Dress) -> None:
        """Change its styles, all but whether it is above all others."""

    def move(self, window: int, to: Rect, topmost: bool) -> None:
        """Put it there, and above all others, or not."""

    def put(self, window: int, placement: Placement) -> None:
        """Put it back."""

    def restore(self, window: int) -> None:
        """Show it if it is minimized. Does not wait."""

    def minimize(self, window: int) -> None:
        """Minimize it. Does not wait."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that Windows tells. `window` is which window it is about: one in front, minimized, or newly shown."""

    kind: Literal["foreground", "minimized", "shown", "clipboard", "displays", "session"]
    window: int = 0
    code: int = 0


class Messages(Protocol):
    """The one queue through which the guard's thread hears of the system."""

    def wait(self, timeout_s: float) -> tuple[Notice, ...]:
        """What came, after at most this time."""

    def wake(self) -> None:
        """End a wait that is under way, or the next one; from any thread."""

    def close(self) -> None:
        """Stop listening. Twice is harmless."""


class Clipboard(Protocol):
    """The clipboard; what is in it is nobody's business here."""

    def is_empty(self) -> bool:
        """Whether there is nothing in it."""

    def owner(self) -> int:
        """The process that filled it; 0 when that is not known."""

    def empty(self) -> bool:
        """Empty it; False when another program holds it open just now."""


class Session(Protocol):
    """The session of the user, and what it is told about its display and power."""

    def is_remote(self) -> bool:
        """GetSystemMetrics(SM_REMOTESESSION)."""

    def is_controlled(self) -> bool:
        """GetSystemMetrics(SM_REMOTECONTROL): somebody shadows this session."""

    def protocol(self) -> int | None:
        """WTSClientProtocolType: 0 for the console, 2 for RDP; None when it cannot be read."""

    def number(self) -> int | None:
        """The session of this process; None when it cannot be read."""

    def keep_awake(self, on: bool) -> bool:
        """Keep computer and display awake as long as this thread lives; whether Windows agreed."""

    def has_screen_reader(self) -> bool:
        """Whether a screen reader says that it runs (SPI_GETSCREENREADER)."""


class DisplayPath(NamedTuple):
    """From a picture to a display (DISPLAYCONFIG_PATH_INFO): `source` is which picture, `target` which output, `technology` as
    in DISPLAYCONFIG_VIDEO_OUTPUT_TECHNOLOGY. `maker` and `product` are EDID's numbers, 0 where they are not valid."""

    source: str
    target: str
    active: bool
    technology: int
    name: str
    maker: int
    product: int
    width: int
    height: int


class Connection(NamedTuple):
    """A row of the system's TCP table. `state` is MIB_TCP_STATE: 2 listens, 5 is established."""

    state: int
    local: str
    port: int
    remote: str
    remote_port: int
    pid: int


class Adapter(NamedTuple):
    """A network adapter: its address as `00:15:5d:…` and what its driver calls it."""

    address: str
    description: str


class Entry(NamedTuple):
    """An entry of an access list. `mask` are rights; `inherit_only`: it does not concern the thing itself."""

    allows: bool
    sid: str
    mask: int
    inherit_only: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """Who may do what with a file. `entries` None: there is no list, and everybody may do everything."""

    owner: str
    entries: tuple[Entry, ...] | None


@dataclass(frozen=True, slots=True)
class Readers:
    """What is only read. Each gives None when it cannot be read."""

    displays: Callable[[], tuple[DisplayPath, ...] | None]
    connections: Callable[[], tuple[Connection, ...] | None]
    adapters: Callable[[], tuple[Adapter, ...] | None]
    access: Callable[[str], Access | None]
    print_jobs: Callable[[], frozenset[str] | None]
    hypervisor: Callable[[], str | None]
    """Its vendor as in CPUID's leaf 0x40000000; empty without one."""
    battery: Callable[[], bool | None]


@dataclass(frozen=True, slots=True)
class Api:
    """All of it, as the place is given it."""

    registry: Registry
    hooks: Hooks
    windows: Windows
    messages: Messages
    clipboard: Clipboard
    session: Session
    processes: SystemProcesses
    read: Readers

"""What the rules need of macOS, as narrow protocols over plain values.

The rules decide, and run on every system over fakes; the modules `api_*` do, and work on a Mac only. Nothing in here is a
handle that must be closed: what is open belongs to the implementation.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from secureproctor.lockdown.readings import Processes

Access = Literal["granted", "denied", "undetermined"]
"""What the candidate, or IT by a profile, has said to a question of macOS (TCC); `undetermined`: nobody was asked yet."""


@dataclass(frozen=True, slots=True)
class Rights:
    """`accessibility` lets keys be stopped and windows be moved, `listen` (Input Monitoring) lets keys be heard."""

    accessibility: Access
    listen: Access


class Stroke(NamedTuple):
    """A key that goes down or up. `key` is its place on the keyboard (kVK_… of HIToolbox/Events.h), `text` what it would
    write, `flags` the modifiers (kCGEventFlagMask…), `source` the process that made it, 0 for a person's hands."""

    key: int
    down: bool
    text: str
    flags: int
    source: int
    repeats: bool


class Taps(Protocol):
    """An event tap for keys and clicks. macOS holds every key back until it has answered, so it has a thread of its own, in
    which the callbacks come."""

    def open(self, stops: bool, key: Callable[[Stroke], bool], click: Callable[[int], None]) -> None:
        """Tap. `key` says whether a key is stopped, which counts only with `stops`; `click` is called for clicks that a
        process made. Raises OSError."""

    def close(self) -> None:
        """Tap no more, and wait until no callback comes. Twice is harmless."""

    def is_open(self) -> bool:
        """Whether macOS still asks it. It does not when the right was taken away, or when it was too slow."""


class Rect(NamedTuple):
    """A rectangle on the desktop, in points."""

    left: float
    top: float
    width: float
    height: float

    def covers(self, other: "Rect") -> bool:
        """Whether nothing of the other one lies outside."""
        across = self.left <= other.left and self.left + self.width >= other.left + other.width
        return across and self.top <= other.top and self.top + self.height >= other.top + other.height


class Window(NamedTuple):
    """A window on the screen, without its title. `layer` 0 is an ordinary one, higher lies over lower. `shared`: it lets
    itself be captured (kCGWindowSharingState is not kCGWindowSharingNone)."""

    number: int
    pid: int
    layer: int
    alpha: float
    shared: bool
    rect: Rect


class Panel(NamedTuple):
    """A display that is connected. `active`: it can be drawn on, which one that mirrors another may not. `mirrors` is the
    display whose picture it shows, 0 for none. `vendor` and `model` are EDID's numbers."""

    number: int
    active: bool
    asleep: bool
    mirrors: int
    internal: bool
    vendor: int
    model: int
    width: int
    height: int
    rect: Rect


class Screen(Protocol):
    """Windows and displays. No right is needed for what is read."""

    def windows(self) -> tuple[Window, ...]:
        """Those on the screen, front to back."""

    def displays(self) -> tuple[Panel, ...] | None:
        """Those that are connected; None when they cannot be read."""


class Apps(Protocol):
    """Applications by their process, and each one's main window. What is gone or does not answer does nothing."""

    def front(self) -> int:
        """The process that the keyboard writes to; 0 when nobody can tell."""

    def activate(self, pid: int) -> None:
        """Ask for it to come in front."""

    def hide(self, pid: int) -> None:
        """Ask for it to hide all its windows."""

    def show(self, pid: int) -> None:
        """Unhide it, and its main window if that is minimized."""

    def is_away(self, pid: int) -> bool:
        """Whether it is hidden, or its main window minimized."""

    def full_screen(self, pid: int) -> bool | None:
        """Whether its main window is full screen; None when there is none, or nobody can tell."""

    def set_full_screen(self, pid: int, on: bool) -> bool:
        """Make it so, or not; whether it was taken on. It takes about a second."""

    def ask_to_end(self, pid: int) -> bool:
        """Ask it to quit, as from its menu; whether it is an application that could be asked."""

    def watch(self, pid: int, changed: Callable[[], None]) -> bool:
        """Call this when the application comes in front or leaves, or its window changes; in `Loop.wait`. Whether macOS will
        tell."""

    def unwatch(self) -> None:
        """Watch no more."""


class Loop(Protocol):
    """The run loop of the guard's thread: what macOS tells comes while it waits."""

    def wait(self, timeout_s: float) -> None:
        """Wait for at most this time, and handle what comes."""

    def wake(self) -> None:
        """End a wait that is under way, or the next one; from any thread."""

    def close(self) -> None:
        """Twice is harmless."""


class Clipboard(Protocol):
    """The general pasteboard; what is in it is nobody's business here."""

    def count(self) -> int:
        """A number that changes whenever somebody fills it (changeCount)."""

    def is_empty(self) -> bool:
        """Whether there is nothing in it."""

    def is_remote(self) -> bool:
        """Whether it came from another device (Universal Clipboard)."""

    def empty(self) -> None:
        """Empty it."""


class Session(Protocol):
    """This user's session, and what macOS lets this process do."""

    def rights(self) -> Rights:
        """As macOS says now. Asks nobody."""

    def has_secure_input(self) -> bool:
        """Whether a program keeps keys from everybody else, as password fields do (EnableSecureEventInput)."""

    def keep_awake(self, on: bool) -> bool:
        """Keep computer and display awake as long as this process lives; whether macOS agreed."""

    def is_on_console(self) -> bool | None:
        """Whether this session has the screen and the keyboard; None when that cannot be read."""

    def is_locked(self) -> bool:
        """Whether its screen is locked."""

    def helpers(self) -> tuple[str, ...]:
        """Those of macOS's own assistive technologies that are on, by the names in assistive.py."""


Properties = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Readers:
    """What is only read. Each gives None when it cannot be read.

    `registry` gives the properties of all objects of a class of the I/O Registry. `control` is sysctl. `connections` is the
    table that `netstat` prints. `profile` is what the System Information says of each display, by its number.
    """

    registry: Callable[[str], tuple[Properties, ...] | None]
    control: Callable[[str], str | None]
    connections: Callable[[], str | None]
    profile: Callable[[], Mapping[int, Properties] | None]


@dataclass(frozen=True, slots=True)
class Api:
    """All of it, as the place is given it."""

    loop: Loop
    taps: Taps
    screen: Screen
    apps: Apps
    clipboard: Clipboard
    session: Session
    processes: Processes
    read: Readers

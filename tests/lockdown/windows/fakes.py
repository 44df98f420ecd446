"""A Windows in memory that fails as Windows does: rights that are missing, hooks that are removed, windows that hang."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from secureproctor.contract.lockdown import LockdownSettings, RuleId
from secureproctor.lockdown.readings import Running
from secureproctor.lockdown.rule import Exam, Image, Rule, Sighting, Terms
from secureproctor.lockdown.windows.api import (
    Access,
    Adapter,
    Api,
    Connection,
    DisplayPath,
    Dress,
    Hive,
    Notice,
    Placement,
    Readers,
    Rect,
    Stroke,
    Value,
)
from secureproctor.lockdown.windows.place import WindowsPlace

SCREEN = Rect(0, 0, 1920, 1080)
SMALL = Rect(40, 40, 840, 640)
FRAMED = Dress(0x14CF0000, 0x00000100)
TOPMOST = 0x8
POLICIES = "Software\\Microsoft\\Windows\\CurrentVersion\\Policies"


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FakeRegistry:
    """`denied` are beginnings of keys (`HKLM`, `HKCU\\…`) that may be read only; `fail` makes every write fail."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str, str], Value] = {}
        self.keys: set[tuple[str, str]] = {("HKCU", "Software"), ("HKLM", "SOFTWARE")}
        self.denied: tuple[str, ...] = ()
        self.fail = False
        self.announced = 0

    def snapshot(self) -> object:
        return dict(self.values), set(self.keys)

    def get(self, hive: Hive, path: str, name: str) -> Value | None:
        return self.values.get((hive, path, name))

    def put(self, hive: Hive, path: str, name: str, value: Value) -> None:
        self._need_right(hive, path)
        self.make(hive, path)
        self.values[hive, path, name] = value

    def remove(self, hive: Hive, path: str, name: str) -> None:
        self._need_right(hive, path)
        self.values.pop((hive, path, name), None)

    def has(self, hive: Hive, path: str) -> bool:
        return (hive, path) in self.keys

    def prune(self, hive: Hive, path: str) -> None:
        used = any(each[:2] == (hive, path) for each in self.values) or self.children(hive, path)
        if not used:
            self.keys.discard((hive, path))

    def may_write(self, hive: Hive, path: str) -> bool:
        return not f"{hive}\\{path}".startswith(self.denied)

    def children(self, hive: Hive, path: str) -> tuple[str, ...]:
        return tuple(
            each[1][len(path) + 1 :] for each in self.keys if each[0] == hive and each[1].startswith(path + "\\")
        )

    def announce(self) -> None:
        self.announced += 1

    def make(self, hive: str, path: str) -> None:
        while path:
            self.keys.add((hive, path))
            path = path.rpartition("\\")[0]

    def _need_right(self, hive: Hive, path: str) -> None:
        if self.fail or not self.may_write(hive, path):
            raise PermissionError(13, "Access is denied")


class FakeHooks:
    """`removed`: Windows has removed them, and says nothing. `down` are the keys that programs believe to be held."""

    def __init__(self) -> None:
        self.is_open = self.removed = self.secure_desktop = False
        self.refuse = False
        self.opened = 0
        self.down: set[int] = set()
        self.pressed: list[tuple[int, ...]] = []
        self.arrived: list[tuple[int, bool]] = []

    def open(self, key: Callable[[Stroke], bool], pointer: Callable[[], None], seen: Callable[[], None]) -> None:
        if self.refuse:
            raise OSError("SetWindowsHookEx")
        self._key, self._pointer, self._seen = key, pointer, seen
        self.is_open, self.removed = True, False
        self.opened += 1

    def close(self) -> None:
        self.is_open = False

    def mark(self) -> bool:
        if self.secure_desktop:
            return False
        if self.is_open and not self.removed:
            self._seen()
        return True

    def press(self, keys: tuple[int, ...]) -> None:
        self.pressed.append(keys)

    def is_down(self, key: int) -> bool:
        return key in self.down

    def type(self, *keys: int, injected: bool = False, at_ms: int = 0) -> None:
        """Down in this order, up in the other one."""
        for key, down in [*((key, True) for key in keys), *((key, False) for key in reversed(keys))]:
            self.stroke(Stroke(key, down, 0, injected, at_ms))

    def stroke(self, stroke: Stroke) -> None:
        """What is not stopped arrives, and Windows knows that it is held."""
        if self.is_open and not self.removed and self._key(stroke):
            return
        self.arrived.append((stroke.key, stroke.down))
        (self.down.add if stroke.down else self.down.discard)(stroke.key)

    def move_pointer_by_program(self) -> None:
        self._pointer()


@dataclass(slots=True)
class Window:
    pid: int
    rect: Rect = SMALL
    dress: Dress = FRAMED
    minimized: bool = False
    hung: bool = False
    affinity: int | None = 0


class FakeWindows:
    """`stubborn`: windows that nobody else can get in front of, as those of programs with more rights."""

    def __init__(self) -> None:
        self.windows: dict[int, Window] = {}
        self.front = 0
        self.stubborn: set[int] = set()
        self.asked: list[tuple[str, int]] = []

    def add(self, window: int, pid: int, **what: object) -> None:
        self.windows[window] = replace(Window(pid), **what)  # type: ignore[arg-type]

    def snapshot(self) -> object:
        return {number: replace(window) for number, window in self.windows.items()}

    def foreground(self) -> int:
        return self.front

    def all(self) -> tuple[int, ...]:
        return tuple(self.windows)

    def owner(self, window: int) -> int:
        return self.windows[window].pid if window in self.windows else 0

    def is_top(self, window: int) -> bool:
        return window in self.windows

    def is_minimized(self, window: int) -> bool:
        return self.windows[window].minimized

    def is_hung(self, window: int) -> bool:
        return self.windows[window].hung

    def rect(self, window: int) -> Rect:
        return self.windows[window].rect

    def screen(self, window: int) -> Rect:
        return SCREEN

    def dress(self, window: int) -> Dress:
        return self.windows[window].dress

    def placement(self, window: int) -> Placement:
        return Placement(1, self.windows[window].rect)

    def affinity(self, window: int) -> int | None:
        return self.windows[window].affinity

    def activate(self, window: int) -> bool:
        self.asked.append(("activate", window))
        if self.front not in self.stubborn:
            self.front = window
        return self.front == window

    def wear(self, window: int, dress: Dress) -> None:
        self._need_answer(window)
        self.windows[window].dress = dress

    def move(self, window: int, to: Rect, topmost: bool) -> None:
        self._need_answer(window)
        style, extended = self.windows[window].dress
        self.windows[window].dress = Dress(style, extended | TOPMOST if topmost else extended & ~TOPMOST)
        self.windows[window].rect = to

    def put(self, window: int, placement: Placement) -> None:
        self._need_answer(window)
        self.windows[window].rect = placement.normal

    def restore(self, window: int) -> None:
        self.windows[window].minimized = False

    def minimize(self, window: int) -> None:
        self.asked.append(("minimize", window))
        self.windows[window].minimized = True
        self.stubborn.discard(window)

    def _need_answer(self, window: int) -> None:
        assert not self.windows[window].hung, "the guard would hang with this window"


class FakeMessages:
    def __init__(self) -> None:
        self.came: list[Notice] = []
        self.woken = 0
        self.closed = False

    def wait(self, timeout_s: float) -> tuple[Notice, ...]:
        came, self.came = tuple(self.came), []
        return came

    def wake(self) -> None:
        self.woken += 1

    def close(self) -> None:
        self.closed = True


class FakeClipboard:
    """`held`: another program has it open. `by` filled it."""

    def __init__(self) -> None:
        self.filled = self.held = False
        self.by = 0

    def is_empty(self) -> bool:
        return not self.filled

    def owner(self) -> int:
        return self.by

    def empty(self) -> bool:
        if not self.held:
            self.filled = False
        return not self.held


class FakeSession:
    def __init__(self) -> None:
        self.remote = self.controlled = self.reader = self.awake = False
        self.client_protocol: int | None = 0
        self.id: int | None = 1
        self.agrees = True

    def is_remote(self) -> bool:
        return self.remote

    def is_controlled(self) -> bool:
        return self.controlled

    def protocol(self) -> int | None:
        return self.client_protocol

    def number(self) -> int | None:
        return self.id

    def keep_awake(self, on: bool) -> bool:
        self.awake = on and self.agrees
        return self.agrees

    def has_screen_reader(self) -> bool:
        return self.reader


class FakeProcesses:
    def __init__(self) -> None:
        self.running: dict[int, Running] = {}
        self.protected: set[int] = set()

    def add(self, pid: int, path: str, **what: object) -> None:
        name = path.rpartition("\\")[2]
        self.running[pid] = replace(Running(pid, name, path, started=float(pid)), **what)  # type: ignore[arg-type]

    def pids(self) -> frozenset[int]:
        return frozenset(self.running)

    def describe(self, pid: int) -> Running | None:
        return self.running.get(pid)

    def glance(self, pid: int) -> Running | None:
        found = self.running.get(pid)
        return None if found is None else replace(found, original_name="", signer="")

    def has_window(self, pid: int) -> bool | None:
        return False

    def ask_to_close(self, pid: int) -> bool:
        return False

    def close(self, pid: int) -> bool:
        if pid not in self.protected:
            self.running.pop(pid, None)
        return pid not in self.running


@dataclass(slots=True)
class FakeReadings:
    """What api.Readers give."""

    displays: tuple[DisplayPath, ...] | None = ()
    connections: tuple[Connection, ...] | None = ()
    adapters: tuple[Adapter, ...] | None = ()
    access: dict[str, Access] = field(default_factory=dict)
    jobs: frozenset[str] | None = frozenset()
    hypervisor: str | None = ""
    battery: bool | None = True


class FakeWindowsSystem:
    """All of it, with an exam (process 100, window 1) in front, and another program (process 200, window 2)."""

    def __init__(self) -> None:
        self.registry, self.hooks, self.windows = FakeRegistry(), FakeHooks(), FakeWindows()
        self.messages, self.clipboard, self.session = FakeMessages(), FakeClipboard(), FakeSession()
        self.processes, self.readings, self.clock = FakeProcesses(), FakeReadings(), Clock()
        self.registry.make("HKCU", POLICIES)
        self.registry.make("HKLM", POLICIES)
        self.processes.add(100, "C:\\Program Files\\Browser\\browser.exe")
        self.processes.add(200, "C:\\Users\\me\\notes.exe")
        self.windows.add(1, 100)
        self.windows.add(2, 200)
        self.windows.front = 1

    @property
    def api(self) -> Api:
        read = self.readings
        return Api(
            self.registry,
            self.hooks,
            self.windows,
            self.messages,
            self.clipboard,
            self.session,
            self.processes,
            Readers(
                displays=lambda: read.displays,
                connections=lambda: read.connections,
                adapters=lambda: read.adapters,
                access=lambda path: read.access.get(path),
                print_jobs=lambda: read.jobs,
                hypervisor=lambda: read.hypervisor,
                battery=lambda: read.battery,
            ),
        )

    def tell(self, *notices: Notice) -> None:
        self.messages.came.extend(notices)


class Told(list[Sighting]):
    """What rules reported."""

    def kinds(self) -> list[str]:
        return [each.kind for each in self]

    def details(self, kind: str) -> list[dict[str, object]]:
        return [dict(each.detail) for each in self if each.kind == kind]


def terms(
    pid: int = 100,
    window: int = 0,
    allowed: Iterable[str] = (),
    observe_only: bool = False,
    settings: LockdownSettings | None = None,
) -> Terms:
    return Terms(Exam(pid, window), settings or LockdownSettings(), tuple(allowed), observe_only)


class Stage:
    """A place over a fake system: applies its rules, and pumps them through time."""

    def __init__(self, system: FakeWindowsSystem, place: WindowsPlace) -> None:
        self.system, self.place, self.told = system, place, Told()

    def rule(self, wanted: RuleId) -> Rule:
        return next(each for each in self.place.rules if each.id == wanted)

    def apply(self, wanted: RuleId, these: Terms | None = None) -> Image:
        rule = self.rule(wanted)
        image = rule.before(these or terms())
        rule.apply(these or terms(), self.told.append)
        return image

    def pump(self, seconds: float = 0.0, *notices: Notice) -> None:
        """At once, and then every 50 ms."""
        self.system.tell(*notices)
        self.place.pump(0)
        for _ in range(round(seconds / 0.05)):
            self.system.clock.now += 0.05
            self.place.pump(0)

"""A Mac of plain values, whose API fails as macOS does.

    mac = Mac()
    place = MacPlace(mac.api(), mac.clock)
    mac.press("q", "Cmd")                   # a key, as the event tap gets it; whether it was stopped
    mac.rights = DENIED                     # the candidate has taken the right away: the tap is gone

What outlives a process is in `mac.full_screen`; `api()` gives a new process the same Mac. `mac.events` notes what was asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from secureproctor.contract.events import Detail
from secureproctor.contract.lockdown import LockdownSettings, RuleId
from secureproctor.lockdown.macos import keys
from secureproctor.lockdown.macos.api import Api, Panel, Properties, Readers, Rect, Rights, Stroke, Window
from secureproctor.lockdown.macos.place import MacPlace
from secureproctor.lockdown.readings import Running
from secureproctor.lockdown.rule import Exam, Probed, Sighting, Terms

GRANTED = Rights("granted", "granted")
LISTENING = Rights("denied", "granted")
DENIED = Rights("denied", "denied")
UNASKED = Rights("undetermined", "undetermined")
EXAM, OTHER, FINDER, LOGIN, NEW = range(5_000_001, 5_000_006)
"""Numbers that no process of this machine has: one that had the agent's would be taken for the agent."""
SCREEN = Rect(0, 0, 1440, 900)
BUILT_IN = Panel(1, True, False, 0, True, 0x610, 0xA050, 2880, 1800, SCREEN)
CODES = {name: code for code, name in keys.NAMES.items()}
HARDWARE: dict[str, tuple[Properties, ...] | None] = {
    "IOPlatformExpertDevice": ({"manufacturer": b"Apple Inc.\0", "model": b"Mac14,2\0"},),
    "IOEthernetController": ({"IOMACAddress": bytes.fromhex("a4830f112233")},),
    "IOPCIDevice": (),
    "IOBlockStorageDevice": ({"Device Characteristics": {"Product Name": "APPLE SSD AP0512Z  "}},),
    "AppleSmartBattery": ({"BatteryInstalled": True},),
}


def program(pid: int, path: str, bundle: str = "", parent: int = 1, **more: object) -> Running:
    """A process, as libproc describes it."""
    running = Running(pid, path.rpartition("/")[2], path, bundle, "", parent, float(pid))
    return replace(running, **more)  # type: ignore[arg-type]  # fields of Running by name


def window(number: int, pid: int, **more: object) -> Window:
    """An ordinary one."""
    return Window(number, pid, 0, 1.0, True, Rect(100, 100, 800, 600))._replace(**more)  # type: ignore[arg-type]  # fields by name


@dataclass
class Mac:
    """See the module. `obeys`: applications come in front when they are asked to, which macOS decides; `yields`: who is hidden
    makes room for the exam."""

    rights: Rights = GRANTED
    front: int = EXAM
    obeys: bool = True
    yields: bool = True
    secure_input: bool = False
    locked: bool = False
    on_console: bool | None = True
    helpers: tuple[str, ...] = ()
    awake: bool = False
    now: float = 1000.0
    refuses: set[str] = field(default_factory=set)
    events: list[tuple[str, object]] = field(default_factory=list)
    full_screen: dict[int, bool] = field(default_factory=lambda: {EXAM: False})
    hidden: set[int] = field(default_factory=set)
    windows: list[Window] = field(default_factory=lambda: [window(1, EXAM), window(2, FINDER)])
    panels: tuple[Panel, ...] | None = (BUILT_IN,)
    profile: Mapping[int, Properties] | None = field(default_factory=dict)
    profiled: int = 0
    filled: int = 7
    holds: str = "text from before"
    registry: dict[str, tuple[Properties, ...] | None] = field(default_factory=lambda: dict(HARDWARE))
    controls: dict[str, str] = field(
        default_factory=lambda: {
            "hw.model": "Mac14,2",
            "machdep.cpu.brand_string": "Apple M2",
            "kern.hv_vmm_present": "0",
            "sysctl.proc_translated": "0",
        }
    )
    connections: str | None = ""
    running: dict[int, Running] = field(
        default_factory=lambda: {
            each.pid: each
            for each in (
                program(1, "/sbin/launchd", parent=0, own=False),
                program(EXAM, "/Applications/Browser.app/Contents/MacOS/Browser", "com.example.browser"),
                program(OTHER, "/Applications/Notes.app/Contents/MacOS/Notes", "com.example.notes"),
                program(FINDER, "/System/Library/CoreServices/Finder.app/Contents/MacOS/Finder"),
                program(LOGIN, "/System/Library/CoreServices/loginwindow.app/Contents/MacOS/loginwindow"),
            )
        }
    )
    tap: "FakeTaps" = field(init=False)
    apps: "FakeApps" = field(init=False)
    loop: "FakeLoop" = field(init=False)

    def api(self) -> Api:
        """For a new process."""
        self.tap, self.apps, self.loop = FakeTaps(self), FakeApps(self), FakeLoop(self)
        read = Readers(self.registry.get, self.controls.get, lambda: self.connections, self._profile)
        screen, processes = FakeScreen(self), FakeProcesses(self)
        return Api(self.loop, self.tap, screen, self.apps, FakeClipboard(self), FakeSession(self), processes, read)

    def _profile(self) -> Mapping[int, Properties] | None:
        self.profiled += 1
        return self.profile

    def clock(self) -> float:
        return self.now

    def press(self, key: str, *held: str, source: int = 0, text: str | None = None, repeats: bool = False) -> bool:
        """Down; whether it was stopped."""
        return self.tap.stroke(key, True, held, source, text, repeats)

    def release(self, key: str, *held: str) -> bool:
        """Up; whether it was stopped."""
        return self.tap.stroke(key, False, held, 0, None, False)

    def come_in_front(self, pid: int) -> None:
        """As by a click; macOS tells of the exam's application by event."""
        self.front = pid
        self.apps.tell()

    def fill(self, remote: bool = False) -> None:
        """Somebody copies something."""
        self.filled += 1
        self.holds = "remote text" if remote else "text"

    @property
    def durable(self) -> object:
        """What outlives a process, and a rule changes."""
        return dict(self.full_screen)


class FakeTaps:
    """A tap that macOS takes away with the right, and asks no more when it was disabled."""

    def __init__(self, mac: Mac) -> None:
        self.mac = mac
        self.stops = self.is_there = False
        self.key: Callable[[Stroke], bool] | None = None
        self.click: Callable[[int], None] | None = None

    def open(self, stops: bool, key: Callable[[Stroke], bool], click: Callable[[int], None]) -> None:
        if not self._may(stops) or "tap" in self.mac.refuses:
            raise OSError("it makes no event tap")
        self.mac.events.append(("tap", stops))
        self.stops, self.key, self.click, self.is_there = stops, key, click, True

    def close(self) -> None:
        self.is_there, self.key, self.click = False, None, None

    def is_open(self) -> bool:
        return self.is_there and self._may(self.stops)

    def stroke(self, key: str, down: bool, held: tuple[str, ...], source: int, text: str | None, repeats: bool) -> bool:
        if self.key is None or not self.is_open() or self.mac.secure_input:
            return False  # while secure input is on, taps get no keys (TN2150)
        flags = sum(keys.MODIFIERS[each] for each in held)
        code = CODES[key]
        written = text if text is not None else key if len(key) == 1 else ""
        return self.key(Stroke(code, down, written, flags, source, repeats)) and self.stops

    def _may(self, stops: bool) -> bool:
        return (self.mac.rights.accessibility if stops else self.mac.rights.listen) == "granted"


class FakeApps:
    """Applications that come in front when macOS likes."""

    def __init__(self, mac: Mac) -> None:
        self.mac = mac
        self.changed: Callable[[], None] | None = None

    def tell(self) -> None:
        if self.changed is not None:
            self.changed()

    def front(self) -> int:
        return self.mac.front

    def activate(self, pid: int) -> None:
        self.mac.events.append(("activate", pid))
        if self.mac.obeys and self._may():
            self.mac.front = pid

    def hide(self, pid: int) -> None:
        self.mac.events.append(("hide", pid))
        if self.mac.yields:
            self.mac.front = EXAM

    def show(self, pid: int) -> None:
        self.mac.events.append(("show", pid))
        self.mac.hidden.discard(pid)

    def is_away(self, pid: int) -> bool:
        return pid in self.mac.hidden

    def full_screen(self, pid: int) -> bool | None:
        return self.mac.full_screen.get(pid) if self._may() else None

    def set_full_screen(self, pid: int, on: bool) -> bool:
        if not self._may() or pid not in self.mac.full_screen or "full screen" in self.mac.refuses:
            return False
        self.mac.full_screen[pid] = on
        return True

    def ask_to_end(self, pid: int) -> bool:
        return self.mac.running.pop(pid, None) is not None

    def watch(self, pid: int, changed: Callable[[], None]) -> bool:
        self.changed = changed if self._may() else None
        return self._may()

    def unwatch(self) -> None:
        self.changed = None

    def _may(self) -> bool:
        return self.mac.rights.accessibility == "granted"


@dataclass
class FakeLoop:
    """A wait takes no time, but lets the Mac's clock go on."""

    mac: Mac
    woken: int = 0
    is_closed: bool = False

    def wait(self, timeout_s: float) -> None:
        self.mac.now += timeout_s

    def wake(self) -> None:
        self.woken += 1

    def close(self) -> None:
        self.is_closed = True


@dataclass
class FakeScreen:
    mac: Mac

    def windows(self) -> tuple[Window, ...]:
        return tuple(self.mac.windows)

    def displays(self) -> tuple[Panel, ...] | None:
        return self.mac.panels


@dataclass
class FakeClipboard:
    mac: Mac

    def count(self) -> int:
        return self.mac.filled

    def is_empty(self) -> bool:
        return not self.mac.holds

    def is_remote(self) -> bool:
        return self.mac.holds.startswith("remote")

    def empty(self) -> None:
        self.mac.filled += 1  # macOS counts it as a change
        self.mac.holds = ""


@dataclass
class FakeSession:
    mac: Mac

    def rights(self) -> Rights:
        return self.mac.rights

    def has_secure_input(self) -> bool:
        return self.mac.secure_input

    def keep_awake(self, on: bool) -> bool:
        self.mac.awake = on and "awake" not in self.mac.refuses
        return self.mac.awake == on

    def is_on_console(self) -> bool | None:
        return self.mac.on_console

    def is_locked(self) -> bool:
        return self.mac.locked

    def helpers(self) -> tuple[str, ...]:
        return self.mac.helpers


@dataclass
class FakeProcesses:
    mac: Mac

    def pids(self) -> frozenset[int]:
        return frozenset(self.mac.running)

    def describe(self, pid: int) -> Running | None:
        return self.mac.running.get(pid)

    def has_window(self, pid: int) -> bool | None:
        return any(each.pid == pid for each in self.mac.windows)

    def ask_to_close(self, pid: int) -> bool:
        return self.mac.apps.ask_to_end(pid)

    def close(self, pid: int) -> bool:
        self.mac.running.pop(pid, None)
        return True


class Watched:
    """A place, one of its rules applied, and what that tells."""

    def __init__(self, mac: Mac, *rules: RuleId, observe_only: bool = False, exam: Exam | None = None) -> None:
        self.mac = mac
        self.place = MacPlace(mac.api(), mac.clock)
        self.terms = Terms(exam or Exam(EXAM), LockdownSettings(), observe_only=observe_only)
        self.seen: list[Sighting] = []
        self.rules = tuple(rule for rule in self.place.rules if rule.id in rules)
        self.images = [rule.before(self.terms) for rule in self.rules]
        self.apply()

    def apply(self) -> None:
        """As the guard does, also again."""
        for rule in self.rules:
            rule.apply(self.terms, self.seen.append)

    def probe(self) -> Probed:
        """How the first one stands."""
        return self.rules[0].probe(self.terms)

    def run(self, seconds: float) -> None:
        """Time goes by: events, looks, and a verification each second."""
        until, verify_at = self.mac.now + seconds, self.mac.now + 1
        while self.mac.now < until:
            self.place.pump(min(until, verify_at) - self.mac.now)
            if self.mac.now >= verify_at:
                verify_at += 1
                self.verify()

    def verify(self) -> bool:
        """Whether all of them hold; each is asked."""
        answers = [rule.verify() for rule in self.rules]
        return all(answers)

    def restore(self) -> None:
        """As the guard does."""
        for rule, image in zip(self.rules, self.images, strict=True):
            rule.restore(image)

    def told(self, kind: str) -> list[Detail]:
        """What was told of this kind."""
        return [each.detail for each in self.seen if each.kind == kind]

"""A desktop for tests of the X11 rules: Xvfb with openbox, other programs, xdotool as the candidate's hands, and snapshots."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from Xlib import X

from secureproctor.contract.lockdown import RULES, LockdownSettings, RuleId
from secureproctor.demo.program import end, read_line
from secureproctor.demo.xserver import xserver
from secureproctor.lockdown.linux.place import LinuxPlace, open_place
from secureproctor.lockdown.linux.separate import separate_display
from secureproctor.lockdown.rule import Exam, Image, Rule, Sighting, Terms

PUPPET = Path(__file__).with_name("puppet.py")
WITHIN_S = 10.0


@dataclass
class Puppet:
    """A program with a window. What it said is in `said`."""

    process: subprocess.Popen[bytes]
    window: int
    said: list[str] = field(default_factory=list)

    @property
    def exam(self) -> Exam:
        return Exam(self.process.pid, self.window)

    def keys(self) -> list[int]:
        """The keys that came to its window."""
        return [int(each.removeprefix("key ")) for each in self.hears() if each.startswith("key ")]

    def hears(self) -> list[str]:
        """All that it has said by now."""
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        while line := self.process.stdout.readline():
            self.said.append(line.decode().strip())
        return self.said


class Desk:
    """An X server with a window manager, and what runs there."""

    def __init__(self, environment: dict[str, str], folder: Path, pids: Mapping[str, int]) -> None:
        self.environment, self.folder, self.pids = environment, folder, pids
        self.name = environment["DISPLAY"]

    def run(self, *argv: str) -> str:
        """What a program prints; it must succeed."""
        done = subprocess.run(argv, env=self.environment, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout

    def press(self, *keys: str) -> None:
        """Press keys as xdotool names them."""
        self.run("xdotool", "key", "--delay", "0", *keys)

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Another program's connection."""
        display = separate_display(self.name)
        try:
            yield display
        finally:
            display.close()

    @contextmanager
    def program(self, kind: str = "normal", *wishes: str, name: str = "puppet.py") -> Iterator[Puppet]:
        """A program with a window; `name` is its file's."""
        script = shutil.copy(PUPPET, self.folder / name)
        process = subprocess.Popen(
            [sys.executable, script, kind, *wishes],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield Puppet(process, int(read_line(process.stdout, name, self.folder / "none.log")))
        finally:
            assert process.stdin is not None
            process.stdin.close()
            end(process)

    def managed(self, window: int) -> None:
        """Wait until the window manager has the window in its list."""
        deadline = time.monotonic() + WITHIN_S
        while f"{window:#x}" not in self.run("xprop", "-root", "_NET_CLIENT_LIST"):
            assert time.monotonic() < deadline, "the window manager does not take the window"
            time.sleep(0.01)

    def active(self) -> int:
        return int(self.run("xdotool", "getactivewindow") or 0)

    def state(self, window: int) -> frozenset[str]:
        line = self.run("xprop", "-id", str(window), "_NET_WM_STATE").partition("=")[2]
        return frozenset(filter(None, (each.strip() for each in line.split(","))))

    def snapshot(self, *windows: int) -> Callable[[], object]:
        """Everything that a rule might leave in the server."""
        return lambda: (
            self.run("xkbcomp", "-w0", self.name, "-"),
            self.run("setxkbmap", "-query"),
            self.run("xset", "q"),
            tuple(self.state(window) for window in windows),
            self._grabs(),
        )

    def _grabs(self) -> tuple[bool, ...]:
        """Whether another program could take the keyboard, and some keys by each kind of grab."""
        with self.client() as display:
            root = display.screen().root
            whole = root.grab_keyboard(False, X.GrabModeAsync, X.GrabModeAsync, X.CurrentTime) == X.GrabSuccess
            display.xinput_query_version()
            keys = [root.xinput_grab_keycode(1, 0, key, 1, 1, False, 4, [0, 8, 12]).modifiers for key in (23, 67, 107)]
            return whole, *(not each for each in keys)


@contextmanager
def desk(folder: Path, environ: Mapping[str, str] = os.environ) -> Iterator[Desk]:
    """A desk, which this process's own environment names, too."""
    before = {name: os.environ.get(name) for name in ("DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY")}
    environment = dict(environ)
    with ExitStack() as stack:
        stack.callback(_put_back, before)
        pids = stack.enter_context(xserver(environment, folder, 800, 600))
        os.environ.update({name: environment[name] for name in ("DISPLAY", "XAUTHORITY")})
        yield Desk(environment, folder, pids)


def _put_back(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


@dataclass
class Locked:
    """Some rules of a place, applied; what they see, and the loop that lets them see it."""

    place: LinuxPlace
    seen: list[Sighting] = field(default_factory=list)
    rules: dict[RuleId, Rule] = field(default_factory=dict)
    images: dict[RuleId, Image] = field(default_factory=dict)

    def apply(self, terms: Terms, *rules: RuleId) -> None:
        for rule in (each for each in self.place.rules if each.id in rules):
            self.images[rule.id] = rule.before(terms)
            self.rules[rule.id] = rule
            rule.apply(terms, self.seen.append)

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Pump until it holds."""
        deadline = time.monotonic() + WITHIN_S
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what or condition}; seen: {self.seen}"
            self.place.pump(0.02)

    def during(self, seconds: float) -> None:
        """Pump for so long: for what must not happen."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.place.pump(left)

    def kinds(self) -> list[str]:
        return [each.kind for each in self.seen]

    def of(self, kind: str) -> list[Sighting]:
        return [each for each in self.seen if each.kind == kind]

    def restore(self) -> None:
        for rule in reversed(tuple(self.rules.values())):
            rule.restore(self.images[rule.id])
        self.rules.clear()


@contextmanager
def locked(desk: Desk, exam: Exam | None, *rules: RuleId, **settings: Any) -> Iterator[Locked]:
    """These rules applied, and restored in the end. The agent is none of the programs here."""
    unwanted: tuple[RuleId, ...] = tuple(each for each in RULES if each not in rules)
    terms = Terms(exam or Exam(), LockdownSettings(off=unwanted, **settings))
    lock = Locked(open_place("x11", agent=desk.pids["Xvfb"]))
    try:
        lock.apply(terms, *rules)
        yield lock
        lock.restore()
    finally:
        lock.place.close()


def kill(pid: int) -> None:
    """End a program of the desk without a word."""
    os.kill(pid, signal.SIGKILL)

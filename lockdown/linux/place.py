"""A Linux computer as the guard uses it: eighteen rules, and one poll over everything that can have news.

By kind: under X11 most rules have hands; under Wayland and on a text console they say why not (wayland.py). What a rule left in
an X server is put back from every kind: `secureproctor unlock` may be typed on a console.

Here every concrete class is named once. Nothing is opened before `open_place`.
"""

import selectors
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Literal, Protocol, runtime_checkable

from Xlib import error

from secureproctor.contract.lockdown import RULES, RuleId
from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.linux import machine, remote
from secureproctor.lockdown.linux.clipboard import ClipboardRule
from secureproctor.lockdown.linux.focus import FocusRule
from secureproctor.lockdown.linux.hidden_windows import HiddenWindowsRule
from secureproctor.lockdown.linux.inhibitor import Inhibitor
from secureproctor.lockdown.linux.injected_input import InjectedInputRule
from secureproctor.lockdown.linux.input_devices import InputDevices
from secureproctor.lockdown.linux.keys import KeysRule
from secureproctor.lockdown.linux.netlink import NotTold, ProcessConnector
from secureproctor.lockdown.linux.outputs import Outputs
from secureproctor.lockdown.linux.power import PowerRule
from secureproctor.lockdown.linux.printing import PrintingRule
from secureproctor.lockdown.linux.proc import LinuxProcesses
from secureproctor.lockdown.linux.screenshots import ScreenshotsRule
from secureproctor.lockdown.linux.server import GONE, UNREACHABLE, LeftOnServer, OnServer, Server, XRule
from secureproctor.lockdown.linux.session import session_rules
from secureproctor.lockdown.linux.wayland import compositor, wayland_rules
from secureproctor.lockdown.linux.whose import Owners
from secureproctor.lockdown.linux.windows import NewWindows, Shown
from secureproctor.lockdown.linux.x11 import LOST, ServerGone
from secureproctor.lockdown.readings import Display, Watching
from secureproctor.lockdown.rule import Rule
from secureproctor.lockdown.rules.assistive import AssistiveRule
from secureproctor.lockdown.rules.census import Census
from secureproctor.lockdown.rules.displays import DisplaysRule
from secureproctor.lockdown.rules.impossible import Impossible
from secureproctor.lockdown.rules.newcomers import WindowsRule
from secureproctor.lockdown.rules.programs import ProgramsRule, TaskManagerRule
from secureproctor.lockdown.rules.remote_session import RemoteSessionRule
from secureproctor.lockdown.rules.virtual_machine import VirtualMachineRule

Kind = Literal["x11", "wayland", "console"]
Clock = Callable[[], float]
ON_SCREENS: tuple[RuleId, ...] = (
    *("power", "keys", "focus", "clipboard", "hidden_windows", "screenshots", "displays", "injected_input"),
)
"""The rules that need a server of windows."""
NO_DESKTOP = "There is no desktop here, only a text console."
AT_DESKTOP = "Start the exam from a desktop."


@runtime_checkable
class _Watches(Watching, Protocol):
    """Watching, as a rule over X11 may or may not be."""


class LinuxPlace:
    """The computer, as lockdown.rule.Place. Made by `open_place`, in the thread that uses it."""

    def __init__(self, kind: Kind, parts: "Parts", rules: Mapping[RuleId, Rule], watching: Iterable[Watching]) -> None:
        self.name = f"linux/{kind}"
        self.rules: tuple[Rule, ...] = tuple(rules[rule] for rule in RULES)
        self._parts = parts
        self._watching = tuple(watching)
        self._reacted: dict[int, float] = {}
        self._woken, self._waker = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        for end in (self._woken, self._waker):
            end.setblocking(False)
        self._closed = False

    def _files(self) -> set[int]:
        """What is waited for. Who is not to be asked now reads nothing: its file would be readable for ever."""
        asked = (each.fileno() for each in self._watching if each.period_s is not None)
        return {self._woken.fileno(), self._parts.x_file, *asked} - {-1}

    def pump(self, timeout_s: float) -> None:
        """As lockdown.rule.Place. Raises ServerGone, from now on always, when the X server has gone: open another place."""
        try:
            self._dispatch()
            ready = self._wait(min(timeout_s, self._soonest()))
            self._dispatch()
            self._react(ready)
        except LOST:
            self._parts.server.lost()
        if self._parts.server.is_lost:
            raise ServerGone(GONE)

    def _dispatch(self) -> None:
        if (x := self._parts.server.now) is not None:
            x.dispatch()

    def _wait(self, timeout_s: float) -> frozenset[int]:
        """The files that are readable."""
        wanted, registered = self._files(), {key.fd for key in self._selector.get_map().values()}
        for number in wanted - registered:
            self._selector.register(number, selectors.EVENT_READ)
        for number in registered - wanted:
            self._selector.unregister(number)
        ready = frozenset(key.fd for key, _ in self._selector.select(max(0.0, timeout_s)))
        if self._woken.fileno() in ready:
            with suppress(BlockingIOError):
                self._woken.recv(4096)
        return ready

    def _soonest(self) -> float:
        return min((self._due_s(each) for each in self._watching), default=float("inf"))

    def _due_s(self, each: Watching) -> float:
        period = each.period_s
        if period is None:
            return float("inf")
        return self._reacted.get(id(each), float("-inf")) + period - self._parts.clock()

    def _react(self, ready: frozenset[int]) -> None:
        for each in self._watching:
            if each.fileno() in ready or self._due_s(each) <= 0:
                self._reacted[id(each)] = self._parts.clock()
                with suppress(error.XError):  # a window has gone while it was looked at
                    each.react()

    def wake(self) -> None:
        """As lockdown.rule.Place."""
        with suppress(OSError):  # full: it is awake already; closed: nobody waits
            self._waker.send(b"\0")

    def close(self) -> None:
        """As lockdown.rule.Place."""
        if self._closed:
            return
        self._closed = True
        self._selector.close()
        self._woken.close()
        self._waker.close()
        self._parts.close()


class Parts:
    """What the rules share."""

    def __init__(self, kind: Kind, agent: int, clock: Clock) -> None:
        self.server, self.clock = Server(wanted=kind != "console"), clock
        self.shown = Shown(self.server, all_windows=kind == "x11")
        self.names = Catalogue.shipped("linux")
        self.announcements = _announcements()
        processes = LinuxProcesses(self.shown.has_window, self.shown.close, clock)
        self.census = Census(processes, clock, self.announcements)
        self.owners = Owners(processes.describe, self.names, agent)
        self.devices = InputDevices(clock)
        self.outputs = Outputs()
        self.inhibitor = Inhibitor()

    @property
    def x_file(self) -> int:
        """The connection's file; -1 without one."""
        return -1 if self.server.now is None else self.server.now.fileno()

    def displays(self) -> tuple[Display, ...] | None:
        """The displays; None: nobody can tell."""
        try:
            return self.outputs.read(self.server.x)
        except UNREACHABLE:
            return None

    def close(self) -> None:
        """Give everything back."""
        self.inhibitor.stop()
        if self.announcements is not None:
            self.announcements.close()
        self.server.close()


def _announcements() -> ProcessConnector | None:
    try:
        return ProcessConnector()
    except NotTold:
        return None


def open_place(kind: Kind = "x11", agent: int = 0, clock: Clock = time.monotonic) -> LinuxPlace:
    """The place of this session, in the thread that will use it. `agent` is the process whose own windows are nobody's
    concern, this one by default. An X server that cannot be reached is no error: its rules say so."""
    parts = Parts(kind, agent, clock)
    newcomers = WindowsRule(parts.census, parts.names, clock)
    programs = ProgramsRule(parts.census, parts.names, clock)
    managers = TaskManagerRule(parts.census, Catalogue.task_managers("linux"), clock)
    on_x = _x_rules(parts, newcomers)
    rules = _everywhere(parts, newcomers, programs, managers)
    match kind:
        case "x11":
            rules |= {each.id: OnServer(parts.server, each) for each in on_x}
        case "wayland":
            rules |= wayland_rules(compositor())
        case "console":
            rules |= {rule: Impossible(rule, NO_DESKTOP, AT_DESKTOP) for rule in ON_SCREENS}
    if kind != "x11":
        rules |= {each.id: LeftOnServer(rules[each.id], each) for each in on_x}
    watching: tuple[Watching, ...] = (
        parts.census,
        newcomers,
        programs,
        managers,
        *(each for each in on_x if isinstance(each, _Watches)),
    )
    return LinuxPlace(kind, parts, rules, watching)


def _x_rules(parts: Parts, newcomers: WindowsRule) -> tuple[XRule, ...]:
    clock = parts.clock
    return (
        PowerRule(parts.inhibitor, clock),
        KeysRule(parts.devices, clock),
        FocusRule(parts.owners, clock),
        ClipboardRule(parts.owners, clock),
        NewWindows(newcomers, parts.owners),
        HiddenWindowsRule(parts.owners, clock),
        InjectedInputRule(parts.devices, parts.census, parts.names, clock),
    )


def _everywhere(
    parts: Parts, newcomers: WindowsRule, programs: ProgramsRule, managers: TaskManagerRule
) -> dict[RuleId, Rule]:
    """The rules that need no windows, or can do without."""
    return {
        **session_rules(clock=parts.clock),
        "task_manager": managers,
        "programs": programs,
        "windows": newcomers,
        "screenshots": ScreenshotsRule(parts.census, parts.names),
        "printing": PrintingRule(clock=parts.clock),
        "displays": DisplaysRule(parts.displays, parts.clock),
        "remote_session": RemoteSessionRule(remote.read_signs, parts.clock),
        "virtual_machine": VirtualMachineRule(machine.read_signs),
        "assistive": AssistiveRule(parts.census, parts.names),
    }

"""Windows as the guard uses it: its eighteen rules, and one queue of messages that they hear of the system by.

What is read once a second is read by `verify`; what Windows tells comes as notices, which are handed to every rule that takes
them, and what must be looked after more often is `Watching`. The hooks have a thread of their own (hands.py says why). All of
this has been run under Wine, over its real API, and over fakes that fail as Windows does; not yet on Microsoft's Windows.
"""

import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.readings import Watching
from secureproctor.lockdown.rule import Rule
from secureproctor.lockdown.rules.assistive import AssistiveRule
from secureproctor.lockdown.rules.displays import DisplaysRule
from secureproctor.lockdown.rules.hardware import signs_of as signs_of_hardware
from secureproctor.lockdown.rules.programs import ProgramsRule
from secureproctor.lockdown.rules.remote_session import RemoteSessionRule
from secureproctor.lockdown.rules.seat import signs_of as signs_of_seat
from secureproctor.lockdown.rules.virtual_machine import VirtualMachineRule
from secureproctor.lockdown.windows import readers, system
from secureproctor.lockdown.windows.api import Api, Notice
from secureproctor.lockdown.windows.clipboard import ClipboardRule
from secureproctor.lockdown.windows.focus import FocusRule
from secureproctor.lockdown.windows.hands import Hands, InjectedInputRule, KeysRule
from secureproctor.lockdown.windows.helpers import Helpers
from secureproctor.lockdown.windows.hidden import HiddenWindowsRule
from secureproctor.lockdown.windows.opened import OpenedRule
from secureproctor.lockdown.windows.pictures import PrintingRule, ScreenshotsRule
from secureproctor.lockdown.windows.policies import PolicyRule, PowerRule
from secureproctor.lockdown.windows.starts import Starts
from secureproctor.lockdown.windows.task_manager import TaskManager

Clock = Callable[[], float]
PLATFORM = "win32"


@runtime_checkable
class Noticing(Protocol):
    """A rule that acts on what Windows tells."""

    def notice(self, notice: Notice) -> None:
        """Something was told."""


@runtime_checkable
class Attended(Watching, Protocol):
    """A rule that is looked after."""


class WindowsPlace:
    """Place of rule.py, over the API of this machine or over a fake one."""

    name = "windows"

    def __init__(self, api: Api, clock: Clock = time.monotonic, names: Catalogue | None = None) -> None:
        self._api, self._clock = api, clock
        self._hands = Hands(api.hooks, api.messages.wake, clock)
        self._starts = Starts(api.processes, api.windows, clock)
        self.rules = self._make_rules(names or Catalogue.shipped(PLATFORM))
        self._noticing: tuple[Noticing, ...] = (
            self._starts,
            *(rule for rule in self.rules if isinstance(rule, Noticing)),
        )
        self._watched: tuple[Watching, ...] = (
            self._starts,
            self._starts.census,
            *(rule for rule in self.rules if isinstance(rule, Attended)),
        )
        self._reacted = dict.fromkeys(range(len(self._watched)), clock())

    def pump(self, timeout_s: float) -> None:
        """Hear what Windows tells, and look after what is due."""
        notices = self._api.messages.wait(max(0.0, min(timeout_s, self._due_in_s())))
        self._hands.react()
        for notice in notices:
            for rule in self._noticing:
                rule.notice(notice)
        self._look_after()

    def wake(self) -> None:
        """End a wait."""
        self._api.messages.wake()

    def close(self) -> None:
        """Unhook, and stop listening."""
        self._hands.close()
        self._api.messages.close()

    def _due_in_s(self) -> float:
        now = self._clock()
        periods = ((each.period_s, self._reacted[index]) for index, each in enumerate(self._watched))
        return min((since + period - now for period, since in periods if period is not None), default=float("inf"))

    def _look_after(self) -> None:
        now = self._clock()
        for index, each in enumerate(self._watched):
            period = each.period_s
            if period is not None and now >= self._reacted[index] + period:
                self._reacted[index] = now
                each.react()

    def _make_rules(self, names: Catalogue) -> tuple[Rule, ...]:
        api, clock, census, hands = self._api, self._clock, self._starts.census, self._hands
        windows, registry = api.windows, api.registry
        helpers = Helpers(census, names)
        return (
            PowerRule(registry, api.session),
            PolicyRule("lock_screen", registry),
            PolicyRule("switch_user", registry),
            PolicyRule("sign_out", registry),
            TaskManager(registry, census, Catalogue.task_managers(PLATFORM), clock),
            KeysRule(hands, api.session.has_screen_reader),
            FocusRule(windows, api.processes, helpers, clock),
            ClipboardRule(api.clipboard, windows, api.processes, registry),
            ProgramsRule(census, names, clock),
            OpenedRule(census, names, windows, api.processes, clock),
            HiddenWindowsRule(windows, api.processes, helpers, clock),
            ScreenshotsRule(hands, registry),
            PrintingRule(hands, api.read.print_jobs, clock),
            DisplaysRule(lambda: readers.displays(api.read.displays()), clock),
            RemoteSessionRule(lambda: signs_of_seat(readers.seat(api)), clock),
            VirtualMachineRule(lambda: signs_of_hardware(readers.hardware(api))),
            InjectedInputRule(hands, helpers),
            AssistiveRule(census, names),
        )


def open_place() -> WindowsPlace:
    """Windows, for the thread that calls this. Raises OSError elsewhere."""
    return WindowsPlace(system.open_api())

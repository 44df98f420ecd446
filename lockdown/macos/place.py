"""macOS as the guard uses it: its eighteen rules, and one run loop that they hear of the system by.

What is read once a second is read by `verify`; what must be looked after more often is `Watching`; what macOS tells of the
exam's application comes through the run loop of the guard's thread. The event tap has a thread of its own (hands.py says why).

Run over fakes that fail as macOS does; not yet run on a Mac.
"""

import os
import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from secureproctor.lockdown.catalogue import Catalogue
from secureproctor.lockdown.macos import readers, system
from secureproctor.lockdown.macos.api import Api
from secureproctor.lockdown.macos.assistive import MacAssistiveRule
from secureproctor.lockdown.macos.clipboard import ClipboardRule
from secureproctor.lockdown.macos.focus import FocusRule
from secureproctor.lockdown.macos.hands import Hands, InjectedInputRule, KeysRule
from secureproctor.lockdown.macos.hidden import HiddenWindowsRule
from secureproctor.lockdown.macos.opened import OpenedRule
from secureproctor.lockdown.macos.pictures import MacPrintingRule, ScreenshotsRule
from secureproctor.lockdown.macos.session import MacTaskManagerRule, PowerRule, impossible
from secureproctor.lockdown.readings import Signs, Watching
from secureproctor.lockdown.rule import Rule
from secureproctor.lockdown.rules.census import Census
from secureproctor.lockdown.rules.displays import DisplaysRule
from secureproctor.lockdown.rules.hardware import signs_of
from secureproctor.lockdown.rules.programs import ProgramsRule
from secureproctor.lockdown.rules.remote_session import RemoteSessionRule
from secureproctor.lockdown.rules.virtual_machine import VirtualMachineRule

PLATFORM = "darwin"


@runtime_checkable
class Attended(Watching, Protocol):
    """A rule that is looked after."""


class MacPlace:
    """Place of rule.py, over the API of this machine or over a fake one."""

    name = "macos"

    def __init__(self, api: Api, clock: Callable[[], float] = time.monotonic, names: Catalogue | None = None) -> None:
        self._api, self._clock = api, clock
        self._hands = Hands(api.taps, api.session, api.loop.wake)
        self._census = Census(api.processes, clock)
        self._sharing = readers.Sharing(api.processes)
        self.rules = self._make_rules(names or Catalogue.shipped(PLATFORM))
        attended = (rule for rule in self.rules if isinstance(rule, Attended))
        self._watched: tuple[Watching, ...] = (self._census, *attended)
        self._reacted = [clock()] * len(self._watched)

    def pump(self, timeout_s: float) -> None:
        """Hear what macOS tells, and look after what is due."""
        self._api.loop.wait(max(0.0, min(timeout_s, self._due_in_s())))
        self._hands.react()
        now = self._clock()
        for index, each in enumerate(self._watched):
            period = each.period_s
            if period is not None and now >= self._reacted[index] + period:
                self._reacted[index] = now
                each.react()

    def wake(self) -> None:
        """End a wait."""
        self._api.loop.wake()

    def close(self) -> None:
        """Give the tap, what watches the exam, and the run loop back."""
        self._hands.close()
        self._api.apps.unwatch()
        self._api.session.keep_awake(on=False)
        self._api.loop.close()

    def _due_in_s(self) -> float:
        now = self._clock()
        periods = zip((each.period_s for each in self._watched), self._reacted, strict=True)
        return min((since + period - now for period, since in periods if period is not None), default=float("inf"))

    def _remote(self) -> Signs:
        on_console, table = self._api.session.is_on_console(), self._api.read.connections()
        return readers.remote_signs(on_console, table, self._sharing.running(), os.environ)

    def _make_rules(self, names: Catalogue) -> tuple[Rule, ...]:
        api, clock, census, hands = self._api, self._clock, self._census, self._hands
        apps, screen, session = api.apps, api.screen, api.session
        return (
            PowerRule(session),
            impossible("lock_screen"),
            impossible("switch_user"),
            impossible("sign_out"),
            MacTaskManagerRule(census, Catalogue.task_managers(PLATFORM), clock),
            KeysRule(hands, session, clock),
            FocusRule(apps, screen, session, census, names, clock),
            ClipboardRule(api.clipboard, apps, screen, census, names),
            ProgramsRule(census, names, clock),
            OpenedRule(census, names, screen, clock),
            HiddenWindowsRule(screen, census, names, clock),
            ScreenshotsRule(hands),
            MacPrintingRule(hands, clock=clock),
            DisplaysRule(readers.Outputs(screen, api.read).displays, clock),
            RemoteSessionRule(self._remote, clock),
            VirtualMachineRule(lambda: signs_of(readers.hardware(api.read, api.processes))),
            InjectedInputRule(hands, census, names),
            MacAssistiveRule(census, names, session),
        )


def open_place() -> MacPlace:
    """macOS, for the thread that calls this. Raises OSError elsewhere, and without PyObjC."""
    return MacPlace(system.open_api())

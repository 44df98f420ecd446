"""This machine's Windows: the one file that knows which class implements which protocol of api.py."""

import secrets
from collections.abc import Callable
from typing import NamedTuple

from secureproctor.lockdown.readings import Processes
from secureproctor.lockdown.windows.api import Access, Api, Connection, Readers
from secureproctor.lockdown.windows.api_displays import DisplayConfig
from secureproctor.lockdown.windows.api_files import Files, Spooler
from secureproctor.lockdown.windows.api_hooks import LowLevelHooks
from secureproctor.lockdown.windows.api_machine import Machine
from secureproctor.lockdown.windows.api_makers import Makers
from secureproctor.lockdown.windows.api_messages import ThreadMessages
from secureproctor.lockdown.windows.api_network import Network
from secureproctor.lockdown.windows.api_processes import AllProcesses
from secureproctor.lockdown.windows.api_registry import SystemRegistry
from secureproctor.lockdown.windows.api_session import SystemClipboard, UserSession
from secureproctor.lockdown.windows.api_windows import DesktopWindows, see_pixels


class FactParts(NamedTuple):
    """What facts.py is made from."""

    processes: Processes
    connections: Callable[[], tuple[Connection, ...] | None]
    access: Callable[[str], Access | None]


def fact_parts() -> FactParts:
    """Without windows, hooks and messages. Raises OSError elsewhere than on Windows."""
    processes = AllProcesses(DesktopWindows(0), Makers().made_by)
    return FactParts(processes, Network().connections, Files().access)


def open_api() -> Api:
    """All of it, for the thread that calls this: its messages come to no other one. Raises OSError elsewhere."""
    see_pixels()
    mark = secrets.randbits(31) | 1  # nobody else can tell their own input for the agent's
    windows, network, machine = DesktopWindows(mark), Network(), Machine()
    return Api(
        registry=SystemRegistry(),
        hooks=LowLevelHooks(mark),
        windows=windows,
        messages=ThreadMessages(),
        clipboard=SystemClipboard(windows),
        session=UserSession(),
        processes=AllProcesses(windows, Makers().made_by),
        read=Readers(
            displays=DisplayConfig().paths,
            connections=network.connections,
            adapters=network.adapters,
            access=Files().access,
            print_jobs=Spooler().jobs,
            hypervisor=machine.hypervisor,
            battery=machine.battery,
        ),
    )

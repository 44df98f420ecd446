"""This machine's macOS: the one file that knows which class implements which protocol of api.py. Not yet run on a Mac."""

import ctypes
import os
from collections.abc import Callable
from typing import NamedTuple

from secureproctor.lockdown.macos.api import Api, Readers, Screen
from secureproctor.lockdown.macos.api_apps import AccessibleApps
from secureproctor.lockdown.macos.api_loop import RunLoop
from secureproctor.lockdown.macos.api_machine import LIBRARY, Machine
from secureproctor.lockdown.macos.api_makers import Makers
from secureproctor.lockdown.macos.api_processes import SystemProcesses
from secureproctor.lockdown.macos.api_screen import QuartzScreen
from secureproctor.lockdown.macos.api_session import Pasteboard, UserSession
from secureproctor.lockdown.macos.api_taps import EventTap
from secureproctor.lockdown.macos.frameworks import function
from secureproctor.lockdown.readings import Processes

EXTENDED = 0x100
"""ACL_TYPE_EXTENDED (<sys/acl.h>)."""


class FactParts(NamedTuple):
    """What facts.py is made from."""

    processes: Processes
    peer: Callable[[int, int], int | None]
    signer: Callable[[int], str]
    has_list: Callable[[str], bool]


def fact_parts() -> FactParts:
    """Without windows, taps and a run loop. Raises OSError elsewhere than on macOS."""
    makers = Makers()
    processes = SystemProcesses(makers.made_by, asked=lambda _: False, shows=lambda _: None)
    return FactParts(processes, processes.peer, makers.signer_of, access_lists())


def open_api() -> Api:
    """All of it, for the thread that calls this: it is its run loop. Raises OSError elsewhere than on macOS."""
    session, screen, machine = UserSession(), QuartzScreen(), Machine()
    apps = AccessibleApps(screen)
    return Api(
        loop=RunLoop(),
        taps=EventTap(session.may_tap),
        screen=screen,
        apps=apps,
        clipboard=Pasteboard(),
        session=session,
        processes=SystemProcesses(Makers().made_by, apps.ask_to_end, lambda pid: _shows(screen, pid)),
        read=Readers(machine.registry, machine.control, machine.connections, machine.profile),
    )


def access_lists() -> Callable[[str], bool]:
    """Whether a file has an access control list (acl_get_link_np, which gives none for a file without)."""
    get = function(LIBRARY, "acl_get_link_np", ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int)
    free = function(LIBRARY, "acl_free", ctypes.c_int, ctypes.c_void_p)

    def has_list(path: str) -> bool:
        found = get(os.fsencode(path), EXTENDED)
        if found:
            free(found)
        return bool(found)

    return has_list


def _shows(screen: Screen, pid: int) -> bool:
    return any(window.pid == pid and window.layer == 0 for window in screen.windows())

"""From which device a key or a click came: a person's, another program's through XTEST, or one that a program made (uinput).

The server marks the devices behind XTEST by a property that names cannot fake. A device that uinput made has its place below
/devices/virtual/input in the kernel's tree; remappers (keyd) make such ones in good faith, so they are told and not counted.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from Xlib import X, error
from Xlib.ext import xinput

from secureproctor.lockdown.linux.x11 import X11

Origin = Literal["person", "program", "made"]
"""`program`: sent by XTEST. `made`: a device of uinput, of which nobody can tell who types on it."""
_FRESH_S = 10.0
_MADE = "/devices/virtual/input/"
_TEST_DEVICE, _NODE = "XTEST Device", "Device Node"


@dataclass(frozen=True, slots=True)
class InputDevice:
    """A device by its name and origin."""

    name: str
    origin: Origin


class InputDevices:
    """The devices of a server, looked up again now and then: their numbers are given anew after one is unplugged."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[int, InputDevice] = {}
        self._read_at: float | None = None

    def find(self, x: X11, source: int) -> InputDevice | None:
        """The device with this number; None: unknown."""
        if source not in self._known or self._read_at is None or self._clock() >= self._read_at + _FRESH_S:
            self._known = _read(x)
            self._read_at = self._clock()
        return self._known.get(source)

    def injected(self, x: X11, source: int) -> bool | None:
        """Whether what came from there was sent by a program; None: nobody can tell."""
        found = self.find(x, source)
        return None if found is None or found.origin == "made" else found.origin == "program"


def _read(x: X11) -> dict[int, InputDevice]:
    devices = x.display.xinput_query_device(xinput.AllDevices).devices
    return {int(each.deviceid): InputDevice(str(each.name), _origin(x, int(each.deviceid))) for each in devices}


def _origin(x: X11, number: int) -> Origin:
    if _property(x, number, _TEST_DEVICE).startswith(b"\1"):
        return "program"
    node = os.path.basename(_property(x, number, _NODE).rstrip(b"\0").decode(errors="replace"))
    made = bool(node) and _MADE in os.path.realpath(f"/sys/class/input/{node}")
    return "made" if made else "person"


def _property(x: X11, number: int, name: str) -> bytes:
    try:
        found = x.display.xinput_get_device_property(number, x.atom(name), X.AnyPropertyType, 0, 64)
    except error.XError:
        return b""
    return bytes(found.value[1]) if found.value else b""  # with its format before it

"""The rule `injected_input` on X11: keys and clicks that no person's hand has made.

Every raw event says from which device it came, and what a program sends by XTEST comes from the server's own devices for that.
Screen keyboards, switches and voice control send so, too: while one of them runs, what is sent is told with its name and is no
violation. A device that a program made (uinput) is told once and not counted, since remappers of keys make such ones.
"""

import time
from collections.abc import Callable

from Xlib.ext import xinput

from secureproctor.contract.lockdown import RuleId
from secureproctor.lockdown.catalogue import Catalogue, Kind
from secureproctor.lockdown.linux.input_devices import InputDevice, InputDevices
from secureproctor.lockdown.linux.x11 import X11, RawInput
from secureproctor.lockdown.rule import Image, Probed, Report, Sighting, Terms
from secureproctor.lockdown.rules.census import Arrival, Census

TELL_S = 1.0
"""One sighting for so much typing."""
_PRESSES = xinput.RawKeyPressMask | xinput.RawButtonPressMask
_SENDING: tuple[Kind, ...] = ("keyboard", "voice_control", "switch")
_WHEEL = range(4, 8)
"""Buttons that a wheel presses: scrolling by a touch pad's driver is no click."""


class InjectedInputRule:
    """Observes only: what was sent cannot be told from what was typed by who gets it."""

    id: RuleId = "injected_input"

    def __init__(
        self, devices: InputDevices, census: Census, names: Catalogue, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._devices = devices
        self._census = census
        self._names = names
        self._clock = clock
        self._x: X11 | None = None
        self._report: Report | None = None
        self._helpers: dict[int, str] = {}
        self._told: dict[str, float] = {}

    def probe(self, x: X11, terms: Terms) -> Probed:
        """Needs XInput 2.1."""
        if x.has_input:
            return Probed("observed")
        return Probed("impossible", "This X server does not tell from which device a key came.", "Use a newer system.")

    def before(self, x: X11, terms: Terms) -> Image:
        """Nothing is changed."""
        return {}

    def apply(self, x: X11, terms: Terms, report: Report) -> None:
        """Listen."""
        self.let_go()
        self._x, self._report = x, report
        self._told.clear()
        self._census.listen(self._came)
        x.select_input(self.id, _PRESSES, self._pressed)

    def verify(self) -> bool:
        """Whether it is listened."""
        return self._x is not None

    def let_go(self) -> None:
        """Listen no more."""
        x, self._x = self._x, None
        self._census.forget(self._came)
        self._helpers.clear()
        if x is not None:
            x.forget(self.id)

    def put_back(self, x: X11, image: Image) -> None:
        """Nothing."""

    def _came(self, arrival: Arrival) -> None:
        known = self._names.assistive(arrival.running)
        if known is not None and known.kind in _SENDING:
            self._helpers[arrival.running.pid] = arrival.running.name

    def _pressed(self, event: RawInput) -> None:
        x = self._x
        if x is None or (event.kind == xinput.RawButtonPress and event.code in _WHEEL):
            return
        device = self._devices.find(x, event.source)
        if device is not None and device.origin != "person":
            self._tell(device)

    def _tell(self, device: InputDevice) -> None:
        now = self._clock()
        if self._report is None or now < self._told.get(device.name, float("-inf")) + TELL_S:
            return
        self._told[device.name] = now
        helper = self._helper()
        counts = device.origin == "program" and not helper
        detail = {"device": device.name, "assistive": helper or None}
        self._report(Sighting(self.id, "input_injected", {**detail}, about=f"{device.name} {helper}", counts=counts))

    def _helper(self) -> str:
        """The assistive technology that runs and sends keys."""
        gone = [pid for pid in self._helpers if self._census.processes.describe(pid) is None]
        for pid in gone:
            del self._helpers[pid]
        return next(iter(self._helpers.values()), "")

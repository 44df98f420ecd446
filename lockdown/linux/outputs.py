"""What X11 knows of the displays (RandR 1.3), as lockdown.readings.Display; the rule over it is the same on every system.

A display is on when a CRTC scans out to its output: the panel of a closed notebook and a screen that is off are connected and
not on, and a docking station is no output at all. Two outputs that show the same part of the screen are a mirror.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from Xlib import X, error
from Xlib.ext import randr
from Xlib.protocol import rq

from secureproctor.lockdown.linux.x11 import X11
from secureproctor.lockdown.readings import Display

_CONNECTED = 0  # RR_Connected
_EDID_WORDS = 32
_BYTES, _NUMBERS = 8, 32
_TECHNOLOGIES: Mapping[str, str] = {
    "edp": "internal",
    "lvds": "internal",
    "dsi": "internal",
    "hdmi": "hdmi",
    "dp": "displayport",
    "displayport": "displayport",
    "dvi": "dvi",
    "vga": "vga",
    "vnc": "virtual",
    "virtual": "virtual",
    "default": "virtual",
    "screen": "virtual",
    "dummy": "virtual",
    "none": "unknown",
}
"""By the beginning of an output's name, as drivers spell it: `eDP-1`, `HDMI-A-0`, `DisplayPort-2`, `DVI-I-1-1`, `Virtual1`."""
_CONNECTORS: Mapping[str, str] = {
    "Panel": "internal",
    "HDMI": "hdmi",
    "DisplayPort": "displayport",
    "VGA": "vga",
    **dict.fromkeys(("DVI", "DVI-I", "DVI-A", "DVI-D"), "dvi"),
}
"""By the property ConnectorType (randrproto.txt, appendix B), where the driver sets it: it beats the name."""


class _GetOutputProperty(rq.ReplyRequest):  # type: ignore[misc]  # python-xlib ships no types
    """As python-xlib's, which reads numbers of 32 bits as bytes."""

    _request = randr.GetOutputProperty._request
    _reply = rq.Struct(
        rq.ReplyCode(),
        rq.Format("value", 1),
        rq.Card16("sequence_number"),
        rq.ReplyLength(),
        rq.Card32("property_type"),
        rq.Card32("bytes_after"),
        rq.LengthOf("value", 4),
        rq.Pad(12),
        rq.PropertyData("value"),
    )


@dataclass(frozen=True, slots=True)
class Output:
    """An output that something is connected to. `area` is what it shows of the screen: x, y, width, height; None: it is off."""

    name: str
    area: tuple[int, int, int, int] | None
    connector: str = ""
    edid: bytes = b""


def displays_of(outputs: Iterable[Output]) -> tuple[Display, ...]:
    """What they are. The first of those that show the same is not the mirror; the others mirror it."""
    shown: dict[tuple[int, int, int, int], str] = {}
    displays = []
    for output in outputs:
        technology = _CONNECTORS.get(output.connector) or _technology(output.name)
        display = Display(
            output.name,
            on=output.area is not None,
            technology=technology,
            internal=None if technology == "unknown" else technology == "internal",
            edid=maker_and_product(output.edid),
        )
        if output.area is not None:
            first = shown.setdefault(output.area, output.name)
            mirrors = first if first != output.name else ""
            display = replace(display, mirrors=mirrors, width=output.area[2], height=output.area[3])
        displays.append(display)
    return tuple(displays)


def maker_and_product(edid: bytes) -> str:
    """As in an EDID's bytes 8 to 11 (VESA E-EDID 1.4, 3.4): three letters of five bits, and a number; empty without one."""
    if len(edid) < 12 or edid[:8] != b"\x00\xff\xff\xff\xff\xff\xff\x00":
        return ""
    packed = int.from_bytes(edid[8:10], "big")
    letters = "".join(chr(64 + (packed >> shift & 31)) for shift in (10, 5, 0))
    return f"{letters}-{int.from_bytes(edid[10:12], 'little'):04X}"


def _technology(name: str) -> str:
    kind = name.partition("-")[0].rstrip("0123456789").lower()
    return _TECHNOLOGIES.get(kind, "unknown")


class Outputs:
    """The outputs of a server, read again only after it has told that they changed."""

    def __init__(self) -> None:
        self._heard_by: X11 | None = None
        self._stale = True
        self._read: tuple[Output, ...] = ()

    def read(self, x: X11) -> tuple[Display, ...] | None:
        """The displays now; None without RandR."""
        if not x.has(randr.extname):
            return None
        if self._heard_by is not x:
            self._listen(x)
        if self._stale:
            self._stale = False
            self._read = tuple(_outputs(x))
        return displays_of(self._read)

    def _listen(self, x: X11) -> None:
        code: int = x.display.extension_event.ScreenChangeNotify
        for kind, sub_code in ((code, 0), (code + 1, 0), (code + 1, 1)):
            x.on("displays", kind, self._changed, sub_code)
        wanted = randr.RRScreenChangeNotifyMask | randr.RRCrtcChangeNotifyMask | randr.RROutputChangeNotifyMask
        x.root.xrandr_select_input(wanted)
        self._heard_by, self._stale = x, True

    def _changed(self, _event: Any) -> None:
        self._stale = True


def _outputs(x: X11) -> Iterable[Output]:
    """The server's own memory of them: to ask the hardware makes screens flicker."""
    resources = x.root.xrandr_get_screen_resources_current()
    for number in resources.outputs:
        try:
            output = x.display.xrandr_get_output_info(number, resources.config_timestamp)
            if output.connection == _CONNECTED or output.crtc:
                area = _area(x, output.crtc, resources.config_timestamp)
                yield Output(str(output.name), area, _connector(x, number), _edid(x, number))
        except error.XError:
            continue  # unplugged while one looks


def _area(x: X11, crtc: int, timestamp: int) -> tuple[int, int, int, int] | None:
    if not crtc:
        return None
    found = x.display.xrandr_get_crtc_info(crtc, timestamp)
    return (found.x, found.y, found.width, found.height) if found.mode else None


def _connector(x: X11, output: int) -> str:
    form, value = _property(x, output, "ConnectorType")
    return str(x.display.get_atom_name(value[0])) if form == _NUMBERS and value else ""


def _edid(x: X11, output: int) -> bytes:
    form, value = _property(x, output, "EDID")
    return bytes(value) if form == _BYTES else b""


def _property(x: X11, output: int, name: str) -> tuple[int, Any]:
    """Its format (0: there is none), and its value."""
    try:
        answer = _GetOutputProperty(
            display=x.display.display,
            opcode=x.display.display.get_extension_major(randr.extname),
            output=output,
            property=x.atom(name),
            type=X.AnyPropertyType,
            long_offset=0,
            long_length=_EDID_WORDS,
            delete=False,
            pending=False,
        )
    except error.XError:
        return 0, b""
    return answer.value or (0, b"")

"""What RandR tells becomes displays: by tables, and on a real server."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.lockdown.linux.outputs import Output, Outputs, displays_of, maker_and_product
from secureproctor.lockdown.linux.x11 import connect
from secureproctor.lockdown.rule import Exam, Terms
from tests.lockdown.linux.x11_desk import Desk, locked

FULL_HD = (0, 0, 1920, 1080)
BESIDE = (1920, 0, 1920, 1080)
DELL = bytes.fromhex("00ffffffffffff0010acf1404c4c4c30")


def active(*outputs: Output) -> int:
    return sum(each.on for each in displays_of(outputs))


def test_an_external_screen_with_the_panel_off_is_one_display() -> None:
    outputs = (Output("eDP-1", None), Output("HDMI-1", FULL_HD))
    assert active(*outputs) == 1
    assert [each.internal for each in displays_of(outputs)] == [True, False]


def test_a_screen_at_a_dock_is_one_display() -> None:
    """Docks show up as more DisplayPort outputs, and only those with a screen are connected."""
    assert active(Output("eDP-1", None), Output("DP-1-1", FULL_HD)) == 1


def test_two_screens_side_by_side_are_two_and_no_mirror() -> None:
    displays = displays_of((Output("DP-1", FULL_HD), Output("DP-2", BESIDE)))
    assert [each.mirrors for each in displays] == ["", ""]
    assert [each.on for each in displays] == [True, True]


def test_outputs_that_show_the_same_are_a_mirror() -> None:
    displays = displays_of((Output("eDP-1", FULL_HD), Output("HDMI-1", FULL_HD), Output("VGA-1", FULL_HD)))
    assert [each.mirrors for each in displays] == ["", "eDP-1", "eDP-1"]


@pytest.mark.parametrize(
    ("name", "connector", "technology"),
    [
        ("eDP-1", "", "internal"),
        ("eDP1", "", "internal"),
        ("LVDS-1", "", "internal"),
        ("DSI-1", "", "internal"),
        ("HDMI-A-0", "", "hdmi"),
        ("DP-1-2", "", "displayport"),
        ("DisplayPort-0", "", "displayport"),
        ("DVI-D-0", "", "dvi"),
        ("VGA1", "", "vga"),
        ("VNC-0", "", "virtual"),
        ("Virtual1", "", "virtual"),
        ("DFP3", "", "unknown"),
        ("DP-4", "Panel", "internal"),
        ("DP-0", "DisplayPort", "displayport"),
        ("CRT-1", "VGA", "vga"),
    ],
)
def test_the_technology_is_what_the_driver_says_else_by_the_name(name: str, connector: str, technology: str) -> None:
    assert displays_of((Output(name, FULL_HD, connector),))[0].technology == technology


def test_maker_and_product_are_read_from_an_edid_and_no_serial() -> None:
    assert maker_and_product(DELL) == "DEL-40F1"
    assert maker_and_product(b"") == maker_and_product(b"nonsense of any kind") == ""


@contextmanager
def dark(x11: Desk) -> Iterator[None]:
    """The display is off meanwhile."""
    with x11.client() as display:
        resources = display.screen().root.xrandr_get_screen_resources_current()
        crtc, output, mode = resources.crtcs[0], resources.outputs[0], resources.modes[0].id
        display.xrandr_set_crtc_config(crtc, 0, 0, 0, 0, 1, [])
        yield
        display.xrandr_set_crtc_config(crtc, 0, 0, 0, mode, 1, [output])


def test_a_real_server_tells_its_display_and_that_it_changed(x11: Desk) -> None:
    outputs, x = Outputs(), connect()
    try:
        (display,) = outputs.read(x) or ()
        assert (display.name, display.on, display.technology) == ("screen", True, "virtual")
        assert (display.width, display.height) == (800, 600)
        with dark(x11), locked(x11, None) as lock:

            def is_off() -> bool:
                x.dispatch()
                return not (outputs.read(x) or (display,))[0].on

            lock.until(is_off)
    finally:
        x.close()


def test_a_hot_plug_is_told_when_it_has_settled(x11: Desk) -> None:
    with locked(x11, None, "displays") as lock:
        assert lock.seen[0].detail["active"] == 1
        assert lock.rules["displays"].probe(Terms(Exam(), LockdownSettings())).why == ""
        with dark(x11):
            lock.until(lambda: lock.rules["displays"].verify() and len(lock.seen) == 2)
        assert lock.seen[1].detail["active"] == 0
        assert not lock.seen[1].counts

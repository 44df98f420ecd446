"""The candidate's hands and another program, on a real X server with a window manager, where nothing is locked."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from Xlib import XK, X
from Xlib.display import Display
from Xlib.error import BadWindow

from secureproctor.demo.desk import Desk, desk
from secureproctor.demo.hands import WAYS_OUT, hands
from secureproctor.demo.program import DeskError
from tests.demo.conftest import eventually

LONG_S = 20.0


@pytest.fixture(scope="module")
def pc() -> Iterator[Desk]:
    with desk(camera=False, sound=False, size=(800, 600)) as made:
        yield made


@pytest.fixture
def screen(pc: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Display]:
    """Another client of the X server, which sees what was done."""
    monkeypatch.setenv("XAUTHORITY", pc.environment["XAUTHORITY"])
    display = Display(pc.display)
    yield display
    display.close()


def active(screen: Display) -> str:
    """The class of the window that has the focus, as the window manager says."""
    found = screen.screen().root.get_full_property(screen.intern_atom("_NET_ACTIVE_WINDOW"), X.AnyPropertyType)
    if found is None or not found.value[0]:
        return ""
    try:
        return str((screen.create_resource_object("window", found.value[0]).get_wm_class() or ("", ""))[1])
    except BadWindow:  # it went at this moment
        return ""


LAST_KEYS = ("Tab", "F4", "Super_L", "Escape", "t", "Print", "F11")
"""Of the ways out, in their order."""


async def test_each_way_out_is_a_combination_that_is_pressed(pc: Desk, screen: Display, tmp_path: Path) -> None:
    """Whoever grabs the keyboard sees them all, and nobody else does."""
    root = screen.screen().root
    async with hands(pc, tmp_path) as own:
        assert root.grab_keyboard(False, X.GrabModeAsync, X.GrabModeAsync, X.CurrentTime) == X.GrabSuccess
        for keys in WAYS_OUT:
            await own.press(keys)
        screen.ungrab_keyboard(X.CurrentTime)
        screen.sync()
    pressed = [each.detail for each in _events(screen) if each.type == X.KeyPress]
    last = [screen.keysym_to_keycode(XK.string_to_keysym(name)) for name in LAST_KEYS]
    assert [each for each in pressed if each in last] == last
    assert len(pressed) == sum(len(keys.split("+")) for keys in WAYS_OUT)


def _events(screen: Display) -> list[Any]:
    return [screen.next_event() for _ in range(screen.pending_events())]


async def test_the_intruder_comes_to_the_front_and_fills_the_clipboard(
    pc: Desk, screen: Display, tmp_path: Path
) -> None:
    clipboard = screen.intern_atom("CLIPBOARD")
    async with hands(pc, tmp_path) as own:
        before = time.time()
        at = await own.tell_intruder("window")
        assert before - 0.001 <= at <= time.time()
        assert eventually(lambda: active(screen) == "Notes", LONG_S)
        assert screen.get_selection_owner(clipboard) == X.NONE
        await own.tell_intruder("clipboard")
        assert screen.get_selection_owner(clipboard) != X.NONE
    assert eventually(lambda: active(screen) != "Notes", LONG_S)


async def test_an_intruder_that_has_gone_is_told_in_a_sentence(pc: Desk, tmp_path: Path) -> None:
    async with hands(pc, tmp_path) as own:
        await own.tell_intruder("clipboard")
        with pytest.raises(DeskError) as error:
            await own.tell_intruder("gone")
        with pytest.raises(DeskError):
            await own.tell_intruder("window")
    assert (error.value.code, error.value.sentence[-1]) == ("intruder_gone", ".")


async def test_a_forbidden_program_that_nobody_ends_is_ended_after_a_while(pc: Desk, tmp_path: Path) -> None:
    async with hands(pc, tmp_path) as own:
        before = time.time()
        began, ended = await own.start_forbidden("anydesk", 0.2)
    assert before <= began <= time.time()
    assert not ended

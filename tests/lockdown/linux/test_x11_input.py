"""Keys of a person and keys of a program, told apart by the device from which they come."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lockdown.linux.rfb import Hands, vnc_server
from tests.lockdown.linux.x11_desk import Desk, Locked, locked


@pytest.fixture(scope="module")
def vnc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, Hands]]:
    """A server that has a keyboard."""
    folder = tmp_path_factory.mktemp("vnc")
    with vnc_server(folder) as (environment, pid, place), pytest.MonkeyPatch.context() as patch:
        for name in ("DISPLAY", "XAUTHORITY"):
            patch.setitem(os.environ, name, environment[name])
        hands = Hands(place)
        yield Desk(environment, folder, {"Xvfb": pid}), hands
        hands.close()


@pytest.fixture
def lock(vnc: tuple[Desk, Hands]) -> Iterator[Locked]:
    with locked(vnc[0], None, "keys", "injected_input") as lock:
        yield lock


def test_a_persons_key_is_stopped_and_is_not_injected(vnc: tuple[Desk, Hands], lock: Locked) -> None:
    vnc[1].press("Alt_L", "Tab")
    lock.until(lambda: lock.of("key_stopped"))
    assert [each.detail for each in lock.of("key_stopped")] == [{"keys": "Alt+Tab", "injected": False}]
    assert not lock.of("input_injected")


def test_a_programs_key_is_stopped_and_is_injected(vnc: tuple[Desk, Hands], lock: Locked) -> None:
    vnc[0].press("alt+Tab")
    lock.until(lambda: lock.of("key_stopped") and lock.of("input_injected"))
    assert lock.of("key_stopped")[0].detail["injected"] is True
    sighting = lock.of("input_injected")[0]
    assert "XTEST" in str(sighting.detail["device"])
    assert sighting.counts


def test_ordinary_typing_of_a_program_is_told_by_its_device_only(vnc: tuple[Desk, Hands], lock: Locked) -> None:
    vnc[0].run("xdotool", "type", "--delay", "0", "hello")
    lock.until(lambda: lock.of("input_injected"))
    assert lock.kinds() == ["input_injected"], "many keys are one sighting"
    assert "hello" not in str(lock.seen)


def test_a_click_of_a_program_is_told_and_its_wheel_is_not(vnc: tuple[Desk, Hands], lock: Locked) -> None:
    vnc[0].run("xdotool", "click", "4")
    lock.during(0.2)
    assert not lock.seen
    vnc[0].run("xdotool", "click", "1")
    lock.until(lambda: lock.of("input_injected"))
    assert "pointer" in str(lock.seen[0].detail["device"])


def test_a_screen_keyboard_types_without_a_violation(vnc: tuple[Desk, Hands], lock: Locked, tmp_path: Path) -> None:
    with vnc[0].program(name="onboard") as keyboard:
        census = lock.place._parts.census
        lock.until(lambda: census.describe(keyboard.process.pid) is not None)
        lock.during(0.5)
        vnc[0].press("a")
        lock.until(lambda: lock.of("input_injected"))
        assert lock.seen[-1].detail["assistive"] == "onboard"
        assert not lock.seen[-1].counts

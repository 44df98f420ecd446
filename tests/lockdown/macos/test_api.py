"""The thin layer over PyObjC, against modules that behave as Quartz and CoreFoundation do where that matters."""

import contextlib
import importlib
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from secureproctor.lockdown.macos import api_loop, api_taps, frameworks, place
from secureproctor.lockdown.macos.api import Stroke

DEADLINE_S = 10.0


class Quartz(SimpleNamespace):
    """An event tap whose callback the test calls, and a run loop that waits a little."""

    kCFRunLoopDefaultMode = "default"  # noqa: N815 - Quartz

    def __init__(self) -> None:
        self.callback: Callable[..., Any] | None = None
        self.events: list[str] = []
        self.enabled = self.makes_taps = True
        self.option = -1

    def CGEventTapCreate(self, _at: int, _place: int, option: int, _mask: int, callback: Any, _info: Any) -> object:  # noqa: N802 - Quartz
        self.callback, self.option = callback, option
        return "tap" if self.makes_taps else None

    def CGEventTapEnable(self, _tap: object, on: bool) -> None:  # noqa: N802 - Quartz
        self.events.append("enable" if on else "disable")
        self.enabled = on

    def CGEventTapIsEnabled(self, _tap: object) -> bool:  # noqa: N802 - Quartz
        return self.enabled

    def CFMachPortCreateRunLoopSource(self, *_: object) -> str:  # noqa: N802 - Quartz
        return "source"

    def CFRunLoopGetCurrent(self) -> str:  # noqa: N802 - Quartz
        return "loop"

    def CFRunLoopAddSource(self, *_: object) -> None:  # noqa: N802 - Quartz
        pass

    def CFRunLoopRunInMode(self, *_: object) -> None:  # noqa: N802 - Quartz
        threading.Event().wait(0.005)

    def CFMachPortInvalidate(self, _tap: object) -> None:  # noqa: N802 - Quartz
        self.events.append("invalidate")

    def CGEventGetIntegerValueField(self, event: dict[int, int], field: int) -> int:  # noqa: N802 - Quartz
        return event.get(field, 0)

    def CGEventGetFlags(self, event: dict[str, int]) -> int:  # noqa: N802 - Quartz
        return event["flags"]

    def CGEventKeyboardGetUnicodeString(self, _event: object, _most: int, *_: object) -> tuple[int, str]:  # noqa: N802 - Quartz
        return 1, "q"


@pytest.fixture
def quartz(monkeypatch: pytest.MonkeyPatch) -> Quartz:
    fake = Quartz()
    modules = {"Quartz": fake, "objc": SimpleNamespace(autorelease_pool=contextlib.nullcontext)}
    monkeypatch.setattr(api_taps, "framework", modules.__getitem__)
    return fake


def _noting(strokes: list[Stroke]) -> Callable[[Stroke], bool]:
    """Stops every key, and notes it."""

    def stop(stroke: Stroke) -> bool:
        strokes.append(stroke)
        return True

    return stop


def test_a_tap_stops_keys_and_tells_clicks_of_processes(quartz: Quartz) -> None:
    strokes: list[Stroke] = []
    clicks: list[int] = []
    tap = api_taps.EventTap(lambda _: True)
    tap.open(True, _noting(strokes), clicks.append)
    assert quartz.callback is not None
    key = {api_taps.KEY_CODE: 12, api_taps.SOURCE_PID: 7, "flags": 0x100000}
    assert quartz.callback(None, api_taps.KEY_DOWN, key, None) is None
    assert quartz.callback(None, 1, (click := {api_taps.SOURCE_PID: 9}), None) is click
    assert quartz.callback(None, 1, (hand := {"flags": 0}), None) is hand
    assert tap.is_open()
    tap.close()
    tap.close()
    assert strokes == [Stroke(12, True, "q", 0x100000, 7, False)]
    assert clicks == [9]
    assert not tap.is_open()
    assert quartz.events == ["enable", "disable", "invalidate"]


@pytest.mark.parametrize("kind", api_taps.DISABLED)
def test_a_tap_that_was_disabled_is_enabled_again(quartz: Quartz, kind: int) -> None:
    tap = api_taps.EventTap(lambda _: True)
    tap.open(True, lambda _: False, lambda _: None)
    assert quartz.callback is not None
    quartz.enabled = False
    assert not tap.is_open()
    quartz.callback(None, kind, "event", None)
    assert tap.is_open()
    tap.close()


def test_a_tap_goes_when_the_right_does_and_is_not_enabled_again(quartz: Quartz) -> None:
    """One that stayed would block the keyboard and mouse of the whole computer."""
    granted = threading.Event()
    granted.set()
    tap = api_taps.EventTap(lambda _: granted.is_set())
    tap.open(True, lambda _: False, lambda _: None)
    assert quartz.callback is not None
    granted.clear()
    quartz.callback(None, api_taps.DISABLED[0], "event", None)
    until = time.monotonic() + DEADLINE_S
    while "invalidate" not in quartz.events and time.monotonic() < until:
        time.sleep(0.005)
    assert quartz.events == ["enable", "disable", "invalidate"]
    assert not tap.is_open()
    tap.close()


def test_without_the_right_no_tap_is_tried(quartz: Quartz) -> None:
    tap = api_taps.EventTap(lambda stops: not stops)
    with pytest.raises(OSError, match="right"):
        tap.open(True, lambda _: False, lambda _: None)
    assert quartz.callback is None
    tap.open(False, lambda _: False, lambda _: None)
    assert quartz.option == api_taps.LISTENS
    tap.close()


def test_a_tap_that_macos_does_not_make_is_an_error_and_leaves_no_thread(quartz: Quartz) -> None:
    quartz.makes_taps = False
    tap = api_taps.EventTap(lambda _: True)
    before = threading.active_count()
    with pytest.raises(OSError, match="no event tap"):
        tap.open(True, lambda _: False, lambda _: None)
    assert threading.active_count() == before
    assert quartz.events == []


def test_a_wake_is_a_signal_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []

    class Core:
        kCFRunLoopDefaultMode = "default"  # noqa: N815 - Quartz

        def __getattr__(self, name: str) -> Callable[..., str]:
            def called(*_: object) -> str:
                events.append(name)
                return name

            return called

    class Pool:
        @classmethod
        def alloc(cls) -> "Pool":
            return cls()

        def init(self) -> "Pool":
            alive.append(1)
            return self

        def __del__(self) -> None:
            alive.pop()

    alive: list[int] = []
    modules = {"CoreFoundation": Core(), "Foundation": SimpleNamespace(NSAutoreleasePool=Pool)}
    monkeypatch.setattr(api_loop, "framework", modules.__getitem__)
    loop = api_loop.RunLoop()
    loop.wake()
    loop.wait(0.1)
    assert len(alive) == 1, "a pool at a time"
    loop.close()
    assert not alive
    assert events[-4:] == [
        "CFRunLoopSourceSignal",
        "CFRunLoopWakeUp",
        "CFRunLoopRunInMode",
        "CFRunLoopSourceInvalidate",
    ]


def test_elsewhere_there_is_no_such_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a Mac without PyObjC, where the modules are missing."""
    if sys.platform == "darwin":
        monkeypatch.setattr(importlib, "import_module", _missing)
    with pytest.raises(OSError, match=r"macOS|PyObjC"):
        place.open_place()


def _missing(name: str) -> None:
    raise ImportError(name)


def test_a_tool_that_is_missing_or_fails_says_nothing() -> None:
    assert frameworks.output("/nonexistent/tool") is None
    assert frameworks.output("false") is None

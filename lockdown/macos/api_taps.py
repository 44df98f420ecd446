"""The event tap, in a thread of its own.

macOS holds every key back until the tap has answered, and disables one that is slow (kCGEventTapDisabledByTimeout) or at
which secure input begins (kCGEventTapDisabledByUserInput): so this thread does nothing but answer, and enables it again.
An active tap that stays after the right Accessibility was taken away blocks the keyboard and mouse of the whole computer, so
the right is looked at several times a second, and the tap goes when it is gone; it is never enabled again without.

Source: CGEventTapCreate and CGEventTypes.h, by PyObjC. Taps are placed at the session (kCGSessionEventTap): nearer to the
devices only root may. Not yet run on a Mac.
"""

import threading
from collections.abc import Callable
from typing import Any

from secureproctor.lockdown.macos.api import Stroke
from secureproctor.lockdown.macos.frameworks import framework

DISABLED = (0xFFFFFFFE, 0xFFFFFFFF)
"""kCGEventTapDisabledByTimeout, kCGEventTapDisabledByUserInput."""
KEY_DOWN, KEY_UP = 10, 11
CLICKS = (1, 3, 25)
"""kCGEventLeftMouseDown, kCGEventRightMouseDown, kCGEventOtherMouseDown. Movements and scrolling are made anew by the drivers
of many mice, and say nothing."""
SOURCE_PID, KEY_CODE, IS_REPEAT = 41, 9, 8
"""kCGEventSourceUnixProcessID, kCGKeyboardEventKeycode, kCGKeyboardEventAutorepeat."""
SESSION, HEAD, ACTIVE, LISTENS = 1, 0, 0, 1
"""kCGSessionEventTap, kCGHeadInsertEventTap, kCGEventTapOptionDefault, kCGEventTapOptionListenOnly."""
SLICE_S = 0.2
START_S = 5.0


class EventTap:
    """Taps of api.py. `may` says whether there still is the right for a tap that stops keys, or for one that does not."""

    def __init__(self, may: Callable[[bool], bool]) -> None:
        self._quartz = framework("Quartz")
        self._objc = framework("objc")
        self._may = may
        self._thread: threading.Thread | None = None
        self._ends = threading.Event()
        self._tap: Any = None

    def open(self, stops: bool, key: Callable[[Stroke], bool], click: Callable[[int], None]) -> None:
        """Tap. Raises OSError."""
        self.close()
        if not self._may(stops):
            raise OSError("the right for it is missing")
        begun = threading.Event()
        self._ends.clear()
        arguments = (stops, self._callback(stops, key, click), begun)
        self._thread = threading.Thread(target=self._run, args=arguments, name="event tap", daemon=True)
        self._thread.start()
        if not begun.wait(START_S) or self._tap is None:
            self.close()
            raise OSError("it makes no event tap")

    def close(self) -> None:
        """Tap no more."""
        self._ends.set()
        if self._thread is not None:
            self._thread.join()
        self._thread = None

    def is_open(self) -> bool:
        """CGEventTapIsEnabled."""
        tap = self._tap
        return tap is not None and bool(self._quartz.CGEventTapIsEnabled(tap))

    def _run(self, stops: bool, callback: Callable[..., Any], begun: threading.Event) -> None:
        quartz, mask = self._quartz, sum(1 << kind for kind in (KEY_DOWN, KEY_UP, *CLICKS))
        option = ACTIVE if stops else LISTENS
        tap = quartz.CGEventTapCreate(SESSION, HEAD, option, mask, callback, None)
        if tap is None:
            begun.set()
            return
        try:
            source = quartz.CFMachPortCreateRunLoopSource(None, tap, 0)
            quartz.CFRunLoopAddSource(quartz.CFRunLoopGetCurrent(), source, quartz.kCFRunLoopDefaultMode)
            quartz.CGEventTapEnable(tap, True)
            self._tap = tap
            begun.set()
            while not self._ends.is_set() and self._may(stops):
                with self._objc.autorelease_pool():
                    quartz.CFRunLoopRunInMode(quartz.kCFRunLoopDefaultMode, SLICE_S, False)
        finally:
            self._tap = None
            quartz.CGEventTapEnable(tap, False)
            quartz.CFMachPortInvalidate(tap)

    def _callback(self, stops: bool, key: Callable[[Stroke], bool], click: Callable[[int], None]) -> Callable[..., Any]:
        field = self._quartz.CGEventGetIntegerValueField

        def callback(_proxy: Any, kind: int, event: Any, _info: Any) -> Any:
            if kind & 0xFFFFFFFF in DISABLED:
                if self._tap is not None and self._may(stops):
                    self._quartz.CGEventTapEnable(self._tap, True)
                return event
            source = int(field(event, SOURCE_PID))
            if kind in (KEY_DOWN, KEY_UP):
                return None if key(self._stroke(event, kind == KEY_DOWN, source)) else event
            if source:
                click(source)
            return event

        return callback

    def _stroke(self, event: Any, down: bool, source: int) -> Stroke:
        field = self._quartz.CGEventGetIntegerValueField
        _length, text = self._quartz.CGEventKeyboardGetUnicodeString(event, 4, None, None)
        return Stroke(
            key=int(field(event, KEY_CODE)),
            down=down,
            text=str(text or ""),
            flags=int(self._quartz.CGEventGetFlags(event)),
            source=source,
            repeats=bool(field(event, IS_REPEAT)),
        )

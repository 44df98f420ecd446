"""Applications by accessibility (AXUIElement), which works in every thread.

NSWorkspace and NSRunningApplication tell what is in front as of the last turn of the main thread's run loop, and the agent's
main thread has none: they would say the same for ever. So they are only told to do things here, and asked nothing.
Without the right Accessibility, what is in front is the owner of the first ordinary window. Not yet run on a Mac.
"""

from collections.abc import Callable
from typing import Any

from secureproctor.lockdown.macos.api import Screen
from secureproctor.lockdown.macos.frameworks import framework

ANSWERS_S = 0.2
"""An application that hangs is waited for no longer."""
ACTIVATE = 1 << 0 | 1 << 1
"""NSApplicationActivateAllWindows, and …IgnoringOtherApps, which means nothing since macOS 14."""
MAIN = ("AXMainWindow", "AXFocusedWindow")
TELLING = (
    "AXApplicationActivated",
    "AXApplicationDeactivated",
    "AXApplicationHidden",
    "AXWindowMiniaturized",
    "AXFocusedWindowChanged",
)
"""Notifications of AXNotificationConstants.h."""


class AccessibleApps:
    """Apps of api.py, for the thread whose run loop it is."""

    def __init__(self, screen: Screen) -> None:
        self._services, self._core = framework("ApplicationServices"), framework("CoreFoundation")
        self._appkit, self._objc = framework("AppKit"), framework("objc")
        self._screen = screen
        self._everything = self._services.AXUIElementCreateSystemWide()
        self._services.AXUIElementSetMessagingTimeout(self._everything, ANSWERS_S)
        self._observer: Any = None
        self._callback: Any = None
        self._watched: tuple[int, Callable[[], None] | None] = (0, None)

    def front(self) -> int:
        """AXFocusedApplication."""
        focused = self._value(self._everything, "AXFocusedApplication")
        if focused is not None:
            error, pid = self._services.AXUIElementGetPid(focused, None)
            if not error:
                return int(pid)
        return next((window.pid for window in self._screen.windows() if window.layer == 0), 0)

    def activate(self, pid: int) -> None:
        """AXFrontmost, AXRaise, and the request that macOS knows officially."""
        self._set(self._app(pid), "AXFrontmost", True)
        window = self._window(pid)
        if window is not None:
            self._services.AXUIElementPerformAction(window, "AXRaise")
        running = self._running(pid)
        if running is not None:
            running.activateWithOptions_(ACTIVATE)

    def hide(self, pid: int) -> None:
        """As Cmd+H does."""
        running = self._running(pid)
        if running is not None:
            running.hide()

    def show(self, pid: int) -> None:
        """AXHidden, AXMinimized."""
        self._set(self._app(pid), "AXHidden", False)
        window = self._window(pid)
        if window is not None:
            self._set(window, "AXMinimized", False)

    def is_away(self, pid: int) -> bool:
        """AXHidden, AXMinimized."""
        if self._value(self._app(pid), "AXHidden"):
            return True
        window = self._window(pid)
        return window is not None and bool(self._value(window, "AXMinimized"))

    def full_screen(self, pid: int) -> bool | None:
        """AXFullScreen."""
        window = self._window(pid)
        value = None if window is None else self._value(window, "AXFullScreen")
        return None if value is None else bool(value)

    def set_full_screen(self, pid: int, on: bool) -> bool:
        """AXFullScreen."""
        window = self._window(pid)
        return window is not None and self._set(window, "AXFullScreen", on)

    def ask_to_end(self, pid: int) -> bool:
        """NSRunningApplication's terminate. What has no bundle is none."""
        running = self._running(pid)
        return running is not None and bool(running.terminate())

    def watch(self, pid: int, changed: Callable[[], None]) -> bool:
        """AXObserver, in the run loop of this thread. Watching the same again does nothing."""
        if self._watched == (pid, changed) and self._observer is not None:
            return True
        self.unwatch()

        def callback(_observer: Any, _element: Any, _notification: Any, _info: Any) -> None:
            changed()

        create = self._services.AXObserverCreate
        self._callback = self._objc.callbackFor(create)(callback)  # PyObjC does not keep what is called back later
        error, observer = create(pid, self._callback, None)
        if error:
            return False
        app = self._app(pid)
        errors = [self._services.AXObserverAddNotification(observer, app, name, None) for name in TELLING]
        source = self._services.AXObserverGetRunLoopSource(observer)
        self._core.CFRunLoopAddSource(self._core.CFRunLoopGetCurrent(), source, self._core.kCFRunLoopDefaultMode)
        self._observer, self._watched = observer, (pid, changed)
        return not all(errors)

    def unwatch(self) -> None:
        """Take the source away; the notifications go with the observer."""
        observer, self._observer = self._observer, None
        if observer is not None:
            self._core.CFRunLoopSourceInvalidate(self._services.AXObserverGetRunLoopSource(observer))

    def _app(self, pid: int) -> Any:
        app = self._services.AXUIElementCreateApplication(pid)
        self._services.AXUIElementSetMessagingTimeout(app, ANSWERS_S)
        return app

    def _window(self, pid: int) -> Any:
        """The main one; of an application that is behind, or minimized, perhaps only the first."""
        app = self._app(pid)
        found = next((window for name in MAIN if (window := self._value(app, name)) is not None), None)
        if found is not None:
            return found
        windows = self._value(app, "AXWindows")
        return windows[0] if windows else None

    def _value(self, element: Any, name: str) -> Any:
        error, value = self._services.AXUIElementCopyAttributeValue(element, name, None)
        return None if error else value

    def _set(self, element: Any, name: str, value: bool) -> bool:
        return not self._services.AXUIElementSetAttributeValue(element, name, value)

    def _running(self, pid: int) -> Any:
        return self._appkit.NSRunningApplication.runningApplicationWithProcessIdentifier_(pid)

"""The user's session: rights, secure input, sleep, clipboard, and macOS's own helpers. Not yet run on a Mac."""

import ctypes
from collections.abc import Mapping
from typing import Any

from secureproctor.lockdown.macos.api import Access, Rights
from secureproctor.lockdown.macos.frameworks import framework, function

IOKIT = "/System/Library/Frameworks/IOKit.framework/IOKit"
CARBON = "/System/Library/Frameworks/Carbon.framework/Carbon"
POST_EVENTS, LISTEN_EVENTS = 0, 1
"""kIOHIDRequestTypePostEvent, kIOHIDRequestTypeListenEvent (IOHIDLib.h)."""
ANSWERS: Mapping[int, Access] = {0: "granted", 1: "denied"}
"""kIOHIDAccessTypeGranted, …Denied; 2 is …Unknown."""
NO_DISPLAY_SLEEP, NO_SYSTEM_SLEEP = 1 << 40, 1 << 20
"""NSActivityIdleDisplaySleepDisabled, NSActivityIdleSystemSleepDisabled (NSProcessInfo.h)."""
REMOTE = "com.apple.is-remote-clipboard"
"""The type that marks what Universal Clipboard has brought."""


class UserSession:
    """Session of api.py."""

    def __init__(self) -> None:
        self._services, self._appkit = framework("ApplicationServices"), framework("AppKit")
        self._quartz = framework("Quartz")
        self._check = function(IOKIT, "IOHIDCheckAccess", ctypes.c_uint32, ctypes.c_uint32)
        self._secure = function(CARBON, "IsSecureEventInputEnabled", ctypes.c_ubyte)
        self._process = self._appkit.NSProcessInfo.processInfo()
        self._activity: Any = None

    def rights(self) -> Rights:
        """AXIsProcessTrusted knows yes and no; whether anybody was asked is what IOHIDCheckAccess knows besides."""
        accessibility: Access = "granted"
        if not self._services.AXIsProcessTrusted():
            accessibility = "denied" if self._check(POST_EVENTS) == 1 else "undetermined"
        return Rights(accessibility, ANSWERS.get(self._check(LISTEN_EVENTS), "undetermined"))

    def may_tap(self, stops: bool) -> bool:
        """Whether there is the right for an event tap."""
        if stops:
            return bool(self._services.AXIsProcessTrusted())
        return ANSWERS.get(self._check(LISTEN_EVENTS)) == "granted"

    def has_secure_input(self) -> bool:
        """IsSecureEventInputEnabled."""
        return bool(self._secure())

    def keep_awake(self, on: bool) -> bool:
        """NSProcessInfo's activity, which ends with the process."""
        activity, self._activity = self._activity, None
        if activity is not None:
            self._process.endActivity_(activity)
        if on:
            options = NO_DISPLAY_SLEEP | NO_SYSTEM_SLEEP
            self._activity = self._process.beginActivityWithOptions_reason_(options, "An exam is under way")
        return not on or self._activity is not None

    def is_on_console(self) -> bool | None:
        """kCGSSessionOnConsoleKey."""
        session = self._quartz.CGSessionCopyCurrentDictionary()
        return None if session is None else bool(session.get("kCGSSessionOnConsoleKey"))

    def is_locked(self) -> bool:
        """CGSSessionScreenIsLocked, which is there only while it is."""
        session = self._quartz.CGSessionCopyCurrentDictionary()
        return session is not None and bool(session.get("CGSSessionScreenIsLocked"))

    def helpers(self) -> tuple[str, ...]:
        """NSWorkspace, and UAZoomEnabled."""
        workspace = self._appkit.NSWorkspace.sharedWorkspace()
        on = {
            "VoiceOver": workspace.isVoiceOverEnabled(),
            "Zoom": self._services.UAZoomEnabled(),
            "Switch Control": workspace.isSwitchControlEnabled(),
        }
        return tuple(name for name, is_on in on.items() if is_on)


class Pasteboard:
    """Clipboard of api.py. Types are names of formats; contents are never asked for."""

    def __init__(self) -> None:
        self._board = framework("AppKit").NSPasteboard.generalPasteboard()

    def count(self) -> int:
        """changeCount."""
        return int(self._board.changeCount())

    def is_empty(self) -> bool:
        """No types."""
        return not self._board.types()

    def is_remote(self) -> bool:
        """By a type."""
        return REMOTE in (self._board.types() or ())

    def empty(self) -> None:
        """clearContents."""
        self._board.clearContents()

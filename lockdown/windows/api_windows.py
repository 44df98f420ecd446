"""The windows of the desktop, by user32.

Functions that wait for another program's window are asked only of windows that answer (`is_hung` is the caller's question),
or in their variants that do not wait. Source: winuser.h.
"""

import ctypes
from ctypes import wintypes

from secureproctor.lockdown.windows import calls
from secureproctor.lockdown.windows.api import Dress, Placement, Rect

GWL_STYLE, GWL_EXSTYLE = -16, -20
GA_ROOT = 2
PER_MONITOR_AWARE_V2 = -4
MONITOR_DEFAULTTONEAREST = 2
SW_MINIMIZE, SW_RESTORE = 6, 9
SWP_NOSIZE, SWP_NOMOVE, SWP_NOZORDER, SWP_NOACTIVATE, SWP_FRAMECHANGED = 0x01, 0x02, 0x04, 0x10, 0x20
HWND_TOPMOST, HWND_NOTOPMOST = ctypes.c_size_t(-1).value, ctypes.c_size_t(-2).value


class _Rect(ctypes.Structure):
    _fields_ = tuple((name, wintypes.LONG) for name in Rect._fields)

    def plain(self) -> Rect:
        return Rect(self.left, self.top, self.right, self.bottom)


class _Placement(ctypes.Structure):
    """WINDOWPLACEMENT."""

    _fields_ = (
        ("length", wintypes.UINT),
        ("flags", wintypes.UINT),
        ("show", wintypes.UINT),
        ("minimized", calls.Point),
        ("maximized", calls.Point),
        ("normal", _Rect),
    )


class _Monitor(ctypes.Structure):
    """MONITORINFO."""

    _fields_ = (("size", wintypes.DWORD), ("whole", _Rect), ("work", _Rect), ("flags", wintypes.DWORD))


def see_pixels() -> None:
    """Let this thread count in pixels wherever a window is; otherwise Windows tells programs that know nothing of scaling what
    they would like to hear."""
    calls.Library("user32")("SetThreadDpiAwarenessContext", ctypes.c_ssize_t, ctypes.c_ssize_t)(PER_MONITOR_AWARE_V2)


class DesktopWindows:
    """Windows of api.py. `mark` is the number by which this agent knows its own input."""

    def __init__(self, mark: int) -> None:
        user, kernel = calls.Library("user32"), calls.Library("kernel32")
        window, truth, number = calls.HANDLE, wintypes.BOOL, ctypes.c_int
        self._mark = mark
        self._each = calls.callback(truth, window, ctypes.c_ssize_t)
        self._enumerate = user("EnumWindows", truth, self._each, ctypes.c_ssize_t)
        self._foreground = user("GetForegroundWindow", window)
        self._owner = user("GetWindowThreadProcessId", wintypes.DWORD, window, ctypes.POINTER(wintypes.DWORD))
        self._visible = user("IsWindowVisible", truth, window)
        self._ancestor = user("GetAncestor", window, window, wintypes.UINT)
        self._iconic = user("IsIconic", truth, window)
        self._hung = user("IsHungAppWindow", truth, window)
        self._rect = user("GetWindowRect", truth, window, ctypes.POINTER(_Rect))
        self._monitor = user("MonitorFromWindow", calls.HANDLE, window, wintypes.DWORD)
        self._monitor_info = user("GetMonitorInfoW", truth, calls.HANDLE, ctypes.POINTER(_Monitor))
        self._get_long = user("GetWindowLongPtrW", ctypes.c_ssize_t, window, number)
        self._set_long = user("SetWindowLongPtrW", ctypes.c_ssize_t, window, number, ctypes.c_ssize_t)
        self._get_placement = user("GetWindowPlacement", truth, window, ctypes.POINTER(_Placement))
        self._set_placement = user("SetWindowPlacement", truth, window, ctypes.POINTER(_Placement))
        self._affinity = user("GetWindowDisplayAffinity", truth, window, ctypes.POINTER(wintypes.DWORD))
        self._set_foreground = user("SetForegroundWindow", truth, window)
        self._to_top = user("BringWindowToTop", truth, window)
        self._position = user("SetWindowPos", truth, window, window, number, number, number, number, wintypes.UINT)
        self._show = user("ShowWindowAsync", truth, window, number)
        self._send = user("SendInput", wintypes.UINT, wintypes.UINT, ctypes.POINTER(calls.Input), number)
        self._attach = user("AttachThreadInput", truth, wintypes.DWORD, wintypes.DWORD, truth)
        self._this_thread = kernel("GetCurrentThreadId", wintypes.DWORD)

    def foreground(self) -> int:
        """GetForegroundWindow."""
        return int(self._foreground())

    def all(self) -> tuple[int, ...]:
        """EnumWindows, of which the visible ones."""
        found: list[int] = []

        def each(window: int, _: int) -> int:
            if self._visible(window):
                found.append(window)
            return 1

        self._enumerate(self._each(each), 0)
        return tuple(found)

    def owner(self, window: int) -> int:
        """The process of GetWindowThreadProcessId."""
        pid = wintypes.DWORD()
        self._owner(window, ctypes.byref(pid))
        return pid.value

    def is_top(self, window: int) -> bool:
        """Visible, and its own root."""
        return bool(self._visible(window)) and self._ancestor(window, GA_ROOT) == window

    def is_minimized(self, window: int) -> bool:
        """IsIconic."""
        return bool(self._iconic(window))

    def is_hung(self, window: int) -> bool:
        """IsHungAppWindow: no message was taken for 5 s."""
        return bool(self._hung(window))

    def rect(self, window: int) -> Rect:
        """GetWindowRect."""
        rect = _Rect()
        self._rect(window, ctypes.byref(rect))
        return rect.plain()

    def screen(self, window: int) -> Rect:
        """The monitor that it is on for the most part, or the nearest."""
        monitor = _Monitor(size=ctypes.sizeof(_Monitor))
        self._monitor_info(self._monitor(window, MONITOR_DEFAULTTONEAREST), ctypes.byref(monitor))
        plain: Rect = monitor.whole.plain()
        return plain

    def dress(self, window: int) -> Dress:
        """GWL_STYLE and GWL_EXSTYLE as unsigned numbers."""
        style, extended = (self._get_long(window, index) & 0xFFFFFFFF for index in (GWL_STYLE, GWL_EXSTYLE))
        return Dress(style, extended)

    def placement(self, window: int) -> Placement:
        """GetWindowPlacement."""
        read = _Placement(length=ctypes.sizeof(_Placement))
        self._get_placement(window, ctypes.byref(read))
        return Placement(read.show, read.normal.plain())

    def affinity(self, window: int) -> int | None:
        """GetWindowDisplayAffinity."""
        affinity = wintypes.DWORD()
        return affinity.value if self._affinity(window, ctypes.byref(affinity)) else None

    def activate(self, window: int) -> bool:
        """SetForegroundWindow, which Windows grants to the program that had the last input: so there is some, of a mouse that
        does not move. Where that is not enough, the thread in front shares its input for a moment."""
        nudge = calls.Input(type=0)
        nudge.mouse = calls.MouseInput(extra=self._mark)
        self._send(1, ctypes.byref(nudge), ctypes.sizeof(nudge))
        self._set_foreground(window)
        front = self.foreground()
        if front not in (0, window) and not self._hung(front):
            self._activate_attached(window, self._owner(front, None))
        return self.foreground() == window

    def wear(self, window: int, dress: Dress) -> None:
        """SetWindowLongPtr, and the frame is drawn anew. WS_EX_TOPMOST is not to be set by these (documented)."""
        self._set_long(window, GWL_STYLE, ctypes.c_int32(dress.style).value)
        self._set_long(window, GWL_EXSTYLE, ctypes.c_int32(dress.extended).value)
        flags = SWP_NOSIZE | SWP_NOMOVE | SWP_NOZORDER | SWP_NOACTIVATE | SWP_FRAMECHANGED
        self._position(window, 0, 0, 0, 0, 0, flags)

    def move(self, window: int, to: Rect, topmost: bool) -> None:
        """SetWindowPos."""
        after = HWND_TOPMOST if topmost else HWND_NOTOPMOST
        self._position(window, after, to.left, to.top, to.right - to.left, to.bottom - to.top, SWP_NOACTIVATE)

    def put(self, window: int, placement: Placement) -> None:
        """SetWindowPlacement."""
        wanted = _Placement(length=ctypes.sizeof(_Placement), show=placement.show, normal=_Rect(*placement.normal))
        wanted.minimized = wanted.maximized = calls.Point(-1, -1)
        self._set_placement(window, ctypes.byref(wanted))

    def restore(self, window: int) -> None:
        """SW_RESTORE."""
        self._show(window, SW_RESTORE)

    def minimize(self, window: int) -> None:
        """SW_MINIMIZE."""
        self._show(window, SW_MINIMIZE)

    def _activate_attached(self, window: int, front_thread: int) -> None:
        own = self._this_thread()
        if not self._attach(own, front_thread, True):
            return
        try:
            self._to_top(window)
            self._set_foreground(window)
        finally:
            self._attach(own, front_thread, False)

"""A Windows program for tests: a window that writes down which keys it gets, and does what it is told.

    python actor.py [WIDTH HEIGHT]

First it says its window's handle; then, for each line on stdin (the method without `do_`, and its arguments), its answer.
All lines are JSON. Standard library only: copies of the interpreter run it under other names.
"""

import ctypes
import json
import queue
import subprocess
import sys
import threading
import time
from ctypes import wintypes

user, kernel = (vars(ctypes)["WinDLL"](name) for name in ("user32", "kernel32"))
HANDLE, WORD = ctypes.c_size_t, wintypes.DWORD
user.CreateWindowExW.restype = HANDLE
user.CreateWindowExW.argtypes = [WORD, *(wintypes.LPCWSTR,) * 2, WORD, *(ctypes.c_int,) * 4, *(HANDLE,) * 4]
for name in ("SetForegroundWindow", "DestroyWindow", "OpenClipboard", "CloseWindow"):
    getattr(user, name).argtypes = [HANDLE]
user.GetForegroundWindow.restype = HANDLE
user.SetWindowLongPtrW.argtypes = [HANDLE, ctypes.c_int, ctypes.c_ssize_t]
user.GetWindowLongPtrW.argtypes = [HANDLE, ctypes.c_int]
user.GetWindowLongPtrW.restype = ctypes.c_ssize_t
user.SetClipboardData.argtypes = [wintypes.UINT, HANDLE]
user.SetClipboardData.restype = HANDLE
user.GetClipboardData.restype = HANDLE
user.SendInput.argtypes = [wintypes.UINT, ctypes.c_void_p, ctypes.c_int]
user.SetWindowPos.argtypes = [HANDLE, HANDLE, *(ctypes.c_int,) * 4, wintypes.UINT]
kernel.GlobalAlloc.restype = HANDLE
kernel.GlobalLock.restype = ctypes.c_void_p
kernel.GlobalLock.argtypes = kernel.GlobalUnlock.argtypes = [HANDLE]
OVERLAPPED_VISIBLE, WM_KEYDOWN, WM_SYSKEYDOWN, WM_QUIT, CF_UNICODETEXT = 0x10CF0000, 0x100, 0x104, 0x12, 13


class Message(ctypes.Structure):
    _fields_ = (
        ("window", HANDLE),
        ("message", wintypes.UINT),
        ("wparam", HANDLE),
        ("lparam", ctypes.c_ssize_t),
        ("time", WORD),
        ("point", wintypes.LONG * 2),
    )


class KeyboardInput(ctypes.Structure):
    _fields_ = (
        ("type", WORD),
        ("padding", WORD),
        ("key", wintypes.WORD),
        ("scan", wintypes.WORD),
        ("flags", WORD),
        ("time", WORD),
        ("extra", ctypes.c_size_t),
        ("rest", ctypes.c_ubyte * 8),
    )


class MouseInput(ctypes.Structure):
    _fields_ = (
        ("type", WORD),
        ("padding", WORD),
        ("dx", wintypes.LONG),
        ("dy", wintypes.LONG),
        ("data", WORD),
        ("flags", WORD),
        ("time", WORD),
        ("extra", ctypes.c_size_t),
    )


class Actor:
    def __init__(self, width: int, height: int) -> None:
        self.keys: list[int] = []
        self.children: list[subprocess.Popen[bytes]] = []
        self.orders: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.window = user.CreateWindowExW(0, "EDIT", "", OVERLAPPED_VISIBLE, 40, 40, width, height, 0, 0, 0, 0)

    def run(self) -> None:
        say(self.window)
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            self._take_messages()
            try:
                line = self.orders.get(timeout=0.004)
            except queue.Empty:
                continue
            if not line:
                break
            word, *arguments = json.loads(line)
            say(getattr(self, f"do_{word}")(*arguments))

    def do_keys(self) -> list[int]:
        """The keys that came since this was last asked."""
        keys, self.keys = self.keys, []
        return keys

    def do_front(self) -> bool:
        user.SetForegroundWindow(self.window)
        self._take_messages()
        return bool(user.GetForegroundWindow() == self.window)

    def do_fight(self, seconds: str) -> int:
        """Come in front again and again; how often that was needed."""
        until, times = time.monotonic() + float(seconds), 0
        while time.monotonic() < until:
            if user.GetForegroundWindow() != self.window:
                user.SetForegroundWindow(self.window)
                times += 1
            self._take_messages()
            time.sleep(0.002)
        return times

    def do_run(self, *command: str) -> int:
        """Start another program, which is none of the agent's."""
        self.children.append(subprocess.Popen(command))
        return self.children[-1].pid

    def do_show(self, how: str) -> int:
        return int(user.ShowWindow(HANDLE(self.window), int(how)))

    def do_style(self, index: str, value: str) -> int:
        return int(user.SetWindowLongPtrW(self.window, int(index), int(value)))

    def do_above(self) -> int:
        return int(user.SetWindowPos(self.window, HANDLE(-1).value, 0, 0, 0, 0, 3))

    def do_copy(self, text: str) -> bool:
        memory = kernel.GlobalAlloc(2, 2 * len(text) + 2)
        ctypes.memmove(kernel.GlobalLock(memory), ctypes.create_unicode_buffer(text), 2 * len(text) + 2)
        kernel.GlobalUnlock(memory)
        self._open_clipboard()
        user.EmptyClipboard()
        done = user.SetClipboardData(CF_UNICODETEXT, memory)
        user.CloseClipboard()
        return bool(done)

    def do_paste(self) -> bool:
        self._open_clipboard()
        there = user.GetClipboardData(CF_UNICODETEXT)
        user.CloseClipboard()
        return bool(there)

    def do_hold_clipboard(self, seconds: str) -> bool:
        self._open_clipboard()
        time.sleep(float(seconds))
        return bool(user.CloseClipboard())

    def do_type(self, *keys: str) -> int:
        """Down in this order, up in the other one."""
        events = [(int(key), 0) for key in keys] + [(int(key), 2) for key in reversed(keys)]
        inputs = (KeyboardInput * len(events))(*(KeyboardInput(type=1, key=key, flags=flags) for key, flags in events))
        return int(user.SendInput(len(events), inputs, ctypes.sizeof(KeyboardInput)))

    def do_nudge(self) -> int:
        moved = MouseInput(type=0, dx=3, dy=3, flags=1)
        return int(user.SendInput(1, ctypes.byref(moved), ctypes.sizeof(MouseInput)))

    def do_hang(self, seconds: str) -> bool:
        time.sleep(float(seconds))
        return True

    def _open_clipboard(self) -> None:
        until = time.monotonic() + 5
        while not user.OpenClipboard(self.window) and time.monotonic() < until:
            time.sleep(0.01)

    def _take_messages(self) -> None:
        message = Message()
        while user.PeekMessageW(ctypes.byref(message), HANDLE(0), 0, 0, 1):
            if message.message == WM_QUIT:
                sys.exit()
            if message.message in (WM_KEYDOWN, WM_SYSKEYDOWN):
                self.keys.append(message.wparam)
            user.TranslateMessage(ctypes.byref(message))
            user.DispatchMessageW(ctypes.byref(message))
        if not user.IsWindow(HANDLE(self.window)):
            sys.exit()  # somebody has closed it

    def _listen(self) -> None:
        for line in sys.stdin:
            self.orders.put(line)
        self.orders.put("")


def say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Actor(*map(int, sys.argv[1:3] or (400, 300))).run()

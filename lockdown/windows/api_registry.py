"""The registry, by winreg: as it was found, whatever its types are.

The 64-bit view is named everywhere: a 32-bit Python would otherwise write policies where nobody reads them.
"""

import ctypes
from ctypes import wintypes

from secureproctor.lockdown.windows import calls
from secureproctor.lockdown.windows.api import Hive, Value

HWND_BROADCAST, WM_SETTINGCHANGE, SMTO_ABORTIFHUNG = 0xFFFF, 0x001A, 0x0002
SHELL, PATIENCE_MS = "Shell_TrayWnd", 200

REG_SZ, REG_EXPAND_SZ, REG_DWORD, REG_QWORD = 1, 2, 4, 11
NUMBERS, TEXTS = (REG_DWORD, REG_QWORD), (REG_SZ, REG_EXPAND_SZ)


class SystemRegistry:
    """Registry of api.py."""

    def __init__(self) -> None:
        user, advanced = calls.Library("user32"), calls.Library("advapi32")
        self._hives = {"HKCU": calls.winreg.HKEY_CURRENT_USER, "HKLM": calls.winreg.HKEY_LOCAL_MACHINE}
        self._view = calls.winreg.KEY_WOW64_64KEY
        word = wintypes.DWORD
        self._find = user("FindWindowW", calls.HANDLE, wintypes.LPCWSTR, wintypes.LPCWSTR)
        self._send = user(
            "SendMessageTimeoutW",
            ctypes.c_ssize_t,
            calls.HANDLE,
            wintypes.UINT,
            ctypes.c_size_t,
            wintypes.LPCWSTR,
            wintypes.UINT,
            wintypes.UINT,
            ctypes.POINTER(ctypes.c_size_t),
        )
        pointers = ctypes.POINTER(word), ctypes.c_char_p, ctypes.POINTER(word)
        self._query = advanced(
            "RegQueryValueExW", wintypes.LONG, calls.HANDLE, wintypes.LPCWSTR, ctypes.c_void_p, *pointers
        )
        self._set = advanced(
            "RegSetValueExW", wintypes.LONG, calls.HANDLE, wintypes.LPCWSTR, word, word, ctypes.c_char_p, word
        )

    def get(self, hive: Hive, path: str, name: str) -> Value | None:
        """The value in its raw bytes, made readable where that loses nothing."""
        try:
            with calls.winreg.OpenKey(self._hives[hive], path, 0, calls.winreg.KEY_READ | self._view) as key:
                return self._read(key.handle, name)
        except FileNotFoundError:
            return None

    def put(self, hive: Hive, path: str, name: str, value: Value) -> None:
        """Make the key if need be, and set the value."""
        data = _packed(value)
        with calls.winreg.CreateKeyEx(self._hives[hive], path, 0, calls.winreg.KEY_WRITE | self._view) as key:
            code = self._set(key.handle, name, 0, value.type, data, len(data))
        if code:
            raise calls.failure(f"{hive}\\{path}\\{name}", code)

    def remove(self, hive: Hive, path: str, name: str) -> None:
        """Remove a value."""
        try:
            with calls.winreg.OpenKey(self._hives[hive], path, 0, calls.winreg.KEY_WRITE | self._view) as key:
                calls.winreg.DeleteValue(key, name)
        except FileNotFoundError:
            return

    def has(self, hive: Hive, path: str) -> bool:
        """Whether it can be opened."""
        try:
            with calls.winreg.OpenKey(self._hives[hive], path, 0, calls.winreg.KEY_READ | self._view):
                return True
        except FileNotFoundError:
            return False

    def prune(self, hive: Hive, path: str) -> None:
        """Remove a key without values and keys."""
        try:
            with calls.winreg.OpenKey(self._hives[hive], path, 0, calls.winreg.KEY_READ | self._view) as key:
                keys, values, _ = calls.winreg.QueryInfoKey(key)
            if keys == values == 0:
                calls.winreg.DeleteKeyEx(self._hives[hive], path, self._view, 0)
        except FileNotFoundError:
            return

    def may_write(self, hive: Hive, path: str) -> bool:
        """Ask for the right at the key, or at the nearest one above it, without using it."""
        while path and not self._is_there(hive, path):
            path = path.rpartition("\\")[0]
        try:
            with calls.winreg.OpenKey(self._hives[hive], path, 0, calls.winreg.KEY_WRITE | self._view):
                return True
        except OSError:
            return False

    def children(self, hive: Hive, path: str) -> tuple[str, ...]:
        """The names of its keys."""
        try:
            with calls.winreg.OpenKey(self._hives[hive], path, 0, calls.winreg.KEY_READ | self._view) as key:
                return tuple(calls.winreg.EnumKey(key, index) for index in range(calls.winreg.QueryInfoKey(key)[0]))
        except FileNotFoundError:
            return ()

    def announce(self) -> None:
        """WM_SETTINGCHANGE for the shell, which keeps policies in memory. Sent to everybody, it would wait for each."""
        window, answer = self._find(SHELL, None), ctypes.c_size_t()
        if window:
            flags = SMTO_ABORTIFHUNG
            self._send(window, WM_SETTINGCHANGE, 0, "Policy", flags, PATIENCE_MS, ctypes.byref(answer))

    def _is_there(self, hive: Hive, path: str) -> bool:
        try:
            return self.has(hive, path)
        except PermissionError:
            return True

    def _read(self, handle: int, name: str) -> Value | None:
        kind, size = wintypes.DWORD(), wintypes.DWORD()
        code = self._query(handle, name, None, ctypes.byref(kind), None, ctypes.byref(size))
        if code == 0:
            room = ctypes.create_string_buffer(size.value)
            code = self._query(handle, name, None, ctypes.byref(kind), room, ctypes.byref(size))
        if code:
            raise calls.failure(name, code)
        return Value(kind.value, _unpacked(kind.value, room.raw[: size.value]))


def _unpacked(kind: int, data: bytes) -> int | str:
    if kind in NUMBERS and len(data) in (4, 8):
        return int.from_bytes(data, "little")
    if kind in TEXTS and data.endswith(b"\0\0") and len(data) % 2 == 0:
        text = data[:-2].decode("utf-16-le", "surrogatepass")
        if "\0" not in text:
            return text
    return "hex:" + data.hex()


def _packed(value: Value) -> bytes:
    if isinstance(value.data, int):
        return value.data.to_bytes(8 if value.type == REG_QWORD else 4, "little")
    if value.type in TEXTS and not value.data.startswith("hex:"):
        return (value.data + "\0").encode("utf-16-le", "surrogatepass")
    return bytes.fromhex(value.data.removeprefix("hex:"))

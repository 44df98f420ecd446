"""The TCP table with its processes, and the network adapters, by iphlpapi."""

import ctypes
import socket
from ctypes import wintypes

from secureproctor.lockdown.windows import calls
from secureproctor.lockdown.windows.api import Adapter, Connection

TCP_TABLE_OWNER_PID_ALL, INSUFFICIENT_BUFFER, BUFFER_OVERFLOW = 5, 122, 111
SKIP_ALL_BUT_DEVICES = 0x1 | 0x2 | 0x4 | 0x8 | 0x20
"""GAA_FLAG_SKIP_UNICAST, _ANYCAST, _MULTICAST, _DNS_SERVER and _FRIENDLY_NAME."""


class _Row4(ctypes.Structure):
    """MIB_TCPROW_OWNER_PID."""

    _fields_ = (
        ("state", wintypes.DWORD),
        ("local", ctypes.c_ubyte * 4),
        ("port", wintypes.DWORD),
        ("remote", ctypes.c_ubyte * 4),
        ("remote_port", wintypes.DWORD),
        ("pid", wintypes.DWORD),
    )


class _Row6(ctypes.Structure):
    """MIB_TCP6ROW_OWNER_PID."""

    _fields_ = (
        ("local", ctypes.c_ubyte * 16),
        ("local_scope", wintypes.DWORD),
        ("port", wintypes.DWORD),
        ("remote", ctypes.c_ubyte * 16),
        ("remote_scope", wintypes.DWORD),
        ("remote_port", wintypes.DWORD),
        ("state", wintypes.DWORD),
        ("pid", wintypes.DWORD),
    )


ROWS: tuple[tuple[int, int, type[ctypes.Structure]], ...] = (
    (2, socket.AF_INET, _Row4),
    (23, socket.AF_INET6, _Row6),
)
"""Windows' number of the address family (AF_INET6 is another one elsewhere), Python's, and the row."""


class _Adapter(ctypes.Structure):
    """IP_ADAPTER_ADDRESSES_LH, as far as the physical address."""


_Adapter._fields_ = (
    ("length", wintypes.ULONG),
    ("index", wintypes.DWORD),
    ("next", ctypes.POINTER(_Adapter)),
    ("name", ctypes.c_char_p),
    ("unicast", ctypes.c_void_p),
    ("anycast", ctypes.c_void_p),
    ("multicast", ctypes.c_void_p),
    ("dns", ctypes.c_void_p),
    ("suffix", wintypes.LPCWSTR),
    ("description", wintypes.LPCWSTR),
    ("friendly", wintypes.LPCWSTR),
    ("address", ctypes.c_ubyte * 8),
    ("address_length", wintypes.ULONG),
)


class Network:
    """The readers `connections` and `adapters` of api.Readers."""

    def __init__(self) -> None:
        network = calls.Library("iphlpapi")
        word, size = wintypes.ULONG, ctypes.POINTER(wintypes.DWORD)
        self._table = network(
            "GetExtendedTcpTable", word, ctypes.c_void_p, size, wintypes.BOOL, word, ctypes.c_int, word
        )
        self._adapters = network("GetAdaptersAddresses", word, word, word, ctypes.c_void_p, ctypes.c_void_p, size)

    def connections(self) -> tuple[Connection, ...] | None:
        """Both families; None when one of them cannot be read."""
        found: list[Connection] = []
        for number, family, row in ROWS:
            room = self._tcp_table(number)
            if room is None:
                return None
            count = wintypes.DWORD.from_buffer(room).value
            rows = (row * count).from_buffer(room, ctypes.sizeof(wintypes.DWORD))
            found.extend(_connection(each, family) for each in rows)
        return tuple(found)

    def adapters(self) -> tuple[Adapter, ...] | None:
        """All adapters that have an address of six bytes."""
        size = wintypes.DWORD(16384)
        while True:
            room = ctypes.create_string_buffer(size.value)
            code = self._adapters(0, SKIP_ALL_BUT_DEVICES, None, room, ctypes.byref(size))
            if code != BUFFER_OVERFLOW:
                break
        return _chain(room) if code == 0 else None

    def _tcp_table(self, family: int) -> ctypes.Array[ctypes.c_char] | None:
        size = wintypes.DWORD(16384)
        while True:
            room = ctypes.create_string_buffer(size.value)
            code = self._table(room, ctypes.byref(size), False, family, TCP_TABLE_OWNER_PID_ALL, 0)
            if code != INSUFFICIENT_BUFFER:
                return room if code == 0 else None


def _connection(row: ctypes.Structure, family: int) -> Connection:
    local, remote = (socket.inet_ntop(family, bytes(address)) for address in (row.local, row.remote))
    port, remote_port = (socket.ntohs(number & 0xFFFF) for number in (row.port, row.remote_port))
    return Connection(row.state, local, port, remote, remote_port, row.pid)


def _chain(room: ctypes.Array[ctypes.c_char]) -> tuple[Adapter, ...]:
    found = []
    at = ctypes.cast(room, ctypes.POINTER(_Adapter))
    while at:
        adapter = at.contents
        if adapter.address_length == 6:
            address = ":".join(f"{byte:02x}" for byte in adapter.address[:6])
            found.append(Adapter(address, adapter.description or ""))
        at = adapter.next
    return tuple(found)

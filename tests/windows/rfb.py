"""The other end of the X server: presses its keys as a keyboard does, and plugs monitors in.

RFB 3.8 (RFC 6143) with the extension SetDesktopSize (rfbproto, message 251), as TigerVNC's Xvnc speaks it.
"""

import contextlib
import socket
import struct
from collections.abc import Iterator

Screen = tuple[int, int, int, int]
EXTENDED_DESKTOP_SIZE = -308


class Rfb:
    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self._shake_hands()

    def close(self) -> None:
        self._socket.close()

    def key(self, symbol: int, down: bool) -> None:
        """`symbol` is an X keysym."""
        self._socket.sendall(struct.pack(">BBxxI", 4, down, symbol))

    def press(self, *symbols: int) -> None:
        """Down in this order, up in the other one."""
        for symbol in symbols:
            self.key(symbol, down=True)
        for symbol in reversed(symbols):
            self.key(symbol, down=False)

    def point(self, x: int, y: int) -> None:
        """Move the mouse."""
        self._socket.sendall(struct.pack(">BBHH", 5, 0, x, y))

    def screens(self, *screens: Screen) -> None:
        """Each x, y, width, height: a monitor. Waits for the server's answer."""
        width, height = (max(each[i] + each[i + 2] for each in screens) for i in (0, 1))
        rows = b"".join(struct.pack(">IHHHHI", number + 1, *each, 0) for number, each in enumerate(screens))
        self._socket.sendall(struct.pack(">BxHHBx", 251, width, height, len(screens)) + rows)
        self._ask()
        assert self._answer() == 0, "the X server refused these monitors"

    def _shake_hands(self) -> None:
        self._socket.sendall(self._take(12))
        kinds = self._take(self._take(1)[0])
        assert 1 in kinds
        self._socket.sendall(b"\x01")
        assert self._take(4) == bytes(4)
        self._socket.sendall(b"\x01")
        self.width, self.height = struct.unpack(">HH", self._take(4))
        self._take(16)
        self._take(*struct.unpack(">I", self._take(4)))
        self._socket.sendall(struct.pack(">BxHi", 2, 1, EXTENDED_DESKTOP_SIZE))
        self._ask()
        self._answer()  # the server says that it knows the extension before anything else

    def _ask(self) -> None:
        """The server answers only who waits for an update; of its picture, one pixel is enough."""
        self._socket.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, 1, 1))

    def _answer(self) -> int:
        """The status of the next rectangle that is about the size of the desktop."""
        while True:
            kind = self._take(1)[0]
            assert kind == 0, f"message {kind} was not asked for"
            _, count = struct.unpack(">BH", self._take(3))
            statuses = [status for _ in range(count) if (status := self._rectangle()) is not None]
            if statuses:
                return statuses[0]

    def _rectangle(self) -> int | None:
        _, y, width, height, encoding = struct.unpack(">HHHHi", self._take(12))
        if encoding == EXTENDED_DESKTOP_SIZE:
            self._take(16 * self._take(4)[0])
            return int(y)
        assert encoding == 0, "raw pixels are the only other thing that may come"
        self._take(width * height * 4)
        return None

    def _take(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._socket.recv(count - len(data))
            assert more, "the X server closed the connection"
            data += more
        return data


@contextlib.contextmanager
def connected(port: int) -> Iterator[Rfb]:
    rfb = Rfb(port)
    try:
        yield rfb
    finally:
        rfb.close()

"""The desk's camera: a person in front of a webcam as MJPEG over loopback HTTP, in a process of its own.

Pictures go out on absolute deadlines (`start + n / fps`), as from a device, so that whoever reads late sees a hole in the
counter instead of a slower clock. The person sways, nods and the light changes over eight seconds; on request an ID card is
held before the camera. Those pictures are encoded once. Only the lowest 16 rows are new each time: a strip with the counter
in black and white cells and the wall clock. A JPEG with a restart marker after each row of blocks lets that one row be
exchanged without touching the rest.
"""

import asyncio
import enum
import functools
import http.client
import itertools
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import assert_never
from urllib.parse import urlsplit

import cv2
import numpy as np
from numpy.typing import NDArray

from secureproctor.demo import idcard
from secureproctor.demo.program import read_line, running

WIDTH, HEIGHT = 640, 480
STRIP = 16  # rows: one row of JPEG blocks at 4:2:0
COUNTER_BITS = 24
PHOTO = "/photo.jpg"
_BLOCK_ROWS = HEIGHT // STRIP
_CYCLE_S = 8
_GRAIN_MIDDLE, _GRAIN_SHIFTS = 16, 97  # the sensor's noise is one field, shifted by some rows from picture to picture
_PORTRAIT = Path(__file__).with_name("assets") / "astronaut.png"

Picture = NDArray[np.uint8]


class CameraSight(enum.StrEnum):
    """What is before the camera; the value is the path that is posted to it."""

    PERSON = "person"
    CARD = "card"


class CameraFault(enum.StrEnum):
    """What can be wrong with a camera; the value is the path that is posted to it."""

    NONE = "none"
    GONE = "gone"  # streams break off, new ones are refused
    STALLED = "stalled"  # streams stay open and say nothing
    BLACK = "black"  # a covered lens: the counter goes on


def read_counter(picture: Picture) -> int:
    """The frame counter in `picture` (HEIGHT × WIDTH, gray or BGR), also after a lossy encoder."""
    gray = picture if picture.ndim == 2 else picture.mean(axis=2)
    row = gray[HEIGHT - STRIP + 4 : HEIGHT - 4, : COUNTER_BITS * STRIP]
    cells = row.reshape(row.shape[0], COUNTER_BITS, STRIP)[:, :, 4:-4].mean(axis=(0, 2)) > 127
    return sum(1 << bit for bit, white in enumerate(cells) if white)


class Lens:
    """Makes the JPEG of tick `n`."""

    def __init__(self, fps: int) -> None:
        portrait = cv2.imread(str(_PORTRAIT))
        if portrait is None:
            raise FileNotFoundError(_PORTRAIT)
        self._portrait = portrait.astype(np.uint8)
        grain = np.random.default_rng(1).normal(_GRAIN_MIDDLE, 2, (HEIGHT + _GRAIN_SHIFTS, WIDTH, 1))
        self._grain = np.repeat(grain, 3, axis=2).astype(np.uint8)
        self._card = idcard.drawn(self._portrait)
        self._cycle = _CYCLE_S * fps
        self._upper = functools.cache(self._draw)

    def jpeg(self, n: int, at: float, sight: CameraSight = CameraSight.PERSON, *, covered: bool = False) -> bytes:
        """Tick `n`, taken at `at` seconds since the epoch; `covered`: nothing but the strip."""
        return (self._upper(None, 0) if covered else self._upper(sight, n % self._cycle)) + _strip(n, at)

    def photo(self) -> bytes:
        """The person, as the exam knows them: a JPEG."""
        return cv2.imencode(".jpg", self._portrait)[1].tobytes()

    def _draw(self, sight: CameraSight | None, phase: int) -> bytes:
        """All of the JPEG but its last row of blocks; no sight is black."""
        turn = 2 * math.pi * phase / self._cycle
        match sight:
            case CameraSight.PERSON:
                picture = self._person(turn)
            case CameraSight.CARD:
                picture = idcard.held(self._card, self._person(turn), turn)
            case None:
                picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            case _:
                assert_never(sight)
        encoded = _encode(picture)
        return encoded[: _restarts(encoded)[_BLOCK_ROWS - 2] + 2]

    def _person(self, turn: float) -> Picture:
        """The portrait cropped to 4:3, moved as a sitting person moves, with the light and noise of a cheap sensor."""
        scale = 1.36 + 0.05 * math.sin(turn)
        left = 40 + 9 * math.sin(turn) + 3 * math.sin(3 * turn)
        top = 10 + 5 * math.sin(2 * turn + 1)
        move = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
        picture = cv2.warpAffine(self._portrait, move, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
        light = 1 + 0.05 * math.sin(turn + 2)
        shift = int(turn * 1000) % _GRAIN_SHIFTS
        return cv2.addWeighted(picture, light, self._grain[shift : shift + HEIGHT], 1, -_GRAIN_MIDDLE).astype(np.uint8)


def _strip(n: int, at: float) -> bytes:
    """The last row of blocks and the end of the JPEG."""
    picture = np.zeros((STRIP, WIDTH, 3), np.uint8)
    for bit in range(COUNTER_BITS):
        picture[:, bit * STRIP : (bit + 1) * STRIP] = 255 * (n >> bit & 1)
    clock = datetime.fromtimestamp(at).astimezone().isoformat(" ", "milliseconds")[:23]
    cv2.putText(picture, clock, (COUNTER_BITS * STRIP + 8, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
    encoded = _encode(picture)
    scan = encoded.index(b"\xff\xda")
    return encoded[scan + 2 + int.from_bytes(encoded[scan + 2 : scan + 4]) :]


def _encode(picture: Picture) -> bytes:
    """With OpenCV's fixed Huffman tables and one quality, rows of any two pictures are interchangeable."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 85, cv2.IMWRITE_JPEG_RST_INTERVAL, WIDTH // STRIP]
    return cv2.imencode(".jpg", picture, options)[1].tobytes()


def _restarts(jpeg: bytes) -> list[int]:
    """Where the restart markers RST0-RST7 stand (ITU T.81 B.1.1.3: inside a scan 0xFF is stuffed, so these are unique)."""
    data = np.frombuffer(jpeg, np.uint8)
    found = np.flatnonzero((data[:-1] == 0xFF) & (data[1:] >= 0xD0) & (data[1:] <= 0xD7))
    scan = jpeg.index(b"\xff\xda")
    return [int(i) for i in found if i > scan]


class Server:
    """`GET /camera.mjpg` streams; `POST /<fault>` sets what is wrong, `POST /<sight>` what is before it. `GET /photo.jpg` is a
    photo of the person, as an exam may have one."""

    def __init__(self, fps: int) -> None:
        self._lens, self._fps, self._start = Lens(fps), fps, time.monotonic()
        self._fault = CameraFault.NONE
        self._sight = CameraSight.PERSON

    async def serve(self) -> None:
        """Listen on a free port of 127.0.0.1, say the address on stdout, and serve until ended."""
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        sys.stdout.write(f"http://127.0.0.1:{port}/camera.mjpg\n")
        sys.stdout.flush()
        async with server:
            await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            method, path, _ = request.decode("latin-1").split(" ", 2)
            if method == "POST":
                self._set(path.removeprefix("/"))
                writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            elif path == PHOTO:
                photo = self._lens.photo()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n" % len(photo) + photo)
            elif self._fault is CameraFault.GONE:
                writer.write(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            else:
                await self._stream(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # whoever watched has gone
        finally:
            writer.close()

    def _set(self, word: str) -> None:
        if word in set(CameraSight):
            self._sight = CameraSight(word)
        else:
            self._fault = CameraFault(word)

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\nConnection: close\r\n\r\n"
        )
        first = math.ceil((time.monotonic() - self._start) * self._fps)
        for n in itertools.count(first):
            await asyncio.sleep(self._start + n / self._fps - time.monotonic())
            if self._fault is CameraFault.GONE:
                return
            if self._fault is not CameraFault.STALLED:
                jpeg = self._lens.jpeg(n, time.time(), self._sight, covered=self._fault is CameraFault.BLACK)
                writer.write(
                    b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg) + jpeg + b"\r\n"
                )
                await writer.drain()


@contextmanager
def camera(environment: dict[str, str], folder: Path, fps: int) -> Iterator[tuple[str, int]]:
    """A camera process; yields its URL and process id."""
    log = folder / "camera.log"
    argv = [sys.executable, "-m", "secureproctor.demo.camera", str(fps)]
    with running(argv, environment, log, stdout=subprocess.PIPE) as process:
        yield read_line(process.stdout, "the camera", log), process.pid


def tell(url: str, what: CameraFault | CameraSight) -> None:
    """Tell the camera at `url` what is wrong with it or before it from now on. Raises OSError when it does not answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("POST", f"/{what}")
        connection.getresponse().read()
    finally:
        connection.close()


if __name__ == "__main__":
    cv2.setNumThreads(1)
    asyncio.run(Server(int(sys.argv[1])).serve())

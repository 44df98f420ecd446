"""Small real parts for the sources: an X server, a sound server and a camera that plays MJPEG over loopback HTTP."""

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from Xlib import X
from Xlib.display import Display

Until = Callable[..., None]
"""`until(condition, what, seconds)`: see `wait_until`."""

Paint = Callable[..., None]
"""`paint(display, grey, box)`: see `fill`."""


def ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.01)


@pytest.fixture
def until() -> Until:
    """Polls a condition with a deadline."""
    return wait_until


@pytest.fixture
def clock() -> Callable[[], int]:
    """A session clock that began ten minutes ago, so that every time in a test is far from 0."""
    zero = time.monotonic_ns() - 600 * 10**9
    return lambda: (time.monotonic_ns() - zero) // 1000


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """No thread and no file stays behind."""
    threads, files = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    yield
    assert set(threading.enumerate()) <= threads
    assert len(os.listdir("/proc/self/fd")) <= files


class XServer:
    """An Xvfb that can be killed and started again under the same name."""

    def __init__(self, size: str = "640x480x24") -> None:
        self.size = size
        self.number = ""
        self.start()

    @property
    def name(self) -> str:
        return f":{self.number}"

    def start(self) -> None:
        told, tell = os.pipe()
        chosen = [f":{self.number}"] if self.number else []
        arguments = [
            "Xvfb",
            *chosen,
            "-displayfd",
            str(tell),
            "-screen",
            "0",
            self.size,
            "-nolisten",
            "tcp",
            "-noreset",
        ]
        self.process = subprocess.Popen(arguments, pass_fds=[tell], stderr=subprocess.DEVNULL)
        os.close(tell)
        with os.fdopen(told, "rb") as pipe:
            self.number = pipe.readline().strip().decode()
        assert self.number, "Xvfb did not start"

    def stop(self) -> None:
        ended(self.process)

    @staticmethod
    def resize(display: Display, width: int, height: int) -> None:
        """Makes the screen smaller, as RANDR allows for Xvfb."""
        root = display.screen().root
        resources = root.xrandr_get_screen_resources()
        output, crtc, name = resources.outputs[0], resources.crtcs[0], f"{width}x{height}"
        mode = root.xrandr_create_mode((0, width, height, 0, 0, 0, 0, 0, 0, 0, 0, len(name), 0), name).mode
        display.xrandr_add_output_mode(output, mode)
        display.xrandr_set_crtc_config(crtc, 0, 0, 0, 0, 1, [])  # a CRTC that is on forbids another size
        root.xrandr_set_screen_size(width, height, width // 4, height // 4)
        display.xrandr_set_crtc_config(crtc, 0, 0, 0, mode, 1, [output])
        display.sync()

    @contextmanager
    def client(self) -> Iterator[Display]:
        display = Display(self.name)
        try:
            yield display
        finally:
            display.close()


def fill(display: Display, grey: int, box: tuple[int, int, int, int] = (0, 0, 640, 480)) -> None:
    """Draws a grey rectangle on the root window; on return the server has drawn it."""
    root = display.screen().root
    pen = root.create_gc(foreground=grey * 0x010101, subwindow_mode=X.IncludeInferiors)
    root.fill_rectangle(pen, *box)
    display.sync()


@pytest.fixture
def paint() -> Paint:
    """Draws on the root window."""
    return fill


@pytest.fixture
def xserver() -> Iterator[XServer]:
    """An X server of 640x480 of its own."""
    server = XServer()
    yield server
    server.stop()


class Camera:
    """MJPEG over HTTP at 15 pictures a second; `grey` is what it shows, or `shows` in turn; `fault` is what is wrong with
    it, `watched` how many read from it now."""

    def __init__(self) -> None:
        self.grey = 80
        self.noise = True
        self.fault = ""
        self.fps = 15.0
        self.shows: list[NDArray[np.uint8]] = []
        self.opened = self.watched = 0
        self._closing = threading.Event()
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera.stream(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False  # joined by server_close
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/camera.mjpg"

    def picture(self) -> NDArray[np.uint8]:
        if self.shows:
            self.shows.append(self.shows.pop(0))
            return self.shows[-1]
        picture = np.full((480, 640, 3), self.grey, np.uint8)
        if self.noise:
            left = time.monotonic_ns() // 10**6 % 600
            picture[100:140, left : left + 40] = 255 - self.grey
        return picture

    def stream(self, request: BaseHTTPRequestHandler) -> None:
        if self.fault == "gone":
            request.send_error(503)
            return
        self.opened += 1
        self.watched += 1
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        request.end_headers()
        try:
            while not self._closing.wait(1 / self.fps) and self.fault != "gone":
                if self.fault == "stalled":
                    continue
                jpeg = cv2.imencode(".jpg", self.picture())[1].tobytes()
                head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                request.wfile.write(head.encode() + jpeg + b"\r\n")
        except OSError:
            pass  # the reader went away
        self.watched -= 1

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def camera() -> Iterator[Camera]:
    """A camera at `camera.url`."""
    camera = Camera()
    yield camera
    camera.close()


_PULSE = """\
load-module module-null-sink sink_name=speaker rate=48000 channels=1 norewinds=1
load-module module-remap-source source_name=microphone master=speaker.monitor
set-default-sink speaker
set-default-source microphone
load-module module-native-protocol-unix socket={socket} auth-anonymous=1 auth-cookie-enabled=0
"""

_ALSA = """\
pcm.default { type pulse hint { show on description "Sound" } }
ctl.default { type pulse }
"""


class SoundServer:
    """A PulseAudio of its own whose loudspeaker is heard by its microphone."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "pulse.socket"
        self.environment = {
            "PULSE_SERVER": f"unix:{self.socket}",
            "PULSE_RUNTIME_PATH": str(folder / "pulse"),
            "PULSE_STATE_PATH": str(folder / "pulse"),
            "ALSA_CONFIG_PATH": str(folder / "alsa.conf"),
        }
        (folder / "alsa.conf").write_text(_ALSA)
        self._script = folder / "pulse.pa"
        self._script.write_text(_PULSE.format(socket=self.socket))
        self.start()

    def start(self) -> None:
        options = "--daemonize=no --use-pid-file=no --exit-idle-time=-1 --realtime=no --high-priority=no"
        self.process = subprocess.Popen(
            ["pulseaudio", "-n", *options.split(), f"--file={self._script}"],
            env={**os.environ, **self.environment},
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: self.command("info").returncode == 0, "pulseaudio")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["pactl", *arguments], env={**os.environ, **self.environment}, capture_output=True)

    def player(self) -> subprocess.Popen[bytes]:
        """A program that plays what is written into its standard input: mono, 16 bits, 48 kHz."""
        options = "--playback --raw --format=s16le --rate=48000 --channels=1 --latency-msec=20"
        environment = {**os.environ, **self.environment}
        return subprocess.Popen(["pacat", *options.split()], env=environment, stdin=subprocess.PIPE)

    def stop(self) -> None:
        ended(self.process)


@pytest.fixture
def sound(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundServer]:
    """A sound server; this process' PortAudio sees it alone."""
    folder = tmp_path_factory.mktemp("s")
    server = SoundServer(folder)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    import sounddevice

    sounddevice._terminate()
    sounddevice._initialize()
    yield server
    server.stop()
    shutil.rmtree(folder)

"""The process that holds a desk: it starts the parts, says how to reach them, and takes everything down when stdin ends.

The owner's only hold on it is that pipe. A normal end, an exception, Ctrl-C and `kill -9` of the owner all close it, so all of
them take one way: the same stack unwinds, down to the temporary folder. Having one thread that lives to the end also
makes the kernel's parent-death signal safe to use for the parts, should this process itself be killed.
"""

import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from secureproctor.demo.program import DeskError

_REMOVAL_S = 5.0
_QUIET_S = 0.5  # a browser that was just being started when its owner was killed may still come
_SIGKILL = 9  # signal.SIGKILL, which the type stubs have for some systems only
_OWN_DEVICES = (
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_SESSION_TYPE",
    "PIPEWIRE_REMOTE",
    "PIPEWIRE_RUNTIME_DIR",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a desk is to have."""

    screen: bool
    camera: bool
    sound: bool
    speech: bool
    width: int
    height: int
    fps: int


def main() -> None:
    """Argument: a Wanted as JSON. Prints one line of JSON: the desk, or the error."""
    let_go = _stop_signals()
    wanted = Wanted(**json.loads(sys.argv[1]))
    with ExitStack() as stack:
        folder = stack.enter_context(_private_folder())
        try:
            answer = _set_up(wanted, folder, stack)
        except DeskError as error:
            answer = {"code": error.code, "sentence": error.sentence, "remedy": error.remedy}
        with suppress(BrokenPipeError):  # the owner has gone already, which the next line finds out
            os.write(1, json.dumps(answer).encode() + b"\n")
        select.select([sys.stdin, let_go], [], [])


def ask(wanted: Wanted) -> list[str]:
    """The command line of a keeper."""
    return [sys.executable, "-m", "secureproctor.demo.keeper", json.dumps(asdict(wanted))]


@contextmanager
def _private_folder() -> Iterator[Path]:
    """Removed again; if the owner was killed, only once those are gone who still use it, and would bring it back.

    A browser without its owner ends by itself, but saves its profile on the way out.
    """
    owner = os.getppid()
    folder = Path(tempfile.mkdtemp(prefix="secureproctor-desk-"))
    try:
        yield folder
    finally:
        _remove(folder, orphaned=os.getppid() != owner)


def _remove(folder: Path, *, orphaned: bool) -> None:
    deadline = time.monotonic() + _REMOVAL_S
    quiet_until = time.monotonic() + _QUIET_S * orphaned
    while time.monotonic() < deadline:
        if orphaned and _end_those_at(folder):
            quiet_until = time.monotonic() + _QUIET_S
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists() and time.monotonic() >= quiet_until:
            return
        time.sleep(0.02)


def _end_those_at(folder: Path) -> bool:
    """Kill the processes that work in this folder; whether there were any.

    They are known by the environment that they were given, or by their command line: Chromium wipes its environment.
    """
    found = False
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile, or is another user's
            if any(os.fsencode(folder) in (place / name).read_bytes() for name in ("environ", "cmdline")):
                os.kill(int(place.name), _SIGKILL)
                found = True
    return found


def _stop_signals() -> int:
    """A descriptor that becomes readable at SIGINT or SIGTERM: a handler that threw could split a start-up."""
    let_go, tell = os.pipe()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os.write(tell, b"."))
    return let_go


def _set_up(wanted: Wanted, folder: Path, stack: ExitStack) -> dict[str, object]:
    """Start what is wanted; imported here because a desk without screen needs no X library."""
    from secureproctor.demo.camera import camera
    from secureproctor.demo.sound import silence, sound
    from secureproctor.demo.xserver import xserver

    environment = bare_environment(folder)
    pids: dict[str, int] = {"keeper": os.getpid()}
    url = None
    if wanted.screen:
        pids |= stack.enter_context(xserver(environment, folder, wanted.width, wanted.height))
    if wanted.sound:
        pids |= stack.enter_context(sound(environment, folder, speech=wanted.speech))
    else:
        silence(environment, folder)
    if wanted.camera:
        url, pids["camera"] = stack.enter_context(camera(environment, folder, wanted.fps))
    return {"environment": environment, "camera_url": url, "pids": pids, "folder": str(folder)}


def bare_environment(folder: Path) -> dict[str, str]:
    """This process's environment without the way to the machine's own screen; temporary files go to the desk."""
    environment = {name: value for name, value in os.environ.items() if name not in _OWN_DEVICES}
    for variable, name in (("XDG_RUNTIME_DIR", "run"), ("TMPDIR", "tmp")):
        place = folder / name
        place.mkdir(mode=0o700)
        environment[variable] = str(place)
    # "disabled:" and not unset: without an address libdbus launches a bus daemon that nobody ends
    return environment | {"DBUS_SESSION_BUS_ADDRESS": "disabled:"}


if __name__ == "__main__":
    main()

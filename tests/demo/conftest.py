"""`secureproctor demo` as a process, and a search for anything that it may have left behind.

Every process that descends from it is found, by a mark in its environment or by its session, and its temporary files go to a
folder of its own, so that other demos on the same machine do not disturb.
"""

import errno
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import psutil

MARK = "SECUREPROCTOR_TEST_MARK"
LONGEST_S = 240.0


def eventually(holds: Callable[[], bool], within_s: float) -> bool:
    """Whether it holds in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _belongs(process: psutil.Process, mark: str, folder: Path, sessions: set[int]) -> bool:
    """Chromium wipes its environment; it is known by its profile's place, and its children by their session."""
    if process.status() == psutil.STATUS_ZOMBIE:
        return False
    if process.environ().get(MARK) == mark or str(folder) in " ".join(process.cmdline()):
        return True
    return os.getsid(process.pid) in sessions


def _places_of(process: psutil.Process) -> set[Path]:
    """What a process may leave outside of its folder: its X server's lock and socket, PulseAudio's shared memory."""
    number = process.environ().get("DISPLAY", "").removeprefix(":")
    screen = {Path(f"/tmp/.X{number}-lock"), Path(f"/tmp/.X11-unix/X{number}")} if number else set()
    return screen | {Path(each.path) for each in process.memory_maps() if each.path.startswith("/dev/shm/")}


def _abandoned(place: Path) -> bool:
    """Whether a place is still there, and not because another X server took the number meanwhile."""
    if not place.is_socket():
        return place.exists() and not (place.name.endswith("-lock") and psutil.pid_exists(int(place.read_text())))
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(place)) == errno.ECONNREFUSED


@dataclass
class Demo:
    """A running demo; `said` grows line by line. `ran`: the names of the programs that were interrupted; `left`: what
    was still there of it a while after its end."""

    process: subprocess.Popen[str]
    mark: str
    out: Path
    temporary: Path
    said: list[str] = field(default_factory=list)
    complained: str = ""
    ran: set[str] = field(default_factory=set)
    left: list[str] = field(default_factory=list)
    _sessions: set[int] = field(default_factory=set)
    _places: set[Path] = field(default_factory=set)
    _readers: list[threading.Thread] = field(default_factory=list)

    def read(self) -> None:
        """Begin to read what it says."""
        self._readers = [threading.Thread(target=self._listen), threading.Thread(target=self._listen_for_complaints)]
        for reader in self._readers:
            reader.start()

    def wait_for(self, sentence: str, within_s: float = 120) -> None:
        """Wait until it has said a sentence."""
        come = eventually(
            lambda: any(sentence in line for line in self.said) or self.process.poll() is not None, within_s
        )
        assert come, (sentence, self.said)
        assert any(sentence in line for line in self.said), (self.said, self.complained)

    def wait(self, within_s: float = 120) -> int:
        """Wait for its end, and for all that it said; the exit code, negative for a signal."""
        code = self.process.wait(within_s)
        for reader in self._readers:
            reader.join(10)
        return code

    @property
    def summary(self) -> dict[str, Any]:
        """What it wrote, by a reader that knows nothing of its types."""
        found: dict[str, Any] = msgspec.json.decode((self.out / "summary.json").read_bytes())
        return found

    def processes(self) -> list[psutil.Process]:
        """Everything of it that runs now; what that could leave behind is looked for from now on."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):  # gone meanwhile
                if _belongs(process, self.mark, self.temporary, self._sessions):
                    found.append(process)
                    self._sessions.add(os.getsid(process.pid))
                    self._places |= _places_of(process)
        return found

    def programs(self) -> dict[psutil.Process, list[str]]:
        """Everything of it that runs now, with its name and its command line."""
        found = {}
        for each in self.processes():
            with suppress(psutil.NoSuchProcess):
                found[each] = [each.name(), *each.cmdline()]
        return found

    def remains(self) -> list[str]:
        """All that is there of it now."""
        processes = [str(each) for each in self.processes()]
        files = [str(path) for path in self.temporary.iterdir()]
        return processes + files + [str(place) for place in self._places if _abandoned(place)]

    def look_for_remains(self, within_s: float = 5) -> None:
        """Whatever it left to be ended by itself has a moment for it."""
        eventually(lambda: not self.remains(), within_s)
        self.left = self.remains()

    def close(self) -> None:
        """End what it left."""
        for each in self.processes():
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self.wait()
        shutil.rmtree(self.temporary, ignore_errors=True)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            self.said.extend(iter(stream.readline, ""))

    def _listen_for_complaints(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            self.complained = stream.read()


def start_demo(out: Path, *words: str, environment: dict[str, str]) -> Demo:
    """Start a demo in a process group of its own, to which Ctrl-C is not forbidden even if it is to this process."""
    mark, temporary = uuid.uuid4().hex, Path(tempfile.mkdtemp(prefix="demo-"))  # short: sockets lie in it
    own = {MARK: mark, "TMPDIR": str(temporary), "COLUMNS": "200"}
    demo = [sys.executable, "-m", "secureproctor.agent", "demo", "--out", str(out)]
    process = subprocess.Popen(
        ["env", "--default-signal=INT", *demo, *words],
        env={**environment, **own},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    begun = Demo(process, mark, out, temporary)
    begun.read()
    return begun


@contextmanager
def here() -> Iterator[tuple[dict[str, str], list[str]]]:
    """A place to play at: its environment, and words of the command line that belong to it."""
    yield dict(os.environ), []


def look(demo: Demo) -> None:
    """See what runs, and disturb nothing."""
    demo.processes()


@dataclass(frozen=True)
class Signals:
    """Disturbs a demo by a signal, up to `within_s` from now; `group`: as a terminal's Ctrl-C, which reaches every process
    of the group."""

    number: signal.Signals
    within_s: float = 0.0
    group: bool = False
    times: int = 1

    def __call__(self, demo: Demo) -> None:
        time.sleep(random.Random(str(self)).uniform(0, self.within_s))
        demo.ran = {words[0] for words in demo.programs().values()}
        for _ in range(self.times):
            (os.killpg if self.group else os.kill)(demo.process.pid, self.number)
            time.sleep(0.05)


@dataclass(frozen=True)
class Show:
    """A demo that is played to its end and cleared away. `words` is its command line.

    `disturb` is called as soon as it has said the sentence `after`, when everything runs that it could leave behind.
    """

    words: str
    after: str = ""
    takes_s: float = 10.0
    disturb: Callable[[Demo], None] = look
    place: Callable[[], AbstractContextManager[tuple[dict[str, str], list[str]]]] = here

    def __str__(self) -> str:
        disturbed = self.disturb.number.name if isinstance(self.disturb, Signals) else ""
        return " ".join(f"{self.words} {self.after} {disturbed}".replace("--", "").split())

    def play(self, folder: Path) -> Demo:
        """The demo after its end."""
        with self.place() as (environment, words):
            demo = start_demo(folder, *self.words.split(), *words, environment=environment)
            try:
                if self.after:
                    demo.wait_for(self.after)
                    self.disturb(demo)
                demo.wait(LONGEST_S)
                demo.look_for_remains()
            finally:
                demo.close()
        return demo

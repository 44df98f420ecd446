"""A user's folders, the native messaging host as a browser starts it, and an end for every agent that was started."""

import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from secureproctor.agent.local.pairing import Pairing, find

DEADLINE_S = 40.0
SERVICE = "http://127.0.0.1:9"
"""Nobody listens there; pages of this origin may come in."""


def until(holds: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


@dataclass(slots=True)
class Place:
    """Folders of one user. All processes that were started for them name them in their command lines."""

    home: Path

    @property
    def settings(self) -> list[str]:
        folders = ["--state-dir", str(self.home / "state"), "--runtime-dir", str(self.home / "run")]
        return [*folders, "--local-port", "0", "--service-url", SERVICE]

    @property
    def environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("SECUREPROCTOR_", "XDG_"))}
        return {**ours, "HOME": str(self.home)}

    @property
    def pairing(self) -> Pairing | None:
        return find(self.home / "run")

    def processes(self, *words: str, without: str | None = None) -> list[psutil.Process]:
        """What runs for these folders, with all of these words in its command line."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                said = process.cmdline()
                if str(self.home / "state") in said and all(word in said for word in words) and without not in said:
                    found.append(process)
        return found

    def agents(self) -> list[psutil.Process]:
        return self.processes("agent", without="--supervised")

    def end(self) -> None:
        """End all of them: guardians first, which end theirs."""
        for process in [*self.processes("--supervised"), *self.processes()]:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        until(lambda: not self.processes(), "the agents to end")


class Host:
    """A host process, spoken to as a browser does."""

    def __init__(self, place: Place, *words: str, **environment: str) -> None:
        command = [sys.executable, "-m", "secureproctor.agent", "native-host", *(words or place.settings)]
        self.process = subprocess.Popen(
            [*command, "--", "chrome-extension://ocmboddokoifihdfpbnmkoldnnicgoki/"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**place.environment, **environment},
        )

    def say(self, message: object) -> None:
        assert self.process.stdin is not None
        content = json.dumps(message).encode()
        self.process.stdin.write(struct.pack("=I", len(content)) + content)
        self.process.stdin.flush()

    def hello(self, origin: str = SERVICE) -> None:
        self.say({"origin": origin, "version": "1.0"})
        self.say({"frame": {"jsonrpc": "2.0", "id": 1, "method": "hello"}})

    def hear(self) -> Any:
        assert self.process.stdout is not None
        head = self.process.stdout.read(4)
        assert len(head) == 4, "the host closed its output"
        return json.loads(self.process.stdout.read(struct.unpack("=I", head)[0]))

    def answer(self) -> Any:
        """The next answer; notifications are passed over."""
        while "id" not in (frame := self.hear()["frame"]):
            pass
        return frame

    def close(self) -> int:
        """What the browser does when the page is gone; the exit code."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        code = self.process.wait(DEADLINE_S)
        self.process.stdout.close()
        return code


@pytest.fixture(scope="session")
def places() -> type[Place]:
    """For who keeps one for longer than a test."""
    return Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.end()


@pytest.fixture
def start(place: Place) -> Iterator[Callable[..., Host]]:
    """Starts hosts; all are gone at the end."""
    with ExitStack() as stack:

        def begin(*words: str, **environment: str) -> Host:
            host = Host(place, *words, **environment)
            stack.callback(host.close)
            return host

        yield begin

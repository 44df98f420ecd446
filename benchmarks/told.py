"""A program that says what happens, a line at a time, and obeys lines: told and waited for, also when it is killed.

It writes into a file, so that nothing is lost with it, and each line begins with its moment: when it is read does not matter.
"""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from secureproctor.demo.program import did_not_start, running

LOOK_S = 0.005
PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Line:
    """What was said, and when, in seconds of the monotonic clock."""

    at: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Talker:
    """A program that runs, or ran."""

    process: "subprocess.Popen[bytes]"
    said: Path
    log: Path

    def lines(self, since: float = 0.0) -> tuple[Line, ...]:
        """All that was said; the last line only when it is whole."""
        whole = self.said.read_text().splitlines(keepends=True)
        parts = [line.split() for line in whole if line.endswith("\n")]
        return tuple(Line(int(at) / 1e9, tuple(words)) for at, *words in parts if int(at) / 1e9 >= since)

    def find(self, *words: str, since: float = 0.0) -> Line | None:
        """The first line that begins with these words."""
        return next((line for line in self.lines(since) if line.words[: len(words)] == words), None)

    def tell(self, order: str) -> float:
        """Give a line; when it was given. One that has died hears nothing."""
        assert self.process.stdin is not None  # noqa: S101 - started with a pipe
        at = time.monotonic()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(f"{order}\n".encode())
            self.process.stdin.flush()
        return at

    def until(self, *words: str, since: float = 0.0, within_s: float = PATIENCE_S) -> Line:
        """Wait for a line that begins with these words. Raises DeskError when it ends before, or stays silent."""
        deadline = time.monotonic() + within_s
        while (found := self.find(*words, since=since)) is None:
            if time.monotonic() > deadline or (self.process.poll() is not None and not self.find(*words, since=since)):
                raise did_not_start(f"What says “{' '.join(words)}”", self.log)
            time.sleep(LOOK_S)
        return found

    def finish(self, within_s: float = PATIENCE_S) -> int:
        """End its input, and wait for its end; the exit code."""
        assert self.process.stdin is not None  # noqa: S101 - started with a pipe
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        return self.process.wait(within_s)


@contextmanager
def talking(module: str, arguments: list[str], environment: Mapping[str, str], stem: Path) -> Iterator[Talker]:
    """The module as a program for as long as the block lasts; `stem` plus .said and .log are its files."""
    said, log = stem.with_suffix(".said"), stem.with_suffix(".log")
    with said.open("wb") as out:
        started = running(
            [sys.executable, "-m", module, *arguments], environment, log, stdin=subprocess.PIPE, stdout=out.fileno()
        )
        with started as process:
            try:
                yield Talker(process, said, log)
            finally:
                assert process.stdin is not None  # noqa: S101 - started with a pipe
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()

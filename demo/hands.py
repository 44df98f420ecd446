"""The candidate's hands where no page is under them: the desk's keyboard, and other programs."""

import asyncio
import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from secureproctor.demo.desk import Desk
from secureproctor.demo.program import DeskError, end, find, running

WAYS_OUT = ("alt+Tab", "alt+F4", "super", "ctrl+Escape", "ctrl+alt+t", "Print", "F11")
"""What somebody tries first; xdotool's names."""


@dataclass(slots=True)
class Hands:
    """They belong to one desk. `intruder` is another program on it (intruder.py)."""

    pc: Desk
    intruder: subprocess.Popen[bytes]

    async def press(self, keys: str) -> None:
        """Press a combination, by xdotool."""
        argv = [find("xdotool"), "key", "--clearmodifiers", keys]
        await asyncio.to_thread(subprocess.run, argv, env=self.pc.environment, check=True, capture_output=True)

    async def tell_intruder(self, deed: str) -> float:
        """Let the other program do something; when it was done, in seconds since 1970."""
        assert self.intruder.stdin is not None  # noqa: S101 - started with both
        assert self.intruder.stdout is not None  # noqa: S101 - as above
        with contextlib.suppress(BrokenPipeError):  # the answer says so, too
            self.intruder.stdin.write(f"{deed}\n".encode())
            self.intruder.stdin.flush()
        line = await asyncio.to_thread(self.intruder.stdout.readline)
        if not line:
            raise DeskError("intruder_gone", "The program that disturbs the exam has ended.", "See intruder.log.")
        return int(line) / 1000

    async def start_forbidden(self, name: str, within_s: float) -> tuple[float, bool]:
        """Start a program of this name, and wait for its end; when it was started, and whether it was ended in time."""
        program = shutil.copy(find("sleep"), self.pc.folder / name)
        began = time.time()  # it may be on the record before the call that starts it has returned
        with running([str(program), "600"], self.pc.environment, self.pc.folder / "forbidden.log") as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(process.wait, within_s)
            return began, process.poll() is not None


@asynccontextmanager
async def hands(pc: Desk, logs: Path) -> AsyncIterator[Hands]:
    """Hands, and another program, for as long as the block lasts."""
    argv = [sys.executable, "-m", "secureproctor.demo.intruder"]
    with running(
        argv, pc.environment, logs / "intruder.log", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as intruder:
        assert intruder.stdin is not None  # noqa: S101 - as said
        try:
            own = Hands(pc, intruder)
            # a person has typed before the exam; the first key of another keyboard makes window managers take their keys anew
            await own.press("shift")
            yield own
        finally:
            end(intruder)
            with contextlib.suppress(BrokenPipeError):  # it has ended before a line reached it
                intruder.stdin.close()

"""Ctrl-C and SIGTERM, taken as a wish that is granted where it can be granted in order.

Python's own way, an exception wherever the program happens to be, ends an import or the start of a program halfway. Here a
handler only notes the first signal; what is played is cancelled by it, at its next await. Later ones change nothing: all is
being taken down already.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Interruption:
    """`number` is the first signal that came, 0 while there is none."""

    number: int = 0
    _act: Callable[[], object] = lambda: None

    @property
    def exit_code(self) -> int:
        """As a shell gives it: 130 after Ctrl-C, 143 after SIGTERM."""
        return 128 + self.number

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note signals for as long as the block lasts. In the main thread only."""
        before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self, playing: Coroutine[Any, Any, T]) -> T:
        """As asyncio.run. Raises CancelledError after an interruption, also after one that came before."""
        return asyncio.run(self._cancellable(playing))

    async def _cancellable(self, playing: Coroutine[Any, Any, T]) -> T:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_without_lost_drivers)
        task = loop.create_task(playing)
        # a handler runs between any two bytecodes; the loop may only be touched from within it
        self._act = lambda: loop.call_soon_threadsafe(task.cancel)
        if self.number:
            task.cancel()
        try:
            return await task
        finally:
            self._act = lambda: None

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if not self.number:
            self.number = number
            self._act()


def _without_lost_drivers(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Drop what Playwright's own futures tell of a driver that was ended from outside: who used its pages has had an error.

    A signal to the terminal's whole process group reaches the drivers as well. Playwright's errors are known by their
    module's name: this file is imported before the libraries are, so that no signal comes before it.
    """
    error = context.get("exception")
    if not type(error).__module__.startswith("playwright") and "driver" not in str(error):
        loop.default_exception_handler(context)

"""The run loop of the guard's thread, with a source by which other threads end a wait.

A signalled source stays signalled until the loop runs, so a `wake` before the wait ends it at once; CFRunLoopStop would be
lost then. What Cocoa gives this thread is released with its pool, at each wait. Not yet run on a Mac.
"""

from typing import Any

from secureproctor.lockdown.macos.frameworks import framework


def _ignore(*_: object) -> None:
    """What the source itself has to do."""


class RunLoop:
    """Loop of api.py, for the thread that constructs it."""

    def __init__(self) -> None:
        self._core = framework("CoreFoundation")
        self._pool_type = framework("Foundation").NSAutoreleasePool
        self._pool: Any = self._pool_type.alloc().init()
        self._loop = self._core.CFRunLoopGetCurrent()
        self._source = self._core.CFRunLoopSourceCreate(None, 0, (0, _ignore, _ignore, _ignore, None))
        self._core.CFRunLoopAddSource(self._loop, self._source, self._core.kCFRunLoopDefaultMode)

    def wait(self, timeout_s: float) -> None:
        """CFRunLoopRunInMode, which returns when it has handled something."""
        self._pool = None  # the old one goes before the new one comes: they are a stack
        self._pool = self._pool_type.alloc().init()
        self._core.CFRunLoopRunInMode(self._core.kCFRunLoopDefaultMode, timeout_s, True)

    def wake(self) -> None:
        """CFRunLoopSourceSignal, CFRunLoopWakeUp."""
        self._core.CFRunLoopSourceSignal(self._source)
        self._core.CFRunLoopWakeUp(self._loop)

    def close(self) -> None:
        """CFRunLoopSourceInvalidate. The objects stay: another thread may be about to wake."""
        self._core.CFRunLoopSourceInvalidate(self._source)
        self._pool = None

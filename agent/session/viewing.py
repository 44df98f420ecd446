"""The camera before the exam, open for the candidate's own eyes: one preview at a time, closed again on every way out.

What the camera sees goes to the page that holds the session, and nowhere else. The preview closes when the page asks, when it
is gone, when the pictures are handed in, when the session leaves the desk, and LONGEST_S after the candidate last asked for it.
"""

import asyncio
import base64
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from secureproctor.capture.still import Still
from secureproctor.contract.page import PreviewEvent
from secureproctor.contract.stills import Identity

LONGEST_S = 120.0
OPEN_PATIENCE_S = 8.0
TAKE_PATIENCE_S = 5.0


class Preview(Protocol):
    """What is needed of capture.preview.Preview. All but `look_for` may block; `stop` is harmless again."""

    @property
    def running(self) -> bool:
        """Whether the camera is open, or may be opened again."""

    def start(self) -> None:
        """Begin to open the camera."""

    def wait_started(self, timeout_s: float) -> str:
        """Empty once there is a picture, or the diagnosis why there is none."""

    def look_for(self, of: Identity) -> None:
        """What the hints are about from now on."""

    def take(self, timeout_s: float) -> Still | None:
        """A good one of the next pictures in full size; None when none came in time."""

    def stop(self) -> None:
        """Give the camera back."""


PreviewFactory = Callable[[Identity, Callable[[Still], None]], Preview]
"""A preview that looks for a picture, and shows what it sees from a thread of its own."""


@dataclass(slots=True)
class Viewing:
    """The one preview of the agent. `show` is told what the camera sees, `happened` an event of contract/events.py."""

    open: PreviewFactory
    show: Callable[[PreviewEvent], None]
    happened: Callable[[str, Identity], None]
    start_task: Callable[[str, Coroutine[Any, Any, None]], object]
    longest_s: float = LONGEST_S
    of: Identity = "photo"
    _preview: Preview | None = None
    _closing: asyncio.TimerHandle | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def on(self) -> bool:
        """Whether the camera is open for the candidate."""
        return self._preview is not None

    async def start(self, of: Identity) -> str:
        """Open the camera, or look for another picture with it: empty, or the diagnosis why it gives none."""
        async with self._lock:
            return await self._started(of)

    async def take(self, of: Identity) -> tuple[Still | None, str]:
        """A picture in full size, or the diagnosis why there is none. A camera that was not open is closed again."""
        async with self._lock:
            was_on = self.on
            code = await self._started(of)
            try:
                if code or self._preview is None:
                    return None, code
                still = await asyncio.to_thread(self._preview.take, TAKE_PATIENCE_S)
                return still, "" if still else "stalled"
            finally:
                if not was_on:
                    await self._stop()

    async def stop(self) -> None:
        """Close the camera, if it is open."""
        async with self._lock:
            await self._stop()

    async def _started(self, of: Identity) -> str:
        if self._preview is not None and self._preview.running:
            self.of = of
            self._preview.look_for(of)
            self._close_later()
            return ""
        await self._stop()  # a camera that was lost for good
        self.of = of
        code = "stalled"
        loop = asyncio.get_running_loop()

        def seen(still: Still) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the agent is ending
                loop.call_soon_threadsafe(self._seen, still)

        self._preview = self.open(of, seen)
        self.happened("preview_started", of)
        try:
            self._preview.start()
            code = await asyncio.to_thread(self._preview.wait_started, OPEN_PATIENCE_S)
        finally:
            if code:
                await self._stop()
        if not code:
            self._close_later()
        return code

    async def _stop(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        preview, self._preview = self._preview, None
        if preview is not None:
            await asyncio.shield(asyncio.to_thread(preview.stop))
            self.happened("preview_stopped", self.of)

    def _close_later(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
        loop = asyncio.get_running_loop()
        self._closing = loop.call_later(self.longest_s, lambda: self.start_task("preview closes", self.stop()))

    def _seen(self, still: Still) -> None:
        if self._preview is not None:
            jpeg = base64.b64encode(still.jpeg).decode()
            self.show(PreviewEvent(self.of, jpeg, still.width, still.height, still.hints))

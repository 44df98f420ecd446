"""A session's sources: opened, closed, at the quality that proctor and disk allow, and asked for single pictures.

Capturing says nothing by itself: what there is to tell goes to `record` and `reported`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from secureproctor.agent.clock import boot_us, wall_ms
from secureproctor.agent.session.journal import SnapshotBegun
from secureproctor.agent.session.session import Capture, Session
from secureproctor.agent.session.sources import remedy_for
from secureproctor.capture.media import Clock, ReportSink, SegmentSink, SourceReport
from secureproctor.contract.errors import Refusal
from secureproctor.contract.events import Detail
from secureproctor.contract.record import RecordError
from secureproctor.contract.stills import StillInfo
from secureproctor.contract.streams import Stream

START_PATIENCE_S = 12.0
STILL_PATIENCE_S = 5.0

CaptureFactory = Callable[[frozenset[Stream], Clock, SegmentSink, ReportSink], Capture]


class Record(Protocol):
    """Puts an event on a session's record, as Conductor.record_in does."""

    def __call__(self, session: Session, kind: str, stream: str = "", detail: Detail | None = None) -> None:
        """An event of now."""


@dataclass(frozen=True, slots=True)
class Capturing:
    """Captures for one session at a time. `reported` is called in the event loop."""

    open_capture: CaptureFactory
    reported: Callable[[SourceReport], None]
    record: Record

    async def begin(self, session: Session) -> None:
        """Open the sources. Raises Refusal source_failed when one of them delivers nothing in time."""
        missing = sorted((await self._open(session)).items())
        if missing:
            failed = ", ".join(f"{stream} ({code})" for stream, code in missing)
            raise Refusal("source_failed", failed=failed, remedy=remedy_for(*missing[0]))

    async def _open(self, session: Session) -> dict[Stream, str]:
        """The sources that deliver nothing in time, with their diagnosis."""
        assert session.clock is not None  # noqa: S101 - Start sets it in the same breath
        loop = asyncio.get_running_loop()

        def report(each: SourceReport) -> None:
            loop.call_soon_threadsafe(self.reported, each)

        session.capture = self.open_capture(session.streams, session.clock, session.delivery.take, report)
        session.capture.set_quality(session.level)
        session.capture.start()
        return await asyncio.to_thread(session.capture.wait_started, START_PATIENCE_S)

    async def reopen(self, session: Session) -> None:
        """Capture goes on; a source that does not deliver now tries again by itself."""
        for stream, code in (await self._open(session)).items():
            self.record(session, "source_lost", stream, {"code": code})

    async def close(self, session: Session) -> None:
        """Give the devices back."""
        if session.capture is not None:
            await asyncio.to_thread(session.capture.stop)
            session.capture = None

    def fit(self, session: Session, by: Literal["proctor", "disk"]) -> None:
        """Proctor or disk changed the quality to capture in; what is captured may be the same, for the other asks for less."""
        level = session.level
        if session.capture is not None:
            session.capture.set_quality(level)
        if level != session.captured_in:
            session.captured_in = level
            self.record(session, "quality_changed", detail={"level": level, "by": by})

    async def snapshot(self, session: Session, of: Literal["screen", "webcam"], command: str) -> None:
        """Put a picture on the record for a command. Raises Refusal command_refused when there is none."""
        stream = Stream(of)
        if session.capture is None or stream not in session.streams:
            raise _no_snapshot(f"the {of} is not captured now")
        session.note(SnapshotBegun(command))
        still = await asyncio.to_thread(session.capture.still, stream, STILL_PATIENCE_S)
        if still is None:
            raise _no_snapshot(f"the {of} gave no picture within {STILL_PATIENCE_S:.0f} seconds")
        info = StillInfo(of, wall_ms(), still.width, still.height, still.hints, command)
        try:
            await session.delivery.still(info, still.jpeg, session.session_us(boot_us()) or 0)
        except (OSError, RecordError) as error:
            raise _no_snapshot(f"the picture could not be kept ({error})") from None
        self.record(session, "still_taken", detail={"of": of, "hints": " ".join(still.hints), "request": command})


def _no_snapshot(why: str) -> Refusal:
    return Refusal("command_refused", kind="snapshot", why=why)

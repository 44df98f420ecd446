"""Our agent, measured as a candidate runs it: its process, a real service, a session from Init to the report."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec

from secureproctor.benchmarks.alike import AUDIO_BITRATE, CRF, FPS, PRESET, SEGMENT_S
from secureproctor.benchmarks.figures import Outcome, StreamFigures
from secureproctor.benchmarks.page import ExamPage, exam_page
from secureproctor.benchmarks.place import Place, Subject
from secureproctor.contract.http import StoredList
from secureproctor.contract.page import Registered
from secureproctor.contract.report import StreamReport
from secureproctor.contract.streams import MEDIA
from secureproctor.demo.recordings import fetch
from secureproctor.demo.stage import Service, agent

LISTENING = "agent: process start → listening"
FIRST_PICTURE = "Start → first picture or sound of every source"
FIRST_STORED = "Start → first segment stored at the service"


@asynccontextmanager
async def proctored(place: Place) -> AsyncIterator[Subject]:
    """A session that runs as long as the block lasts. Raises DeskError with the agent's own words."""
    folder, began = place.folder(), time.time()
    async with agent(folder, place.desk.environment, _options(place)) as process:
        listening_s = (folder / "runtime" / "agent.json").stat().st_mtime - began
        async with exam_page(process.address, place.service) as page:
            registered = await page.init()
            await page.check_system()
            await place.show()
            begun = time.monotonic()
            stored = asyncio.create_task(_stored_s(registered, place.service, begun))
            try:
                await page.start()
                starts = {LISTENING: listening_s, FIRST_PICTURE: time.monotonic() - begun}

                async def finish() -> Outcome:
                    streams = await _finished(page, place.service, folder)
                    return Outcome(streams, starts | {FIRST_STORED: await stored})

                yield Subject(process.pid, finish)
            finally:
                stored.cancel()
                await asyncio.gather(stored, return_exceptions=True)


def _options(place: Place) -> list[str]:
    values = {
        "service-url": place.service.url,
        "test-camera": place.desk.camera_url,
        "screen-fps": FPS,
        "webcam-fps": FPS,
        "screen-preset": PRESET,
        "screen-crf": CRF,
        "audio-bitrate": AUDIO_BITRATE,
        "segment-s": SEGMENT_S,
    }
    return [word for name, value in values.items() for word in (f"--{name}", str(value))]


async def _stored_s(registered: Registered, service: Service, begun: float) -> float:
    """Seconds from `begun` until the service lists a media segment (the init segment is number 0)."""
    headers = {"Authorization": f"Bearer {registered.token}"}
    async with httpx.AsyncClient(base_url=service.url, headers=headers) as client:
        while True:
            answer = await client.get(f"/v1/sessions/{registered.session_id}/segments")
            runs = msgspec.json.decode(answer.raise_for_status().content, type=StoredList).streams
            if any(last >= 1 for stream in MEDIA for _, _, last in runs.get(stream, ())):
                return time.monotonic() - begun
            await asyncio.sleep(0.02)


async def _finished(page: ExamPage, service: Service, folder: Path) -> dict[str, StreamFigures]:
    await page.stop()
    report, link = await page.report()
    access = parse_qs(urlsplit(link).query)["access"][0]
    found = {}
    async with httpx.AsyncClient(timeout=30) as client:
        for each in (each for each in report.streams if each.stream in MEDIA):
            address = f"{service.url}/v1/sessions/{report.session_id}/media/{each.stream}.m3u8?access={access}"
            recording = await fetch(client, address, folder / f"{each.stream}.mp4")
            found[each.stream] = _figures(each, recording.frames if recording and recording.width else None)
    return found


def _figures(stream: StreamReport, frames: int | None) -> StreamFigures:
    """Bits are those of the sealed records, with their headers."""
    covered_s = stream.covered_s or float("nan")
    fps = None if frames is None else frames / covered_s
    return StreamFigures(stream.bytes * 8 / 1000 / covered_s, fps, stream.coverage_pct)

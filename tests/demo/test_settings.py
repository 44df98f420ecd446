"""Settings of Init that must take effect, set on the demo page's form as the exam would, with real service, agent and page."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from secureproctor.contract.report import Report
from secureproctor.demo.actors import Candidate
from secureproctor.demo.browser import chromium
from secureproctor.demo.desk import Desk, desk
from secureproctor.demo.gathering import Gathered, gather
from secureproctor.demo.onlooker import onlooker
from secureproctor.demo.stage import FORM, Service, agent, service

LIVE_WINDOW_S = 2


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Room:
    """An exam room: service, agent and a candidate's page, used for one session after the other."""

    pc: Desk
    running: Service
    agent_address: str
    candidate: Candidate
    out: Path

    async def check_in(self, **form: str) -> str:
        """Init and Check System with fields of the form; the session's id."""
        await self.candidate.open(self.running.url, self.agent_address, self.running.private_key, FORM | form)
        await self.candidate.listen()
        await self.candidate.press("init")
        await self.candidate.press("checkSystem")
        return (await self.candidate.session())[0]

    async def capturing(self) -> set[str]:
        """What the page says is captured now."""
        text = await self.candidate.page.locator("#capturing").inner_text()
        return {each.split(" (")[0] for each in text.split(", ")}

    async def report(self) -> Gathered:
        """The report and the recordings, as the candidate's page and a player get them."""
        return await gather(
            await self.candidate.report(), await self.candidate.report_link(), self.running.url, self.out
        )

    def kept(self, session_id: str) -> Counter[str]:
        """How many records the service still has of each stream."""
        records = self.pc.folder / "service" / "records" / session_id
        return Counter(path.parent.name for path in records.glob("*/*"))


@pytest.fixture(scope="module")
async def room(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Room]:
    with desk() as pc:
        async with AsyncExitStack() as stack:
            options = ["--live-window", str(LIVE_WINDOW_S)]
            running = await stack.enter_async_context(service(pc.folder, pc.environment, options))
            words = ["--service-url", running.url, "--test-camera", str(pc.camera_url)]
            started = await stack.enter_async_context(agent(pc.folder, pc.environment, words))
            browser = await stack.enter_async_context(chromium(pc.environment, headed=False))
            yield Room(pc, running, started.address, Candidate(browser.pages[0]), tmp_path_factory.mktemp("out"))


async def eventually(holds: Callable[[], Awaitable[bool]], within_s: float = 15) -> None:
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 - a page and a folder tell nobody
            await asyncio.sleep(0.05)


async def captured(room: Room, names: set[str]) -> None:
    async def as_expected() -> bool:
        return await room.capturing() == names

    await eventually(as_expected)


async def pictures_or_sound_stored(room: Room, session_id: str, streams: set[str]) -> None:
    async def as_expected() -> bool:
        kept = room.kept(session_id)
        return all(kept[stream] >= 2 for stream in streams)  # the first one only says how the stream is encoded

    await eventually(as_expected)


async def test_without_screen_capture_and_begun_paused_only_the_rest_is_captured_and_resume_works(room: Room) -> None:
    session_id = await room.check_in(userId="paused-1", screenCapture="0", initialStatePaused="1")
    await room.candidate.press("start")
    await room.candidate.wait_for_state("paused")
    assert await room.candidate.page.locator("#pauseLayer").is_visible()
    await captured(room, {"Camera", "Microphone"})
    async with onlooker(room.running.url, room.running.proctor_key) as looking:
        assert await looking.until(lambda seen: seen.session_id == session_id and seen.state == "paused", 10)
        looking.followed = session_id
        await looking.order("resume")
        await room.candidate.wait_for_state("running")
        await pictures_or_sound_stored(room, session_id, {"webcam", "audio"})
        await looking.order("end")
        assert await looking.until(lambda seen: seen.state == "ended", 20)
    gathered = await room.report()
    assert room.kept(session_id).keys() == {"webcam", "audio", "events"}
    assert [each.stream for each in gathered.report.streams] == ["webcam", "audio"]
    assert all(each.stream != "screen" for each in gathered.report.events)
    assert gathered.recordings.keys() == {"webcam", "audio"}
    assert gathered.report.settings["initialState"] == "paused"
    assert [(each.kind, each.status) for each in gathered.report.commands] == [
        ("resume", "acknowledged"),
        ("end", "acknowledged"),
    ]
    assert gathered.report.end_reason == "ended by proctor"


async def test_without_audio_and_recording_nothing_is_heard_and_nothing_outlives_the_live_window(room: Room) -> None:
    session_id = await room.check_in(userId="unrecorded-1", audioProctoring="0", recording="0")
    await room.candidate.press("start")
    await captured(room, {"Screen", "Camera"})
    await pictures_or_sound_stored(room, session_id, {"screen", "webcam"})
    await room.candidate.press("stop")

    async def only_events_are_kept() -> bool:
        return room.kept(session_id).keys() == {"events"}

    await eventually(only_events_are_kept)
    gathered = await room.report()
    report = msgspec.convert(msgspec.to_builtins(gathered.report), Report)
    assert gathered.recordings == {}
    assert report.settings["recording"] is False
    assert [each.stream for each in report.streams] == ["screen", "webcam"]
    assert [each.playlist for each in report.streams] == ["", ""]
    assert all(each.segments > 0 and each.covered_s > 1 for each in report.streams)
    assert all(each.stream != "audio" for each in report.events)
    assert report.verified  # the chain of what was dropped can still be followed

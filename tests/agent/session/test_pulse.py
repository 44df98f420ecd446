"""The pulse on a clock of the test's own: the link lost, restored, expired; the exam page gone."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from secureproctor.agent.session.pulse import Pulse
from secureproctor.agent.session.wakefulness import Times, Wakefulness
from secureproctor.contract.channel import LINK_LOST_AFTER_S
from secureproctor.contract.page import ErrorEvent

if TYPE_CHECKING:
    from tests.agent.conftest import Stage

SECOND = 1_000_000
PAGE_GONE_S = 120.0


class Heart:
    """A pulse whose clock and pages the test sets. Time begins at the session's last contact."""

    def __init__(self, stage: "Stage") -> None:
        self.stage, self.pages = stage, 1
        self.origin = self.now = 0
        self.slept = self.set_forward = 0
        wakefulness = Wakefulness(lambda: Times(self.now, self.now - self.slept, self.now + self.set_forward))
        self.pulse = Pulse(stage.conductor, lambda: self.pages, PAGE_GONE_S, wakefulness, lambda: self.now)

    async def at(self, seconds: float) -> None:
        """Beat that many seconds after the last contact that the session began with."""
        self.origin = self.origin or self.stage.session.watch.last_contact_us
        self.now = self.origin + int(seconds * SECOND)
        await self.pulse.beat()

    def heard(self) -> None:
        self.stage.session.watch.heard(self.now)


@pytest.fixture
def heart(stage: "Stage") -> Heart:
    return Heart(stage)


def codes(stage: "Stage") -> list[str]:
    return [event.error.code for event in stage.told if isinstance(event, ErrorEvent)]


async def test_what_waits_for_an_acknowledgement_is_looked_after_at_each_beat(heart: Heart) -> None:
    looks: list[int] = []
    heart.pulse.requests = looks.append
    await heart.pulse.beat()
    await heart.stage.running()
    await heart.at(3)
    assert looks == [0, heart.now]


async def test_without_a_session_there_is_nothing_to_see(heart: Heart) -> None:
    await heart.pulse.beat()
    assert heart.stage.told == []


async def test_silence_of_fifteen_seconds_is_a_lost_link_and_told_once(heart: Heart) -> None:
    await heart.stage.running()
    await heart.at(LINK_LOST_AFTER_S - 0.001)
    assert codes(heart.stage) == []
    await heart.at(LINK_LOST_AFTER_S)
    await heart.at(LINK_LOST_AFTER_S + 1)
    assert codes(heart.stage) == ["link_lost"]
    assert "within 285 seconds" in heart.stage.told[0].error.remedy  # type: ignore[union-attr]  # it is an ErrorEvent
    assert heart.stage.events.count("event link_lost") == 1


async def test_while_the_link_is_away_the_page_gets_a_countdown(heart: Heart) -> None:
    await heart.stage.running()
    await heart.at(20)
    before = heart.stage.changes
    await heart.at(21)
    assert heart.stage.changes == before + 1


async def test_a_link_restored_in_time_changes_nothing_else(heart: Heart) -> None:
    await heart.stage.running()
    await heart.at(20)
    heart.heard()
    await heart.at(21)
    assert heart.stage.conductor.state == "running"
    assert "event link_restored" in heart.stage.events
    await heart.at(20 + 299)
    assert heart.stage.conductor.state == "running"


@pytest.mark.parametrize("paused", [False, True])
async def test_past_the_expiry_time_the_session_ends(heart: Heart, paused: bool) -> None:
    await heart.stage.running(initial_state="paused" if paused else "running")
    await heart.at(20)
    await heart.at(299.9)
    assert heart.stage.conductor.state in {"running", "paused"}
    await heart.at(300)
    assert heart.stage.session.end_reason == "expired"
    assert codes(heart.stage) == ["link_lost", "session_expired"]
    assert heart.stage.session.capturing == frozenset()


async def test_a_machine_that_slept_past_the_expiry_time_ends_at_once_and_at_the_moment_of_expiry(heart: Heart) -> None:
    await heart.stage.running()
    await heart.at(1)
    heart.slept = 3000 * SECOND
    await heart.at(3600)
    session = heart.stage.session
    assert session.end_reason == "expired"
    assert session.ended_us is not None
    # the fake clock runs ahead of the real one, which the session's own time is taken from
    assert session.ended_us <= (session.expiry_us() or 0)
    assert "event machine_slept" in heart.stage.events


async def test_the_last_beat_comes_when_the_session_expires(heart: Heart) -> None:
    await heart.stage.running()
    await heart.at(20)
    assert heart.pulse.pause_s() == 1.0
    await heart.at(299.7)
    assert heart.pulse.pause_s() == pytest.approx(0.3, abs=0.001)
    await heart.at(299.999)
    assert heart.pulse.pause_s() == 0.02
    await heart.at(300)
    assert heart.stage.session.end_reason == "expired"
    assert heart.pulse.pause_s() == 1.0


async def test_a_clock_that_somebody_sets_is_on_the_record(heart: Heart) -> None:
    await heart.stage.running()
    await heart.at(1)
    heart.set_forward = -3600 * SECOND
    await heart.at(2)
    await heart.stage.conductor.stop()
    [event] = [each for each in heart.stage.evidence() if each.kind == "clock_changed"]
    assert event.detail == {"by_s": -3600.0}


async def test_a_time_without_the_agent_is_on_the_record_with_its_span(heart: Heart) -> None:
    await heart.stage.running()
    await heart.at(1)
    await heart.at(9)
    await heart.stage.conductor.stop()
    [event] = [each for each in heart.stage.evidence() if each.kind == "agent_stalled"]
    assert event.until_us is not None
    assert event.until_us - event.at_us == 8 * SECOND


async def test_a_session_that_has_not_started_expires_as_well(heart: Heart) -> None:
    await heart.stage.ready()
    await heart.at(20)
    await heart.at(301)
    assert heart.stage.session.end_reason == "expired"
    assert heart.stage.captures == []


async def test_an_ended_session_does_not_expire(heart: Heart) -> None:
    await heart.stage.running()
    await heart.stage.conductor.stop()
    await heart.at(20)
    await heart.at(1000)
    assert heart.stage.session.end_reason == "stopped"
    assert codes(heart.stage) == []


async def test_a_session_ends_when_its_page_has_been_gone_too_long(heart: Heart) -> None:
    await heart.stage.running()
    heart.stage.session.watch.expiry_us = 10**12
    heart.pages = 0
    await heart.at(1)
    await heart.at(PAGE_GONE_S + 0.9)
    assert heart.stage.conductor.state == "running"
    await heart.at(PAGE_GONE_S + 1)
    assert heart.stage.session.end_reason == "browser gone"


async def test_a_page_that_comes_back_saves_the_session(heart: Heart) -> None:
    await heart.stage.running()
    heart.stage.session.watch.expiry_us = 10**12
    for at_s, pages in ((1, 0), (100, 1), (101, 0), (220, 0)):
        heart.pages = pages
        await heart.at(at_s)
    assert heart.stage.conductor.state == "running"
    await heart.at(221)
    assert heart.stage.session.end_reason == "browser gone"


async def test_the_absence_in_one_session_is_not_counted_in_the_next(heart: Heart) -> None:
    await heart.stage.running()
    heart.pages = 0
    await heart.at(1)
    await heart.stage.conductor.stop()
    await heart.at(2)
    await heart.stage.running()
    heart.stage.session.watch.expiry_us = 10**12
    await heart.at(500)
    assert heart.stage.conductor.state == "running"


async def test_no_page_is_needed_before_the_start(heart: Heart) -> None:
    await heart.stage.ready()
    heart.stage.session.watch.expiry_us = 10**12
    heart.pages = 0
    await heart.at(1)
    await heart.at(1000)
    assert heart.stage.conductor.state == "ready"


async def test_a_stop_that_comes_before_the_expiry_does_not_break_the_pulse(heart: Heart) -> None:
    """The page's Stop waits for a pause to take effect; the expiry that waits behind it finds an ended session."""
    stage = heart.stage
    await stage.running()
    await heart.at(20)
    async with stage.conductor._lock:
        stop = asyncio.create_task(stage.conductor.stop())
        await asyncio.sleep(0)
        beat = asyncio.create_task(heart.at(301))
        await asyncio.sleep(0)
    await stop
    await beat
    assert stage.session.end_reason == "stopped"
    assert codes(stage) == ["link_lost"]

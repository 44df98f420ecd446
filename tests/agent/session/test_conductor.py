"""The conductor with a fake capture, uploader and channel: what it does, in which order, and what it refuses."""

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from secureproctor.agent.session import conductor as conducting
from secureproctor.agent.session.journal import Started, read
from secureproctor.agent.session.machine import AT_ANY_TIME, ENDINGS, Trigger
from secureproctor.agent.session.status import view
from secureproctor.capture.media import SourceReport, SourceState
from secureproctor.contract.channel import SessionChanged
from secureproctor.contract.errors import Refusal
from secureproctor.contract.page import ErrorEvent
from secureproctor.contract.record import RecordKind, parse
from secureproctor.contract.streams import Stream

if TYPE_CHECKING:
    from tests.agent.conftest import Stage


def refusal_of(error: pytest.ExceptionInfo[Refusal]) -> tuple[str, str]:
    return error.value.code, error.value.message


# the way of a session


async def test_a_session_goes_from_init_to_its_end(stage: "Stage") -> None:
    await stage.running()
    assert stage.conductor.state == "running"
    await stage.conductor.stop()
    assert stage.conductor.state == "ended"
    states = [each.removeprefix("journal ") for each in stage.events if each.startswith("journal ")]
    states.remove("started")
    assert states == ["registered", "ready", "starting", "running", "ending", "draining", "ended"]
    assert [each.state for each in stage.channel.sent if isinstance(each, SessionChanged)] == states


async def test_every_state_is_in_the_journal_before_it_is_told_and_acted_on(stage: "Stage") -> None:
    await stage.running()
    await stage.conductor.stop()
    steps = [each for each in stage.events if not each.startswith("event")]
    assert steps == [
        "journal registered", "told registered",
        "journal ready", "told ready",
        "journal started",
        "journal starting", "told starting", "capture opened",
        "journal running", "told running",
        "journal ending", "told ending", "capture closed",
        "journal draining", "told draining",
        "journal ended", "told ended",
    ]  # fmt: skip


async def test_a_paused_beginning_is_paused_and_captures(stage: "Stage") -> None:
    await stage.running(initial_state="paused")
    assert stage.conductor.state == "paused"
    assert "capture closed" not in stage.events


async def test_all_that_was_captured_and_recorded_is_at_the_service_when_stop_returns(stage: "Stage") -> None:
    await stage.running(audio_proctoring=False)
    await stage.conductor.stop()
    media = [parse(data).header for data in stage.taken if parse(data).header.kind is not RecordKind.EVENTS]
    assert sorted((each.stream, each.seq) for each in media) == [
        ("screen", 0),
        ("screen", 1),
        ("webcam", 0),
        ("webcam", 1),
    ]
    assert stage.recorded() == ["check", "session_started", "test_source", "session_ended"]
    assert stage.evidence()[-1].detail == {"reason": "stopped"}


async def test_the_streams_are_those_of_the_exams_settings(stage: "Stage") -> None:
    await stage.running(screen_capture=False, audio_proctoring=False)
    assert stage.captures[-1].streams == {Stream.WEBCAM}


async def test_what_happened_before_start_is_on_the_record_with_negative_times(stage: "Stage") -> None:
    await stage.running()
    await stage.conductor.stop()
    check, started = stage.evidence()[:2]
    assert check.kind == "check"
    assert check.at_us < 0 <= started.at_us


async def test_settings_without_effect_are_on_the_record(stage: "Stage") -> None:
    await stage.registered(not_enforced=("msb", "authorization"))
    await stage.conductor.stop()
    told = [event.detail for event in stage.evidence() if event.kind == "setting_not_enforced"]
    assert told == [{"setting": "msb"}, {"setting": "authorization"}]


# nothing is captured before Start nor after the end


async def test_nothing_is_captured_before_start(stage: "Stage") -> None:
    await stage.ready()
    assert stage.captures == []
    assert view(stage.conductor, "agent", 0, False).capturing == ()


@pytest.mark.parametrize("ending", AT_ANY_TIME)
async def test_nothing_is_captured_after_any_ending(stage: "Stage", ending: Trigger) -> None:
    await stage.running()
    assert view(stage.conductor, "agent", 0, False).capturing == ("audio", "screen", "webcam")
    await stage.conductor.end(ending, "End")
    assert view(stage.conductor, "agent", 0, False).capturing == ()
    assert stage.events.count("capture opened") == stage.events.count("capture closed") == 1
    await stage.conductor.stop()
    assert stage.evidence()[-1].detail == {"reason": ENDINGS[ending]}


@pytest.mark.parametrize("ending", AT_ANY_TIME)
async def test_a_session_that_never_started_is_cancelled_with_its_reason(stage: "Stage", ending: Trigger) -> None:
    await stage.registered()
    await stage.conductor.end(ending, "End")
    await stage.conductor.delivered(5)
    assert stage.conductor.state == "ended"
    assert stage.session.end_reason == ENDINGS[ending]
    assert stage.captures == []


# what is refused


@pytest.mark.parametrize("call", ["check_system", "start", "stop"])
async def test_without_a_session_every_call_says_to_register(stage: "Stage", call: str) -> None:
    with pytest.raises(Refusal, match="idle") as caught:
        await getattr(stage.conductor, call)()
    assert caught.value.code == "not_now"
    assert caught.value.remedy == "Register with Init first."


async def test_start_needs_a_check(stage: "Stage") -> None:
    await stage.registered()
    with pytest.raises(Refusal, match="Start is not possible while the session is registered") as caught:
        await stage.conductor.start()
    assert caught.value.remedy == "Pass Check System first."
    assert "capture opened" not in stage.events


async def test_a_failed_check_takes_readiness_back(stage: "Stage") -> None:
    await stage.ready()
    stage.checks = (msgspec.structs.replace(stage.checks[0], status="failed"),)
    await stage.conductor.check_system()
    with pytest.raises(Refusal):
        await stage.conductor.start()


@pytest.mark.parametrize("status", ["warned", "could_not_check"])
async def test_a_warning_and_a_check_that_could_not_run_do_not_stop_anybody(stage: "Stage", status: str) -> None:
    stage.checks = (msgspec.structs.replace(stage.checks[0], status=status),)
    await stage.ready()
    assert stage.conductor.state == "ready"


async def test_checks_of_a_session_that_was_replaced_do_not_make_the_new_one_ready(stage: "Stage") -> None:
    await stage.registered()
    stage.checking = asyncio.Event()
    checking = asyncio.create_task(stage.conductor.check_system())
    await asyncio.sleep(0)
    await stage.registered()
    stage.checking.set()
    with pytest.raises(Refusal, match="Check System"):
        await checking
    assert stage.conductor.state == "registered"


@pytest.mark.parametrize("paused", [False, True])
async def test_a_second_session_is_refused_while_one_goes_on(stage: "Stage", paused: bool) -> None:
    await stage.running(initial_state="paused" if paused else "running")
    with pytest.raises(Refusal) as caught:
        stage.conductor.require_register()
    assert refusal_of(caught) == ("not_now", f"Init is not possible while the session is {stage.conductor.state}.")
    with pytest.raises(Refusal):
        await stage.registered()
    assert len(stage.sessions) == 1


async def test_a_second_stop_is_no_second_ending(stage: "Stage") -> None:
    await stage.running()
    await stage.conductor.stop()
    await stage.conductor.stop()
    assert stage.events.count("journal ending") == 1


# a source that does not start


async def test_when_a_source_is_missing_the_others_are_given_back_and_start_is_refused(stage: "Stage") -> None:
    await stage.ready()
    stage.missing = {Stream.AUDIO: "busy"}
    with pytest.raises(Refusal) as caught:
        await stage.conductor.start()
    assert refusal_of(caught) == ("source_failed", "Capturing could not begin: audio (busy).")
    assert caught.value.remedy == "Close the other programs that use the audio."
    steps = [each for each in stage.since("told starting") if not each.startswith("event")]
    assert steps == ["capture opened", "journal ready", "told ready", "capture closed"]
    assert stage.conductor.state == "ready"
    assert stage.session.capturing == frozenset()


async def test_start_succeeds_once_the_source_is_there_and_its_clock_goes_on(stage: "Stage") -> None:
    """What the first attempt captured must not lie upon what the second one does."""
    await stage.ready()
    stage.missing = {Stream.SCREEN: "no_display"}
    with pytest.raises(Refusal):
        await stage.conductor.start()
    stage.missing = {}
    await stage.conductor.start()
    assert stage.conductor.state == "running"
    origins = {entry.origin_us for entry in read(stage.journal.path) if isinstance(entry, Started)}
    assert len(origins) == 1


# registering again


async def test_a_session_that_was_not_started_gives_way_to_a_new_one(stage: "Stage") -> None:
    await stage.ready()
    await stage.registered()
    first, second = stage.sessions
    assert first.closed
    assert not second.closed
    assert stage.conductor.state == "registered"


async def test_a_new_session_begins_while_the_old_ones_evidence_is_on_its_way(stage: "Stage", eventually: Any) -> None:
    stage.away = True
    await stage.running()
    await stage.conductor.end(Trigger.STOP, "Stop")
    first, uploader = stage.session, stage.uploader
    await stage.running()
    assert stage.conductor.state == "running"
    assert not first.closed
    uploader.come_back()
    await eventually(lambda: first.closed)
    assert not first.delivery.spool.folder.exists()
    assert stage.conductor.state == "running"
    assert stage.conductor.session is stage.session


# the end and the disk


async def test_stop_returns_with_evidence_still_waiting_when_the_service_is_away(
    stage: "Stage", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conducting, "STOP_PATIENCE_S", 0.05)
    stage.away = True
    await stage.running()
    await stage.conductor.stop()
    status = view(stage.conductor, "agent", 0, False)
    assert status.state == "draining"
    assert status.waiting_segments > 0
    assert len(list(stage.session.delivery.spool.folder.rglob("*.record"))) == status.waiting_segments


async def test_nothing_stays_in_the_spool_when_all_was_delivered(stage: "Stage", eventually: Any) -> None:
    await stage.running()
    await stage.conductor.stop()
    await eventually(lambda: stage.session.closed)
    assert not stage.session.delivery.spool.folder.exists()


async def test_evidence_that_the_service_refused_for_good_stays_on_the_disk(stage: "Stage", eventually: Any) -> None:
    stage.away = True
    await stage.running()
    await stage.conductor.end(Trigger.STOP, "Stop")
    spool = stage.session.delivery.spool
    for key in [key for stream in Stream for key in spool.oldest(stream)]:
        spool.set_aside(key)
    await eventually(lambda: stage.session.closed)
    assert spool.aside > 0
    assert spool.folder.is_dir()


async def test_the_channel_lives_until_the_proctor_has_heard_of_the_end(stage: "Stage", eventually: Any) -> None:
    await stage.running()
    stage.channel.settled = False
    await stage.conductor.stop()
    assert not stage.session.closed
    stage.channel.settled = True
    await eventually(lambda: stage.session.closed)


async def test_a_full_disk_keeps_nobody_from_ending(stage: "Stage") -> None:
    await stage.running()
    stage.journal.full = True
    await stage.conductor.pull(Trigger.PAUSE, "proctor")
    await stage.conductor.stop()
    assert stage.conductor.state == "ended"
    assert "capture closed" in stage.events


# pausing


async def test_pausing_is_on_the_record_and_capturing_goes_on(stage: "Stage") -> None:
    await stage.running()
    await stage.conductor.pull(Trigger.PAUSE, "proctor")
    assert stage.conductor.state == "paused"
    await stage.conductor.pull(Trigger.RESUME, "proctor")
    await stage.conductor.stop()
    assert stage.events.count("capture opened") == 1
    assert stage.recorded()[-3:] == ["paused", "resumed", "session_ended"]
    assert stage.evidence()[-3].detail == {"by": "proctor"}


async def test_pausing_gives_the_devices_back_when_the_exam_says_so(stage: "Stage") -> None:
    await stage.running(capture_while_paused=False, audio_proctoring=False)
    await stage.conductor.pull(Trigger.PAUSE, "proctor")
    assert stage.session.capturing == frozenset()
    assert stage.since("told paused")[0] == "capture closed"
    await stage.conductor.pull(Trigger.RESUME, "proctor")
    assert stage.session.capturing == {Stream.SCREEN, Stream.WEBCAM}
    await stage.conductor.stop()
    gaps = [event for event in stage.evidence() if event.kind == "gap"]
    assert [(gap.stream, gap.detail) for gap in gaps] == [
        ("screen", {"cause": "paused"}), ("webcam", {"cause": "paused"}),
    ]  # fmt: skip
    assert [(gap.at_us, gap.until_us) for gap in gaps] == [(2_000_000, 10_000_000)] * 2


async def test_a_paused_beginning_gives_the_devices_back_when_the_exam_says_so(stage: "Stage") -> None:
    await stage.running(capture_while_paused=False, initial_state="paused")
    assert (stage.conductor.state, stage.session.capturing) == ("paused", frozenset())


async def test_a_source_that_does_not_come_back_after_a_pause_is_on_the_record(stage: "Stage") -> None:
    await stage.running(capture_while_paused=False)
    await stage.conductor.pull(Trigger.PAUSE, "proctor")
    stage.missing = {Stream.WEBCAM: "busy"}
    await stage.conductor.pull(Trigger.RESUME, "proctor")
    assert stage.conductor.state == "running"
    await stage.conductor.stop()
    lost = [event for event in stage.evidence() if event.kind == "source_lost"]
    assert [(event.stream, event.detail) for event in lost] == [("webcam", {"code": "busy"})]


async def test_pausing_twice_is_refused_and_changes_nothing(stage: "Stage") -> None:
    await stage.running()
    await stage.conductor.pull(Trigger.PAUSE, "proctor")
    before = list(stage.events)
    with pytest.raises(Refusal, match="Pause is not possible while the session is paused"):
        await stage.conductor.pull(Trigger.PAUSE, "proctor")
    assert stage.events == before


# sources


async def test_a_lost_source_is_told_to_the_page_with_a_remedy(stage: "Stage", eventually: Any) -> None:
    await stage.running()
    lost = SourceReport(Stream.WEBCAM, SourceState.LOST, 1, "missing", "unplugged")
    await asyncio.to_thread(stage.captures[-1].report, lost)
    await eventually(lambda: stage.told)
    assert isinstance(stage.told[0], ErrorEvent)
    assert stage.told[0].error.message == "The webcam stopped delivering: missing."
    assert stage.told[0].error.remedy == "Connect the webcam again; the session goes on by itself."
    stage.captures[-1].report(SourceReport(Stream.WEBCAM, SourceState.RECOVERED, 2))
    await eventually(lambda: "event source_recovered" in stage.events)
    await stage.conductor.stop()
    assert stage.recorded()[-3:] == ["source_lost", "source_recovered", "session_ended"]
    assert len(stage.told) == 1


async def test_a_source_that_is_lost_before_the_start_is_no_alarm(stage: "Stage") -> None:
    await stage.registered()
    stage.conductor.source_reported(SourceReport(Stream.WEBCAM, SourceState.LOST, 1, "busy"))
    assert stage.told == []


# the status


async def test_the_status_says_what_a_candidate_may_always_see(stage: "Stage") -> None:
    assert view(stage.conductor, "agent 1", 0, True).state == "idle"
    await stage.running(audio_proctoring=False)
    status = view(stage.conductor, "agent 1", stage.session.watch.last_contact_us, True)
    assert (status.agent, status.state, status.session_id) == ("agent 1", "running", stage.session.data.session_id)
    assert (status.capturing, status.test_sources) == (("screen", "webcam"), ("test camera",))
    assert (status.paused, status.link.online, status.auto_acknowledgement) == (False, True, True)


async def test_the_running_time_stands_still_after_the_end(stage: "Stage") -> None:
    await stage.running()
    await stage.conductor.stop()
    now, later = (view(stage.conductor, "agent", at, False).running_s for at in (2**50, 2**51))
    assert now == later < 60

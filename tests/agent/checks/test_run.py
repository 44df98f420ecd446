"""Check System as a whole: order, what is left out, and checks that crash, hang or lack their library."""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import pytest

from secureproctor.agent.checks.check import Check, CheckContext, Failed, Outcome, Passed
from secureproctor.agent.checks.daemon_thread import in_daemon_thread
from secureproctor.agent.checks.run import CHECKS, run_checks
from secureproctor.contract.streams import Stream

MakeContext = Callable[..., CheckContext]
Run = Callable[[CheckContext], Awaitable[Outcome]]


def row(id_: str, run: Run, stream: Stream | None = None) -> Check:
    return Check(id_, id_.capitalize(), run, stream)


async def passes(_: CheckContext) -> Outcome:
    return Passed("ok", "It works.")


def in_thread(call: Callable[[], Outcome]) -> Run:
    async def run(_: CheckContext) -> Outcome:
        return await in_daemon_thread("check-test", call)

    return run


def check_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("check-")]


def test_the_candidate_sees_the_devices_first_and_the_service_last() -> None:
    assert [check.name for check in CHECKS] == [
        "Camera",
        "Microphone",
        "Screen",
        "Disk space",
        "Clock difference",
        "Service reachable",
        "Lockdown",
    ]


async def test_results_come_in_the_order_of_the_table_however_long_each_check_takes(make_context: MakeContext) -> None:
    quick_is_done = asyncio.Event()

    async def slow(_: CheckContext) -> Outcome:
        await quick_is_done.wait()
        return Passed("ok", "slow")

    async def quick(_: CheckContext) -> Outcome:
        quick_is_done.set()
        return Passed("ok", "quick")

    results = await run_checks(make_context(), (row("camera", slow), row("screen", quick)))
    assert [(result.id, result.seen) for result in results] == [("camera", "slow"), ("screen", "quick")]


@pytest.mark.parametrize(
    ("streams", "ids"),
    [
        ({Stream.SCREEN, Stream.WEBCAM, Stream.AUDIO}, ["camera", "microphone", "screen"]),
        ({Stream.WEBCAM, Stream.AUDIO}, ["camera", "microphone"]),
        ({Stream.WEBCAM, Stream.SCREEN}, ["camera", "screen"]),
        (set(), []),
    ],
)
async def test_a_stream_that_the_exam_does_not_want_is_not_checked(
    make_context: MakeContext, streams: set[Stream], ids: list[str]
) -> None:
    always = ["disk_space", "clock_difference", "service_reachable"]
    checks = tuple(replace(check, run=passes) for check in CHECKS)
    results = await run_checks(make_context(streams=frozenset(streams)), checks)
    assert [result.id for result in results] == ids + always


async def test_camera_microphone_and_screen_are_probed_at_the_same_time(make_context: MakeContext) -> None:
    meeting = threading.Barrier(3, timeout=10)

    def probe() -> Outcome:
        meeting.wait()  # breaks, and the check could not run, unless all three are inside
        return Passed("ok", "")

    checks = tuple(row(id_, in_thread(probe)) for id_ in ("camera", "microphone", "screen"))
    assert {result.status for result in await run_checks(make_context(), checks)} == {"passed"}


async def test_a_probe_that_does_not_return_could_not_check_and_holds_nobody_up(make_context: MakeContext) -> None:
    release = threading.Event()

    def hang() -> Outcome:
        release.wait()
        return Passed("ok", "too late")

    try:
        checks = (row("camera", in_thread(hang)), row("screen", passes))
        camera, screen = await run_checks(make_context(limit_s=0.05), checks)
        assert (camera.status, camera.code) == ("could_not_check", "could_not_check")
        assert "in time" in camera.seen
        assert camera.remedy
        assert screen.status == "passed"
        (thread,) = check_threads()
        assert thread.daemon, "a hanging driver must not keep the program from ending"
    finally:
        release.set()
        for thread in check_threads():
            thread.join(10)


@pytest.mark.parametrize(
    "error",
    [OSError(5, "Input/output error"), ImportError("libportaudio"), AssertionError(), ZeroDivisionError("x")],
    ids=lambda error: type(error).__name__,
)
async def test_a_probe_that_crashes_could_not_check_and_says_why(make_context: MakeContext, error: Exception) -> None:
    def crash() -> Outcome:
        raise error

    camera, screen = await run_checks(make_context(), (row("camera", in_thread(crash)), row("screen", passes)))
    assert (camera.status, camera.code) == ("could_not_check", "could_not_check")
    assert type(error).__name__ in camera.seen
    assert camera.remedy
    assert screen.status == "passed"


async def test_a_missing_media_library_is_a_check_that_could_not_run(
    make_context: MakeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "secureproctor.capture.probe", None)
    results = await run_checks(make_context(), CHECKS[:3])
    assert [(result.id, result.status) for result in results] == [
        (id_, "could_not_check") for id_ in ("camera", "microphone", "screen")
    ]
    assert all("secureproctor.capture.probe" in result.seen and result.remedy for result in results)


async def test_no_thread_is_left_when_the_probes_return(make_context: MakeContext) -> None:
    checks = tuple(row(id_, in_thread(partial(Failed, "busy", "In use."))) for id_ in ("camera", "microphone"))
    results = await run_checks(make_context(), checks)
    assert [result.code for result in results] == ["busy", "busy"]
    for thread in check_threads():
        thread.join(10)
    assert check_threads() == []


def test_a_probe_that_returns_after_the_loop_has_ended_disturbs_nobody() -> None:
    release = threading.Event()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(in_daemon_thread("check-late", release.wait), 0.05)

    asyncio.run(give_up())
    (thread,) = check_threads()
    release.set()
    thread.join(10)
    assert not thread.is_alive()

"""Ctrl-C, SIGTERM and kill -9 at moments all over a course: whatever was there before is all that is there afterwards."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.demo.conftest import Demo

AT_ONCE = 3  # most of the time they wait
INT, TERM, KILL = signal.SIGINT, signal.SIGTERM, signal.SIGKILL


@dataclass(frozen=True)
class Moment:
    """`within_s` after a sentence, at random; `group`: as a terminal's Ctrl-C, which reaches every process of the group."""

    after: str
    within_s: float
    number: signal.Signals
    group: bool = False
    times: int = 1
    course: str = "--duration 5"

    def __str__(self) -> str:
        return f"{self.number.name} after {self.after}{' to the group' if self.group else ''}"


CRASH = "--story crash --kills 4 --duration 23"
"""An agent that is started again when it is killed: nobody may start it again once the course is over."""
MOMENTS = (
    Moment("Kill 1 of", 2, INT, group=True, course=CRASH),
    Moment("Kill 1 of", 2, KILL, course=CRASH),
    Moment("Fetching the report", 3, INT, group=True),
    Moment("The proctor greets", 1, KILL),
    Moment("Opening the proctor's console", 3, KILL),
    Moment("Check System", 4, INT, group=True, times=2),
    Moment("Init:", 0.3, TERM, group=True),
    Moment("Opening the demo page", 2, INT),
    Moment("Starting the service", 1, TERM),
    Moment("Setting up", 0.8, INT, group=True),
)
"""The longest first, so that the short ones fill up the end."""


@pytest.fixture(scope="module")
def interrupted(start: "Callable[..., Demo]") -> "Iterator[dict[Moment, Future[tuple[Demo, set[str]]]]]":
    """Demos after their interruption, with the names of the programs that ran at that moment."""
    chance = random.Random(20)
    delays = {moment: chance.uniform(0, moment.within_s) for moment in MOMENTS}

    def play(moment: Moment) -> "tuple[Demo, set[str]]":
        demo = start("--desk", *moment.course.split())
        demo.wait_for(moment.after)
        time.sleep(delays[moment])
        running = {words[0] for words in demo.programs().values()}
        for _ in range(moment.times):
            demo.signal(moment.number, group=moment.group)
            time.sleep(0.05)
        demo.wait()
        demo.assert_nothing_remains()
        return demo, running

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {moment: pool.submit(play, moment) for moment in MOMENTS}


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_nothing_is_left_of_an_interrupted_course(
    interrupted: "dict[Moment, Future[tuple[Demo, set[str]]]]", moment: Moment
) -> None:
    demo, running = interrupted[moment].result()
    assert demo.complained == ""
    if moment.number == KILL:
        assert demo.process.returncode == -KILL
        assert {
            "chromium",
            "node-MainThread",
            "Xvfb",
            "pulseaudio",
        } <= running  # the search finds what there is to be found
        assert demo.summary["failures"][0]["code"] == "unfinished"
    else:
        assert demo.process.returncode == 128 + moment.number
        assert demo.said[-1] == "Stopped. Nothing is left running.\n"
        assert demo.summary["failures"][0]["code"] == "interrupted"

"""Ctrl-C, SIGTERM and kill -9 at moments all over a course: whatever was there before is all that is there afterwards."""

from signal import SIGINT, SIGKILL, SIGTERM

import pytest

from tests.conftest import Played, each_of
from tests.demo.conftest import Show, Signals

PLAIN = "--desk --duration 5"
CRASH = "--story crash --kills 4 --duration 23"
"""An agent that is started again when it is killed: nobody may start it again once the course is over."""
SHOWS = (
    Show(CRASH, "Kill 1 of", 25, Signals(SIGKILL, 2)),
    Show(PLAIN, "Check System", 12, Signals(SIGINT, 4, group=True, times=2)),
    Show(PLAIN, "Setting up", 4, Signals(SIGTERM, 0.8, group=True)),
)
MORE = (
    Show(CRASH, "Kill 1 of", 25, Signals(SIGINT, 2, group=True)),
    Show(PLAIN, "Fetching the report", 25, Signals(SIGINT, 3, group=True)),
    Show(PLAIN, "The proctor greets", 20, Signals(SIGKILL, 1)),
    Show(PLAIN, "Opening the proctor's console", 15, Signals(SIGKILL, 3)),
    Show(PLAIN, "Init:", 8, Signals(SIGTERM, 0.3, group=True)),
    Show(PLAIN, "Opening the demo page", 8, Signals(SIGINT, 2)),
    Show(PLAIN, "Starting the service", 8, Signals(SIGTERM, 1)),
    Show(PLAIN, "Setting up", 4, Signals(SIGINT, 0.8, group=True)),
)


@pytest.mark.parametrize("show", each_of(*SHOWS, slow=MORE))
def test_nothing_is_left_of_an_interrupted_course(played: Played, show: Show) -> None:
    demo = played(show)
    assert isinstance(show.disturb, Signals)
    assert (demo.complained, demo.left) == ("", [])
    if show.disturb.number == SIGKILL:
        assert demo.process.returncode == -SIGKILL
        # the search finds what there is to be found
        assert {"chromium", "node-MainThread", "Xvfb", "pulseaudio"} <= demo.ran
        assert demo.summary["failures"][0]["code"] == "unfinished"
    else:
        assert demo.process.returncode == 128 + show.disturb.number
        assert demo.said[-1] == "Stopped. Nothing is left running.\n"
        assert demo.summary["failures"][0]["code"] == "interrupted"

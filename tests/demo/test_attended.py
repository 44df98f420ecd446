"""The demo with this PC's own devices, on a virtual desk that stands for the PC, and a program for the person."""

import functools
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from secureproctor.demo.attended import Attended
from secureproctor.demo.desk import desk
from secureproctor.demo.program import DeskError
from tests.conftest import Played, each_of
from tests.demo.conftest import Show, Signals

PERSON = f"{sys.executable} {Path(__file__).with_name('person.py')} %s"


@contextmanager
def pc_of(person: str) -> Iterator[tuple[dict[str, str], list[str]]]:
    """A PC at which somebody sits."""
    with desk() as pc:
        yield pc.environment | {"BROWSER": PERSON, "PERSON": person}, ["--test-camera", str(pc.camera_url)]


def attended(person: str, duration_s: int) -> Show:
    return Show(f"--own-devices --duration {duration_s}", takes_s=20, place=functools.partial(pc_of, person))


REASONS = {attended("ends", 5): "ended by proctor", attended("stops", 60): "stopped"}
ENDS, STOPS = REASONS
CTRL_C = Show(
    "--own-devices",
    "Looking at camera",
    disturb=Signals(signal.SIGINT, group=True),
    place=functools.partial(pc_of, "nobody"),
)


@pytest.mark.parametrize("show", each_of(ENDS, slow=(STOPS,)))
def test_an_attended_demo_ends_by_itself_with_everything_in_its_folder(played: Played, show: Show) -> None:
    demo = played(show)
    summary = demo.summary
    assert demo.process.returncode == 0, (summary["failures"], demo.said, demo.complained)
    assert (demo.complained, demo.left) == ("", [])
    assert summary["story"] == "attended"
    assert summary["end_reason"] == REASONS[show]
    assert summary["verified"]
    assert 2.5 < summary["seconds_running"] < 20
    assert summary["first_segment_s"] > 0
    assert {each["status"] for each in summary["checks"]} == {"passed"}
    assert summary["streams"].keys() == {"screen", "webcam", "audio"}
    assert all(each["coverage_pct"] > 80 for each in summary["streams"].values())
    assert set(summary["files"]) == {path.name for path in demo.out.iterdir()}
    recordings = {"screen.mp4", "webcam.mp4", "audio.m4a"}
    assert recordings | {"report.json", "report.html", "report.png", "demo.png"} <= set(summary["files"])
    assert summary["notes"] == []


@pytest.mark.plays(ENDS)
def test_the_person_is_told_what_to_press_and_where_the_console_is(played: Played) -> None:
    said = "".join(played(ENDS).said)
    words = ("Init", "Check System", "Start", "Stop", "Report", "/demo?agent=ws", "/console#key=")
    assert [word for word in words if word not in said] == []


@pytest.mark.plays(CTRL_C)
def test_ctrl_c_while_the_devices_are_looked_at_leaves_nothing(played: Played) -> None:
    demo = played(CTRL_C)
    assert demo.process.returncode == 130
    assert (demo.complained, demo.left) == ("", [])


async def test_a_person_who_never_presses_start_ends_the_demo_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk() as pc, (tmp_path / "shown").open("w") as shown:
        before = list((pc.folder / "tmp").iterdir())
        for name, value in (pc.environment | {"BROWSER": "true"}).items():
            monkeypatch.setenv(name, value)
        options = ["--test-camera", str(pc.camera_url)]
        attended = Attended(60, tmp_path, options, lambda _: None, Console(file=shown), start_within_s=0.5)
        with pytest.raises(DeskError) as caught:
            await attended.perform()
        assert list((pc.folder / "tmp").iterdir()) == before
    assert caught.value.code == "not_started"
    assert caught.value.remedy

"""The demo with this PC's own devices, on a virtual desk that stands for the PC, and a program for the person."""

import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from secureproctor.demo.attended import Attended
from secureproctor.demo.desk import Desk, desk
from secureproctor.demo.program import DeskError

if TYPE_CHECKING:
    from tests.demo.conftest import Demo

PERSON = f"{sys.executable} {Path(__file__).with_name('person.py')} %s"


@pytest.fixture(scope="module")
def pc() -> Iterator[Desk]:
    with desk() as whole:
        yield whole


@pytest.fixture(scope="module")
def played(pc: Desk, start: "Callable[..., Demo]") -> "dict[str, Demo]":
    """Two persons at the same time: one presses Stop, the other one is ended when the time is over."""

    def play(person: str, duration: str) -> "tuple[str, Demo]":
        words = ("--own-devices", "--duration", duration, "--test-camera", str(pc.camera_url))
        demo = start(*words, environment=pc.environment | {"BROWSER": PERSON, "PERSON": person})
        demo.wait()
        return person, demo

    with ThreadPoolExecutor() as pool:
        return dict(pool.map(play, ("stops", "ends"), ("60", "5")))


@pytest.mark.parametrize(("person", "reason"), [("stops", "stopped"), ("ends", "ended by proctor")])
def test_an_attended_demo_ends_by_itself_with_everything_in_its_folder(
    played: "dict[str, Demo]", person: str, reason: str
) -> None:
    demo = played[person]
    summary = demo.summary
    assert demo.process.returncode == 0, (summary["failures"], demo.said, demo.complained)
    assert demo.complained == ""
    demo.assert_nothing_remains()
    assert summary["story"] == "attended"
    assert summary["end_reason"] == reason
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


def test_the_person_is_told_what_to_press_and_where_the_console_is(played: "dict[str, Demo]") -> None:
    said = "".join(played["ends"].said)
    words = ("Init", "Check System", "Start", "Stop", "Report", "/demo?agent=ws", "/console#key=")
    assert [word for word in words if word not in said] == []


def test_ctrl_c_while_the_devices_are_looked_at_leaves_nothing(pc: Desk, start: "Callable[..., Demo]") -> None:
    demo = start("--own-devices", environment=pc.environment | {"BROWSER": "true"})
    demo.wait_for("Looking at camera")
    demo.processes()
    demo.signal(signal.SIGINT, group=True)
    assert demo.wait() == 130
    assert demo.complained == ""
    demo.assert_nothing_remains()


async def test_a_person_who_never_presses_start_ends_the_demo_with_a_sentence(
    pc: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = list((pc.folder / "tmp").iterdir())
    for name, value in (pc.environment | {"BROWSER": "true"}).items():
        monkeypatch.setenv(name, value)
    with (tmp_path / "shown").open("w") as shown:
        options = ["--test-camera", str(pc.camera_url)]
        attended = Attended(60, tmp_path, options, lambda _: None, Console(file=shown), start_within_s=0.5)
        with pytest.raises(DeskError) as caught:
            await attended.perform()
    assert caught.value.code == "not_started"
    assert caught.value.remedy
    assert list((pc.folder / "tmp").iterdir()) == before

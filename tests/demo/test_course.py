"""A whole course on the virtual desk, as a user plays it: what it promises is looked at from outside."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.conftest import Played, each_of
from tests.demo.conftest import Demo, Show

KEYS = {
    "story", "ok", "failures", "seconds_running", "streams", "gaps", "verified", "av_skew_ms", "first_segment_s", "checks",
    "commands", "end_reason", "report", "files", "notes", "figures",
}  # fmt: skip
STREAM_KEYS = {"segments", "bytes", "covered_s", "coverage_pct", "codec", "width", "height", "frames"}
PICTURES = ("report.png", "demo.png", "authorization.png", "wall.png", "candidate.png", "desk.png")
RECORDINGS = {"screen": "screen.mp4", "webcam": "webcam.mp4", "audio": "audio.m4a"}


PLAIN = Show("--desk --duration 12", "The candidate answers", takes_s=30)


@dataclass(frozen=True)
class Kills:
    """Disturbs a demo by the end of one of its programs, known by its command line; `name` begins the sentence about it."""

    name: str
    words: str

    def __call__(self, demo: Demo) -> None:
        [victim] = [process for process, said in demo.programs().items() if self.words in " ".join(said)]
        victim.kill()


DYING = {
    Show("--desk --duration 60", "Check System", disturb=Kills("The agent", "agent --local-port")): "The agent",
    Show(
        "--desk --duration 60", "Opening the demo page", disturb=Kills("The service", "secureproctor.service")
    ): "The service",
}


AGENT_DIES, SERVICE_DIES = DYING


@pytest.fixture(scope="module")
def plain(played: Played) -> Demo:
    """A short plain course, played to its end."""
    return played(PLAIN)


@pytest.fixture(scope="module")
def summary(plain: Demo) -> dict[str, Any]:
    return plain.summary


@pytest.mark.plays(PLAIN)
def test_a_plain_course_keeps_all_its_promises_and_leaves_nothing(plain: Demo, summary: dict[str, Any]) -> None:
    assert plain.process.returncode == 0, (summary["failures"], plain.said, plain.complained)
    assert (plain.complained, plain.left) == ("", [])
    assert summary["ok"]
    assert summary["failures"] == []
    assert summary["verified"]
    assert summary["end_reason"] == "stopped"
    assert 11 < summary["seconds_running"] < 30


@pytest.mark.plays(PLAIN)
def test_the_summary_is_complete(summary: dict[str, Any]) -> None:
    assert summary.keys() == KEYS
    assert summary["story"] == "plain"
    assert summary["streams"].keys() == RECORDINGS.keys()
    for stream in summary["streams"].values():
        assert stream.keys() == STREAM_KEYS
        assert stream["segments"] >= 5
        assert stream["bytes"] > 10_000
        assert stream["coverage_pct"] >= 95
        assert stream["covered_s"] < summary["seconds_running"] + 0.001
    for gap in summary["gaps"]:
        assert gap.keys() == {"stream", "start_s", "end_s", "cause"}
        assert gap["cause"] != "unknown"
    assert summary["av_skew_ms"]["pairs"] >= 1
    assert abs(summary["av_skew_ms"]["median"]) <= summary["av_skew_ms"]["max"]
    assert 0 < summary["first_segment_s"] < 10
    assert summary["notes"] == []
    assert summary["figures"] == {}


@pytest.mark.plays(PLAIN)
def test_every_check_was_passed_and_is_told(summary: dict[str, Any]) -> None:
    found = {each["id"]: each["status"] for each in summary["checks"]}
    assert {"camera", "microphone", "screen", "service_reachable"} <= found.keys()
    assert set(found.values()) == {"passed"}
    assert all(each["seen"] for each in summary["checks"])


@pytest.mark.plays(PLAIN)
def test_every_command_was_received_then_applied_then_acknowledged(summary: dict[str, Any]) -> None:
    assert [each["kind"] for each in summary["commands"]] == ["authorize", "pause", "resume", "snapshot"]
    for each in summary["commands"]:
        assert each["status"] == "acknowledged"
        times = [each[name] for name in ("issued_ms", "received_ms", "applied_ms", "acknowledged_ms")]
        assert times == sorted(times)
        assert times[-1] - times[0] < 5000


@pytest.mark.plays(PLAIN)
@pytest.mark.parametrize("stream", RECORDINGS)
def test_a_recording_decodes_without_a_word_and_is_as_the_summary_says(
    plain: Demo, summary: dict[str, Any], stream: str
) -> None:
    path, told = str(plain.out / RECORDINGS[stream]), summary["streams"][stream]
    # the pictures come at any time; without -enc_time_base FFmpeg guesses a rate, and complains of two in one of its ticks
    decoding = ["ffmpeg", "-v", "error", "-i", path, "-enc_time_base", "-1", "-f", "null", "-"]
    said = subprocess.run(decoding, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    assert (said.stdout, said.stderr) == ("", "")
    probing = ["ffprobe", "-v", "error", "-count_packets", "-show_streams", "-of", "json", path]
    [found] = json.loads(subprocess.run(probing, capture_output=True, check=True).stdout)["streams"]
    assert found["codec_name"] == told["codec"]
    assert int(found["nb_read_packets"]) == told["frames"]
    if stream != "audio":
        assert (found["width"], found["height"]) == (told["width"], told["height"])
        assert told["width"] >= 640
    ran_until_s = json.loads((plain.out / "report.json").read_bytes())["running_until_s"]
    assert float(found["start_time"]) + float(found["duration"]) == pytest.approx(ran_until_s, abs=0.5)


@pytest.mark.plays(PLAIN)
def test_the_pictures_show_something(plain: Demo, summary: dict[str, Any]) -> None:
    for name in PICTURES:
        assert name in summary["files"]
        picture = cv2.imread(str(plain.out / name))
        assert picture is not None
        assert picture.shape[0] > 600
        assert picture.shape[1] > 600
        assert picture.std() > 15


@pytest.mark.plays(PLAIN)
def test_the_files_are_all_there_and_named(plain: Demo, summary: dict[str, Any]) -> None:
    names = {path.name for path in plain.out.iterdir()}
    assert set(summary["files"]) == names
    assert {"summary.json", "report.json", "report.html", *RECORDINGS.values()} <= names
    assert summary["report"].keys() == {"url", "json", "html", "png"}
    report = json.loads((plain.out / "report.json").read_bytes())
    assert report["user_id"] == "candidate-1"
    assert report["session_id"] in summary["report"]["url"]
    assert "Eileen Collins" in (plain.out / "report.html").read_text()


@pytest.mark.plays(PLAIN)
def test_the_candidate_was_authorized_and_everybody_read_what_was_said(plain: Demo) -> None:
    report = json.loads((plain.out / "report.json").read_bytes())
    identity = report["identity"]
    assert identity["step"] == "authorized"
    assert identity["decided_by"]
    assert identity["consent_ms"] < identity["submitted_ms"] < identity["decided_ms"] < report["started_ms"]
    assert [identity[of]["hints"] for of in ("photo", "id_card")] == [[], []]
    assert identity["reference"]
    assert [each["of"] for each in report["stills"]] == ["photo", "id_card", "webcam"]
    assert [each["sender"] for each in report["chat"]] == ["proctor", "candidate"]
    assert all(each["at_ms"] <= each["delivered_ms"] <= each["read_ms"] for each in report["chat"])


def test_a_second_course_takes_over_the_folder_of_the_first_but_no_other(tmp_path: Path) -> None:
    kept = tmp_path / "thesis.txt"
    kept.write_text("three years of work")
    (tmp_path / "summary.json").write_text("{}")
    refused = Show("--desk").play(tmp_path)
    assert refused.process.returncode == 1
    assert "folder_not_empty" in "".join(refused.said)
    assert (refused.complained, refused.left) == ("", [])
    assert kept.read_text() == "three years of work"
    assert (tmp_path / "summary.json").read_text() == "{}"


@pytest.mark.parametrize("show", each_of(AGENT_DIES, slow=[SERVICE_DIES]))
def test_a_program_that_dies_on_the_way_ends_the_course(played: Played, show: Show) -> None:
    """At once: else the course would go on for a minute."""
    demo = played(show)
    assert demo.process.returncode == 1
    [failure] = demo.summary["failures"]
    assert failure["code"] == "program_died"
    assert failure["message"].startswith(f"{DYING[show]} ended in the middle of the course (exit code -9)")
    assert ".log" in failure["remedy"]
    assert (demo.complained, demo.left) == ("", [])

"""The stories of a session that is interrupted or locked, each played short: what a user sees of them, and what their summaries
say.

Speed is the stories' own judgement, on a machine that does nothing else; here several of them share two cores.
"""

import math
from pathlib import Path
from typing import Any

import cv2
import pytest

from secureproctor.demo.hands import WAYS_OUT
from secureproctor.demo.stories import STORIES
from secureproctor.demo.story import FORBIDDEN_ENDS_S
from tests.conftest import Played, each_of
from tests.demo.conftest import Show

STORY = {
    Show("--story outage --outage 18 --duration 32 --rate 2", "Start:", 50): "outage",
    Show("--story expiry --expiry 18 --outage 24 --duration 36", "Start:", 60): "expiry",
    Show("--story crash --kills 2 --seed 3 --duration 22", "Start:", 40): "crash",
    Show("--story msb --duration 30", "Start:", 60): "msb",
}
OUTAGE, EXPIRY, CRASH, MSB = STORY
LISTS = ("kill_at_s", "missing_screen_s", "missing_webcam_s", "missing_audio_s", "restart_s")
A_MATTER_OF_SPEED = {
    "drain_link_pct", "live_age_max_s", "agent_off_by_s", "service_off_by_s", "missing_max_s", "av_skew",
    "theft_recovered_ms", "program_reported_ms", "program_closed_s", "unlocked_ms",
}  # fmt: skip


def test_every_story_is_played_here_or_in_the_test_of_the_course() -> None:
    assert {*STORY.values(), "plain"} == STORIES.keys()


@pytest.mark.parametrize("show", each_of(slow=STORY))
def test_a_story_keeps_its_promises_and_leaves_nothing(played: Played, show: Show) -> None:
    demo = played(show)
    summary = demo.summary
    broken = {each["code"] for each in summary["failures"]}
    assert broken <= A_MATTER_OF_SPEED, (summary["failures"], demo.said)
    assert demo.process.returncode == (1 if broken else 0)
    assert (demo.complained, demo.left) == ("", [])
    assert set(summary["files"]) == {path.name for path in demo.out.iterdir()}
    assert summary["verified"]


@pytest.mark.parametrize("show", each_of(slow=STORY))
def test_every_figure_of_a_story_is_measured_and_explained(played: Played, show: Show) -> None:
    figures = played(show).summary["figures"]
    assert figures.keys() == STORIES[STORY[show]].meanings.keys()
    for figure, value in figures.items():
        numbers = value if figure in LISTS else [value]
        assert all(math.isfinite(each) for each in numbers), figure


@pytest.mark.slow
@pytest.mark.plays(OUTAGE)
def test_an_outage_costs_nothing_but_time(played: Played) -> None:
    summary = played(OUTAGE).summary
    figures = summary["figures"]
    assert (summary["end_reason"], summary["gaps"]) == ("stopped", [])
    assert all(each["covered_s"] > summary["seconds_running"] - 0.5 for each in summary["streams"].values())
    assert figures["outage_s"] == pytest.approx(18, abs=2)
    assert figures["backlog_segments"] > 15
    assert 270 <= figures["countdown_last_s"] <= figures["countdown_first_s"] < 300
    assert 0 < figures["drain_bytes_per_s"] < 1.2 * figures["link_bytes_per_s"]
    assert figures["link_bytes_per_s"] == pytest.approx(250_000, rel=0.2)


@pytest.mark.slow
@pytest.mark.plays(EXPIRY)
def test_an_expired_session_ends_at_both_ends_and_its_evidence_arrives_afterwards(played: Played) -> None:
    summary = played(EXPIRY).summary
    figures = summary["figures"]
    assert summary["end_reason"] == "expired"
    for end in ("agent", "service"):
        assert 17 < figures[f"{end}_ended_after_s"] < 24
        assert figures[f"{end}_off_by_s"] == pytest.approx(figures[f"{end}_ended_after_s"] - 18, abs=0.01)
    assert figures["countdown_first_s"] > figures["countdown_last_s"]
    assert figures["late_segments"] > 15
    assert figures["evidence_short_s"] < 1


@pytest.mark.slow
@pytest.mark.plays(CRASH)
def test_a_session_outlives_every_kill_of_its_agent(played: Played) -> None:
    summary = played(CRASH).summary
    figures = summary["figures"]
    assert (figures["kills"], figures["sessions"], summary["end_reason"]) == (2, 1, "stopped")
    assert len(figures["kill_at_s"]) == len(figures["missing_audio_s"]) == 2
    assert figures["missing_max_s"] < 4
    assert {each["cause"] for each in summary["gaps"]} <= {"agent restarted", "agent stalled"}
    assert any(each["start_s"] <= figures["kill_at_s"][-1] <= each["end_s"] for each in summary["gaps"])


@pytest.mark.slow
@pytest.mark.plays(MSB)
def test_an_exam_in_the_secure_browser_is_locked_from_the_start_to_the_end(played: Played) -> None:
    summary = played(MSB).summary
    figures = summary["figures"]
    assert (summary["end_reason"], summary["gaps"]) == ("stopped", [])
    assert figures["keys_stopped"] >= figures["keys_tried"] == len(WAYS_OUT)
    assert figures["locked_pct"] > 98
    assert (figures["requests_let_in"], figures["requests_refused"]) == (2, 2)
    assert figures["attested"] >= 3  # one about every five seconds
    assert 3 <= figures["program_closed_s"] < FORBIDDEN_ENDS_S  # it was asked to be closed for three seconds
    assert {each["id"]: each["status"] for each in summary["checks"]}["lockdown"] == "passed"
    assert {each["kind"]: each["status"] for each in summary["commands"]} == {
        "pause": "acknowledged",
        "resume": "acknowledged",
    }


PICTURES = {OUTAGE: ("offline", "drain"), EXPIRY: ("offline", "expired"), MSB: ("locked", "rules")}


@pytest.mark.parametrize("show", each_of(slow=PICTURES))
def test_pictures_of_the_page_are_taken_on_the_way(played: Played, show: Show) -> None:
    for name in PICTURES[show]:
        picture: Any = cv2.imread(str(played(show).out / f"{name}.png"))
        assert picture is not None
        assert picture.std() > 15


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("outage", {"outage_s": 300}, "that is the story expiry"),
        ("outage", {"outage_s": 100, "duration_s": 60}, "needs a duration of 110 s"),
        ("expiry", {"outage_s": 30}, "that is the story outage"),
        ("crash", {"kills": 100, "duration_s": 60}, "need a duration of 115 s"),
    ],
)
def test_terms_that_do_not_fit_are_refused_with_a_sentence(name: str, given: dict[str, float], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        STORIES[name].terms(given)


def test_what_is_not_said_follows_from_what_is() -> None:
    assert STORIES["outage"].terms({"outage_s": 60}).duration_s == 210
    assert STORIES["expiry"].terms({"expiry_s": 100}).outage_s == 130
    assert STORIES["crash"].terms({"kills": 200}).duration_s == pytest.approx(1115)


def test_a_term_of_another_story_is_refused_at_the_command_line(tmp_path: Path) -> None:
    demo = Show("--story plain --kills 3").play(tmp_path)
    assert demo.process.returncode == 2
    assert "--kills is not for the story plain" in demo.complained

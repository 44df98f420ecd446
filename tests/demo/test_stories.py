"""The stories of an interrupted session, each played short: what a user sees of them, and what their summaries say.

Speed is the stories' own judgement, on a machine that does nothing else; here several of them share two cores.
"""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import cv2
import pytest

from secureproctor.demo.stories import STORIES

if TYPE_CHECKING:
    from tests.demo.conftest import Demo

COURSES = {
    "outage": "--outage 18 --duration 32 --rate 2",
    "expiry": "--expiry 18 --outage 24 --duration 36",
    "crash": "--kills 2 --seed 3 --duration 22",
}
LISTS = ("kill_at_s", "missing_screen_s", "missing_webcam_s", "missing_audio_s", "restart_s")
A_MATTER_OF_SPEED = {
    "drain_link_pct", "live_age_max_s", "agent_off_by_s", "service_off_by_s", "missing_max_s", "av_skew",
}  # fmt: skip


@pytest.fixture(scope="module")
def played(start: "Callable[..., Demo]") -> "Iterator[dict[str, Future[Demo]]]":
    """Every story, all at the same time: most of each is waiting."""

    def play(name: str) -> "Demo":
        demo = start("--story", name, *COURSES[name].split())
        demo.wait_for("Start:")
        demo.processes()
        demo.wait(within_s=240)
        return demo

    with ThreadPoolExecutor(len(COURSES)) as pool:
        yield {name: pool.submit(play, name) for name in COURSES}


def test_every_story_is_played_here_or_in_the_test_of_the_course() -> None:
    assert COURSES.keys() | {"plain"} == STORIES.keys()


@pytest.mark.parametrize("name", COURSES)
def test_a_story_keeps_its_promises_and_leaves_nothing(played: "dict[str, Future[Demo]]", name: str) -> None:
    demo = played[name].result()
    summary = demo.summary
    broken = {each["code"] for each in summary["failures"]}
    assert broken <= A_MATTER_OF_SPEED, (summary["failures"], demo.said)
    assert demo.process.returncode == (1 if broken else 0)
    assert demo.complained == ""
    demo.assert_nothing_remains()
    assert set(summary["files"]) == {path.name for path in demo.out.iterdir()}
    assert summary["verified"]


@pytest.mark.parametrize("name", COURSES)
def test_every_figure_of_a_story_is_measured_and_explained(played: "dict[str, Future[Demo]]", name: str) -> None:
    figures = played[name].result().summary["figures"]
    assert figures.keys() == STORIES[name].meanings.keys()
    for figure, value in figures.items():
        numbers = value if figure in LISTS else [value]
        assert all(math.isfinite(each) for each in numbers), figure


def test_an_outage_costs_nothing_but_time(played: "dict[str, Future[Demo]]") -> None:
    summary = played["outage"].result().summary
    figures = summary["figures"]
    assert (summary["end_reason"], summary["gaps"]) == ("stopped", [])
    assert all(each["covered_s"] > summary["seconds_running"] - 0.5 for each in summary["streams"].values())
    assert figures["outage_s"] == pytest.approx(18, abs=2)
    assert figures["backlog_segments"] > 15
    assert 270 <= figures["countdown_last_s"] <= figures["countdown_first_s"] < 300
    assert 0 < figures["drain_bytes_per_s"] < 1.2 * figures["link_bytes_per_s"]
    assert figures["link_bytes_per_s"] == pytest.approx(250_000, rel=0.2)


def test_an_expired_session_ends_at_both_ends_and_its_evidence_arrives_afterwards(
    played: "dict[str, Future[Demo]]",
) -> None:
    summary = played["expiry"].result().summary
    figures = summary["figures"]
    assert summary["end_reason"] == "expired"
    for end in ("agent", "service"):
        assert 17 < figures[f"{end}_ended_after_s"] < 24
        assert figures[f"{end}_off_by_s"] == pytest.approx(figures[f"{end}_ended_after_s"] - 18, abs=0.01)
    assert figures["countdown_first_s"] > figures["countdown_last_s"]
    assert figures["late_segments"] > 15
    assert figures["evidence_short_s"] < 1


def test_a_session_outlives_every_kill_of_its_agent(played: "dict[str, Future[Demo]]") -> None:
    summary = played["crash"].result().summary
    figures = summary["figures"]
    assert (figures["kills"], figures["sessions"], summary["end_reason"]) == (2, 1, "stopped")
    assert len(figures["kill_at_s"]) == len(figures["missing_audio_s"]) == 2
    assert figures["missing_max_s"] < 4
    assert {each["cause"] for each in summary["gaps"]} <= {"agent restarted", "agent stalled"}
    assert any(each["start_s"] <= figures["kill_at_s"][-1] <= each["end_s"] for each in summary["gaps"])


@pytest.mark.parametrize(
    ("name", "pictures"), [("outage", ("offline.png", "drain.png")), ("expiry", ("offline.png", "expired.png"))]
)
def test_pictures_of_the_page_are_taken_on_the_way(
    played: "dict[str, Future[Demo]]", name: str, pictures: tuple[str, ...]
) -> None:
    demo = played[name].result()
    for each in pictures:
        picture: Any = cv2.imread(str(demo.out / each))
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


def test_a_term_of_another_story_is_refused_at_the_command_line(start: "Callable[..., Demo]") -> None:
    demo = start("--story", "plain", "--kills", "3")
    assert demo.wait() == 2
    assert "--kills is not for the story plain" in demo.complained

"""`secureproctor status`: what a candidate reads, and what a script reads."""

import time
from typing import Any

import msgspec
import pytest

from secureproctor.agent.local.status_table import lasting, size, status_table, to_json
from secureproctor.contract.page import (
    AuthorizationStatus,
    ConsentTerms,
    DrainStatus,
    LinkStatus,
    LockdownStatus,
    PendingRequest,
    RoomStatus,
    Status,
)

SINCE_MS = 1_700_000_000_400


def rows(**changes: Any) -> dict[str, str]:
    """The table of a session that runs, changed: name → words."""
    usual: dict[str, Any] = {"agent": "agent 1", "state": "running", "session_id": "s", "link": LinkStatus(True)}
    table = status_table(Status(**{**usual, **changes}))
    names, values = (list(column.cells) for column in table.columns)
    return {str(name): str(value) for name, value in zip(names, values, strict=True)}


def test_without_a_session_there_is_little_to_tell() -> None:
    assert rows(state="idle", session_id="", link=LinkStatus(False)) == {
        "Session": "none",
        "State": "idle",
        "Captured now": "nothing",
        "Link": "no session",
        "Waiting": "0 records, 0 B",
        "Running for": "0 s",
        "Test sources": "none",
    }


def test_a_session_without_trouble_says_what_it_would_survive() -> None:
    told = rows(capturing=("screen", "webcam"), survivable_s=300.0, room=RoomStatus(10**11, 22_320.0), running_s=75.4)
    assert told["Captured now"] == "screen, webcam"
    assert told["Link"] == "online"
    assert told["Without the service"] == "session and evidence hold out for 5 min"
    assert told["Disk"] == "takes evidence for 6 h 12 min more"
    assert told["Running for"] == "1 min 15 s"
    assert "Delivering" not in told


def test_an_outage_says_since_when_and_how_long_it_may_last() -> None:
    link = LinkStatus(False, 130.2, 169.8, SINCE_MS)
    told = rows(link=link, survivable_s=169.8, waiting_segments=84, waiting_bytes=12_345_678)
    since = time.strftime("%H:%M:%S", time.localtime(SINCE_MS / 1000))
    assert told["Link"] == f"offline since {since} (2 min 10 s); the session ends in 2 min 50 s"
    assert told["Without the service"] == "session and evidence hold out for 2 min 50 s"
    assert told["Waiting"] == "84 records, 12.3 MB"


def test_a_backlog_says_how_far_it_is() -> None:
    assert rows(drain=DrainStatus(1_000_000, 370_000, 9250.0, 40.0))["Delivering"] == "63 % delivered, about 40 s left"
    assert rows(drain=DrainStatus(1_000_000, 999))["Delivering"] == "99 % delivered"
    assert rows(drain=DrainStatus(0, 0))["Delivering"] == "0 % delivered"
    assert "Delivering" not in rows(drain=DrainStatus(10, 5), link=LinkStatus(False))


@pytest.mark.parametrize(
    ("room", "words"),
    [
        (RoomStatus(2_500_000_000), "2.5 GB free for evidence"),
        (
            RoomStatus(10**9, 720.0, "reduced"),
            "takes evidence for 12 min more; the disk runs short: pictures are recorded at a lower quality",
        ),
        (
            RoomStatus(10**8, 72.0, "least"),
            "takes evidence for 1 min 12 s more; the disk is nearly full: pictures are recorded at the lowest quality",
        ),
        (
            RoomStatus(0, 0.0, "least", True),
            "takes evidence for 0 s more; the disk is full: the oldest video has been given up; free some space",
        ),
    ],
)
def test_a_disk_that_runs_short_is_told(room: RoomStatus, words: str) -> None:
    assert rows(room=room)["Disk"] == words


TERMS = ConsentTerms(("webcam", "photo"), "Maths", "the operator", "https://service.example", 72)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (AuthorizationStatus("consent", TERMS, ("photo",)), "the candidate has not agreed yet"),
        (AuthorizationStatus("capture", TERMS, ("photo", "id_card")), "pictures are to be taken (photo, ID card)"),
        (
            AuthorizationStatus("capture", TERMS, ("photo",), text="too dark"),
            "pictures are to be taken (photo): too dark",
        ),
        (AuthorizationStatus("submitted", TERMS), "handed in; the proctor decides"),
        (AuthorizationStatus("authorized", TERMS), "the candidate may start"),
        (AuthorizationStatus("rejected", TERMS, text="another person"), "the candidate may not start: another person"),
    ],
)
def test_authorization_says_how_far_it_is(status: AuthorizationStatus, words: str) -> None:
    assert rows(authorization=status)["Authorization"] == words


def test_what_waits_for_the_pages_acknowledgement_is_told() -> None:
    waiting = (PendingRequest("pause", "c-1", left_s=12.4), PendingRequest("end", "c-2", left_s=-1))
    assert rows(pending=waiting)["To acknowledge"] == "pause (12 s left), end (the proctor was told)"
    assert "To acknowledge" not in rows()


def test_a_quality_that_is_not_the_usual_one_is_told() -> None:
    assert rows(quality="reduced")["Quality"] == "lower than usual"
    assert rows(quality="least")["Quality"] == "the lowest"
    assert "Quality" not in rows()


@pytest.mark.parametrize(
    ("lockdown", "words"),
    [
        (LockdownStatus("locked"), "The rules are applied"),
        (
            LockdownStatus("locked", away=2, tolerance_left=1),
            "The rules are applied; the exam window was left 2 x; 1 x is tolerated still",
        ),
        (LockdownStatus("released", away=1), "The machine has been given back; the exam window was left 1 x"),
    ],
)
def test_the_lockdown_says_whether_the_machine_is_locked(lockdown: LockdownStatus, words: str) -> None:
    assert rows(lockdown=lockdown)["Lockdown"] == words


def test_an_expired_session_says_why_it_ended() -> None:
    told = rows(state="draining", end_reason="expired", link=LinkStatus(False, 400.0, None, SINCE_MS))
    assert told["State"] == "draining (the connection to the service was away for too long)"
    assert "ends in" not in told["Link"]
    assert rows(state="ended", end_reason="stopped")["State"] == "ended (stopped)"


def test_a_script_reads_the_whole_status() -> None:
    status = Status("agent 1", "running", drain=DrainStatus(10, 5), room=RoomStatus(7, None, "least"), survivable_s=1.5)
    assert msgspec.json.decode(to_json(status), type=Status) == status


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (-3, "0 s"), (0.6, "1 s"), (59.6, "1 min"), (60, "1 min"), (130, "2 min 10 s"),
        (3600, "1 h"), (22_320, "6 h 12 min"), (3659, "1 h"),
    ],
)  # fmt: skip
def test_a_length_of_time_has_two_units_at_most(seconds: float, words: str) -> None:
    assert lasting(seconds) == words


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345_678, "12.3 MB"), (5e13, "50.0 TB")]
)
def test_bytes_have_decimal_units(count: float, words: str) -> None:
    assert size(count) == words

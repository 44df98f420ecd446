"""The figures of the stories and their judgement, of accounts that are made up: nothing runs here."""

import msgspec
import pytest

from secureproctor.contract.console import SessionSnapshot, StreamState
from secureproctor.contract.events import Detail
from secureproctor.contract.http import StoredList
from secureproctor.contract.page import Status
from secureproctor.contract.report import Credibility, EventReport, Gap, Report, StreamReport
from secureproctor.demo import crash, expiry, outage
from secureproctor.demo.account import Account, Life, Told, holes, positions
from secureproctor.demo.promises import Limit, ended, without_gaps
from secureproctor.demo.summary import Summary
from secureproctor.demo.supervision import moments
from secureproctor.demo.terms import Terms
from secureproctor.demo.witness import spans

ZERO = 1_000.0
"""The wall time of the session clock's 0."""


def report(gaps: tuple[Gap, ...] = (), events: tuple[EventReport, ...] = (), running_s: float = 60.0) -> Report:
    return Report(
        1, "s", "u", "g", "", "", "ended", "stopped", 0, int(ZERO * 1000), None, running_s, 300, {}, (), True,
        (), (), gaps, (), events, (), (), Credibility(100, "high"),
    )  # fmt: skip


def snapshot(size: int, state: str = "running") -> SessionSnapshot:
    streams = {"screen": StreamState(size // 1000, size, 0)}
    return SessionSnapshot("s", "u", "", "g", state, "", "online", None, 0, None, None, 300, 0, 0, streams, "")


def status(waiting: int, state: str = "running") -> Status:
    return Status("a", state, "s", waiting_segments=waiting, waiting_bytes=waiting * 1000)


def event(kind: str, at_s: float, stream: str = "", detail: Detail | None = None) -> EventReport:
    return EventReport(kind, at_s, 0, stream, None, detail or {})


def interrupted() -> Account:
    """Silent from 10 to 40; 50 segments wait, and arrive at 2 a second through a link of 2500 bytes a second."""
    account = Account(Terms(outage_s=30, expiry_s=300), marks={"contact": 9.9, "cut": 10.0, "back": 40.0})
    account.statuses = [(5.0, status(1)), (39.0, status(50)), (41.0, status(48)), (42.0, status(45)), (62.0, status(5))]
    account.snapshots = [(9.0, snapshot(10_000)), (41.0, snapshot(11_000)), (42.0, snapshot(14_000))]
    account.snapshots += [(62.0, snapshot(54_000))]
    account.told = [(25.0, Told("offline", 285)), (26.0, Told("offline", 284)), (39.9, Told("offline", 270))]
    account.ages = [(41.0, {"screen": 30.0}), (46.0, {"screen": 2.0, "audio": 3.0}), (70.0, {"screen": 9.0})]
    account.link_bytes_per_s = 2500.0
    return account


def test_an_outage_is_measured_from_cut_to_drained() -> None:
    figures = outage.figures(interrupted(), report())
    assert figures == {
        "outage_s": 30.0,
        "offline_told_s": 15.0,
        "countdown_first_s": 285,
        "countdown_last_s": 270,
        "waiting_segments_max": 50,
        "waiting_bytes_max": 50_000,
        "backlog_segments": 50,
        "backlog_bytes": 50_000,
        "resumed_after_s": 1.0,
        "drain_s": 21.0,
        "drain_bytes_per_s": 2000.0,
        "link_bytes_per_s": 2500.0,
        "drain_link_pct": 80.0,
        "live_age_median_s": 2.5,
        "live_age_max_s": 3.0,
    }


def test_what_never_drained_is_missing_and_no_number() -> None:
    account = interrupted()
    account.snapshots = account.snapshots[:1]
    assert "drain_s" not in outage.figures(account, report())


def test_both_ends_of_an_expired_session_are_measured_from_the_last_contact() -> None:
    account = Account(Terms(outage_s=40, expiry_s=20), marks={"contact": 10.0, "cut": 10.3, "back": 50.0})
    account.statuses = [
        (5.0, status(0)),
        (30.5, status(30, "draining")),
        (49.0, status(30)),
        (51.5, status(0, "ended")),
    ]
    account.snapshots = [(9.0, snapshot(10_000)), (30.2, snapshot(10_000, "ended")), (51.0, snapshot(40_000, "ended"))]
    account.told = [(26.0, Told("offline", 4)), (29.0, Told("offline", 1)), (30.6, Told("expired"))]
    figures = expiry.figures(account, report())
    assert figures["agent_ended_after_s"] == 20.5
    assert figures["service_off_by_s"] == pytest.approx(0.2)
    assert figures["ends_apart_s"] == pytest.approx(0.3)
    assert (figures["countdown_first_s"], figures["countdown_last_s"]) == (4, 1)
    assert figures["expired_told_s"] == pytest.approx(20.6)
    assert (figures["late_segments"], figures["late_bytes"]) == (30, 30_000)
    assert figures["delivered_after_s"] == 1.5


def test_a_kill_costs_what_was_captured_since_the_last_evidence() -> None:
    """The second one meets an agent that has captured nothing yet, the third one the first segment of its life."""
    lives = [
        Life(ZERO - 5, ZERO - 4, ZERO + 10),
        Life(ZERO + 10.1, None, ZERO + 11),
        Life(ZERO + 11.1, ZERO + 12, ZERO + 14.5),
        Life(ZERO + 14.6, ZERO + 15.5),
    ]
    gaps = tuple(
        Gap(stream, *ends, "agent restarted")
        for stream in ("screen", "webcam", "audio")
        for ends in ((8.5, 9.0), (9.0, 16.0))
    )
    events = (event("source_started", 0.2, "screen"), event("source_started", 13.0, "screen"))
    account = Account(Terms(kills=3), lives=lives, acknowledged=[StoredList({"screen": [(0, 0, 4)]})])
    account.stored = StoredList({"screen": [(0, 0, 3), (1, 0, 2)]})
    account.spans = {"screen": [(0.0, 2.0), (2.0, 4.0), (3.9, 6.0)], "audio": [(0.0, 2.0), (2.02, 4.0)]}
    figures = crash.figures(account, report(gaps, (*events, event("agent_restarted", 12.0))))
    assert figures["missing_screen_s"] == pytest.approx([1.5, 0.0, 1.5])
    assert figures["missing_webcam_s"] == pytest.approx([1.5, 0.0, 0.0])
    assert figures["restart_s"] == pytest.approx([1.0, 1.0])
    assert (figures["kills"], figures["killed_while_starting"], figures["restarts_on_record"]) == (3, 1, 1)
    assert (figures["acknowledged_lost"], figures["stored_twice"], figures["sessions"]) == (1, 1, 1)


def test_every_figure_has_a_meaning() -> None:
    account = interrupted()
    assert outage.figures(account, report()).keys() == outage.FIGURES.keys()
    assert expiry.figures(account, report()).keys() <= expiry.FIGURES.keys()
    assert crash.figures(account, report()).keys() <= crash.FIGURES.keys()


def test_evidence_that_ends_early_is_short_by_its_last_gap() -> None:
    account = Account(Terms(expiry_s=20), marks={"contact": 10.0, "cut": 10.3, "back": 50.0})
    streams = tuple(StreamReport(each, 1, 1, 50.0, 90.0, "") for each in ("audio", "screen"))
    gaps = (Gap("audio", 5, 6, "stalled"), Gap("screen", 57.5, 60.25, "unknown"))
    whole = msgspec.structs.replace(report(gaps), streams=streams, running_until_s=60.25)
    assert expiry.figures(account, whole)["evidence_short_s"] == 2.75


def test_gaps_that_touch_are_one_hole() -> None:
    gaps = (Gap("audio", 5, 6, "b"), Gap("audio", 1, 2, "a"), Gap("audio", 2, 3, "c"), Gap("screen", 0, 9, "a"))
    assert holes(report(gaps), "audio") == [(1, 3), (5, 6)]


def test_runs_are_counted_record_by_record() -> None:
    assert positions(StoredList({"audio": [(0, 0, 1), (1, 4, 4)]})) == {
        ("audio", 0, 0),
        ("audio", 0, 1),
        ("audio", 1, 4),
    }


def test_segments_are_read_from_a_playlist() -> None:
    playlist = "#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:10.500Z\n#EXTINF:2.000000,\nscreen/0/1\n"
    assert spans(playlist) == [(10.5, 12.5)]


def test_kills_are_spread_over_their_time_by_their_seed() -> None:
    found = moments(7, 200, 1100.0)
    assert found == sorted(found) == moments(7, 200, 1100.0)
    assert found != moments(8, 200, 1100.0)
    assert found[0] > 0
    assert found[-1] == pytest.approx(1100.0)
    assert len(set(found)) == 200


@pytest.mark.parametrize(
    ("figures", "codes"), [({"f": 3.0}, []), ({"f": 5.0}, ["f"]), ({"f": 1.0}, ["f"]), ({}, ["not_measured"])]
)
def test_a_figure_out_of_its_limits_is_a_sentence_with_a_remedy(figures: dict[str, float], codes: list[str]) -> None:
    limit = Limit("f", "It was {value:.1f}.", least=2, most=4)
    failures = list(limit(Summary("outage", True, [], figures=dict(figures))))
    assert [each.code for each in failures] == codes
    assert all(each.message and each.remedy for each in failures)
    assert all("{" not in each.message for each in failures)


def test_a_gap_is_told() -> None:
    gaps = [Gap("audio", 5.0, 7.0, "agent restarted")]
    [failure] = without_gaps(Summary("outage", True, [], gaps=gaps))
    assert "5.0 s to 7.0 s" in failure.message


def test_another_end_than_the_promised_one_is_told() -> None:
    summary = Summary("expiry", True, [], end_reason="stopped")
    [failure] = ended("expired")(summary)
    assert "stopped" in failure.message
    assert not list(ended("expired")(msgspec.structs.replace(summary, end_reason="expired")))

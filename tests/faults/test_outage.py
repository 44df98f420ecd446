"""A link that is down for a while, within the session expiry time: nobody needs to do anything, and nothing is missing."""

import pytest

from secureproctor.contract.channel import COMMANDS
from secureproctor.contract.page import ChatEvent, RequestEvent, Status
from secureproctor.contract.record import RecordKind
from secureproctor.contract.streams import MEDIA
from tests.conftest import Played, each_of
from tests.faults.conftest import Course
from tests.faults.outage import ANSWER, LENGTHS, QUESTION, Length, Observed
from tests.faults.scene import Arrival

FRESH_S = 6.0
"""How old a segment may be when it arrives while a backlog is on its way."""


SHORT, LONG = (Course(f"outage.{name}", Observed, takes_s=20 + each.outage_s) for name, each in LENGTHS.items())


@pytest.fixture(scope="module", params=each_of(SHORT, slow=[LONG]))
def course(request: pytest.FixtureRequest) -> Course[Observed]:
    found: Course[Observed] = request.param
    return found


@pytest.fixture(scope="module")
def length(course: Course[Observed]) -> Length:
    return LENGTHS[course.name.partition(".")[2]]


@pytest.fixture(scope="module")
def seen(played: Played, course: Course[Observed]) -> Observed:
    return played(course)


def told(seen: Observed) -> list[Status]:
    return [each.event for each in seen.told if isinstance(each.event, Status)]


def media(seen: Observed) -> list[Arrival]:
    return [each for each in seen.arrivals if each.kind == RecordKind.MEDIA]


def heard_again_ms(seen: Observed) -> int:
    return min(each.received_ms for each in seen.arrivals if each.received_ms > seen.up_ms)


def test_the_running_time_is_covered_in_all_three_streams(seen: Observed, length: Length) -> None:
    assert {each.stream: each.coverage_pct for each in seen.report.streams} == dict.fromkeys(MEDIA, 100.0)
    assert seen.report.gaps == ()
    assert seen.report.running_s > length.outage_s


def test_the_report_is_verified_and_finds_no_tampering(seen: Observed) -> None:
    assert (seen.report.verified, seen.report.state, seen.report.end_reason) == (True, "ended", "stopped")
    assert [finding for finding in seen.report.tampering if finding.kind != "unreadable"] == []


def test_every_record_arrives_once_and_none_stays_behind(seen: Observed) -> None:
    assert seen.faults == []
    assert seen.left == []
    assert not [each for each in media(seen) if seen.down_ms + 1000 < each.received_ms < seen.up_ms]


def test_the_page_is_told_since_when_it_is_offline_and_how_long_the_session_survives(
    seen: Observed, length: Length
) -> None:
    before = [each.event for each in seen.told if each.at_ms < seen.up_ms and isinstance(each.event, Status)]
    offline = [each for each in before if not each.link.online]
    left = [each.link.expires_in_s for each in offline if each.link.expires_in_s is not None]
    assert len(left) == len(offline) >= 2
    assert left == sorted(left, reverse=True)
    assert length.expiry_s - length.outage_s - 6 < left[-1] < left[0] < length.expiry_s
    assert all(abs(each.link.offline_since_ms - seen.down_ms) < 6000 for each in offline)
    assert seen.backlog.waiting_segments > length.outage_s
    assert seen.backlog.survivable_s is not None
    assert 0 < seen.backlog.survivable_s <= length.expiry_s


def test_the_page_sees_the_backlog_drain(seen: Observed) -> None:
    drains = [each.drain for each in told(seen) if each.drain is not None and each.link.online]
    assert drains
    assert min(each.left_bytes for each in drains) < max(each.total_bytes for each in drains)
    assert told(seen)[-1].waiting_segments == 0


def test_live_segments_are_fresh_while_the_backlog_drains(seen: Observed) -> None:
    began_ms = heard_again_ms(seen)
    live = [each for each in media(seen) if each.wall_us / 1000 > began_ms]
    backlog = [each for each in media(seen) if seen.down_ms < each.wall_us / 1000 < seen.up_ms]
    assert live
    assert [each for each in live if each.late_s > FRESH_S] == []
    # not only because the backlog was short: what is live went ahead of it
    assert min(each.received_ms for each in live) < max(each.received_ms for each in backlog)


def test_loss_and_return_of_the_link_are_on_the_record(seen: Observed) -> None:
    kinds = [event.kind for event in seen.report.events if event.kind.startswith("link_")]
    assert kinds == ["link_lost", "link_restored"]


def test_a_message_each_way_arrives_afterwards(seen: Observed) -> None:
    for said in (seen.report.chat, seen.conversation.messages):
        assert {each.sender: each.text for each in said} == {"candidate": QUESTION, "proctor": ANSWER}
        assert all(each.delivered_ms is not None and each.delivered_ms > seen.up_ms for each in said)
    shown = [(each.at_ms, each.event.text) for each in seen.told if isinstance(each.event, ChatEvent)]
    assert [text for _, text in shown] == [ANSWER]
    assert all(at_ms > seen.up_ms for at_ms, _ in shown)


def test_a_command_that_is_still_alive_is_obeyed_afterwards_and_an_older_one_reported_as_expired(
    seen: Observed, length: Length
) -> None:
    ended = {each.kind: each for each in seen.report.commands}
    expired = length.outage_s > COMMANDS["snapshot"].lifetime_s
    assert {kind: each.status for kind, each in ended.items()} == {
        "snapshot": "expired" if expired else "acknowledged",
        "pause": "acknowledged",
        "resume": "acknowledged",
    }
    assert len(seen.report.stills) == (0 if expired else 1)
    assert all((each.applied_ms or 0) > seen.up_ms for each in ended.values() if each.status == "acknowledged")
    assert [each.event.kind for each in seen.told if isinstance(each.event, RequestEvent)] == ["pause", "resume"]

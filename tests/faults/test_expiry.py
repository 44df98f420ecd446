"""An outage that is longer than the session expiry time: both ends end the session then, and the evidence comes later."""

import pytest

from secureproctor.contract.page import ErrorEvent, Status
from secureproctor.contract.streams import MEDIA
from tests.conftest import Played
from tests.faults.conftest import Course
from tests.faults.expiry import EXPIRY_S, Observed

EXACT_S = 1.0


COURSE = Course("expiry", Observed)
pytestmark = pytest.mark.plays(COURSE)


@pytest.fixture(scope="module")
def seen(played: Played) -> Observed:
    return played(COURSE)


def test_the_agent_ends_the_session_at_last_contact_and_expiry(seen: Observed) -> None:
    lost = next(event for event in seen.report.events if event.kind == "link_lost")
    ended = next(event for event in seen.report.events if event.kind == "session_ended")
    left_s = lost.detail["left_s"]
    assert isinstance(left_s, float)
    assert ended.at_s == pytest.approx(lost.at_s + left_s, abs=EXACT_S)
    assert ended.detail["reason"] == "expired"
    assert seen.state_at_return in ("ending", "draining")


def test_the_service_ends_the_session_at_its_own_last_contact_and_expiry(seen: Observed) -> None:
    last_arrival_ms = max(each.received_ms for each in seen.arrivals if each.received_ms < seen.up_ms)
    assert seen.report.ended_ms is not None
    ended_s, expiry_s = seen.report.ended_ms / 1e3, EXPIRY_S
    assert last_arrival_ms / 1e3 + expiry_s - EXACT_S <= ended_s <= seen.down_ms / 1e3 + expiry_s + EXACT_S


def test_the_page_is_told_with_a_countdown(seen: Observed) -> None:
    lives = [each.event for each in seen.told if isinstance(each.event, Status) and each.event.state == "running"]
    left = [each.link.expires_in_s for each in lives if not each.link.online and each.link.expires_in_s is not None]
    assert len(left) >= 2
    assert left == sorted(left, reverse=True)
    assert left[0] <= 3.5
    errors = [each.event.error.code for each in seen.told if isinstance(each.event, ErrorEvent)]
    assert errors == ["link_lost", "session_expired"]


def test_after_the_return_the_page_is_told_that_the_link_is_there(seen: Observed) -> None:
    """The evidence is on its way then, and the candidate waits for it: nobody may tell them that they are offline."""
    statuses = [each.event for each in seen.told if isinstance(each.event, Status)]
    assert (statuses[-1].state, statuses[-1].end_reason, statuses[-1].link.online) == ("ended", "expired", True)


def test_all_evidence_until_the_end_arrives_after_the_return(seen: Observed) -> None:
    assert (seen.report.state, seen.report.end_reason, seen.report.verified) == ("ended", "expired", True)
    assert {each.stream: each.coverage_pct for each in seen.report.streams} == dict.fromkeys(MEDIA, 100.0)
    assert seen.report.running_s > EXPIRY_S
    assert (seen.faults, seen.left) == ([], [])
    assert "SESSION_EXPIRED" in {each.flag for each in seen.report.flags}

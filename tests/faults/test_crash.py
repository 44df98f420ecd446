"""Agent and service are killed (-9), stand still and lose their boot in one session: it goes on, and no gap is unexplained."""

import pytest

from secureproctor.contract.report import Gap
from secureproctor.contract.streams import MEDIA
from tests.conftest import Played
from tests.faults.conftest import Course
from tests.faults.crash import KILLS, STILL_S, Observed

UNSEALED_S = 2.0
"""What may be lost with an agent."""
RESTART_S = 20.0
"""Far more than an agent needs to come up and open the devices on a busy machine."""


COURSE = Course("crash", Observed)
pytestmark = pytest.mark.plays(COURSE)


@pytest.fixture(scope="module")
def seen(played: Played) -> Observed:
    return played(COURSE)


def gaps_within(seen: Observed, begin_ms: int, end_ms: int) -> list[Gap]:
    """Gaps that touch a time, but for those at the seams of the session."""
    zero_ms = seen.report.started_ms or 0
    return [
        gap
        for gap in seen.report.gaps
        if gap.start_s * 1e3 + zero_ms < end_ms
        and gap.end_s * 1e3 + zero_ms > begin_ms
        and gap.end_s - gap.start_s > 0.2
    ]


def test_it_stays_the_same_session(seen: Observed) -> None:
    assert len(set(seen.sessions)) == 1
    assert (seen.report.state, seen.report.end_reason, seen.report.verified) == ("ended", "stopped", True)
    assert seen.report.tampering == ()


@pytest.mark.parametrize("number", range(KILLS + 1))
def test_a_killed_agent_takes_no_more_with_it_than_what_was_not_sealed(seen: Observed, number: int) -> None:
    """The last one is the reboot: the boot clock goes back, and the session's clock does not."""
    for loss in seen.losses[number]:
        assert -0.05 <= loss.before_s <= UNSEALED_S, loss
        assert 0 < loss.until_back_s < RESTART_S, loss


@pytest.mark.parametrize("number", range(KILLS + 1))
def test_the_gap_of_a_kill_is_on_the_record(seen: Observed, number: int) -> None:
    kill = [*seen.kills, seen.rebooted][number]
    gaps = gaps_within(seen, kill.at_ms - 100, kill.at_ms + 100)
    assert {gap.stream for gap in gaps} == set(MEDIA)
    assert {gap.cause for gap in gaps} == {"agent restarted"}


def test_every_restart_is_an_event(seen: Observed) -> None:
    assert sum(event.kind == "agent_restarted" for event in seen.report.events) == KILLS + 1


def test_a_service_that_is_killed_and_comes_back_costs_nothing(seen: Observed) -> None:
    assert gaps_within(seen, seen.service_killed_ms, seen.service_back_ms) == []
    assert [each for each in seen.arrivals if seen.service_killed_ms < each.wall_us / 1e3 < seen.service_back_ms]


def test_a_computer_that_stood_still_is_a_gap_with_a_cause_and_no_end(seen: Observed) -> None:
    gaps = gaps_within(seen, seen.still_ms + 500, seen.going_on_ms - 500)
    assert {gap.stream for gap in gaps} == set(MEDIA)
    assert not {gap.cause for gap in gaps} & {"unknown", ""}
    assert all(gap.end_s - gap.start_s < STILL_S + RESTART_S for gap in gaps)
    stood = [event for event in seen.report.events if event.kind in ("agent_stalled", "machine_slept")]
    assert len(stood) == 1
    assert (stood[0].until_s or 0) - stood[0].at_s == pytest.approx(STILL_S, abs=2.0)


def test_nothing_is_there_twice_and_nothing_stays_behind(seen: Observed) -> None:
    assert (seen.faults, seen.left) == ([], [])
    assert "corrupt" not in seen.logs
    assert "Traceback" not in seen.logs

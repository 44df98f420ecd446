"""All that a network can do to a session, to one session: after each fault everything is in order again."""

import pytest

from secureproctor.contract.streams import MEDIA
from tests.faults.conftest import Played
from tests.faults.weathers import FAULTS, PARTS, Aftermath, Fault, Observed


@pytest.fixture(scope="module")
def seen(played: "Played[Observed]") -> list[Observed]:
    return [played(f"weathers.{part}", Observed) for part in range(PARTS)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_session_comes_whole_through(seen: list[Observed], fault: Fault) -> None:
    """All evidence is there, verified, without gap and without anything twice, and a proctor's commands are obeyed."""
    aftermath: Aftermath = next(each for part in seen for each in part.aftermaths if each.name == fault.name)
    if fault.stops:
        assert aftermath.arrived_meanwhile == 0
    assert (aftermath.chain_faults, aftermath.gaps, aftermath.record_faults) == ([], [], [])
    assert aftermath.verified
    assert aftermath.commands == ["acknowledged", "acknowledged"]
    assert aftermath.state == "running"


@pytest.mark.parametrize("part", range(PARTS))
def test_the_session_ends_in_order_after_all_of_them(seen: list[Observed], part: int) -> None:
    report = seen[part].report
    assert (report.state, report.end_reason, report.verified) == ("ended", "stopped", True)
    assert {gap.cause for gap in report.gaps} <= {"starting", "ending"}
    assert {each.stream for each in report.streams} == set(MEDIA)
    assert report.tampering == ()
    assert (seen[part].left, seen[part].stopped_tasks) == ([], [])

"""All that a network can do to a session, to one session: after each fault everything is in order again."""

import pytest

from secureproctor.contract.streams import MEDIA
from tests.conftest import Played, each_of, looking_at
from tests.faults.conftest import Course
from tests.faults.weathers import MORE, USUAL, Fault, Observed

THROUGH_USUAL = Course("weathers.usual", Observed)
THROUGH_MORE = Course("weathers.more", Observed)


@pytest.mark.parametrize(
    ("course", "fault"),
    [
        *(looking_at(THROUGH_USUAL, fault, id=fault.name) for fault in USUAL),
        *(looking_at(THROUGH_MORE, fault, id=fault.name, slow=True) for fault in MORE),
    ],
)
def test_a_session_comes_whole_through(played: Played, course: Course[Observed], fault: Fault) -> None:
    """All evidence is there, verified, without gap and without anything twice, and a proctor's commands are obeyed."""
    aftermath = next(each for each in played(course).aftermaths if each.name == fault.name)
    if fault.stops:
        assert aftermath.arrived_meanwhile == 0
    assert (aftermath.chain_faults, aftermath.gaps, aftermath.record_faults) == ([], [], [])
    assert aftermath.verified
    assert aftermath.commands == ["acknowledged", "acknowledged"]
    assert aftermath.state == "running"


@pytest.mark.parametrize("course", each_of(THROUGH_USUAL, slow=(THROUGH_MORE,)))
def test_the_session_ends_in_order_after_all_of_them(played: Played, course: Course[Observed]) -> None:
    seen = played(course)
    report = seen.report
    assert (report.state, report.end_reason, report.verified) == ("ended", "stopped", True)
    assert {gap.cause for gap in report.gaps} <= {"starting", "ending"}
    assert {each.stream for each in report.streams} == set(MEDIA)
    assert report.tampering == ()
    assert (seen.left, seen.stopped_tasks) == ([], [])
